"""Sampling one problem: groups in blocks, one sample for every estimator and K.

Groups are drawn, and every sum is taken, in blocks of a fixed size whatever the number of blocks
that are worked on at once, so that a seed gives the same moments to the last bit.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection

import torch
from torch import Tensor

from maxpo_cli.engines.count_groups import CountGroups
from maxpo_cli.engines.engine import Advance, EstimatorsAt
from maxpo_cli.engines.group_estimates import Groups
from maxpo_cli.engines.moments import Moments
from maxpo_cli.engines.monte_carlo.accumulator import REPLICATES, Accumulator
from maxpo_cli.engines.monte_carlo.continuous_groups import ContinuousGroups
from maxpo_cli.engines.monte_carlo.count_sampler import CountSampler
from maxpo_cli.engines.monte_carlo.rare_groups import far_groups
from maxpo_cli.problems.continuous import ContinuousProblem
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.problems.problem import Problem

BLOCK, BLOCK_NUMBERS = 16 * REPLICATES, 1 << 20
"""Groups per block, and numbers in one of its tensors, at most; wide problems have fewer groups."""

CPU_PASS, DEVICE_PASS = 1 << 18, 1 << 25
"""Numbers in a tensor that is worked on at once: what fits a CPU's cache, and what fills a GPU."""

KEPT_BYTES = 24 << 20
"""The C library hands freed memory back to the system, page by page, until it has seen a piece of
this size freed; getting it anew for every tensor would cost as much as the work on it."""


Draw = tuple[Groups, Tensor | None]
"""Groups, and their weights `[b, B]`; None where all are 1."""


class Source(ABC):
    """What draws groups of one problem, block by block.

    `width` is how many numbers a group has at most while it is drawn, `numbers` how many it has for
    each estimator.
    """

    width: int
    numbers: int

    @abstractmethod
    def draw(self, blocks: int, block: int, size: int, generator: torch.Generator) -> Draw:
        """Blocks of groups: the first `size` of the `block` groups that are drawn for each."""


class _FiniteSource(Source):
    """Groups of a finite problem, as counts."""

    def __init__(
        self, problem: FiniteProblem, n: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self._problem, self._n, self._dtype = problem, n, dtype
        self._sampler = CountSampler(problem, n, device)
        self.width, self.numbers = max(n, problem.m), problem.m

    def draw(self, blocks: int, block: int, size: int, generator: torch.Generator) -> Draw:
        """See `Source`; one call of the generator per block."""
        shape = (self._sampler.uniforms, block)
        uniforms = torch.stack([_uniforms(shape, generator) for _ in range(blocks)])
        above, weights = self._sampler(uniforms[..., :size])
        return CountGroups(self._problem, above, self._n, self._dtype), weights


class _ContinuousSource(Source):
    """Groups of a continuous problem."""

    def __init__(self, problem: ContinuousProblem, n: int, dtype: torch.dtype) -> None:
        self._problem, self._n, self._dtype = problem, n, dtype
        self.width, self.numbers = n, problem.dimension

    def draw(self, blocks: int, block: int, size: int, generator: torch.Generator) -> Draw:
        """See `Source`; two calls of the generator per block."""
        shape = (block, self._n)
        z, uniforms = (
            torch.stack(each)
            for each in zip(
                *(
                    (self._problem.draw(shape, generator), _uniforms((block,), generator))
                    for _ in range(blocks)
                ),
                strict=True,
            )
        )
        z, weights = far_groups(self._problem, z[:, :size], uniforms[:, :size])
        return ContinuousGroups(self._problem, z, self._dtype), weights


def _uniforms(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    device = generator.device
    return torch.rand(shape, dtype=torch.float64, generator=generator, device=device)


def _source(problem: Problem, n: int, device: torch.device, dtype: torch.dtype) -> Source:
    if isinstance(problem, FiniteProblem):
        return _FiniteSource(problem, n, device, dtype)
    if isinstance(problem, ContinuousProblem):
        return _ContinuousSource(problem, n, dtype)
    raise TypeError("Monte Carlo takes finite and continuous problems")


class Sampler:
    """Groups of one problem, drawn in whole blocks, the same ones however often more are asked for.

    `limit` is the number of groups there will be at most; `advance` is called with the number of
    groups done since the last call; `blocks_at_once` has no influence on any moment.
    """

    def __init__(
        self,
        problem: Problem,
        n: int,
        estimators: EstimatorsAt,
        limit: int,
        generator: torch.Generator,
        dtype: torch.dtype,
        advance: Advance,
        blocks_at_once: int | None = None,
    ) -> None:
        source = _source(problem, n, generator.device, dtype)
        wide = BLOCK_NUMBERS // source.width // REPLICATES * REPLICATES
        block = max(min(BLOCK, wide), REPLICATES)
        size = CPU_PASS if generator.device.type == "cpu" else DEVICE_PASS
        self._source, self._block, self._generator, self._advance = (
            source, block, generator, advance,
        )  # fmt: skip
        most = max(map(len, estimators.values()))
        numbers = block * max(source.width, source.numbers * most)
        self._blocks_at_once = blocks_at_once or max(1, size // numbers)
        self._left, self._groups = limit, 0
        torch.empty(KEPT_BYTES, dtype=torch.uint8)  # given back at once
        self._accumulators = {k: Accumulator(problem, n, k, e) for k, e in estimators.items()}

    def sample(self, groups: int, wanted: Collection[int] | None = None) -> None:
        """Draws blocks until there are that many groups, or `limit`, for the K of `wanted`."""
        chosen = [a for k, a in self._accumulators.items() if wanted is None or k in wanted]
        while self._left and self._groups < groups:
            missing = -(-(groups - self._groups) // self._block)
            whole = min(missing, self._blocks_at_once, self._left // self._block)
            size = self._block if whole else self._left  # a last block may be cut short
            blocks = max(whole, 1)
            drawn = self._source.draw(blocks, self._block, size, self._generator)
            for accumulator in chosen:
                accumulator.add(*drawn)
            self._left -= blocks * size
            self._groups += blocks * size
            self._advance(blocks * size)

    def moments(self, k: int) -> Moments:
        """The moments that the groups drawn for this K give."""
        return self._accumulators[k].moments()
