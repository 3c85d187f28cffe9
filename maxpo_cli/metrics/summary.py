"""From measures to the columns of a study: problems added up, standard errors, ratios."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from maxpo_cli.arrays import FloatArray
from maxpo_cli.metrics.bias_interval import estimate_bias
from maxpo_cli.engines.moments import Measures

NAN = math.nan


@dataclass(frozen=True)
class Diagnostics:
    """The figures of one estimator at one (policy, N, K), as the design's section 5 names them.

    NaN where a figure does not exist: a standard error of an exact figure, a ratio to nothing.
    """

    objective: float = NAN
    gradient_norm: float = NAN
    bias: float = NAN
    bias_stderr: float = NAN
    relative_bias: float = NAN
    bias_z: float = NAN
    scale: float = NAN
    misalignment: float = NAN
    centering_mean: float = NAN
    centering_rms: float = NAN
    centering_max: float = NAN
    variance: float = NAN
    variance_stderr: float = NAN
    matched_variance: float = NAN
    variance_ratio: float = NAN
    variance_ratio_stderr: float = NAN
    snr: float = NAN
    mse: float = NAN


COLUMNS = tuple(field.name for field in fields(Diagnostics))


def diagnose(problems: Sequence[Measures], reference: str) -> dict[str, Diagnostics]:
    """The figures of every estimator over these problems together, by estimator name.

    All problems carry the same estimators in the same order. Each problem is a block of parameters
    of its own, so objectives, squared norms and variances add up; the centering is over all groups
    of all problems. `reference` names the estimator whose matched variance is the unit of
    `variance_ratio`; the ratio is NaN when it is not among the estimators.
    """
    names = [estimator.name for estimator in problems[0].estimators]
    total = _Total.of(problems)
    unit = names.index(reference) if reference in names else None
    return {name: _diagnostics(total, e, unit) for e, name in enumerate(names)}


@dataclass(frozen=True, eq=False)
class _Total:
    """Sums over problems; arrays `[E]` but for `moments` `[2E, 2E]`."""

    problems: Sequence[Measures]
    objective: float
    gradient_square: float
    bias_square: FloatArray
    product: FloatArray
    variance: FloatArray
    centering_mean: FloatArray
    centering_rms: FloatArray
    centering_max: FloatArray
    sampled: bool
    trace: FloatArray
    trace_square: FloatArray
    along_bias: FloatArray
    moments: FloatArray

    @classmethod
    def of(cls, problems: Sequence[Measures]) -> "_Total":
        size = len(problems[0].estimators)
        noises = [problem.noise for problem in problems if problem.noise is not None]
        none = np.zeros(size)
        return cls(
            problems=problems,
            objective=sum(p.objective for p in problems),
            gradient_square=float(sum(p.gradient @ p.gradient for p in problems)),
            bias_square=sum(((p.mean - p.gradient) ** 2).sum(1) for p in problems) + none,
            product=sum(p.mean @ p.gradient for p in problems) + none,
            variance=sum(p.variance for p in problems) + none,
            centering_mean=np.mean([p.centering_mean for p in problems], axis=0),
            centering_rms=np.sqrt(np.mean([p.centering_square for p in problems], axis=0)),
            centering_max=np.max([p.centering_max for p in problems], axis=0),
            sampled=bool(noises),
            trace=sum((noise.trace for noise in noises), none),
            trace_square=sum((noise.trace_square for noise in noises), none),
            along_bias=sum((noise.along_bias for noise in noises), none),
            moments=sum((noise.moments for noise in noises), np.zeros((2 * size, 2 * size))),
        )

    def across_square(self, e: int, scale: float) -> float:
        """‖E ĝ − scale · ∇J‖²: the part of E ĝ that is not along ∇J, less its noise."""
        square = sum(float(((p.mean[e] - scale * p.gradient) ** 2).sum()) for p in self.problems)
        size = len(self.trace)
        along = self.moments[size + e, size + e] / self.gradient_square
        noise = max(float(self.trace[e] - along), 0.0)
        return max(square - noise, 0.0)


def _diagnostics(total: _Total, e: int, unit: int | None) -> Diagnostics:
    norm = math.sqrt(total.gradient_square)
    variance = float(total.variance[e])
    square = float(total.bias_square[e])
    bias, bias_stderr, bias_z = math.sqrt(square), NAN, NAN
    if total.sampled:
        along = _ratio(float(total.along_bias[e]), square)
        estimate = estimate_bias(square, float(total.trace[e]), float(total.trace_square[e]), along)
        bias, bias_stderr, bias_z = estimate.value, estimate.stderr, estimate.score
    scale = _ratio(float(total.product[e]), total.gradient_square)
    across = math.sqrt(total.across_square(e, scale)) if norm > 0 else NAN
    length = math.hypot(scale * norm, across)
    matched = _ratio(variance, scale * scale)
    ratio, ratio_stderr = _variance_ratio(total, e, unit)
    mean_square = length**2 if norm > 0 else bias**2
    return Diagnostics(
        objective=total.objective,
        gradient_norm=norm,
        bias=bias,
        bias_stderr=bias_stderr,
        relative_bias=_ratio(bias, norm),
        bias_z=bias_z,
        scale=scale,
        misalignment=_ratio(across, length),
        centering_mean=float(total.centering_mean[e]),
        centering_rms=float(total.centering_rms[e]),
        centering_max=float(total.centering_max[e]),
        variance=variance,
        variance_stderr=math.sqrt(total.moments[e, e]) if total.sampled else NAN,
        matched_variance=matched,
        variance_ratio=ratio,
        variance_ratio_stderr=ratio_stderr if total.sampled else NAN,
        snr=_ratio(mean_square, variance),
        mse=bias**2 + variance,
    )


def _variance_ratio(total: _Total, e: int, unit: int | None) -> tuple[float, float]:
    """matched_variance over that of the reference, and its standard error by the delta method.

    The relative change of a matched variance V/scale² is dV/V − 2 dt/<E ĝ, ∇J>, with t as in
    `Noise.moments`; both estimators saw the same draws, so that their errors cancel in part.
    """
    if unit is None:
        return NAN, NAN
    size = len(total.variance)
    change = np.zeros(2 * size)
    with np.errstate(all="ignore"):
        for index, sign in ((e, 1), (unit, -1)):
            change[index] += sign / total.variance[index]
            change[size + index] -= sign * 2 / total.product[index]
        ratio = total.variance[e] / total.variance[unit]
        ratio *= (total.product[unit] / total.product[e]) ** 2
        stderr = ratio * np.sqrt(np.maximum(change @ total.moments @ change, 0.0))
    if total.variance[unit] <= 0 or not np.isfinite(ratio):
        return NAN, NAN
    return float(ratio), float(stderr)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else NAN
