"""Bernoulli and categorical policies: softmax over a finite set of outcomes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.arrays import FloatArray
from maxpo_cli.errors import InputError
from maxpo_cli.problems.finite import (
    LARGEST_COUNT,
    FiniteProblem,
    TabularScores,
    measurable,
)
from maxpo_cli.policies.text import number, numbers

PROBS_TOLERANCE = 1e-9
"""How far the probabilities of a categorical policy may sum from 1 before they are refused."""


@dataclass(frozen=True)
class Bernoulli:
    """Reward 1 with probability p = sigmoid(one logit), else 0; the score is r − p."""

    p: float

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise InputError(f"bernoulli: p must be between 0 and 1; got {number(self.p)}")

    @property
    def spec(self) -> str:
        """The policy as its spec string."""
        return f"bernoulli:p={number(self.p)}"

    @cached_property
    def problems(self) -> tuple[FiniteProblem, ...]:
        """The one finite problem that it is."""
        rewards = np.array([0.0, 1.0])
        probs = np.array([1 - self.p, self.p])
        scores = (rewards - self.p)[:, None]
        return (FiniteProblem.of_classes(rewards, probs, scores, np.zeros(2)),)

    def sample(self, groups: int, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Rewards `[groups, n]` and scores `[groups, n, 1]`, float64, on the generator's device."""
        draws = torch.rand(
            groups, n, dtype=torch.float64, generator=generator, device=generator.device
        )
        rewards = (draws < self.p).double()
        return rewards, (rewards - self.p)[..., None]


@dataclass(frozen=True)
class Categorical:
    """A softmax over distinct outcomes: class b has `outcomes[b]` of them, equally likely.

    `probs[b]` is the probability of the whole class. With many outcomes a class the scores of two
    draws are nearly orthogonal, as those of a language model's answers are.
    """

    rewards: tuple[float, ...]
    probs: tuple[float, ...]
    outcomes: tuple[int, ...]

    def __post_init__(self) -> None:
        lengths = {len(self.rewards), len(self.probs), len(self.outcomes)}
        if len(lengths) > 1:
            raise InputError(
                f"categorical: rewards, probs and outcomes must be of one length; got "
                f"{len(self.rewards)}, {len(self.probs)} and {len(self.outcomes)}"
            )
        if not self.rewards:
            raise InputError("categorical: rewards must have at least one level")
        if not measurable(np.array(self.rewards)).all():
            raise InputError("categorical: rewards must be 0 or from 1e-70 to 1e70 in size")
        if not all(0 <= p <= 1 for p in self.probs):
            raise InputError("categorical: probs must be between 0 and 1")
        if abs(sum(self.probs) - 1) > PROBS_TOLERANCE:
            total = number(round(sum(self.probs), 12))
            raise InputError(f"categorical: probs must sum to 1; they sum to {total}")
        if not 1 <= min(self.outcomes) <= max(self.outcomes) <= LARGEST_COUNT:
            raise InputError("categorical: outcomes must be whole numbers from 1 to 2^60")

    @property
    def spec(self) -> str:
        """The policy as its spec string; `outcomes` as one number where all are the same."""
        outcomes = self.outcomes[:1] if len(set(self.outcomes)) == 1 else self.outcomes
        return (
            f"categorical:rewards={numbers(self.rewards)},probs={numbers(self.probs)},"
            f"outcomes={'/'.join(map(str, outcomes))}"
        )

    @cached_property
    def _normalised(self) -> FloatArray:
        probs = np.array(self.probs)
        return np.asarray(probs / probs.sum())

    @cached_property
    def problems(self) -> tuple[FiniteProblem, ...]:
        """The one finite problem that it is; 1 − 1/M_b is left around a class's mean score."""
        rewards, probs = np.array(self.rewards), self._normalised
        outcomes = np.array(self.outcomes, dtype=float)
        root, residual = np.sqrt(outcomes), 1 - 1 / outcomes
        scores = TabularScores(1 / root, probs / root)
        if (np.diff(rewards) > 0).all() and (probs > 0).all():
            return (FiniteProblem(rewards, probs, scores, residual),)
        return (FiniteProblem.of_classes(rewards, probs, scores.matrix, residual),)

    def sample(self, groups: int, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Rewards `[groups, n]` and scores `[groups, n, Σ outcomes]`, float64.

        The last dimension is one logit an outcome: the score is one-hot minus probabilities.
        """
        device = generator.device
        outcomes = torch.tensor(self.outcomes, device=device)
        each = torch.tensor(self._normalised, device=device) / outcomes
        probs = each.repeat_interleave(outcomes)
        rewards = torch.tensor(self.rewards, dtype=torch.float64, device=device)
        drawn = torch.multinomial(probs, groups * n, replacement=True, generator=generator)
        scores = torch.nn.functional.one_hot(drawn, len(probs)).double() - probs
        return (
            rewards.repeat_interleave(outcomes)[drawn].reshape(groups, n),
            scores.reshape(groups, n, -1),
        )
