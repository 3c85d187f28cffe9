"""Sums over sampled groups at one K: all that is kept of them, and the moments they give."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from maxpo_cli.arrays import FloatArray
from maxpo_cli.engines.group_estimates import Estimates, Groups
from maxpo_cli.engines.moments import Moments, Noise
from maxpo_cli.engines.monte_carlo import NAME
from maxpo_cli.estimators.kinds import Estimator
from maxpo_cli.problems.problem import Problem

REPLICATES = 64
"""Interleaved parts of the sample whose means show how the mean of ĝ scatters in each direction."""


class Accumulator:
    """Moments of ĝ at one K, about a centre fixed by the first block so that nothing cancels.

    The features of a group are, for each estimator, w = E[‖ĝ − centre‖² | rewards] (in the
    orthogonal limit without ‖E[ĝ | rewards] − centre‖²), t = <ĝ − centre, ∇J>, the mean advantage
    and its square: their weighted means give variance, scale and centering, the covariance of the
    first two kinds the standard errors. They are summed about their own means in the first block,
    so that weights add no noise to what is the same in all groups. Blocks are added one after the
    other, so that no sum depends on how many of them were worked on at once.
    """

    def __init__(self, problem: Problem, n: int, k: int, estimators: tuple[Estimator, ...]) -> None:
        self._problem, self._n, self._k, self._estimators = problem, n, k, estimators
        self._gradient = problem.gradient(k)
        self._groups = 0
        self._highest = torch.empty(0)

    def add(self, groups: Groups, weights: Tensor | None = None) -> None:
        """Adds blocks of groups with weights `[b, B]`, all of one size; None where all are 1.

        Except in the last call the size is a multiple of `REPLICATES`.
        """
        estimates = groups.estimate(self._estimators, self._k)
        if not self._groups:
            self._start(estimates, weights)
        shifted = estimates.mean - self._centre
        around = self._features(shifted, estimates) - self._usual
        if weights is not None:
            shifted = shifted * weights[:, None, None]
            around *= weights[:, None]
        both = around[:, : 2 * len(self._estimators)]
        sums = (
            _by_part(shifted),
            _by_part(around),
            torch.bmm(both, both.mT),
            shifted.square().sum((-2, -1)),
        )
        for block in torch.cat([each.flatten(1) for each in sums], 1):
            self._sums += block
        highest = estimates.centering.abs().amax((0, -1))
        self._highest = torch.maximum(self._highest, highest)
        blocks, _, size = estimates.centering.shape
        self._groups += blocks * size

    def _start(self, estimates: Estimates, weights: Tensor | None) -> None:
        """Fixes the centres of all sums by the means over the first block."""
        size, dimension, groups = estimates.mean.shape[1:]
        share = estimates.mean.new_ones(groups) if weights is None else weights[0]
        share = share / share.sum()
        self._centre = (estimates.mean[0] * share).sum(-1, keepdim=True)
        features = self._features(estimates.mean - self._centre, estimates)
        self._usual = (features[0] * share).sum(-1, keepdim=True)
        numbers = size * (dimension + 4) * REPLICATES + 4 * size**2 + size
        self._sums = features.new_zeros(numbers)
        self._highest = features.new_zeros(size)

    def _features(self, shifted: Tensor, estimates: Estimates) -> Tensor:
        """w of all estimators, t of all, their mean advantages and the squares of these."""
        gradient = torch.as_tensor(self._gradient, device=shifted.device)[:, None]
        around = shifted.square().sum(-2) * self._problem.mean_weight + estimates.residual
        centering = estimates.centering
        return torch.cat([around, (shifted * gradient).sum(-2), centering, centering.square()], 1)

    def moments(self) -> Moments:
        """The moments that the groups added so far give."""
        size, groups = len(self._estimators), self._groups
        several, dimension = size * REPLICATES, len(self._gradient)
        ends = np.cumsum([several * dimension, several * 4, 4 * size**2])
        of_mean, of_features, products, squares = np.split(self._sums.cpu().numpy(), ends)
        replicates = of_mean.reshape(size, dimension, REPLICATES).swapaxes(1, 2)
        features = of_features.reshape(4 * size, REPLICATES)
        offset = replicates.sum(1) / groups
        usual = self._usual[..., 0].cpu().numpy()
        around, _, centering, centering_square = (usual + features.sum(1) / groups).reshape(4, size)
        mean = self._centre[..., 0].cpu().numpy() + offset
        free = max(groups - 1, 1)
        trace = np.maximum(squares / groups - (offset**2).sum(1), 0.0) / free
        variance = around + self._problem.mean_weight * (trace - (offset**2).sum(1))
        apart = features[: 2 * size].sum(1) / groups
        moments = products.reshape(2 * size, -1) / groups - np.outer(apart, apart)
        along, trace_square = _directions(replicates, groups, mean - self._gradient)
        return Moments(
            engine=NAME,
            n=self._n,
            k=self._k,
            estimators=self._estimators,
            objective=self._problem.objective(self._k),
            gradient=self._gradient,
            mean=mean,
            variance=np.maximum(variance, 0.0),
            centering_mean=centering,
            centering_square=np.maximum(centering_square, 0.0),
            centering_max=self._highest.cpu().numpy(),
            mean_weight=self._problem.mean_weight,
            groups=groups,
            noise=Noise(
                trace=trace,
                trace_square=trace_square * trace**2,
                along_bias=along * trace,
                moments=moments / free,
                parts=_deviations(features[: 2 * size].T, groups) / groups,
                sampled=np.ones(size, dtype=bool),
            ),
        )


def _by_part(values: Tensor) -> Tensor:
    """Sums of `[..., B]` over interleaved parts of the groups, `[..., REPLICATES]`."""
    missing = -values.shape[-1] % REPLICATES
    padded = pad(values, (0, missing)) if missing else values
    return padded.reshape(*values.shape[:-1], -1, REPLICATES).sum(-2)


def _deviations(sums: FloatArray, groups: int) -> FloatArray:
    """How far sums over the parts, `[R, F]`, are from what the mean over all groups would give."""
    counts = groups // REPLICATES + (np.arange(REPLICATES) < groups % REPLICATES)
    deviations: FloatArray = sums - counts[:, None] * sums.sum(0) / groups
    return deviations


def _directions(
    replicates: FloatArray, groups: int, bias: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The noise of the mean of ĝ by direction, in shares of its trace: along the bias, and tr C².

    Args:
        replicates: sums of ĝ less the centre over interleaved parts of the groups, `[E, R, d]`.
        groups: how many groups there are in all.
        bias: the estimated bias, `[E, d]`.

    Returns:
        biasᵀ C bias / tr C and tr C² / (tr C)², `[E]` each, for the covariance C of ĝ. The second
        is the estimate that is unbiased when the means of the parts are normal.
    """
    parts = min(replicates.shape[1], groups)
    counts = groups // REPLICATES + (np.arange(parts) < groups % REPLICATES)
    means = replicates[:, :parts] / counts[:, None]
    spread = (means - replicates.sum(1, keepdims=True) / groups) * np.sqrt(counts)[:, None]
    length = (bias**2).sum(1)
    trace = (spread**2).sum((1, 2))
    free = parts - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = spread / np.sqrt(trace)[:, None, None]
        along = (np.einsum("erd,ed->er", spread, bias) ** 2).sum(1)
        share = ((spread @ spread.transpose(0, 2, 1)) ** 2).sum((1, 2))
        square = free**2 / ((free - 1) * (free + 2)) * (share - 1 / free) if free > 1 else share
        lowest = np.maximum(1 / bias.shape[1], (along / length) ** 2)
    return (
        np.where(trace > 0, along, length),
        np.where(trace > 0, np.clip(square, np.nan_to_num(lowest, nan=1.0), 1.0), 1.0),
    )
