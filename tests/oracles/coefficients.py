"""Sums over subsets as coefficients of the sorted rewards, in exact integers.

Of the K-subsets of a sorted group, C(m − 1, K − 1) have r_(m) as their maximum; so each of the
terms v_K, q, v_K^(−i) and EI (engines/README.md, *subset terms*) is a sum of rewards with binomial
coefficients. `tests/estimators/test_profiles.py` holds them against the lists of subsets.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from math import comb
from operator import mul

Term = Callable[[int, int, int], tuple[list[int], int]]
"""(N, K, t) to the coefficients of r_(1), …, r_(N) in the value of r_(t).

The coefficients are numerators over one denominator; t starts at 1.
"""


@cache
def chosen(n: int, k: int) -> list[int]:
    """C(0, k), …, C(n−1, k)."""
    return [comb(a, k) if k >= 0 else 0 for a in range(n)]


def mean_max(n: int, k: int, _t: int) -> tuple[list[int], int]:
    """v_K."""
    return chosen(n, k - 1), comb(n, k)


def inclusive(n: int, k: int, t: int) -> tuple[list[int], int]:
    """q of r_(t), t from 1."""
    above = chosen(n, k - 2)[t - 1 : n - 1]
    return [0] * (t - 1) + [comb(t - 1, k - 1), *above], comb(n - 1, k - 1)


def leave_one_out(n: int, k: int, t: int) -> tuple[list[int], int]:
    """v_K^(−t)."""
    columns = chosen(n, k - 1)
    return [*columns[: t - 1], 0, *columns[t - 1 : n - 1]], comb(n - 1, k)


def improvement(n: int, k: int, t: int) -> tuple[list[int], int]:
    """EI of r_(t)."""
    below = [-value for value in chosen(n, k - 2)[: t - 1]]
    return [*below, -sum(below) if k > 1 else 1] + [0] * (n - t), comb(n - 1, k - 1)


def value(term: Term, group: Sequence[Fraction | int], k: int, t: int) -> Fraction:
    """The term of r_(t) in a group in ascending order."""
    numerators, denominator = term(len(group), k, t)
    return Fraction(sum(map(mul, numerators, group))) / denominator
