"""Groups of a finite problem as counts per level, so that no reward is ever written down."""

from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor

from maxpo_cli.engines.group_estimates import Estimates, Groups
from maxpo_cli.estimators.claims import Centering
from maxpo_cli.estimators.kinds import ByKind, Compute, Estimator, Oracle, OwnFormula
from maxpo_cli.estimators.profiles import ProfileOf, less_top
from maxpo_cli.estimators.sorted_groups import SortedGroups
from maxpo_cli.estimators.weights import Steps, steps
from maxpo_cli.problems.family import FiniteFamily
from maxpo_cli.problems.finite import FiniteProblem

FEW_LEVELS = 32
"""Levels up to which a running sum is taken level by level, all groups at once."""


class CountGroups(Groups):
    """Groups of a finite problem: how many rewards are at a level or higher, `[..., m, B]`.

    The first level has N, and all are whole numbers. For a family of P problems, `[m, B]`,
    estimates have a leading dimension P.
    """

    def __init__(
        self, problem: FiniteProblem | FiniteFamily, above: Tensor, n: int, dtype: torch.dtype
    ) -> None:
        self.problem = problem
        self.above = above
        self.n = n
        self.dtype = dtype

    def _constant(self, values: object) -> Tensor:
        return torch.as_tensor(values, dtype=torch.float64, device=self.above.device)

    @cached_property
    def counts(self) -> Tensor:
        """How many rewards are at each level, `[..., m, B]`."""
        counts = self.above.clone()
        counts[..., :-1, :] -= self.above[..., 1:, :]
        return counts

    @cached_property
    def _counts(self) -> Tensor:
        return self.counts.double()

    @cached_property
    def _levels(self) -> Tensor:
        return self._constant(self.problem.levels).to(self.dtype)

    @cached_property
    def _steps(self) -> Tensor:
        """The levels as a stair from 0, `[m, 1]`."""
        return torch.cat([self._levels[:1], self._levels.diff()])[:, None]

    @cached_property
    def _std(self) -> Tensor:
        apart = (self._levels - self._levels[0])[:, None]
        # The unit is a power of 2, which adds no rounding: no square is too large or too small.
        unit = torch.exp2(apart[-1].frexp().exponent.to(self.dtype))
        apart = apart / unit
        weights = self.counts.to(self.dtype)
        off = apart - (weights * apart).sum(-2, keepdim=True).div_(self.n)
        square = off.square_().mul_(weights).sum(-2)
        return square.div_(self.n - 1).sqrt_().mul_(unit).double()

    def _rank_linear(self, profiles: tuple[ProfileOf, ...], k: int) -> Estimates:
        table = steps(profiles, self.n, k, self.dtype, str(self.above.device))
        if self.problem.m > self.n:
            return self._by_rank(profiles, table.centering, k)
        return self._by_steps(table, k)

    def _by_steps(self, table: Steps, k: int) -> Estimates:
        rise = self._looked_up(table.rise).mul_(self._steps)
        below = self._looked_up(table.failure).mul_(self._steps).sum(-2, keepdim=True)
        centering = self._looked_up(table.centering).mul_(self._steps).sum(-2)
        return self._estimates(_running_sum(rise).add_(below).double(), centering.double(), k)

    def mean(self, estimator: Estimator, k: int, estimates: Estimates, is_likely: Tensor) -> Tensor:
        """The means `[..., 1, d, B]` of an estimator whose `estimates` are given, for E ĝ alone.

        A constant taken off all advantages of all groups has no part in E ĝ, and without it what is
        small compared with the constant keeps its digits (engines/README.md, *mean less a
        constant*). That constant is what each step adds where all are above it, for the steps that
        the max of K rewards `is_likely`, `[P, m, 1]`, to be above.
        """
        for linear in ByKind.of((estimator,)).rank_linear:
            if linear.profile(self.n, k).top:
                profiles = (linear.profile, less_top(linear.profile))
                table = steps(profiles, self.n, k, self.dtype, str(self.above.device))
                rise, below = (
                    torch.where(is_likely, less, whole).mul_(self._steps)
                    for whole, less in map(self._looked_up, (table.rise, table.failure))
                )
                advantages = _running_sum(rise).add_(below.sum(-2, keepdim=True)).double()
                return self._estimates(advantages[:, None], estimates.centering, k).mean
        return estimates.mean

    def _by_rank(self, profiles: tuple[ProfileOf, ...], centering: Tensor, k: int) -> Estimates:
        """As `_by_steps`, by way of the N rewards: less work where there are more levels."""
        rewards = self._groups.rewards
        stair = torch.cat([rewards[..., :1], self._groups.spacings], -1)
        weights = centering[:, 1:].flip(1)
        mean = torch.stack([(stair * weight).sum(-1) for weight in weights], -2)
        ranked = [self._groups.rank_linear(profile, k) for profile in profiles]
        levels = [self._by_level(each) for each in ranked]
        return self._estimates(torch.stack(levels, -3).double(), mean.double(), k)

    def _looked_up(self, table: Tensor) -> Tensor:
        """The entries of `table` `[E, N + 1]` for the rewards above each step, `[..., E, m, B]`."""
        *batch, m, size = self.above.shape
        above = self.above.reshape(*batch, 1, m * size).expand(*batch, len(table), -1)
        return table.expand(*batch, -1, -1).gather(-1, above).reshape(*batch, -1, m, size)

    def _oracle(self, estimator: Oracle, k: int) -> Estimates:  # noqa: ARG002
        oracle = self._constant(self.problem.oracle_advantages(k)).unsqueeze(-1)
        return self._of_levels(oracle.expand(*oracle.shape[:-1], self.above.shape[-1]), k)

    def _own_formula(self, estimator: OwnFormula, k: int) -> Estimates:
        found = self._of_levels(self._computed(estimator.compute, k)[..., None, :, :].double(), k)
        # Advantages that sum to zero are exact together, and each of them is rounded.
        is_centered = estimator.claims.centering is Centering.EXACTLY
        return replace(found, centering=0 * found.centering) if is_centered else found

    def _of_levels(self, advantages: Tensor, k: int) -> Estimates:
        centering = (self._counts[..., None, :, :] * advantages).sum(-2) / self.n
        return self._estimates(advantages, centering, k)

    def _computed(self, compute: Compute, k: int) -> Tensor:
        """The advantages of each level, `[..., m, B]`, from those of rewards.

        Groups of two levels differ in one count only: each kind is computed once, where that is
        less work.
        """
        *_, m, size = self.above.shape
        if m != 2 or size <= self.n + 1:
            return self._by_level(compute(self._groups, k))
        successes = torch.arange(self.n + 1, device=self.above.device)
        above = torch.stack([torch.full_like(successes, self.n), successes])
        every = CountGroups(self.problem, above, self.n, self.dtype)
        kinds = every._by_level(compute(every._groups, k))
        return torch.stack([level[self.above[..., 1, :]] for level in kinds], -2)

    @cached_property
    def _groups(self) -> SortedGroups:
        """Every count vector as one row of N sorted rewards, `[..., B, N]`."""
        counts = self.counts.mT
        rows = self._levels.expand(counts.shape).reshape(-1)
        repeats, batch = counts.reshape(-1), counts.shape[:-1]
        rewards = rows.repeat_interleave(repeats, output_size=batch.numel() * self.n)
        return SortedGroups(rewards.reshape(*batch, self.n))

    @cached_property
    def _last_of_level(self) -> Tensor:
        """Where in its row the last reward of each level stands (anywhere, for an absent one)."""
        return (self.n - self.above + self.counts - 1).clamp_(min=0).mT.contiguous()

    def _by_level(self, ranked: Tensor) -> Tensor:
        """The entries of `[..., B, N]` at the rewards of each level, `[..., m, B]`."""
        return ranked.gather(-1, self._last_of_level).mT.contiguous()

    def _estimates(self, advantages: Tensor, centering: Tensor, k: int) -> Estimates:
        """ĝ by the advantages of each level, `[..., E, m, B]`; an absent one has no part in it."""
        share = k / self.n
        weighted = advantages * (self._counts * share)[..., None, :, :]
        mean = self.problem.scores.combine(weighted.mT).mT
        residual = self._constant(self.problem.residual).unsqueeze(-1) * share
        return Estimates(mean, (weighted * advantages * residual).sum(-2), centering)


def _running_sum(values: Tensor) -> Tensor:
    """The running sum over levels of `[..., m, B]`, which is overwritten."""
    if values.shape[-2] > FEW_LEVELS:
        return values.mT.contiguous().cumsum(-1).mT.contiguous()
    for level in range(1, values.shape[-2]):
        values[..., level, :] += values[..., level - 1, :]
    return values
