"""The Monte Carlo engine: groups in blocks, one sample for every estimator and K.

Groups are drawn, and every sum is taken, in blocks of a fixed size whatever the number of blocks
that are worked on at once, so that a seed gives the same figures to the last bit.
"""

from collections.abc import Callable, Collection, Mapping

import torch
from torch import Tensor

from maxpo_cli.engines.monte_carlo.accumulator import REPLICATES, Accumulator
from maxpo_cli.engines.count_groups import CountedDraws
from maxpo_cli.engines.monte_carlo.count_sampler import CountSampler
from maxpo_cli.engines.groups import Draws
from maxpo_cli.engines.moments import Measures, Problem
from maxpo_cli.engines.monte_carlo.continuous_groups import ScoredDraws
from maxpo_cli.estimators.catalogue import Estimator
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.policies.gaussian import GaussianProblem

BLOCK, BLOCK_NUMBERS = 16 * REPLICATES, 1 << 20
"""Groups a block at the most, and numbers in one of its tensors, which wide problems keep to."""

CPU_PASS, DEVICE_PASS = 1 << 18, 1 << 25
"""Numbers in a tensor that is worked on at once: what fits a CPU's cache, and what fills a GPU."""

KEPT_BYTES = 24 << 20
"""The C library hands freed memory back to the system, page by page, until it has seen a piece of
this size freed; getting it anew for every tensor would cost as much as the work on it."""


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
        numbers = block * max(width, _numbers(problem) * max(map(len, estimators.values())))
        self._blocks_at_once = blocks_at_once or max(1, size // numbers)
        self._left, self._groups = limit, 0
        torch.empty(KEPT_BYTES, dtype=torch.uint8)  # given back at once
        self._counts = (
            CountSampler(problem, n, generator.device)
            if isinstance(problem, FiniteProblem)
            else None
        )
        self._accumulators = {k: Accumulator(problem, k, e) for k, e in estimators.items()}

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
            blocks = min(missing, self._blocks_at_once, self._left // self._block)
            size = self._block if blocks else self._left  # a last block may be cut short
            shape = (max(blocks, 1), self._block, self._n)
            draws = _draws(self._problem, self._counts, shape, size, self._generator, self._dtype)
            for accumulator in chosen:
                accumulator.add(draws)
            self._left -= shape[0] * size
            self._groups += shape[0] * size
            self._advance(shape[0] * size)

    def measures(self, k: int) -> Measures:
        """What the groups that were drawn for this K say."""
        return self._accumulators[k].measures()


def _numbers(problem: Problem) -> int:
    """How many numbers a group has for each estimator."""
    return problem.m if isinstance(problem, FiniteProblem) else len(problem.gradient(1))


def _draws(
    problem: Problem,
    sampler: CountSampler | None,
    shape: tuple[int, int, int],
    size: int,
    generator: torch.Generator,
    dtype: torch.dtype,
) -> Draws:
    """Groups of the problem: the first `size` of each block; `shape` is (blocks, block, n)."""
    blocks, block, n = shape
    if isinstance(problem, GaussianProblem):
        z = _draw(torch.randn, (blocks, block, n), generator)
        return ScoredDraws(problem, z[:, :size], dtype)
    assert sampler is not None
    uniforms = _draw(torch.rand, (blocks, sampler.uniforms, block), generator)
    return CountedDraws(problem, sampler(uniforms)[..., :size], n, dtype)


def _draw(
    law: Callable[..., Tensor], shape: tuple[int, int, int], generator: torch.Generator
) -> Tensor:
    """Draws of this shape, one call of the generator a block."""
    blocks, *rest = shape
    options = {"dtype": torch.float64, "generator": generator, "device": generator.device}
    return torch.stack([law(rest, **options) for _ in range(blocks)])
