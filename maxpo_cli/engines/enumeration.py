"""The exact engine: every count vector of a finite problem, weighted by its probability."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.arrays import FloatArray
from maxpo_cli.engines.binomials import binomials
from maxpo_cli.engines.count_groups import CountedDraws
from maxpo_cli.engines.groups import Estimates
from maxpo_cli.engines.moments import Measures
from maxpo_cli.estimators.catalogue import Estimator
from maxpo_cli.problems.finite import FiniteFamily, FiniteProblem

MAX_STATES = 5_000_000
"""How many count vectors are enumerated at the most."""

ROUNDING = 1e-28
"""Variance, in units of ‖E ĝ‖², that is rounding around a constant ĝ."""

CHUNK_REWARDS = 1 << 16
"""Rewards held at once: half a MiB a float64 tensor, which stays in the cache."""

MAX_TOGETHER, TABLE_NUMBERS = 64, 1 << 22
"""Problems of a family evaluated at once, and numbers in one of their tables of binomials."""


def count_states(problem: FiniteProblem | FiniteFamily, n: int) -> int:
    """How many count vectors a group of n has: C(n + m − 1, m − 1)."""
    return comb(n + problem.m - 1, problem.m - 1)


def enumerate_family(
    problems: Sequence[FiniteProblem],
    n: int,
    estimators: Mapping[int, tuple[Estimator, ...]],
    device: torch.device,
    dtype: torch.dtype,
    advance: Callable[[int], None],
) -> list[dict[int, Measures]]:
    """Exact measures of problems of one `family`, for each K of `estimators`.

    A count vector has the same advantages in all of them, so that they are computed once for all.
    `advance` is called with the number of count vectors done since the last call.
    """
    widest = max(n, problems[0].m) * problems[0].m
    together = max(1, min(MAX_TOGETHER, TABLE_NUMBERS // (n + 1) ** 2, CHUNK_REWARDS // widest))
    found = []
    for start in range(0, len(problems), together):
        family = FiniteFamily.of(problems[start : start + together])
        found += _enumerate(family, n, estimators, device, dtype, advance)
    return found


def _enumerate(
    family: FiniteFamily,
    n: int,
    estimators: Mapping[int, tuple[Estimator, ...]],
    device: torch.device,
    dtype: torch.dtype,
    advance: Callable[[int], None],
) -> list[dict[int, Measures]]:
    totals = {
        (k, estimator.name): _Moments.none(family, device)
        for k, chosen in estimators.items()
        for estimator in chosen
    }
    for above, weights in _chunks(family, n, device):
        draws = CountedDraws(family, above, n, dtype)
        for k, chosen in estimators.items():
            for estimator in chosen:
                totals[k, estimator.name].add(draws.estimate((estimator,), k), weights)
        advance(above.shape[-1] * len(family.problems))
    measured = {
        k: _measures(family, n, k, chosen, [totals[k, e.name] for e in chosen])
        for k, chosen in estimators.items()
    }
    return [{k: each[p] for k, each in measured.items()} for p in range(len(family.problems))]


@dataclass
class _Moments:
    """Weighted moments of ĝ in P problems, merged chunk by chunk about the running mean (Chan)."""

    weight: Tensor  # [P], and so are all others but for the mean
    mean: Tensor  # [P, d]
    spread: Tensor
    centering: Tensor
    centering_square: Tensor
    centering_max: Tensor

    @classmethod
    def none(cls, family: FiniteFamily, device: torch.device) -> "_Moments":
        """The moments of no groups."""
        size = len(family.problems)
        zeros = torch.zeros(5, size, dtype=torch.float64, device=device)
        mean = zeros.new_zeros(size, family.scores.dimension)
        return cls(zeros[0], mean, *zeros[1:])

    def add(self, estimates: Estimates, weights: Tensor) -> None:
        """Adds groups `[B]` of one estimator with their probabilities `[P, B]`."""
        weight = weights.sum(-1)
        total = self.weight + weight
        # A chunk of groups less likely than a double can say has weight 0, and adds nothing.
        share = weight / torch.where(total > 0, total, 1)
        scale = torch.where(weight > 0, weight, 1)[:, None]
        mean = torch.bmm(estimates.mean[:, 0], weights[..., None])[..., 0] / scale
        around = (estimates.mean[:, 0] - mean[..., None]).square().sum(-2)
        around = around + estimates.residual[:, 0]
        shift = mean - self.mean
        self.spread = self.spread + (weights * around).sum(-1)
        self.spread = self.spread + shift.square().sum(-1) * self.weight * share
        self.mean = self.mean + shift * share[:, None]
        self.weight = total
        centering = estimates.centering[..., 0, :]
        self.centering = self.centering + (weights * centering).sum(-1)
        self.centering_square = self.centering_square + (weights * centering.square()).sum(-1)
        highest = centering.abs().amax(-1)
        self.centering_max = torch.maximum(self.centering_max, highest)


def _measures(
    family: FiniteFamily,
    n: int,
    k: int,
    estimators: tuple[Estimator, ...],
    totals: list[_Moments],
) -> list[Measures]:
    def stacked(values: Iterable[Tensor]) -> FloatArray:
        return torch.stack(list(values), 1).cpu().numpy()

    mean = stacked(total.mean for total in totals)
    variance = stacked(total.spread / total.weight for total in totals)
    centering = stacked(total.centering / total.weight for total in totals)
    centering_square = stacked(total.centering_square / total.weight for total in totals)
    centering_max = stacked(total.centering_max for total in totals)
    variance = np.where(variance > ROUNDING * (mean**2).sum(-1), variance, 0.0)
    return [
        Measures(
            estimators=estimators,
            objective=problem.objective(k),
            gradient=problem.gradient(k),
            mean=mean[p],
            variance=variance[p],
            centering_mean=centering[p],
            centering_square=centering_square[p],
            centering_max=centering_max[p],
            states=count_states(problem, n),
        )
        for p, problem in enumerate(family.problems)
    ]


def _chunks(family: FiniteFamily, n: int, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Every count vector once, with its multinomial probabilities `[P, B]`.

    A count vector is given as how many rewards are at each level or higher, `[m, B]`.

    Vectors are numbered so that those which leave few rewards to the later levels come first:
    C(x + j − 1, j − 1) vectors of j levels leave at most x behind the first, which is all that is
    needed to read a vector off its number. The probability is a product of binomials, each
    level's count given what the earlier levels left.
    """
    m, size = family.m, len(family.problems)
    leaving_at_most = {
        levels: torch.tensor([comb(x + levels - 1, levels - 1) for x in range(n + 1)]).to(device)
        for levels in range(2, m + 1)
    }
    probs = np.stack([problem.probs for problem in family.problems], -1)
    remaining = np.cumsum(probs[::-1], 0)[::-1]
    tables = [
        torch.from_numpy(binomials(here, later, n, n if level == 0 else 0)).to(device)
        for level, (here, later) in enumerate(zip(probs[:-1], remaining[1:], strict=True))
    ]
    states = count_states(family, n)
    rows = max(1, CHUNK_REWARDS // max(n, m * size))
    for start in range(0, states, rows):
        rank = torch.arange(start, min(start + rows, states), device=device)
        left = torch.full_like(rank, n)
        weights = torch.ones(size, len(rank), dtype=torch.float64, device=device)
        above = [left]
        for level, binomial in enumerate(tables):
            table = leaving_at_most[m - level]
            after = torch.searchsorted(table, rank, right=True)
            rank = rank - torch.where(after > 0, table[(after - 1).clamp(min=0)], 0)
            weights = weights * binomial[:, left - n if level == 0 else left, left - after]
            left = after
            above.append(left)
        yield torch.stack(above), weights
