"""Var l2o / Var ei in the orthogonal limit (engines/README.md, *ratio of l2o to ei*), rationally.

Rewards are 0 and 1, a success has probability p, and ρ = p/(1 − p). All functions are exact where p
is a `Fraction`.
"""

from fractions import Fraction
from math import comb


def binomial_ratio(n: int, k: int, p: Fraction) -> Fraction:
    """1 − 2 E_w[y] + E_w[y²]/p, as a sum over the successes among the other N − 1."""
    a = [Fraction(comb(n - 1 - j, k - 1), comb(n - 1, k - 1)) for j in range(n)]
    w = [comb(n - 1, j) * p**j * (1 - p) ** (n - 1 - j) * a[j] ** 2 for j in range(n)]
    y = [Fraction(j, n - k) for j in range(n)]
    first, second = (sum(w[j] * y[j] ** power for j in range(n)) / sum(w) for power in (1, 2))
    return 1 - 2 * first + second / p


def ratio(n: int, k: int, p: Fraction) -> Fraction:
    """N E_w[y] / (ρ (N − K)), in integers until the last division."""
    success, failure, left = p.numerator, p.denominator - p.numerator, n - k
    w = [
        comb(left, j) * comb(n - 1 - j, k - 1) * success**j * failure ** (left - j)
        for j in range(left + 1)
    ]
    mean = sum(j * weight for j, weight in enumerate(w))
    return Fraction(n * failure * mean, success * left**2 * sum(w))


def spread_ratio(n: int, k: int, p: Fraction) -> Fraction:
    """N E_w[(1 − y)² / (N − 1 − j)]."""
    rho, left = p / (1 - p), n - k
    w = [comb(left, j) * comb(n - 1 - j, k - 1) * rho**j for j in range(left + 1)]
    terms = [w[j] * Fraction((left - j) ** 2, left**2 * (n - 1 - j)) for j in range(left)]
    return n * sum(terms) / sum(w)


def bounds(n: int, k: int, p: Fraction) -> tuple[Fraction, Fraction]:
    """The lower and the upper bound of the ratio."""
    rho = p / (1 - p)
    return n / (n - 1 + rho * slope(n, k)), n / (n - 1 + rho * (n - k))


def slope(n: int, k: int) -> Fraction:
    """2L − 1 − (L − 1)²/(N − 2), L = N − K."""
    left = n - k
    return 2 * left - 1 - (Fraction((left - 1) ** 2, n - 2) if n > 2 else Fraction(0))


def border_rule(n: int, k: int) -> Fraction:
    """N/(N² − K²), above which `l2o` is the quieter one."""
    return Fraction(n, n**2 - k**2)


def pkpo_ratio(n: int, k: int, p: Fraction) -> Fraction:
    """Var pkpo / Var ei: a success has the advantage 1, a failure 1 − a_j."""
    a = [Fraction(comb(n - 1 - j, k - 1), comb(n - 1, k - 1)) for j in range(n)]
    laws = [comb(n - 1, j) * p**j * (1 - p) ** (n - 1 - j) for j in range(n)]
    failure = sum(law * (1 - x) ** 2 for law, x in zip(laws, a, strict=True))
    success = sum(law * x**2 for law, x in zip(laws, a, strict=True))
    return (p + (1 - p) * failure) / (p * success)
