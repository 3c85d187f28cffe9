"""The metrics of one estimator at one policy, N and K, from the moments of ĝ."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from maxpo_cli.engines.moments import Moments
from maxpo_cli.metrics.bias_interval import BiasEstimate, estimate_bias
from maxpo_cli.metrics.totals import Totals

NAN = math.nan


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
        """Whether ∇J is not 0, so that there is something to estimate."""
        return self.totals.gradient_square > 0

    @property
    def objective(self) -> float:
        """J_K."""
        return self.totals.objective

    @cached_property
    def _norm(self) -> float:
        """‖∇J_K‖, in the units of the problem's scores."""
        return math.sqrt(self.totals.gradient_square)

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
        along = _ratio(float(totals.along_bias[e]), square)
        return estimate_bias(square, float(totals.trace[e]), float(totals.trace_square[e]), along)

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
        """The z-score of the bias if the estimator were unbiased."""
        return self._bias.score

    @cached_property
    def scale(self) -> float:
        """<E ĝ, ∇J> / ‖∇J‖²."""
        return _ratio(float(self.totals.product[self.e]), self.totals.gradient_square)

    @cached_property
    def _across(self) -> float:
        """The length of the part of E ĝ that is not along ∇J."""
        if not self.has_gradient:
            return NAN
        return math.sqrt(self.totals.across_square(self.e, self.scale))

    @property
    def misalignment(self) -> float:
        """The sine of the angle between E ĝ and ∇J."""
        return _ratio(self._across, math.hypot(self.scale * self._norm, self._across))

    @property
    def centering_mean(self) -> float:
        """The mean over groups of a group's mean advantage."""
        return float(self.totals.centering_mean[self.e])

    @property
    def centering_rms(self) -> float:
        """The root mean square of a group's mean advantage."""
        return float(self.totals.centering_rms[self.e])

    @property
    def centering_max(self) -> float:
        """The largest |mean advantage| of any group."""
        return float(self.totals.centering_max[self.e])

    @property
    def variance(self) -> float:
        """tr Cov ĝ."""
        return float(self.totals.variance[self.e])

    @property
    def variance_stderr(self) -> float:
        """The standard error of `variance`."""
        if not self.totals.sampled[self.e]:
            return NAN
        return math.sqrt(self.totals.moments[self.e, self.e])

    @property
    def matched_variance(self) -> float:
        """The variance at scale 1 (engines/README.md, *matched variance*)."""
        return _ratio(self.variance, self.scale * self.scale)

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

        The relative change of a matched variance V/scale² is dV/V − 2 dt/<E ĝ, ∇J>, with t as in
        `Noise.moments`; both estimators saw the same draws, so that their errors cancel in part.
        """
        totals, e, unit = self.totals, self.e, self.unit
        if unit is None:
            return NAN, NAN
        size = len(totals.variance)
        change = np.zeros(2 * size)
        with np.errstate(all="ignore"):
            for index, sign in ((e, 1), (unit, -1)):
                change[index] += sign / totals.variance[index]
                change[size + index] -= sign * 2 / totals.product[index]
            ratio = totals.variance[e] / totals.variance[unit]
            ratio *= (totals.product[unit] / totals.product[e]) ** 2
            stderr = ratio * np.sqrt(np.maximum(change @ totals.moments @ change, 0.0))
        if totals.variance[unit] <= 0 or not np.isfinite(ratio):
            return NAN, NAN
        return float(ratio), float(stderr)

    @property
    def snr(self) -> float:
        """‖E ĝ‖² / variance."""
        if self.has_gradient:
            square = math.hypot(self.scale * self._norm, self._across) ** 2
        else:
            square = self._bias.value**2
        return self._length(_ratio(square, self.variance))

    @property
    def mse(self) -> float:
        """bias² + variance."""
        return self.totals.mean_weight * self._bias.value**2 + self.variance


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else NAN
