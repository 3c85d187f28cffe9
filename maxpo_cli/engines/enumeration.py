"""The enumeration engine: every count vector of a finite problem, weighted by its probability.

The variance is that of engines/README.md, *count-vector form*: given the counts of a group ĝ has
a mean in the span of the class-mean scores and a residual second moment, both from `CountGroups`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.arrays import FloatArray
from maxpo_cli.engines.binomials import binomials
from maxpo_cli.engines.count_groups import CountGroups
from maxpo_cli.engines.engine import (
    Advance,
    EstimatorsAt,
    Precision,
    Stop,
    refuses_best_baselines,
)
from maxpo_cli.engines.group_estimates import Estimates
from maxpo_cli.engines.moments import Moments
from maxpo_cli.estimators.kinds import Estimator
from maxpo_cli.problems.family import FiniteFamily
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.problems.problem import Problem

MAX_STATES = 5_000_000
"""How many count vectors are enumerated at most."""

ROUNDING = 1e-28
"""Variance, in units of ‖E ĝ‖², that is rounding around a constant ĝ."""

CHUNK_REWARDS = 1 << 16
"""Rewards held at once: half a MiB per float64 tensor, which stays in the cache."""

MAX_TOGETHER, TABLE_NUMBERS = 64, 1 << 22
"""Problems of a family evaluated at once, and numbers in one of their tables of binomials."""


class Enumeration:
    """Exact moments of finite problems, by all C(N + m − 1, m − 1) count vectors of m levels."""

    name = "enumeration"
    samples = False
    shares = True
    budget = 2e8  # a few minutes

    def refusal(self, problem: Problem, n: int) -> str | None:
        """See `Engine`."""
        if not isinstance(problem, FiniteProblem):
            return (
                "--engine enumeration needs finitely many reward levels, and this reward is "
                "continuous; use --engine auto"
            )
        states = count_states(problem, n)
        if states > MAX_STATES:
            return (
                f"--engine enumeration: n={n} with {problem.m} reward levels has {states:,} count "
                f"vectors, above the limit of {MAX_STATES:,}; use --engine auto or a smaller n"
            )
        return None

    def refuses(self, estimator: Estimator) -> str | None:
        """See `Engine`: it measures all estimators except the best baselines."""
        return refuses_best_baselines(estimator)

    def cost(self, problem: Problem, n: int) -> float:
        """See `Engine`."""
        problem = _finite(problem)
        return count_states(problem, n) * max(n, problem.m)

    def work(self, problem: Problem, n: int, groups: int) -> float:  # noqa: ARG002
        """See `Engine`: count vectors."""
        return count_states(_finite(problem), n)

    def measure(
        self,
        problems: Sequence[Problem],
        n: int,
        estimators: EstimatorsAt,
        precision: Precision,
        advance: Advance,
        stop: Stop | None = None,  # noqa: ARG002
    ) -> list[dict[int, Moments]]:
        """See `Engine`. Problems of one `family` have the same advantages, computed once."""
        families: dict[object, list[FiniteProblem]] = {}
        for problem in map(_finite, problems):
            families.setdefault(problem.family, []).append(problem)
        found: dict[int, dict[int, Moments]] = {}
        for members in families.values():
            widest = max(n, members[0].m) * members[0].m
            together = min(MAX_TOGETHER, TABLE_NUMBERS // (n + 1) ** 2, CHUNK_REWARDS // widest)
            together = max(1, together)
            for start in range(0, len(members), together):
                part = members[start : start + together]
                moments = _enumerate(FiniteFamily.of(part), n, estimators, precision, advance)
                found.update(zip(map(id, part), moments, strict=True))
        return [found[id(problem)] for problem in problems]


def count_states(problem: FiniteProblem | FiniteFamily, n: int) -> int:
    """How many count vectors a group of n has: C(n + m − 1, m − 1)."""
    return comb(n + problem.m - 1, problem.m - 1)


def _finite(problem: Problem) -> FiniteProblem:
    """The problem, which `refusal` has found to be finite."""
    if not isinstance(problem, FiniteProblem):
        raise TypeError("enumeration takes finite problems")
    return problem


def _enumerate(
    family: FiniteFamily,
    n: int,
    estimators: EstimatorsAt,
    precision: Precision,
    advance: Advance,
) -> list[dict[int, Moments]]:
    device = precision.device
    totals = {
        (k, estimator.name): _Moments.none(family, device)
        for k, chosen in estimators.items()
        for estimator in chosen
    }
    likely = {k: _likely_steps(family, k).to(device) for k in estimators}
    for above, weights in _chunks(family, n, device):
        groups = CountGroups(family, above, n, precision.dtype)
        for k, chosen in estimators.items():
            for estimator in chosen:
                estimates = groups.estimate((estimator,), k)
                mean = groups.mean(estimator, k, estimates, likely[k])
                totals[k, estimator.name].add(estimates, mean, weights)
        advance(above.shape[-1] * len(family.problems))
    measured = {
        k: _moments(family, n, k, chosen, [totals[k, e.name] for e in chosen])
        for k, chosen in estimators.items()
    }
    return [{k: each[p] for k, each in measured.items()} for p in range(len(family.problems))]


def _likely_steps(family: FiniteFamily, k: int) -> Tensor:
    """Which steps the max of K rewards is more likely above than not, `[P, m, 1]`."""
    probs = np.stack([problem.probs for problem in family.problems])
    likely = np.cumsum(probs, 1)[:, :-1] ** k < 0.5
    return torch.from_numpy(np.insert(likely, 0, True, axis=1))[..., None]


@dataclass
class _Moments:
    """Weighted moments of ĝ in P problems, merged chunk by chunk about the running mean (Chan).

    `mean` is E ĝ by advantages less a constant (see `CountGroups.mean`), `center` is E ĝ by the
    advantages as they are, about which `spread` is taken; `mean_weight` is that of the problems.
    """

    mean_weight: float
    weight: Tensor  # [P], and so are all others except the means
    mean: Tensor  # [P, d]
    center: Tensor  # [P, d]
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
        return cls(family.mean_weight, zeros[0], mean, mean, *zeros[1:])

    def add(self, estimates: Estimates, mean: Tensor, weights: Tensor) -> None:
        """Adds groups `[B]` of one estimator with their probabilities `[P, B]`."""
        weight = weights.sum(-1)
        total = self.weight + weight
        # A chunk whose probability is below the range of a double has weight 0, and adds nothing.
        share = weight / torch.where(total > 0, total, 1)
        scale = torch.where(weight > 0, weight, 1)[:, None]
        center = torch.bmm(estimates.mean[:, 0], weights[..., None])[..., 0] / scale
        around = (estimates.mean[:, 0] - center[..., None]).square().sum(-2) * self.mean_weight
        around = around + estimates.residual[:, 0]
        shift = center - self.center
        self.spread = self.spread + (weights * around).sum(-1)
        between = shift.square().sum(-1) * self.mean_weight
        self.spread = self.spread + between * self.weight * share
        self.center = self.center + shift * share[:, None]
        if mean is estimates.mean:
            self.mean = self.mean + center * scale
        else:
            self.mean = self.mean + torch.bmm(mean[:, 0], weights[..., None])[..., 0]
        self.weight = total
        centering = estimates.centering[..., 0, :]
        self.centering = self.centering + (weights * centering).sum(-1)
        self.centering_square = self.centering_square + (weights * centering.square()).sum(-1)
        highest = centering.abs().amax(-1)
        self.centering_max = torch.maximum(self.centering_max, highest)


def _moments(
    family: FiniteFamily,
    n: int,
    k: int,
    estimators: tuple[Estimator, ...],
    totals: list[_Moments],
) -> list[Moments]:
    def stacked(values: Iterable[Tensor]) -> FloatArray:
        return torch.stack(list(values), 1).cpu().numpy()

    mean = stacked(total.mean / total.weight[:, None] for total in totals)
    variance = stacked(total.spread / total.weight for total in totals)
    centering = stacked(total.centering / total.weight for total in totals)
    centering_square = stacked(total.centering_square / total.weight for total in totals)
    centering_max = stacked(total.centering_max for total in totals)
    rounding = ROUNDING * family.mean_weight * (mean**2).sum(-1)
    variance = np.where(variance > rounding, variance, 0.0)
    return [
        Moments(
            engine=Enumeration.name,
            n=n,
            k=k,
            estimators=estimators,
            objective=problem.objective(k),
            gradient=problem.gradient(k),
            mean=mean[p],
            variance=variance[p],
            centering_mean=centering[p],
            centering_square=centering_square[p],
            centering_max=centering_max[p],
            mean_weight=problem.mean_weight,
            states=count_states(problem, n),
        )
        for p, problem in enumerate(family.problems)
    ]


def _chunks(family: FiniteFamily, n: int, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Every count vector once, with its multinomial probabilities `[P, B]`.

    A count vector is given as how many rewards are at each level or higher, `[m, B]`.

    Vectors are numbered so that those which leave few rewards to the later levels come first:
    C(x + j − 1, j − 1) vectors of j levels leave at most x to the levels after the first, which is
    all that is needed to read a vector off its number. The probability is a product of binomials,
    each level's count given what the earlier levels left.
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
