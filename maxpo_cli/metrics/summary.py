"""The metrics of one estimator at one policy, N and K, from the moments of ĝ."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from maxpo_cli.arrays import FloatArray
from maxpo_cli.engines.moments import Moments
from maxpo_cli.metrics.bias_interval import BiasEstimate, estimate_bias
from maxpo_cli.metrics.intervals import skewed_stderr
from maxpo_cli.metrics.totals import Totals

NAN = math.nan

SMALLEST = 1e-290
"""Number below which float64 soon has fewer digits, until it is 0."""

MISSED = 6.0
"""The z-score that a sampled mean does not reach by chance."""

FEW = 0.2
"""Relative error of a variance that fewer than 25 groups, all equal in it, would give."""

CONSTANT = 1e-15
"""Share of E ĝ and its bias below which the noise of a mean is rounding."""

RESOLVED = 4.0
"""Standard errors that a sampled scale is away from 0 at least where it is divided by."""


def summaries(problems: Sequence[Moments], reference: str) -> dict[str, "Summary"]:
    """The metrics of every estimator over these problems together, by estimator name.

    All problems carry the same estimators in the same order. Each problem is a block of parameters
    of its own, so objectives, squared norms and variances add up; the centering is over all groups
    of all problems. `reference` names the estimator whose matched variance is the unit of
    `variance_ratio`; the ratio is NaN when it is not among the estimators.
    """
    names = [estimator.name for estimator in problems[0].estimators]
    totals = Totals.of(problems)
    unit = names.index(reference) if reference in names else None
    return {name: Summary(totals, e, unit) for e, name in enumerate(names)}


@dataclass(frozen=True, eq=False)
class Summary:
    """The metrics of estimator `e` of some totals; `unit` is the reference, None without one.

    A metric that does not exist is NaN: a standard error of an exact one, a ratio to nothing, and
    in the orthogonal limit the lengths that vanish there.
    """

    totals: Totals
    e: int
    unit: int | None

    @cached_property
    def has_gradient(self) -> bool:
        """Whether ∇J is not 0, nor so small that its square loses digits."""
        return self.totals.gradient_square > SMALLEST

    @property
    def objective(self) -> float:
        """J_K."""
        return self.totals.objective

    @cached_property
    def _norm(self) -> float:
        """‖∇J_K‖, in the units of the problem's scores."""
        return math.sqrt(_carried(self.totals.gradient_square))

    def _length(self, value: float) -> float:
        """A length in parameter space: it vanishes in the orthogonal limit, and is NaN there."""
        return value if self.totals.mean_weight else NAN

    @property
    def gradient_norm(self) -> float:
        """‖∇J_K‖."""
        return self._length(self._norm)

    @cached_property
    def _bias(self) -> BiasEstimate:
        """The bias in the units of the problem's scores (engines/README.md, *bias interval*)."""
        totals, e = self.totals, self.e
        square = float(totals.bias_square[e])
        if not totals.sampled[e]:
            return BiasEstimate(math.sqrt(square), NAN, NAN)
        along = float(totals.along_bias[e]) / square if square > 0 else 0.0
        trace = float(totals.trace[e])
        if trace <= CONSTANT**2 * (square + totals.gradient_square):
            trace = 0.0  # ĝ is the same in all groups, except for rounding
        return estimate_bias(square, trace, float(totals.trace_square[e]), along)

    @property
    def bias(self) -> float:
        """‖E ĝ − ∇J‖, the noise of a sampled mean taken out."""
        return self._length(self._bias.value)

    @property
    def bias_stderr(self) -> float:
        """The standard error of `bias`."""
        return self._length(self._bias.stderr)

    @property
    def relative_bias(self) -> float:
        """‖E ĝ − ∇J‖ / ‖∇J‖."""
        return _ratio(self._bias.value, self._norm)

    @property
    def relative_bias_stderr(self) -> float:
        """The standard error of `relative_bias`."""
        return _ratio(self._bias.stderr, self._norm)

    @property
    def bias_z(self) -> float:
        """The z-score of the bias if there is none; NaN where the sample `misses_its_mean`."""
        return NAN if self.misses_its_mean else self._bias.score

    @property
    def misses_its_mean(self) -> bool:
        """Whether a sample is far from the mean that is claimed: it has not seen what matters."""
        return self.totals.known_scale[self.e] == 1 and self._bias.score > MISSED

    @property
    def saw_nothing(self) -> bool:
        """Whether every sampled group gave 0, though there is a gradient."""
        nothing = self.is_sampled and self.has_gradient and self.totals.variance[self.e] == 0
        return bool(nothing and self.scale == 0 and self.totals.known_scale[self.e] != 0)

    @property
    def rests_on_few(self) -> bool:
        """Whether few groups make up most of a sampled variance, so that its error is unknown."""
        square = self.totals.moments[self.e, self.e]
        return bool(self.is_sampled and square > FEW**2 * self.totals.variance[self.e] ** 2)

    @cached_property
    def scale(self) -> float:
        """<E ĝ, ∇J> / ‖∇J‖²."""
        if not self.has_gradient:
            return NAN
        return float(self.totals.product[self.e]) / self.totals.gradient_square

    @cached_property
    def _across(self) -> float:
        """The length of the part of E ĝ that is not along ∇J."""
        if not self.has_gradient:
            return NAN
        return math.sqrt(self.totals.across_square(self.e, self.scale))

    @property
    def misalignment(self) -> float:
        """The sine of the angle between E ĝ and ∇J."""
        return _ratio(self._across, self._mean_length)

    @property
    def _mean_length(self) -> float:
        """‖E ĝ‖, in the units of the problem's scores."""
        return math.hypot(self.scale * self._norm, self._across)

    @property
    def centering_mean(self) -> float:
        """The mean over groups of a group's mean advantage."""
        return _carried(float(self.totals.centering_mean[self.e]))

    @property
    def centering_rms(self) -> float:
        """The root mean square of a group's mean advantage."""
        value = float(self.totals.centering_rms[self.e])
        return value if value == 0 or value > math.sqrt(SMALLEST) else NAN

    @property
    def centering_max(self) -> float:
        """The largest |mean advantage| of any group."""
        return _carried(float(self.totals.centering_max[self.e]))

    @property
    def variance(self) -> float:
        """tr Cov ĝ."""
        return _carried(float(self.totals.variance[self.e]))

    @property
    def variance_stderr(self) -> float:
        """The standard error of `variance` (engines/README.md, *skewed interval*)."""
        if not self.totals.sampled[self.e]:
            return NAN
        return self._stderr(np.eye(2 * len(self.totals.variance))[self.e])

    def _stderr(self, change: FloatArray) -> float:
        """The standard error of what changes by `change`, `[2E]`, times the errors of moments."""
        square = float(change @ self.totals.moments @ change)
        return skewed_stderr(math.sqrt(max(square, 0.0)), self.totals.parts @ change)

    @property
    def is_scale_known(self) -> bool:
        """Whether the scale is claimed, or measured well enough to divide by it."""
        return math.isfinite(_divisor(self.totals, self.e))

    @property
    def is_sampled(self) -> bool:
        """Whether it was measured on sampled groups."""
        return bool(self.totals.sampled[self.e])

    @property
    def is_resolved(self) -> bool:
        """Whether float64 tells E ĝ from 0, or it is 0 by claim."""
        least = min(abs(self.scale), self._mean_length)
        return self.totals.known_scale[self.e] == 0 or least > math.sqrt(SMALLEST)

    @property
    def matched_variance(self) -> float:
        """The variance at scale 1 (engines/README.md, *matched variance*)."""
        return self.variance / _square(_divisor(self.totals, self.e))

    @property
    def variance_ratio(self) -> float:
        """`matched_variance` over that of the reference."""
        return self._variance_ratio[0]

    @property
    def variance_ratio_stderr(self) -> float:
        """The standard error of `variance_ratio`."""
        sides = [self.e] if self.unit is None else [self.e, self.unit]
        return self._variance_ratio[1] if self.totals.sampled[sides].any() else NAN

    @cached_property
    def _variance_ratio(self) -> tuple[float, float]:
        """The ratio and its standard error (engines/README.md, *delta method*).

        The relative change of a matched variance V/scale² is dV/V, less 2 dt/<E ĝ, ∇J> where the
        scale is measured, with t as in `Noise.moments`; both estimators saw the same draws, so that
        their errors cancel in part.
        """
        totals, e, unit = self.totals, self.e, self.unit
        if unit is None or not totals.variance[unit] > 0:
            return NAN, NAN
        with np.errstate(over="ignore"):
            ratio = totals.variance[e] / totals.variance[unit]
            ratio *= _square(_divisor(totals, unit)) / _square(_divisor(totals, e))
        if not np.isfinite(ratio):
            return NAN, NAN
        if not totals.variance[e] > 0:
            return float(ratio), NAN
        size = len(totals.variance)
        change = np.zeros(2 * size)
        for index, sign in ((e, 1), (unit, -1)):
            change[index] += sign / totals.variance[index]
            if math.isnan(totals.known_scale[index]):
                change[size + index] -= sign * 2 / totals.product[index]
        return float(ratio), float(ratio) * self._stderr(change)

    @property
    def snr(self) -> float:
        """‖E ĝ‖² / variance."""
        length = self._mean_length if self.has_gradient else self._bias.value
        square = _square(length)
        return self._length(_ratio(square, self.variance))

    @property
    def mse(self) -> float:
        """bias² + variance."""
        return self.totals.mean_weight * self._bias.value**2 + self.variance


def _divisor(totals: Totals, e: int) -> float:
    """The scale to divide by: the one that is claimed, else the measured one.

    NaN where there is no gradient, where the scale is 0, and where a sampled scale is not told from
    0: what is divided by its square would be noise.
    """
    if not totals.gradient_square > SMALLEST:
        return NAN
    if math.isfinite(totals.known_scale[e]):
        return float(totals.known_scale[e]) or NAN
    size, product = len(totals.variance), float(totals.product[e])
    error = math.sqrt(max(totals.moments[size + e, size + e], 0.0))
    return product / totals.gradient_square if abs(product) > RESOLVED * error else NAN


def _carried(value: float) -> float:
    """A number, NaN where it is so small that float64 has lost digits of it."""
    return value if value == 0 or abs(value) > SMALLEST else NAN


def _square(length: float) -> float:
    """The square of a length; NaN where it is so small that float64 has lost digits of it."""
    return length * length if length == 0 or abs(length) > math.sqrt(SMALLEST) else NAN


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else NAN
