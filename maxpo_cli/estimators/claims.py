"""What an estimator claims: its mean, its centering, and where it is defined."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

Factor = Callable[[int, int], Fraction | None]
"""The c(N, K) of E ĝ = c · ∇J_K on every problem; None where there is no such c."""


class Centering(Enum):
    """Whether a group's advantages sum to zero."""

    EXACTLY = "exactly"
    IN_MEAN = "in mean"
    NO = "no"


@dataclass(frozen=True)
class Mean:
    """The claim about E ĝ; `words` is how a table shows it."""

    words: str
    factor: Factor


UNBIASED = Mean("yes", lambda _n, _k: Fraction(1))
"""E ĝ = ∇J_K on every problem."""

BIASED = Mean("no", lambda _n, _k: None)
"""E ĝ is not a fixed multiple of ∇J_K."""

PLUG_IN = Mean("× (N−K)/N", lambda n, k: Fraction(n - k, n))
"""The group's own mean as a baseline shortens E ĝ by that factor."""


def at_k_1(mean: Mean, words: str) -> Mean:
    """The claim of an estimator of the mean reward, which is max@K for K = 1 only."""
    return Mean(words, lambda n, k: mean.factor(n, 1) if k == 1 else None)


@dataclass(frozen=True)
class KRange:
    """The K for which an estimator is defined: from `lowest` to N − `short_of_n`."""

    lowest: int = 1
    short_of_n: int = 0

    @property
    def words(self) -> str:
        """The range as a table shows it, `2..N-1`."""
        return f"{self.lowest}..N" + (f"-{self.short_of_n}" if self.short_of_n else "")

    @property
    def smallest_group(self) -> int:
        """The smallest N for which it holds a K."""
        return self.lowest + self.short_of_n

    def holds(self, n: int, k: int) -> bool:
        """Whether K is in the range for groups of n."""
        return self.lowest <= k <= n - self.short_of_n


class AnyK(KRange):
    """Every K, above N too."""

    @property
    def words(self) -> str:
        """See `KRange`."""
        return "any"

    def holds(self, n: int, k: int) -> bool:  # noqa: ARG002
        """See `KRange`."""
        return True


@dataclass(frozen=True)
class Claims:
    """What an estimator claims.

    Attributes:
        mean: whether it is unbiased for ∇J_K, or up to which factor.
        centering: whether its advantages sum to zero in every group.
        ks: the K for which it is defined.
        takes_k: whether its advantages depend on K.
        smallest_group: the smallest group for which it is defined.
        binary_only: whether it is defined for rewards 0 and 1 only.
    """

    mean: Mean
    centering: Centering
    ks: KRange = KRange()
    takes_k: bool = True
    smallest_group: int = 1
    binary_only: bool = False

    def scale(self, n: int, k: int) -> Fraction | None:
        """The factor c with E ĝ = c · ∇J_K on every problem; None where none is claimed."""
        return self.mean.factor(n, k)

    def is_unbiased(self, n: int, k: int) -> bool:
        """Whether E ĝ = ∇J_K is claimed at this N and K."""
        return self.scale(n, k) == 1

    def refusal(self, name: str, n: int, k: int, binary: bool) -> str | None:
        """Why `name` is not defined for groups of n, this K and these rewards; None when it is."""
        smallest = max(self.smallest_group, self.ks.smallest_group)
        if n < smallest:
            return f"{name} needs a group of at least {smallest}; got n={n}"
        if k < 1:
            return f"K must be at least 1; got k={k}"
        if not self.ks.holds(n, k):
            return f"{name} is defined for K in {self.ks.words}; got k={k} with n={n}"
        if self.binary_only and not binary:
            return f"{name} is defined for 0/1 rewards only"
        return None
