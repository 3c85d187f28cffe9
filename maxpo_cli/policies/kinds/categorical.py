"""Categorical policies: a softmax over distinct outcomes, several of them for each reward."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from math import inf, isfinite
from typing import Any

import numpy as np

from maxpo_cli.arrays import FloatArray
from maxpo_cli.errors import InputError
from maxpo_cli.policies.outcomes import COUNTS, checked_counts, counts_text
from maxpo_cli.policies.policy import REAL, REALS, PolicyKind
from maxpo_cli.policies.text import number, numbers
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.problems.limits import measurable

PROBS_TOLERANCE, PROBS_ROUNDING = 1e-6, 1e-9
"""How far the probabilities of a categorical policy may sum from 1 before they are refused, as in a
table with seven decimals, and before a note says that they were divided by their sum."""

NORMS_REFUSED = "categorical: norms can be given with outcomes=inf only"


@dataclass(frozen=True)
class Categorical:
    """A softmax over distinct outcomes: class b has `outcomes[b]` of them, equally likely.

    With many outcomes per class the scores of two draws are nearly orthogonal, as those of a
    language model's answers are; infinitely many are the limit of that (engines/README.md,
    *orthogonal limit*).

    Attributes:
        rewards: the reward of each class.
        probs: the probability of each whole class.
        outcomes: the number of outcomes of each class, or one number for all of them; inf for the
            orthogonal limit.
        norms: E[‖s‖² | class] in the orthogonal limit, per class or one number for all of them.
    """

    rewards: tuple[float, ...]
    probs: tuple[float, ...]
    outcomes: tuple[float, ...] = (inf,)
    norms: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        for name in ("outcomes", "norms"):
            if len(values := getattr(self, name)) == 1:
                object.__setattr__(self, name, values * len(self.rewards))
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
            raise InputError(f"categorical: probs must sum to 1; they sum to {self._total}")
        object.__setattr__(self, "outcomes", checked_counts("categorical", self.outcomes))
        self._check_norms()

    def _check_norms(self) -> None:
        if len(self.norms) != len(self.rewards):
            raise InputError(
                f"categorical: norms must be one number, or one per reward; got {len(self.norms)} "
                f"for {len(self.rewards)} rewards"
            )
        if not all(isfinite(norm) and norm > 0 for norm in self.norms):
            given = numbers(_shortened(self.norms))
            raise InputError(f"categorical: norms must be above 0 and finite; got {given}")
        if not self._is_limit and any(norm != 1 for norm in self.norms):
            raise InputError(NORMS_REFUSED)

    @property
    def _is_limit(self) -> bool:
        return self.outcomes[0] == inf

    @property
    def spec(self) -> str:
        """See `Policy`; without `outcomes` in the orthogonal limit and without `norms` of 1.

        Both are one number where they are the same for all classes.
        """
        outcomes, norms = _shortened(self.outcomes), _shortened(self.norms)
        return (
            f"categorical:rewards={numbers(self.rewards)},probs={numbers(self.probs)}"
            + ("" if self._is_limit else f",outcomes={counts_text(outcomes)}")
            + ("" if norms == (1.0,) else f",norms={numbers(norms)}")
        )

    @property
    def _total(self) -> str:
        return number(round(sum(self.probs), 12))

    @property
    def note(self) -> str:
        """See `Policy`: that the probabilities were divided by their sum, where it is not 1."""
        if abs(sum(self.probs) - 1) <= PROBS_ROUNDING:
            return ""
        return f"probs sum to {self._total} and were divided by it"

    @cached_property
    def _normalised(self) -> FloatArray:
        probs = np.array(self.probs)
        return np.asarray(probs / probs.sum())

    @cached_property
    def problems(self) -> tuple[FiniteProblem, ...]:
        """See `Policy`: one finite problem."""
        rewards, probs = np.array(self.rewards), self._normalised
        if self._is_limit:
            return (FiniteProblem.in_the_limit(rewards, probs, np.array(self.norms)),)
        return (FiniteProblem.tabular(rewards, probs, np.array(self.outcomes, dtype=float)),)


def _shortened(values: tuple[float, ...]) -> tuple[float, ...]:
    """One number where all are the same."""
    return values[:1] if len(set(values)) == 1 else values


def _build(values: Mapping[str, Any]) -> Categorical:
    if "norms" in values and inf not in values.get("outcomes", (inf,)):
        raise InputError(NORMS_REFUSED)
    if "p" in values:
        both = {"rewards": (0.0, 1.0)} | dict(values) | {"probs": _two_probs(values)}
        values = {key: value for key, value in both.items() if key != "p"}
    return Categorical(**values)


def _two_probs(values: Mapping[str, Any]) -> tuple[float, float]:
    """The probabilities 1 − p and p of two rewards; 1 − p in as few digits as p."""
    p = values["p"]
    if "probs" in values:
        raise InputError("categorical: give p or probs, not both")
    if len(values.get("rewards", (0, 1))) != 2:
        raise InputError("categorical: p is the probability of the second of two rewards")
    if not 0 <= p <= 1:
        raise InputError(f"categorical: p must be between 0 and 1; got {number(p)}")
    return float(1 - Decimal(repr(p))), p


KIND = PolicyKind(
    name="categorical",
    keys={
        "rewards": replace(
            REALS, meaning="the rewards (default with p: 0/1)", required=True, unless="p"
        ),
        "probs": replace(
            REALS, meaning="the probability of each reward", required=True, unless="p"
        ),
        "p": replace(REAL, meaning="the probability of the second of two rewards, for probs"),
        "outcomes": replace(
            COUNTS,
            meaning="distinct outcomes per reward: inf (default, the orthogonal limit), one number "
            "or one per reward",
        ),
        "norms": replace(
            REALS,
            meaning="mean squared length of the score, with outcomes=inf: one number (default 1) "
            "or one per reward",
        ),
    },
    build=_build,
    example="categorical:rewards=0/0.5/1,probs=0.6/0.3/0.1",
    summary="a softmax over distinct outcomes, several of them for each reward",
)
