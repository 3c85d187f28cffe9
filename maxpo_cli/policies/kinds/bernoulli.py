"""Bernoulli policies: reward 1 with probability p, else 0."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from typing import Any

import numpy as np

from maxpo_cli.errors import InputError
from maxpo_cli.policies.outcomes import ONE_COUNT, checked_counts, counts_text
from maxpo_cli.policies.policy import REAL, PolicyKind
from maxpo_cli.policies.text import number
from maxpo_cli.problems.finite import FiniteProblem


@dataclass(frozen=True)
class Bernoulli:
    """Reward 1 with probability p, else 0.

    `outcomes` is the number of distinct outcomes per reward: inf for the orthogonal limit
    (engines/README.md, *orthogonal limit*), 1 for the one-logit bandit p = sigmoid(logit) with
    score r − p, and any other number for a softmax over that many outcomes of either reward.
    """

    p: float
    outcomes: float = inf

    def __post_init__(self) -> None:
        if not 0 <= self.p <= 1:
            raise InputError(f"bernoulli: p must be between 0 and 1; got {number(self.p)}")
        (outcomes,) = checked_counts("bernoulli", (self.outcomes,))
        object.__setattr__(self, "outcomes", outcomes)

    @property
    def spec(self) -> str:
        """See `Policy`; without `outcomes` in the orthogonal limit."""
        outcomes = "" if self.outcomes == inf else f",outcomes={counts_text([self.outcomes])}"
        return f"bernoulli:p={number(self.p)}{outcomes}"

    @property
    def note(self) -> str:
        """See `Policy`: there is none."""
        return ""

    @cached_property
    def problems(self) -> tuple[FiniteProblem, ...]:
        """See `Policy`: one finite problem."""
        rewards, probs = np.array([0.0, 1.0]), np.array([1 - self.p, self.p])
        if self.outcomes == inf:
            return (FiniteProblem.in_the_limit(rewards, probs, np.ones(2)),)
        if self.outcomes == 1:
            scores = (rewards - self.p)[:, None]
            return (FiniteProblem.of_classes(rewards, probs, scores, np.zeros(2)),)
        outcomes = np.full(2, self.outcomes, dtype=float)
        return (FiniteProblem.tabular(rewards, probs, outcomes),)


def _build(values: Mapping[str, Any]) -> Bernoulli:
    return Bernoulli(**values)


KIND = PolicyKind(
    name="bernoulli",
    keys={
        "p": replace(REAL, meaning="the probability of reward 1", required=True),
        "outcomes": replace(
            ONE_COUNT,
            meaning="distinct outcomes per reward: inf (default, the orthogonal limit), 1 (one "
            "logit) or a number",
        ),
    },
    build=_build,
    example="bernoulli:p=0.1",
    summary="reward 1 with probability p, else 0",
)
