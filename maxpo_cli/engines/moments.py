"""Moments of the gradient estimate: what an engine gives for one problem and K."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from maxpo_cli.arrays import BoolArray, FloatArray
from maxpo_cli.estimators.kinds import Estimator


@dataclass(frozen=True, eq=False)
class Noise:
    """The uncertainty of Monte Carlo means, for E estimators.

    Attributes:
        trace: tr Cov of the estimate of E ĝ, `[E]`.
        trace_square: tr (Cov²) of it, `[E]`.
        along_bias: its variance along its bias, times ‖bias‖², `[E]`.
        moments: covariance of the estimates of (variance of ĝ, <E ĝ, ∇J>), `[2E, 2E]`.
        parts: what independent parts of the sample add to the errors of these estimates, `[R, 2E]`.
        sampled: which estimators were sampled, `[E]`; the others are exact.
    """

    trace: FloatArray
    trace_square: FloatArray
    along_bias: FloatArray
    moments: FloatArray
    parts: FloatArray
    sampled: BoolArray


@dataclass(frozen=True, eq=False)
class Moments:
    """Moments of ĝ for E estimators on one problem at one K.

    Attributes:
        engine: the engine that found them.
        n, k: the group size and K.
        estimators: the E estimators.
        mean_weight: that of the problem (engines/README.md, *orthogonal limit*).
        objective: J_K.
        gradient: ∇J_K in the units of the problem's scores, `[d]`.
        mean: E ĝ in the same units, `[E, d]`.
        variance: tr Cov ĝ, `[E]`.
        centering_mean, centering_square, centering_max: mean, mean square and largest size of a
            group's mean advantage, `[E]`.
        states: count vectors that were enumerated.
        groups: groups that were sampled.
        rtol: how far refining an integral still moved a metric, as a share of it; None without one.
        noise: how uncertain the means are; None where they are exact.
    """

    engine: str
    n: int
    k: int
    estimators: tuple[Estimator, ...]
    mean_weight: float
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

    def only(self, estimators: tuple[Estimator, ...]) -> "Moments":
        """The moments of some of the estimators, in the order given."""
        if estimators == self.estimators:
            return self
        places = [self.estimators.index(estimator) for estimator in estimators]
        rows: dict[str, Any] = {name: getattr(self, name)[places] for name in ROWS}
        return replace(self, estimators=estimators, noise=self._noise_of(places), **rows)

    def _noise_of(self, places: list[int]) -> Noise | None:
        if self.noise is None:
            return None
        both = [*places, *(place + len(self.estimators) for place in places)]
        noise = self.noise
        return Noise(
            noise.trace[places],
            noise.trace_square[places],
            noise.along_bias[places],
            noise.moments[np.ix_(both, both)],
            noise.parts[:, both],
            noise.sampled[places],
        )

    def joined(self, other: "Moments") -> "Moments":
        """These moments and those of other estimators of the same problem."""
        rows: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in ROWS
        }
        noise = _joined_noise(self, other) if self.noise or other.noise else None
        return replace(self, estimators=self.estimators + other.estimators, noise=noise, **rows)


def _joined_noise(first: Moments, second: Moments) -> Noise:
    """The noise of both, which is independent; exact moments have none."""
    size, more = len(first.estimators), len(second.estimators)
    one, other = first.noise or _silent(size), second.noise or _silent(more)
    moments = np.zeros((2 * (size + more),) * 2)
    parts = np.zeros((len(one.parts) + len(other.parts), 2 * (size + more)))
    places = np.arange(2 * (size + more)).reshape(2, -1)
    for part, noise, rows in (
        (places[:, :size], one, slice(len(one.parts))),
        (places[:, size:], other, slice(len(one.parts), None)),
    ):
        moments[np.ix_(part.ravel(), part.ravel())] = noise.moments
        parts[rows, part.ravel()] = noise.parts
    return Noise(
        np.concatenate([one.trace, other.trace]),
        np.concatenate([one.trace_square, other.trace_square]),
        np.concatenate([one.along_bias, other.along_bias]),
        moments,
        parts,
        np.concatenate([one.sampled, other.sampled]),
    )


def _silent(size: int) -> Noise:
    none, pairs = np.zeros(size), np.zeros((2 * size, 2 * size))
    return Noise(none, none, none, pairs, pairs[:0], np.zeros(size, dtype=bool))


ROWS = ("mean", "variance", "centering_mean", "centering_square", "centering_max")
"""The fields of `Moments` that have a row per estimator."""
