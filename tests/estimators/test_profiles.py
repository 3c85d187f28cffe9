"""The weights of spacings against sums of the coefficients of the sorted rewards.

A reward is r_(m) = r_(1) + Σ_{t<m} d_t, so the weight of the spacing d_t in the value of any reward
is the sum of the coefficients of r_(t+1), …, r_(N) in it. The code knows no such coefficients: it
makes its weights from the answers on 0/1 groups.
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np
import pytest
import torch
from oracles import estimators as by_subsets
from oracles.coefficients import Term, improvement, inclusive, leave_one_out, mean_max, value

from maxpo_cli import advantages
from maxpo_cli.estimators import profiles
from maxpo_cli.estimators.profiles import ProfileOf
from maxpo_cli.estimators.weights import weights

Combination = Callable[[int], list[tuple[Fraction, Term]]]

ONE = Fraction(1)
COMBINATIONS: dict[ProfileOf, Combination] = {
    profiles.mean_max_profile: lambda _n: [(ONE, mean_max)],
    profiles.inclusive_profile: lambda _n: [(ONE, inclusive)],
    profiles.leave_one_out_profile: lambda _n: [(ONE, leave_one_out)],
    profiles.expected_improvement_profile: lambda _n: [(ONE, improvement)],
    profiles.canonical_profile: lambda _n: [(ONE, inclusive), (-ONE, leave_one_out)],
    profiles.canonical_plugin_profile: lambda _n: [(ONE, inclusive), (-ONE, mean_max)],
    profiles.pkpo_loo_profile: lambda n: [(ONE, inclusive), (Fraction(-n, n - 1), leave_one_out)],
}
PROFILES = {
    "canonical": profiles.canonical_profile,
    "canonical-plugin": profiles.canonical_plugin_profile,
    "ei": profiles.expected_improvement_profile,
    "pkpo": profiles.inclusive_profile,
    "pkpo-loo": profiles.pkpo_loo_profile,
}
LEAVE_OUT = (
    profiles.leave_one_out_profile,
    profiles.canonical_profile,
    profiles.pkpo_loo_profile,
)


def spacing_weight(profile_of: ProfileOf, n: int, k: int, reward: int, spacing: int) -> Fraction:
    """The weight of a spacing in the value of a sorted reward; spacing 0 is r_(1) itself."""
    total = Fraction(0)
    for factor, term in COMBINATIONS[profile_of](n):
        numerators, denominator = term(n, k, reward)
        total += factor * Fraction(sum(numerators[spacing:]), denominator)
    return total


def check_weights(profile_of: ProfileOf, n: int, k: int, spacings: list[int]) -> None:
    found = weights(profile_of, n, k, torch.float64, "cpu")
    assert found.below.shape == found.rise.shape == (n - 1,)
    assert found.whole == float(spacing_weight(profile_of, n, k, 1, 0))
    for t in spacings:
        rise = spacing_weight(profile_of, n, k, t + 1, t) - spacing_weight(profile_of, n, k, t, t)
        assert found.below[t - 1] == float(spacing_weight(profile_of, n, k, 1, t))
        assert found.rise[t - 1] == float(rise)


def every_profile_at(n: int, *levels: int) -> pytest.MarkDecorator:
    """Each profile at each of these K that it is defined for."""
    cases = [(of, k) for of in COMBINATIONS for k in levels if k < n or of not in LEAVE_OUT]
    names = [f"{k}-{of.__name__}" for of, k in cases]
    return pytest.mark.parametrize(("profile_of", "k"), cases, ids=names)


@every_profile_at(64, 1, 2, 7, 32, 63, 64)
def test_every_weight_at_n_64_is_the_exact_rational_rounded_once(
    profile_of: ProfileOf, k: int
) -> None:
    check_weights(profile_of, 64, k, list(range(1, 64)))


@every_profile_at(4096, 1, 7, 2048, 4095, 4096)
def test_weights_at_n_4096_are_the_exact_rationals_rounded_once(
    profile_of: ProfileOf, k: int
) -> None:
    check_weights(profile_of, 4096, k, [1, 2, 5, 1000, 2047, 2048, 3000, 4000, 4094, 4095])


@pytest.mark.parametrize("k", [2, 7, 2048])
@pytest.mark.parametrize("name", ["canonical", "canonical-plugin", "ei", "pkpo", "pkpo-loo"])
def test_advantages_of_4096_rewards_are_the_exact_rationals_to_rounding(name: str, k: int) -> None:
    rewards = [reward / 1024 for reward in range(-(2**21), 2**21, 1024)]
    rewards[2000:2100] = rewards[2000:2001] * 100
    level = [int(reward * 1024) for reward in rewards]
    combination = COMBINATIONS[PROFILES[name]](4096)
    exact = {
        t: sum(factor * value(term, level, k, t) for factor, term in combination) / 1024
        for t in (1, 2, 2050, 4095, 4096)
    }
    found = advantages(name, rewards, k)
    invariant = by_subsets.shift_invariant(name, k)
    size = max(map(abs, exact.values() if invariant else rewards))  # the largest |A| is at an end
    for t, wanted in exact.items():
        assert abs(Fraction(found[t - 1]) - wanted) <= 1e-12 * float(size)


@pytest.mark.parametrize(
    ("term", "definition"),
    [
        (mean_max, by_subsets.mean_max),
        (inclusive, by_subsets.inclusive),
        (leave_one_out, by_subsets.leave_one_out),
        (improvement, by_subsets.improvement),
    ],
    ids=["v", "q", "v-without", "ei"],
)
@pytest.mark.parametrize("n", [2, 5])
def test_the_coefficients_that_judge_the_weights_are_means_over_subsets(
    n: int, term: Term, definition: by_subsets.Definition
) -> None:
    for levels in combinations_with_replacement((Fraction(-2), Fraction(0), Fraction(3)), n):
        group = by_subsets.fractions(levels)
        for k in range(1, n if term is leave_one_out else n + 1):
            found = [value(term, levels, k, t) for t in range(1, n + 1)]
            assert (definition(group, k) == np.array(found)).all()


def test_ties_sum_the_same_weights_whichever_of_them_is_asked() -> None:
    for profile_of in COMBINATIONS:
        for t in range(1, 8):
            at_or_below = {
                spacing_weight(profile_of, 8, 3, reward, t) for reward in range(1, t + 1)
            }
            above = {spacing_weight(profile_of, 8, 3, reward, t) for reward in range(t + 1, 9)}
            assert len(at_or_below) == len(above) == 1
