"""The Monte Carlo engine: groups in blocks, one sample for every estimator and K.

Groups are drawn, and every sum is taken, in blocks of a fixed size whatever the number of blocks
that are worked on at once, so that a seed gives the same figures to the last bit.
"""

from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.engines.draws import CountedDraws, Draws, ScoredDraws
from maxpo_cli.engines.measures import Measures, Noise, Problem
from maxpo_cli.estimators.catalogue import Estimator
from maxpo_cli.policies.finite import FiniteProblem, FloatArray
from maxpo_cli.policies.gaussian import GaussianProblem

REPLICATES = 64
"""Interleaved parts of the sample whose means show how the mean of ĝ scatters in each direction."""

BLOCK, BLOCK_NUMBERS = 16 * REPLICATES, 1 << 20
"""Groups a block at the most, and numbers in one of its tensors, which wide problems keep to."""

CPU_PASS, DEVICE_PASS = 1 << 18, 1 << 25
"""Numbers in a tensor that is worked on at once: what fits a CPU's cache, and what fills a GPU."""


def sample_problem(
    problem: Problem,
    n: int,
    estimators: Mapping[int, tuple[Estimator, ...]],
    groups: int,
    generator: torch.Generator,
    dtype: torch.dtype,
    advance: Callable[[int], None],
    blocks_at_once: int | None = None,
) -> dict[int, Measures]:
    """Monte Carlo measures for each K of `estimators`, from the same groups for all of them.

    `advance` is called with the number of groups done since the last call. `blocks_at_once` has
    no influence on any figure.
    """
    sampler = Sampler(problem, n, estimators, groups, generator, dtype, advance, blocks_at_once)
    sampler.sample(groups)
    return {k: sampler.measures(k) for k in estimators}


class Sampler:
    """Groups of one problem, drawn bit by bit: whole blocks, in the same order however often asked.

    See `sample_problem`; `limit` is the number of groups there will be at the most.
    """

    def __init__(
        self,
        problem: Problem,
        n: int,
        estimators: Mapping[int, tuple[Estimator, ...]],
        limit: int,
        generator: torch.Generator,
        dtype: torch.dtype,
        advance: Callable[[int], None],
        blocks_at_once: int | None = None,
    ) -> None:
        width = max(n, problem.m) if isinstance(problem, FiniteProblem) else n
        block = max(min(BLOCK, BLOCK_NUMBERS // width // REPLICATES * REPLICATES), REPLICATES)
        size = CPU_PASS if generator.device.type == "cpu" else DEVICE_PASS
        self._problem, self._n, self._block = problem, n, block
        self._generator, self._dtype, self._advance = generator, dtype, advance
        self._blocks_at_once = blocks_at_once or max(1, size // (block * width))
        self._left = deque(min(block, limit - start) for start in range(0, limit, block))
        self._groups = 0
        self._accumulators = {k: _Accumulator(problem, k, e) for k, e in estimators.items()}

    @property
    def rarest(self) -> float:
        """How many rewards of the rarest level a group has on average; n where none is rare."""
        if isinstance(self._problem, FiniteProblem):
            return self._n * float(self._problem.probs.min())
        return float(self._n)

    def sample(self, groups: int, wanted: Collection[int] | None = None) -> None:
        """Draws blocks until there are that many groups or the limit, for the K of `wanted`."""
        chosen = [a for k, a in self._accumulators.items() if wanted is None or k in wanted]
        while self._left and self._groups < groups:
            missing = -(-(groups - self._groups) // self._block)
            count = min(len(self._left), missing, self._blocks_at_once)
            sizes = [self._left.popleft() for _ in range(count)]
            shape = (count, self._block, self._n)
            draws = _draws(self._problem, shape, self._generator, self._dtype)
            kept = _kept(sizes, self._block, self._generator.device)
            for accumulator in chosen:
                accumulator.add(draws, sizes, kept)
            self._groups += sum(sizes)
            self._advance(sum(sizes))

    def measures(self, k: int) -> Measures:
        """What the groups that were drawn for this K say."""
        return self._accumulators[k].measures()


def _kept(sizes: list[int], block: int, device: torch.device) -> Tensor:
    """1 for every group of a block that counts, 0 for what fills the block up, `[b, block]`."""
    number = torch.arange(block, device=device)
    return (number < torch.tensor(sizes, device=device)[:, None]).double()


def _draws(
    problem: Problem, shape: tuple[int, int, int], generator: torch.Generator, dtype: torch.dtype
) -> Draws:
    """Groups of the problem; `shape` is (blocks, groups a block, n)."""
    if isinstance(problem, GaussianProblem):
        return ScoredDraws(problem, _draw(torch.randn, shape, generator), dtype)
    counts = _counts(problem, _draw(torch.rand, shape, generator))
    return CountedDraws(problem, counts, shape[-1], dtype)


def _draw(
    law: Callable[..., Tensor], shape: tuple[int, int, int], generator: torch.Generator
) -> Tensor:
    """Draws of this shape, one call of the generator a block."""
    blocks, *rest = shape
    options = {"dtype": torch.float64, "generator": generator, "device": generator.device}
    return torch.stack([law(rest, **options) for _ in range(blocks)])


def _counts(problem: FiniteProblem, uniforms: Tensor) -> Tensor:
    """How many of each group's uniforms fall into each level's share of [0, 1), `[..., m]`."""
    edges = torch.as_tensor(np.cumsum(problem.probs)[:-1], device=uniforms.device)
    level = torch.bucketize(uniforms, edges, right=True)
    counts = torch.zeros(*uniforms.shape[:-1], problem.m, dtype=torch.int64, device=uniforms.device)
    return counts.scatter_add_(-1, level, torch.ones_like(level))


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over groups at one K: all that is kept of them."""

    count: int
    moments: Tensor  # [2E], mean of the features
    scatter: Tensor  # [2E, 2E], their centred sum of products
    replicates: Tensor  # [E, REPLICATES, d], sums of ĝ less the centre
    plain: Tensor  # [3, E], sums of the residual, the centering and the squared centering
    highest: Tensor  # [E], largest absolute centering

    def merge(self, other: "_Sums") -> "_Sums":
        """The sums of two disjoint sets of groups (Chan, Golub and LeVeque)."""
        count = self.count + other.count
        shift = other.moments - self.moments
        between = torch.outer(shift, shift) * (self.count * other.count / count)
        return _Sums(
            count,
            self.moments + shift * (other.count / count),
            self.scatter + other.scatter + between,
            self.replicates + other.replicates,
            self.plain + other.plain,
            torch.maximum(self.highest, other.highest),
        )


class _Accumulator:
    """Moments of ĝ at one K, about a centre fixed by the first block so that nothing cancels.

    The features of a group are w = E[‖ĝ − centre‖² | rewards] and t = <ĝ − centre, ∇J>, for each
    estimator: their means give variance and scale, their covariance the standard errors of both.
    """

    def __init__(self, problem: Problem, k: int, estimators: tuple[Estimator, ...]) -> None:
        self.problem = problem
        self.k = k
        self.estimators = estimators
        self.gradient = problem.gradient(k)
        self.centre: list[Tensor] = []
        self.sums: _Sums | None = None

    def add(self, draws: Draws, sizes: list[int], kept: Tensor) -> None:
        """Adds the groups of `draws`: `sizes[b]` of block b, those with 1 in `kept[b]`."""
        gradient = torch.as_tensor(self.gradient, device=kept.device)
        distances, products, replicates, residuals, centerings = [], [], [], [], []
        for e, estimator in enumerate(self.estimators):
            estimates = draws.estimate(estimator, self.k)
            if self.sums is None:
                self.centre.append((estimates.mean[0] * kept[0][:, None]).sum(0) / sizes[0])
            shifted = (estimates.mean - self.centre[e]) * kept[..., None]
            residual = estimates.residual * kept
            distances.append(shifted.square().sum(-1) + residual)
            products.append((shifted * gradient).sum(-1))
            parts = shifted.reshape(len(sizes), -1, REPLICATES, shifted.shape[-1])
            replicates.append(parts.sum(1))
            residuals.append(residual)
            centerings.append(estimates.centering * kept)
        features = torch.stack(distances + products, -1)
        moments = features.sum(1) / kept.sum(1, keepdim=True)
        around = (features - moments[:, None]) * kept[..., None]
        scatter = torch.bmm(around.transpose(1, 2), around)
        replicate = torch.stack(replicates, 1)
        centering = torch.stack(centerings, -1)
        residual = torch.stack(residuals, -1)
        plain = torch.stack([residual.sum(1), centering.sum(1), centering.square().sum(1)], 1)
        highest = centering.abs().amax(1)
        for b, size in enumerate(sizes):
            block = _Sums(size, moments[b], scatter[b], replicate[b], plain[b], highest[b])
            self.sums = block if self.sums is None else self.sums.merge(block)

    def measures(self) -> Measures:
        """What the groups added so far say."""
        assert self.sums is not None
        size, groups = len(self.estimators), self.sums.count
        unbiased = groups / max(groups - 1, 1)
        replicates = self.sums.replicates.cpu().numpy()
        offset = replicates.sum(1) / groups
        mean = torch.stack(self.centre).cpu().numpy() + offset
        second = self.sums.moments.cpu().numpy()[:size]
        residual, centering, centering_square = self.sums.plain.cpu().numpy() / groups
        sampled = np.maximum(second - residual - (offset**2).sum(1), 0.0) * unbiased
        variance, trace = sampled + residual, sampled / groups
        along, square = _directions(replicates, groups, mean - self.gradient)
        return Measures(
            estimators=self.estimators,
            objective=self.problem.objective(self.k),
            gradient=self.gradient,
            mean=mean,
            variance=variance,
            centering_mean=centering,
            centering_square=centering_square,
            centering_max=self.sums.highest.cpu().numpy(),
            groups=groups,
            noise=Noise(
                trace=trace,
                trace_square=square * trace**2,
                along_bias=along * trace,
                moments=self.sums.scatter.cpu().numpy() * (unbiased / groups**2),
            ),
        )


def _directions(
    replicates: FloatArray, groups: int, bias: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """How the noise of the mean of ĝ lies, as shares of its trace: along the bias, and tr C².

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
