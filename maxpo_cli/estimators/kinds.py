"""The four kinds of estimators: rank-linear, standardised, own formula, yardstick.

The estimators that can be trained with have one signature,

    advantages(groups: SortedGroups, k: int) -> Tensor[..., N]

where `groups.rewards` is `[..., N]`, N the group size, the last dimension ascending and every
leading dimension a batch of groups; the result is the advantage of each of those rewards in the
same (sorted) order. A yardstick needs the policy's own distribution, and only engines measure it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar

from torch import Tensor

from maxpo_cli.errors import InputError
from maxpo_cli.estimators.claims import Claims
from maxpo_cli.estimators.profiles import ProfileOf
from maxpo_cli.estimators.sorted_groups import SortedGroups

Compute = Callable[[SortedGroups, int], Tensor]

STD_OFFSET = 1e-6
"""What frameworks add to a group's standard deviation before they divide by it."""


@dataclass(frozen=True, kw_only=True)
class Estimator(ABC):
    """One advantage estimator: its name, formula and source as a table shows them, its claims."""

    name: str
    formula: str
    source: str
    claims: Claims
    trainable: ClassVar[bool] = True

    @abstractmethod
    def advantages(self, groups: SortedGroups, k: int) -> Tensor:
        """The advantages `[..., N]` of sorted groups; raises `InputError` for a yardstick."""

    def refusal(self, n: int, k: int, binary: bool) -> str | None:
        """Why it is not defined for groups of n, this K and these rewards; None when it is."""
        return self.claims.refusal(self.name, n, k, binary)


@dataclass(frozen=True, kw_only=True)
class RankLinear(Estimator):
    """Linear in the sorted rewards, with equal values for ties: its profile says everything.

    `direct` is a quicker formula for the same advantages, where there is one.
    """

    profile: ProfileOf
    direct: Compute | None = None

    def advantages(self, groups: SortedGroups, k: int) -> Tensor:
        """See `Estimator`."""
        if self.direct is not None:
            return self.direct(groups, k)
        return groups.rank_linear(self.profile, k)


@dataclass(frozen=True, kw_only=True)
class Standardised(Estimator):
    """Rank-linear advantages divided by the group's sample standard deviation + `STD_OFFSET`.

    `numerator` computes what is divided, and `profile` is its profile.
    """

    profile: ProfileOf
    numerator: Compute

    def advantages(self, groups: SortedGroups, k: int) -> Tensor:
        """See `Estimator`."""
        return self.numerator(groups, k) / (groups.std + STD_OFFSET)


@dataclass(frozen=True, kw_only=True)
class OwnFormula(Estimator):
    """Any other function of a group's rewards that gives equal rewards equal advantages."""

    compute: Compute

    def advantages(self, groups: SortedGroups, k: int) -> Tensor:
        """See `Estimator`."""
        return self.compute(groups, k)


def needs_policy(name: str) -> InputError:
    """An error for a yardstick that was asked for advantages of rewards."""
    return InputError(f"{name} needs the policy's own distribution: rewards alone do not give it")


@dataclass(frozen=True, kw_only=True)
class Yardstick(Estimator):
    """An estimator that needs the policy's own distribution: nothing can be trained with it."""

    trainable: ClassVar[bool] = False

    def advantages(self, groups: SortedGroups, k: int) -> Tensor:  # noqa: ARG002
        """Raises `InputError`."""
        raise needs_policy(self.name)


@dataclass(frozen=True, kw_only=True)
class Oracle(Yardstick):
    """The population advantage Q_K(x_i) − V_K, with the policy's own Q_K and V_K."""


class BaselineFamily(Enum):
    """The baselines among which the one of least variance is sought."""

    LINEAR = auto()
    """Any weights on the other N − 1 sorted rewards."""
    MIX = auto()
    """Any mixture of v_K^(−i) and v_{K−1}^(−i)."""
    CONSTANT = auto()
    """One number."""


@dataclass(frozen=True, kw_only=True)
class BestBaseline(Yardstick):
    """q_i less the baseline of a family that gives this very problem the least variance."""

    family: BaselineFamily


@dataclass(frozen=True)
class ByKind:
    """Estimators sorted by kind, for engines that work on all of a kind at once."""

    rank_linear: tuple[RankLinear, ...]
    standardised: tuple[Standardised, ...]
    own_formula: tuple[OwnFormula, ...]
    oracle: tuple[Oracle, ...]
    best_baseline: tuple[BestBaseline, ...]

    @classmethod
    def of(cls, estimators: Iterable[Estimator]) -> "ByKind":
        """The estimators of each kind, in the order given."""
        several = tuple(estimators)
        return cls(
            tuple(e for e in several if isinstance(e, RankLinear)),
            tuple(e for e in several if isinstance(e, Standardised)),
            tuple(e for e in several if isinstance(e, OwnFormula)),
            tuple(e for e in several if isinstance(e, Oracle)),
            tuple(e for e in several if isinstance(e, BestBaseline)),
        )
