"""The theory of Var l2o / Var ei (engines/README.md, *ratio of l2o to ei*), against definitions.

Rational arithmetic throughout, so that bounds which are attained are checked with ≤.
"""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from oracles.estimators import advantages
from oracles.l2o_over_ei import (
    binomial_ratio,
    border_rule,
    bounds,
    pkpo_ratio,
    ratio,
    slope,
    spread_ratio,
)

from maxpo_cli import sweep

SIZES = [(n, k) for n in range(2, 41) for k in range(1, n)]
RATES = [Fraction(*p) for p in ((1, 1000), (1, 20), (1, 7), (1, 3), (1, 2), (7, 10), (49, 50))]


def second_moment(name: str, n: int, k: int, p: Fraction) -> Fraction:
    """E Σ_i A_i² over every 0/1 group, by the definition over subsets: tr Cov ĝ · (N/K)²."""
    groups = np.array(list(product((Fraction(0), Fraction(1)), repeat=n)), dtype=object)
    successes = groups.sum(1)
    probs = [p ** int(c) * (1 - p) ** (n - int(c)) for c in successes]
    moment: Fraction = np.array(probs, dtype=object) @ (advantages(name, groups, k) ** 2).sum(1)
    return moment


@pytest.mark.parametrize("p", [Fraction(1, 9), Fraction(1, 2), Fraction(6, 7)])
@pytest.mark.parametrize(("n", "k"), [(n, k) for n in range(2, 7) for k in range(1, n)])
def test_the_formula_is_the_ratio_over_every_group(n: int, k: int, p: Fraction) -> None:
    brute = second_moment("canonical", n, k, p) / second_moment("ei", n, k, p)
    assert brute == binomial_ratio(n, k, p) == ratio(n, k, p) == spread_ratio(n, k, p)


def test_the_three_forms_are_the_same_and_closed_at_both_ends_of_k() -> None:
    for n, k in SIZES[::7]:
        for p in RATES:
            assert ratio(n, k, p) == binomial_ratio(n, k, p) == spread_ratio(n, k, p)
    for n in range(2, 41):
        for p in RATES:
            assert ratio(n, 1, p) == (1 - p) * Fraction(n, n - 1)
            assert ratio(n, n - 1, p) == 1 + (1 - 2 * p) / ((n - 1) * (1 - p) + p)


def test_the_ratio_is_within_its_bounds_up_to_40_answers() -> None:
    for n, k in SIZES:
        for p in RATES:
            found, (low, high) = ratio(n, k, p), bounds(n, k, p)
            least = (1 - p) * Fraction(n, n - 1)
            assert least <= low <= found <= high < Fraction(n, n - 1)
            assert high == least / (1 - p * Fraction(k - 1, n - 1))
            if k in (1, n - 1):
                assert low == found == high


def test_the_ratio_falls_with_p_from_its_limit_at_rare_successes() -> None:
    for n, k in SIZES:
        values = [ratio(n, k, p) for p in RATES]
        assert values == sorted(set(values), reverse=True)
        rare = ratio(n, k, Fraction(1, 10**9))
        assert 0 < Fraction(n, n - 1) - rare < Fraction(n, 10**8)


@pytest.mark.parametrize("sizes", [range(2, 41), (64, 100, 128)], ids=["all", "large"])
def test_the_border_lies_between_its_bounds(sizes: range | tuple[int, ...]) -> None:
    for n in sizes:
        for k in range(1, n):
            low, high = 1 / (1 + slope(n, k)), border_rule(n, k)
            assert ratio(n, k, low) >= 1 >= ratio(n, k, high)
            assert n == 2 or low >= high * Fraction(n - 2, n - 1)


def test_the_border_is_within_7_6_percent_of_its_rule_from_8_to_128_answers() -> None:
    """By signs of R − 1, and since R falls with p: no root is searched."""
    below = 1 - Fraction("0.076")
    for n in range(8, 129):
        for k in range(1, n):
            assert ratio(n, k, below * border_rule(n, k)) > 1 >= ratio(n, k, border_rule(n, k))
    assert ratio(8, 6, Fraction("0.93") * border_rule(8, 6)) < 1  # at 7% it no longer holds
    assert ratio(64, 63, Fraction(1, 2)) == 1


def test_pkpo_over_ei_rises_with_p_from_its_limit_at_rare_successes() -> None:
    assert second_moment("pkpo", 5, 3, RATES[3]) == pkpo_ratio(5, 3, RATES[3]) * second_moment(
        "ei", 5, 3, RATES[3]
    )
    for n, k in SIZES[::3]:
        values = [1 + Fraction((k - 1) ** 2, n - 1), *(pkpo_ratio(n, k, p) for p in RATES)]
        assert values == sorted(values)


def test_norms_weigh_the_failures() -> None:
    n, k, p, failure = 7, 3, Fraction(1, 5), Fraction(5, 2)
    found = sweep(
        policy=f"categorical:rewards=0/1,probs=0.8/0.2,norms={float(failure)}/1",
        grid={"n": [n], "k": [k]},
        estimators=["l2o", "ei"],
    ).table
    mean = ratio(n, k, p) * p * (n - k) / ((1 - p) * n)  # E_w[y], by the second form
    squares = p * (ratio(n, k, p) - 1 + 2 * mean)  # E_w[y²], by the first
    expected = 1 - 2 * mean + squares + failure * (1 - p) / p * squares
    assert found["variance_ratio"][0] == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("n", [2, 5, 16, 33, 64])
def test_the_engine_of_the_default_policy_gives_the_ratio(n: int) -> None:
    rates = ["1e-6", "0.013", "0.3", "0.77", "0.99"]
    sizes = sorted({1, 2, n // 2, n - 2, n - 1} & set(range(1, n)))
    found = sweep(
        policy="bernoulli",
        grid={"n": [n], "k": sizes, "p": ",".join(rates)},
        estimators=["canonical", "ei"],
    ).table
    rows = found[found["estimator"] == "canonical"]
    assert len(rows) == len(rates) * len(sizes)
    cells = zip(rows["k"], rows["p"], strict=True)
    exact = [float(ratio(n, k, Fraction(str(p)))) for k, p in cells]
    assert rows["variance_ratio"].tolist() == pytest.approx(exact, rel=1e-10)
