"""The exact engine: every count vector of a finite problem, weighted by its probability."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import comb

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.engines.draws import CountedDraws, Estimates
from maxpo_cli.engines.measures import Measures
from maxpo_cli.estimators.catalogue import Estimator
from maxpo_cli.policies.finite import FiniteProblem, FloatArray

MAX_STATES = 5_000_000
"""How many count vectors are enumerated at the most."""

ROUNDING = 1e-28
"""Variance, in units of ‖E ĝ‖², that is rounding around a constant ĝ."""

CHUNK_REWARDS = 1 << 16
"""Rewards held at once: half a MiB a float64 tensor, which stays in the cache."""


def count_states(problem: FiniteProblem, n: int) -> int:
    """How many count vectors a group of n has: C(n + m − 1, m − 1)."""
    return comb(n + problem.m - 1, problem.m - 1)


def enumerate_problem(
    problem: FiniteProblem,
    n: int,
    estimators: Mapping[int, tuple[Estimator, ...]],
    device: torch.device,
    dtype: torch.dtype,
    advance: Callable[[int], None],
) -> dict[int, Measures]:
    """Exact measures for each K of `estimators`.

    `advance` is called with the number of count vectors done since the last call.
    """
    totals = {
        (k, estimator.name): _Moments() for k, chosen in estimators.items() for estimator in chosen
    }
    for counts, weights in _chunks(problem, n, device):
        draws = CountedDraws(problem, counts, n, dtype)
        for k, chosen in estimators.items():
            for estimator in chosen:
                totals[k, estimator.name].add(draws.estimate(estimator, k), weights)
        advance(len(counts))
    states = count_states(problem, n)
    return {
        k: _measures(problem, k, chosen, [totals[k, e.name] for e in chosen], states)
        for k, chosen in estimators.items()
    }


@dataclass
class _Moments:
    """Weighted moments of ĝ, merged chunk by chunk about the running mean (Chan et al.)."""

    weight: float = 0.0
    mean: FloatArray | float = 0.0
    spread: float = 0.0
    centering: float = 0.0
    centering_square: float = 0.0
    centering_max: float = 0.0

    def add(self, estimates: Estimates, weights: Tensor) -> None:
        self.centering_max = max(self.centering_max, float(estimates.centering.abs().max()))
        weight = float(weights.sum())
        if weight == 0:  # every group of the chunk is less likely than a double can say
            return
        mean = weights @ estimates.mean / weight
        around = (estimates.mean - mean).square().sum(-1) + estimates.residual
        shift = mean.cpu().numpy() - self.mean
        total = self.weight + weight
        self.spread += float(weights @ around)
        self.spread += float(shift @ shift) * self.weight * weight / total
        self.mean = self.mean + shift * (weight / total)
        self.weight = total
        self.centering += float(weights @ estimates.centering)
        self.centering_square += float(weights @ estimates.centering.square())


def _measures(
    problem: FiniteProblem,
    k: int,
    estimators: tuple[Estimator, ...],
    totals: list[_Moments],
    states: int,
) -> Measures:
    weight = np.array([total.weight for total in totals])
    mean = np.array([total.mean for total in totals]).reshape(len(totals), -1)
    variance = np.array([total.spread for total in totals]) / weight
    return Measures(
        estimators=estimators,
        objective=problem.objective(k),
        gradient=problem.gradient(k),
        mean=mean,
        variance=np.where(variance > ROUNDING * (mean**2).sum(1), variance, 0.0),
        centering_mean=np.array([total.centering for total in totals]) / weight,
        centering_square=np.array([total.centering_square for total in totals]) / weight,
        centering_max=np.array([total.centering_max for total in totals]),
        states=states,
    )


def _chunks(
    problem: FiniteProblem, n: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Count vectors `[B, m]` and their multinomial probabilities `[B]`, every vector once.

    Vectors are numbered so that those which leave few rewards to the later levels come first:
    C(x + j − 1, j − 1) vectors of j levels leave at most x behind the first, which is all that is
    needed to read a vector off its number. The probability is a product of binomials, each
    level's count given what the earlier levels left.
    """
    m = problem.m
    leaving_at_most = {
        levels: torch.tensor([comb(x + levels - 1, levels - 1) for x in range(n + 1)]).to(device)
        for levels in range(2, m + 1)
    }
    remaining = np.cumsum(problem.probs[::-1])[::-1]
    binomials = [
        torch.from_numpy(_binomials(here, later, n, n if level == 0 else 0)).to(device)
        for level, (here, later) in enumerate(zip(problem.probs[:-1], remaining[1:], strict=True))
    ]
    states = count_states(problem, n)
    rows = max(1, CHUNK_REWARDS // max(n, m))
    for start in range(0, states, rows):
        rank = torch.arange(start, min(start + rows, states), device=device)
        left = torch.full_like(rank, n)
        weights = torch.ones(len(rank), dtype=torch.float64, device=device)
        counts = []
        for level, binomial in enumerate(binomials):
            table = leaving_at_most[m - level]
            after = torch.searchsorted(table, rank, right=True)
            rank = rank - torch.where(after > 0, table[(after - 1).clamp(min=0)], 0)
            weights = weights * binomial[left - n if level == 0 else left, left - after]
            counts.append(left - after)
            left = after
        counts.append(left)
        yield torch.stack(counts, -1), weights


def _binomials(here: float, later: float, n: int, first: int) -> FloatArray:
    """Binomial(x, p) probabilities of 0..n in a row for x = first..n, `[n + 1 − first, n + 1]`.

    p = here / (here + later). By Pascal's recursion: sums of positive terms only, so that no digit
    cancels, where logarithms of factorials would lose three digits at n = 4096.
    """
    p, q = here / (here + later), later / (here + later)
    rows = np.zeros((n + 1 - first, n + 1))
    row = np.zeros(n + 1)
    row[0] = 1.0
    for x in range(n + 1):
        if x:
            row[1:] = row[1:] * q + row[:-1] * p
            row[0] *= q
            row /= row.sum()
        if x >= first:
            rows[x - first] = row
    return rows
