"""Sums of moments over the problems of a policy, each of which has parameters of its own."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maxpo_cli.arrays import BoolArray, FloatArray
from maxpo_cli.engines.moments import Moments


@dataclass(frozen=True, eq=False)
class Totals:
    """Sums over problems; arrays are `[E]` except `moments`, `[2E, 2E]`, and `parts`, `[R, 2E]`.

    Objectives, squared norms and variances add up; the centering is over the groups of all
    problems. `mean_weight` is 0 in the orthogonal limit, where the squared norm of a mean gradient
    vanishes compared with a variance (engines/README.md, *orthogonal limit*), and 1 elsewhere.
    `known_scale` is the scale that is claimed of an estimator, NaN where none is.
    """

    problems: Sequence[Moments]
    mean_weight: float
    objective: float
    gradient_square: float
    bias_square: FloatArray
    product: FloatArray
    variance: FloatArray
    centering_mean: FloatArray
    centering_rms: FloatArray
    centering_max: FloatArray
    sampled: BoolArray
    trace: FloatArray
    trace_square: FloatArray
    along_bias: FloatArray
    moments: FloatArray
    parts: FloatArray
    known_scale: FloatArray

    @classmethod
    def of(cls, problems: Sequence[Moments]) -> "Totals":
        """The sums over these problems, all of which have the same estimators in one order."""
        size = len(problems[0].estimators)
        if len({problem.mean_weight for problem in problems}) > 1:
            raise ValueError("a policy is in the orthogonal limit with all of its problems or none")
        noises = [problem.noise for problem in problems if problem.noise is not None]
        none = np.zeros(size)
        first = problems[0]
        claims = (e.claims.scale(first.n, first.k) for e in first.estimators)
        return cls(
            problems=problems,
            mean_weight=problems[0].mean_weight,
            objective=sum(p.objective for p in problems),
            gradient_square=float(sum(p.gradient @ p.gradient for p in problems)),
            bias_square=sum(((p.mean - p.gradient) ** 2).sum(1) for p in problems) + none,
            product=sum(p.mean @ p.gradient for p in problems) + none,
            variance=sum(p.variance for p in problems) + none,
            centering_mean=np.mean([p.centering_mean for p in problems], axis=0),
            centering_rms=np.sqrt(np.mean([p.centering_square for p in problems], axis=0)),
            centering_max=np.max([p.centering_max for p in problems], axis=0),
            sampled=np.any([np.zeros(size, dtype=bool), *(n.sampled for n in noises)], axis=0),
            trace=sum((noise.trace for noise in noises), none),
            trace_square=sum((noise.trace_square for noise in noises), none),
            along_bias=sum((noise.along_bias for noise in noises), none),
            moments=sum((noise.moments for noise in noises), np.zeros((2 * size, 2 * size))),
            parts=np.concatenate([np.zeros((0, 2 * size)), *(noise.parts for noise in noises)]),
            known_scale=np.array([math.nan if c is None else float(c) for c in claims]),
        )

    def across_square(self, e: int, scale: float) -> float:
        """‖E ĝ − scale · ∇J‖²: the part of E ĝ that is not along ∇J, less its noise."""
        square = sum(float(((p.mean[e] - scale * p.gradient) ** 2).sum()) for p in self.problems)
        size = len(self.trace)
        along = self.moments[size + e, size + e] / self.gradient_square
        noise = max(float(self.trace[e] - along), 0.0)
        return max(square - noise, 0.0)
