"""What an engine measures: exact or estimated moments of ĝ for one problem, K and estimators."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from maxpo_cli.arrays import FloatArray
from maxpo_cli.estimators.catalogue import Estimator
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.policies.gaussian import GaussianProblem

Problem = FiniteProblem | GaussianProblem


@dataclass(frozen=True, eq=False)
class Noise:
    """How uncertain the Monte Carlo means are; E estimators.

    Attributes:
        trace: tr Cov of the estimate of E ĝ, `[E]`.
        trace_square: tr (Cov²) of it, `[E]`.
        along_bias: its variance along its bias, times ‖bias‖², `[E]`.
        moments: covariance of the estimates of (variance of ĝ, <E ĝ, ∇J>), `[2E, 2E]`.
    """

    trace: FloatArray
    trace_square: FloatArray
    along_bias: FloatArray
    moments: FloatArray


@dataclass(frozen=True, eq=False)
class Measures:
    """Moments of ĝ for E estimators on one problem at one K; `noise` is None where exact.

    `gradient` is ∇J_K `[d]`, `mean` is E ĝ `[E, d]`; the other arrays are `[E]`. `states` counts
    the count vectors that were enumerated, `groups` the groups that were sampled; `rtol` is how far
    refining an integral still moved a figure, as a share of it; None where there is none.
    """

    estimators: tuple[Estimator, ...]
    objective: float
    gradient: FloatArray
    mean: FloatArray
    variance: FloatArray
    centering_mean: FloatArray
    centering_square: FloatArray
    centering_max: FloatArray
    states: int = 0
    groups: int = 0
    rtol: float | None = None
    noise: Noise | None = None

    def only(self, estimators: tuple[Estimator, ...]) -> "Measures":
        """The measures of some of the estimators, in the order given; of exact ones alone."""
        places = [self.estimators.index(estimator) for estimator in estimators]
        rows: dict[str, Any] = {name: getattr(self, name)[places] for name in ROWS}
        return replace(self, estimators=estimators, **rows)

    def joined(self, other: "Measures") -> "Measures":
        """The measures of other estimators of the same problem too; of exact ones alone."""
        rows: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in ROWS
        }
        return replace(self, estimators=self.estimators + other.estimators, **rows)


ROWS = ("mean", "variance", "centering_mean", "centering_square", "centering_max")
"""The fields of `Measures` that have a row an estimator."""
