"""Groups of a continuous problem: sorted once, for all estimators and K.

Over the steps d_t of the sorted rewards, with P_t the sum of the scores below step t and S that of
all, Σ_i A_i s_i = Σ_t d_t (β_t P_t + α_t (S − P_t)) becomes S · Σ_t d_t α_t − Σ_t (d_t P_t) (α_t −
β_t): products of what a group has with what estimators have (engines/README.md, *Abel summation*).
"""

from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.engines.group_estimates import Estimates, Groups
from maxpo_cli.engines.monte_carlo.oracle_table import oracle_table
from maxpo_cli.estimators.kinds import Oracle, OwnFormula
from maxpo_cli.estimators.profiles import ProfileOf
from maxpo_cli.estimators.sorted_groups import SortedGroups
from maxpo_cli.estimators.weights import steps
from maxpo_cli.problems.continuous import ContinuousProblem


class ContinuousGroups(Groups):
    """Groups of a continuous problem, as latent draws z `[b, B, N]`."""

    def __init__(self, problem: ContinuousProblem, z: Tensor, dtype: torch.dtype) -> None:
        self.problem = problem
        order, self._rewards = _sorted(problem.rewards(z))
        self._groups = SortedGroups(self._rewards.to(dtype))
        self._z = z.gather(-1, order)
        self._scores = problem.scores(self._z).movedim(-1, 0)

    @cached_property
    def _steps(self) -> Tensor:
        """The lowest reward and the spacings, `[b, B, N]`."""
        return torch.cat([self._groups.rewards[..., :1], self._groups.spacings], -1)

    @cached_property
    def _total(self) -> Tensor:
        """The sum of a group's scores, `[b, 1, d, B]`."""
        return torch.stack([each.sum(-1) for each in self._scores], 1)[:, None]

    @cached_property
    def _products(self) -> tuple[Tensor, ...]:
        """Each step times the sum of the scores below it, d times `[b, B, N]`."""
        found = []
        for scores in self._scores:
            below = scores.cumsum(-1).sub_(scores).to(self._steps.dtype)
            found.append(below.mul_(self._steps))
        return tuple(found)

    @cached_property
    def _std(self) -> Tensor:
        return self._groups.std[..., 0].double()

    def _rank_linear(self, profiles: tuple[ProfileOf, ...], k: int) -> Estimates:
        n = self._groups.n
        table = steps(profiles, n, k, self._steps.dtype, str(self._steps.device))
        whole = _product(table.success, self._steps)[:, :, None] * self._total
        below = torch.stack([_product(table.rise, part) for part in self._products], 2)
        centering = _product(table.centering, self._steps)
        mean = whole.sub_(below).mul_(k / n)
        return Estimates(mean, self._residual(profiles, k), centering)

    def _residual(self, profiles: tuple[ProfileOf, ...], k: int) -> Tensor:
        """Σ_i A_i² times E‖s‖² of the parameters that no reward depends on, `[b, E, B]`."""
        if self.problem.residual == 0:
            batch, size, _ = self._rewards.shape
            return self._rewards.new_zeros(batch, len(profiles), size)
        squares = [
            self._groups.rank_linear(profile, k).double().square().sum(-1) for profile in profiles
        ]
        return torch.stack(squares, 1) * (self.problem.residual * (k / self._groups.n) ** 2)

    def _oracle(self, estimator: Oracle, k: int) -> Estimates:  # noqa: ARG002
        table = oracle_table(self.problem, k, str(self._z.device))
        return self._of_rewards(table.at(self._z), k)

    def _own_formula(self, estimator: OwnFormula, k: int) -> Estimates:
        return self._of_rewards(estimator.advantages(self._groups, k).double(), k)

    def _of_rewards(self, advantages: Tensor, k: int) -> Estimates:
        n = self._groups.n
        mean = torch.stack([(advantages * each).sum(-1) for each in self._scores], 1)
        residual = (
            torch.zeros_like(mean[:, 0])
            if self.problem.residual == 0
            else advantages.square().sum(-1) * (self.problem.residual * (k / n) ** 2)
        )
        return Estimates(mean[:, None] * (k / n), residual[:, None], advantages.mean(-1)[:, None])


def _sorted(rewards: Tensor) -> tuple[Tensor, Tensor]:
    """The places of each row's rewards in ascending order, and the sorted rewards.

    On a CPU by NumPy, which sorts with vector instructions, many times faster than torch.
    """
    if rewards.device.type == "cpu":
        order = torch.from_numpy(np.argsort(rewards.numpy(), -1))
        return order, rewards.gather(-1, order)
    ascending = rewards.sort(-1)
    return ascending.indices, ascending.values


def _product(table: Tensor, groups: Tensor) -> Tensor:
    """Entries for c = 0..N rewards above, `[E, N + 1]`, by `[b, B, N]` is `[b, E, B]` in float64.

    Row by row and block by block: a product of several is rounded in ways that depend on how many.
    """
    rows = table[:, 1:].flip(1)[:, None, None].expand(-1, len(groups), -1, -1)
    return torch.cat([torch.bmm(row, groups.mT) for row in rows], 1).double()
