"""A bias behind a noisy mean, with its uncertainty: a norm, which noise alone makes positive."""

import math
from dataclasses import dataclass

from scipy.special import chndtrinc, gammaincc, gammaln, ndtri_exp

from maxpo_cli.metrics.intervals import Z95

FAR = 100.0
"""Squared distance, in variances, from which a bias is as good as normally distributed."""


@dataclass(frozen=True)
class BiasEstimate:
    """A bias with the noise taken out, its standard error, and its z-score if unbiased."""

    value: float
    stderr: float
    score: float


def estimate_bias(square: float, trace: float, trace_square: float, along: float) -> BiasEstimate:
    """The bias ‖E ĝ − ∇J‖ behind a noisy mean δ of ĝ − ∇J, whose square is ‖δ‖² = `square`.

    With C the covariance of δ: `trace` = tr C, `trace_square` = tr C², `along` = δᵀ C δ / ‖δ‖².
    The noise across δ lengthens it by tr C − along on average, which is taken off. ‖δ‖² is close to
    an offset plus `along` times a noncentral chi-square whose degrees of freedom match tr C and
    tr C²; the bounds are those that a 2.5% (upper) and 5% (lower) test of that law would not
    reject, and the standard error is such that ± 1.96 of it reaches the farther one. An unbiased
    estimator is then covered 95% of the time, and so is a large bias, whose standard error tends
    to sqrt(along). A δ shorter than noise makes it is no sign of less noise: the upper bound is
    then that of one as long as noise makes it. The score is the normal deviate of the same tail
    probability as ‖δ‖² has when there is no bias, NaN without noise and where δ is 0.
    """
    if trace > 0 and square == 0:
        along = trace_square / trace  # that of a direction chosen by the noise
    if trace <= 0 or along <= 0:
        return BiasEstimate(math.sqrt(square), 0.0, math.nan)
    value = math.sqrt(max(square - trace + along, 0.0))
    score = _null_score(square, trace, trace_square)
    if value**2 > FAR * max(along, math.sqrt(trace_square)):
        return BiasEstimate(value, math.sqrt(along), score)
    freedom = trace_square / along**2
    statistic = max((square - trace) / along + freedom, 0.0)
    upper = math.sqrt(along * float(chndtrinc(max(statistic, freedom), freedom, 0.025)))
    lower = math.sqrt(along * float(chndtrinc(statistic, freedom, 0.95)))
    return BiasEstimate(value, max(upper - value, value - lower) / Z95, score)


def _null_score(square: float, trace: float, trace_square: float) -> float:
    """The normal deviate of P(‖δ‖² ≥ square) without bias, by Satterthwaite's chi-square."""
    half_freedom = (trace / math.sqrt(trace_square)) ** 2 / 2
    x = square / trace * half_freedom
    tail = float(gammaincc(half_freedom, x))
    if tail > 0:
        log_tail = math.log(tail)
    else:  # x far beyond the mean: the leading term of the incomplete gamma function
        log_tail = (half_freedom - 1) * math.log(x) - x - float(gammaln(half_freedom))
    return -float(ndtri_exp(log_tail)) if log_tail < 0 else math.nan
