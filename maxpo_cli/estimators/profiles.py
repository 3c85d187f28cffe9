"""Exact values on 0/1 groups, which are the combinatorial weights of every rank-linear estimator.

A rank-linear estimator is linear in the sorted rewards and gives ties equal values, so by the
layer-cake identity  r = r_(1) + Σ_t (r_(t+1) − r_(t)) 1[r > r_(t)]  it is the sum of its values on
0/1 groups. A `Profile` holds those values for one (N, K): the value of a success and of a failure
in a group with c successes, as integers over one denominator. Profiles add and subtract exactly, so
that an estimator is written as its formula; the rounding to floating point is the last step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, reduce
from math import gcd


@dataclass(frozen=True)
class Profile:
    """Values on 0/1 groups of n rewards: `success[c] / denominator` and `failure[c] / denominator`.

    Both tuples have n + 1 entries, c = 0..n the number of successes in the group. `success[0]` and
    `failure[n]` belong to no reward and are never read.
    """

    success: tuple[int, ...]
    failure: tuple[int, ...]
    denominator: int

    def __sub__(self, other: "Profile") -> "Profile":
        return self.minus(other, 1, 1)

    def minus(self, other: "Profile", numerator: int, denominator: int) -> "Profile":
        """self − (numerator / denominator) · other, exactly."""
        mine = other.denominator * denominator
        theirs = self.denominator * numerator
        return Profile(
            tuple(a * mine - b * theirs for a, b in zip(self.success, other.success, strict=True)),
            tuple(a * mine - b * theirs for a, b in zip(self.failure, other.failure, strict=True)),
            self.denominator * mine,
        ).reduced()

    def reduced(self) -> "Profile":
        """The same values with the common factor of all integers taken out."""
        factor = reduce(gcd, (*self.success, *self.failure), self.denominator)
        return Profile(
            tuple(value // factor for value in self.success),
            tuple(value // factor for value in self.failure),
            self.denominator // factor,
        )

    @property
    def top(self) -> int:
        """The value where all succeed, times the denominator."""
        return self.success[-1]

    def less_top(self) -> "Profile":
        """The profile less `top`, a constant (engines/README.md, *mean less a constant*)."""
        return Profile(
            tuple(value - self.top for value in self.success),
            tuple(value - self.top for value in self.failure),
            self.denominator,
        )


ProfileOf = Callable[[int, int], Profile]


@lru_cache(maxsize=128)
def less_top(profile_of: ProfileOf) -> ProfileOf:
    """The profiles of `profile_of` less their values where all succeed."""
    return lambda n, k: profile_of(n, k).less_top()


def choose_table(n: int, k: int) -> list[int]:
    """C(0, k), C(1, k), …, C(n, k) as exact integers; all 0 when k < 0."""
    table = [0] * (n + 1)
    if not 0 <= k <= n:
        return table
    value = 1
    for j in range(k, n + 1):
        table[j] = value
        value = value * (j + 1) // (j + 1 - k)
    return table


def mean_max_profile(n: int, k: int) -> Profile:
    """v_K: the mean of the max over all K-subsets of the group, the same for every reward."""
    misses = choose_table(n, k)
    both = tuple(misses[n] - misses[n - c] for c in range(n + 1))
    return Profile(both, both, misses[n])


def inclusive_profile(n: int, k: int) -> Profile:
    """q_i: the mean of the max over the K-subsets that hold i (PKPO, arXiv:2505.15201, eq. 19)."""
    misses = choose_table(n - 1, k - 1)
    total = misses[n - 1]
    return Profile((total,) * (n + 1), _failure(n, total, misses), total)


def leave_one_out_profile(n: int, k: int) -> Profile:
    """v_K^(−i): the mean of the max over the K-subsets that leave i out; K ≤ N − 1."""
    misses = choose_table(n - 1, k)
    total = misses[n - 1]
    success = (0, *(total - misses[n - c] for c in range(1, n + 1)))
    return Profile(success, _failure(n, total, misses), total)


def expected_improvement_profile(n: int, k: int) -> Profile:
    """EI_i = q_i − v_{K−1}^(−i): what i adds to the max of K − 1 others; r_i at K = 1."""
    misses = choose_table(n - 1, k - 1)
    success = (0, *(misses[n - c] for c in range(1, n + 1)))
    return Profile(success, (0,) * (n + 1), misses[n - 1])


def canonical_profile(n: int, k: int) -> Profile:
    """q_i − v_K^(−i), which is also the Leave-Two-Out advantage (arXiv:2606.06080)."""
    return inclusive_profile(n, k) - leave_one_out_profile(n, k)


def canonical_plugin_profile(n: int, k: int) -> Profile:
    """q_i − v_K (arXiv:2606.06080, full-batch baseline)."""
    return inclusive_profile(n, k) - mean_max_profile(n, k)


def pkpo_loo_profile(n: int, k: int) -> Profile:
    """q_i − (N/(N−1)) v_K^(−i) (arXiv:2505.15201, eq. 29)."""
    return inclusive_profile(n, k).minus(leave_one_out_profile(n, k), n, n - 1)


def _failure(n: int, total: int, misses: list[int]) -> tuple[int, ...]:
    """Subsets of the other n − 1 rewards, c of them successes, that hold at least one success."""
    return (*(total - misses[n - 1 - c] for c in range(n)), 0)
