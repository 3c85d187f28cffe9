"""Drawn groups: their sorted rewards, and what a vector of advantages makes of their scores.

For one group, ĝ = (K/N) Σ_i A_i s_i. Draws give its mean over all that the reward does not tell of
the score, in orthonormal coordinates, and the second moment that is left around that mean, so that
no more than the rewards' part of the score is ever sampled.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import torch
from torch import Tensor

from maxpo_cli.estimators.catalogue import Estimator
from maxpo_cli.estimators.groups import SortedGroups
from maxpo_cli.policies.finite import FiniteFamily, FiniteProblem
from maxpo_cli.policies.gaussian import GaussianProblem


@dataclass(frozen=True)
class Estimates:
    """What one estimator at one K makes of a batch of groups `[...]`.

    Attributes:
        mean: E[ĝ | rewards], `[..., d]`.
        residual: E[‖ĝ‖² | rewards] − ‖mean‖², `[...]`.
        centering: (1/N) Σ_i A_i, `[...]`.
    """

    mean: Tensor
    residual: Tensor
    centering: Tensor


class Draws(Protocol):
    """A batch of groups that estimators can be evaluated on."""

    def estimate(self, estimator: Estimator, k: int) -> Estimates:
        """ĝ of every group under one estimator at one K."""


class CountedDraws:
    """Groups of a finite problem, as counts per level `[..., m]` that sum to N along the last.

    For a family of P problems, with counts `[B, m]`, estimates have a leading dimension P.
    """

    def __init__(
        self, problem: FiniteProblem | FiniteFamily, counts: Tensor, n: int, dtype: torch.dtype
    ) -> None:
        self.problem = problem
        self.counts = counts
        self.n = n
        self.dtype = dtype

    def _constant(self, values: object) -> Tensor:
        return torch.as_tensor(values, dtype=torch.float64, device=self.counts.device)

    @cached_property
    def _groups(self) -> SortedGroups:
        """Every count vector as one row of N sorted rewards."""
        levels = self._constant(self.problem.levels).to(self.dtype)
        rows = levels.expand(self.counts.shape).reshape(-1)
        repeats = self.counts.reshape(-1)
        batch = self.counts.shape[:-1]
        rewards = rows.repeat_interleave(repeats, output_size=batch.numel() * self.n)
        return SortedGroups(rewards.reshape(*batch, self.n))

    @cached_property
    def _last_of_level(self) -> Tensor:
        """Where in its row the last reward of each level stands (anywhere, for an absent one)."""
        return (self.counts.cumsum(-1) - 1).clamp_(min=0)

    @cached_property
    def _weights(self) -> Tensor:
        return self.counts.double()

    def _per_level(self, estimator: Estimator, k: int) -> Tensor:
        """The advantage of each level, along the last; of no meaning where the level is absent."""
        if estimator.compute is None:
            return self._constant(self.problem.oracle_advantages(k))
        ranked = estimator.compute(self._groups, k)
        return ranked.gather(-1, self._last_of_level).double()

    def estimate(self, estimator: Estimator, k: int) -> Estimates:
        """See `Draws`."""
        advantages = self._per_level(estimator, k)
        weighted = self._weights * advantages
        residual = (weighted * advantages * self._constant(self.problem.residual)).sum(-1)
        return Estimates(
            self.problem.scores.combine(weighted) * (k / self.n),
            residual * (k / self.n) ** 2,
            weighted.sum(-1) / self.n,
        )


class ScoredDraws:
    """Groups of a Gaussian policy, as standardised first coordinates `[..., N]`."""

    def __init__(self, problem: GaussianProblem, z: Tensor, dtype: torch.dtype) -> None:
        self.problem = problem
        policy = problem.policy
        rewards = policy.reward_function.value(policy.mean + policy.std * z)
        self._rewards, order = rewards.sort(-1)
        self._groups = SortedGroups(self._rewards.to(dtype))
        self._scores = policy.scores(z.gather(-1, order)[..., None])

    def _ranked(self, estimator: Estimator, k: int) -> Tensor:
        if estimator.compute is not None:
            return estimator.compute(self._groups, k).double()
        table = q_table(self.problem, k, str(self._rewards.device))
        return table.at(self._rewards) - table.objective

    def estimate(self, estimator: Estimator, k: int) -> Estimates:
        """See `Draws`."""
        advantages = self._ranked(estimator, k)
        n = advantages.shape[-1]
        return Estimates(
            (advantages[..., None] * self._scores).sum(-2) * (k / n),
            advantages.square().sum(-1) * (self.problem.residual * (k / n) ** 2),
            advantages.mean(-1),
        )


@dataclass(frozen=True)
class QTable:
    """Q_K of a continuous reward by cubic Hermite interpolation, and J_K = E Q_K."""

    thresholds: Tensor
    values: Tensor
    slopes: Tensor
    objective: float

    def at(self, rewards: Tensor) -> Tensor:
        """Q_K of these rewards."""
        right = torch.bucketize(rewards, self.thresholds).clamp_(1, len(self.thresholds) - 1)
        left = right - 1
        width = self.thresholds[right] - self.thresholds[left]
        s = (rewards - self.thresholds[left]) / width
        rise = self.values[right] - self.values[left]
        bend_left = width * self.slopes[left] - rise
        bend_right = rise - width * self.slopes[right]
        return self.values[left] + s * (rise + (1 - s) * ((1 - s) * bend_left + s * bend_right))


@lru_cache(maxsize=64)
def q_table(problem: GaussianProblem, k: int, device: str) -> QTable:
    """The table of Q_K of this problem on a device."""
    thresholds, values, slopes = (torch.tensor(a, device=device) for a in problem.q_table(k))
    return QTable(thresholds, values, slopes, problem.objective(k))
