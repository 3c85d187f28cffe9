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
    orthogonal limit without ‖E[ĝ | rewards] − centre‖²) and t = <ĝ − centre, ∇J>: their means give
    variance and scale, their covariance the standard errors of both. They are summed about their
    own means in the first block. Blocks are added one after the other, so that no sum depends on
    how many of them were worked on at once.
    """

    def __init__(self, problem: Problem, k: int, estimators: tuple[Estimator, ...]) -> None:
        self._problem, self._k, self._estimators = problem, k, estimators
        self._gradient = problem.gradient(k)
        self._groups = 0
        self._highest = torch.empty(0)

    def add(self, groups: Groups) -> None:
        """Adds blocks of groups, all of one size.

        Except in the last call the size is a multiple of `REPLICATES`.
        """
        estimates = groups.estimate(self._estimators, self._k)
        if not self._groups:
            self._start(estimates)
        shifted = estimates.mean - self._centre
        around = self._features(shifted, estimates.residual) - self._usual
        blocks, several, size = estimates.centering.shape
        parts = shifted if size % REPLICATES == 0 else pad(shifted, (0, -size % REPLICATES))
        sums = (
            parts.reshape(blocks, several, len(self._gradient), -1, REPLICATES).sum(-2),
            around.sum(-1),
            torch.bmm(around, around.mT),
            shifted.square().sum((-2, -1)),
            estimates.residual.sum(-1),
            estimates.centering.sum(-1),
            estimates.centering.square().sum(-1),
        )
        for block in torch.cat([each.flatten(1) for each in sums], 1):
            self._sums += block
        highest = estimates.centering.abs().amax((0, -1))
        self._highest = torch.maximum(self._highest, highest)
        self._groups += blocks * size

    def _start(self, estimates: Estimates) -> None:
        """Fixes the centres of all sums by the means over the first block."""
        self._centre = estimates.mean[0].mean(-1, keepdim=True)
        shifted = estimates.mean[:1] - self._centre
        features = self._features(shifted, estimates.residual[:1])
        self._usual = features[0].mean(-1, keepdim=True)
        size, dimension, _ = self._centre.shape
        numbers = size * dimension * REPLICATES + 2 * size + 4 * size**2 + 4 * size
        self._sums = features.new_zeros(numbers)
        self._highest = features.new_zeros(size)

    def _features(self, shifted: Tensor, residual: Tensor) -> Tensor:
        """w of all estimators and t of all, `[b, 2E, B]`."""
        gradient = torch.as_tensor(self._gradient, device=shifted.device)[:, None]
        around = shifted.square().sum(-2) * self._problem.mean_weight + residual
        return torch.cat([around, (shifted * gradient).sum(-2)], 1)

    def moments(self) -> Moments:
        """The moments that the groups added so far give."""
        size, groups = len(self._estimators), self._groups
        unbiased = groups / max(groups - 1, 1)
        sums = self._sums.cpu().numpy()
        *heads, plain = np.split(
            sums, np.cumsum([len(sums) - 6 * size - 4 * size**2, 2 * size, 4 * size**2])
        )
        replicates = heads[0].reshape(size, -1, REPLICATES).swapaxes(1, 2)
        apart = heads[1] / groups
        moments = heads[2].reshape(2 * size, -1) / groups - np.outer(apart, apart)
        square, residual, centering, centering_square = plain.reshape(4, size) / groups
        offset = replicates.sum(1) / groups
        mean = self._centre[..., 0].cpu().numpy() + offset
        sampled = np.maximum(square - (offset**2).sum(1), 0.0) * unbiased
        variance, trace = self._problem.mean_weight * sampled + residual, sampled / groups
        along, trace_square = _directions(replicates, groups, mean - self._gradient)
        return Moments(
            engine=NAME,
            estimators=self._estimators,
            objective=self._problem.objective(self._k),
            gradient=self._gradient,
            mean=mean,
            variance=variance,
            centering_mean=centering,
            centering_square=centering_square,
            centering_max=self._highest.cpu().numpy(),
            mean_weight=self._problem.mean_weight,
            groups=groups,
            noise=Noise(
                trace=trace,
                trace_square=trace_square * trace**2,
                along_bias=along * trace,
                moments=moments * (unbiased / groups),
                sampled=np.ones(size, dtype=bool),
            ),
        )


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
