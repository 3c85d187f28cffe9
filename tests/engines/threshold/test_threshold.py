"""The threshold engine against enumeration, against formulas, and where enumeration cannot go."""

import math
from fractions import Fraction

import numpy as np
import pytest
from oracles.estimators import TAKE_NO_K, ks, oracle
from oracles.short_calls import by_thresholds, enumerated, rank_linear, sampled

from maxpo_cli.engines.moments import Moments
from maxpo_cli.estimators.kinds import RankLinear
from maxpo_cli.estimators.lookup import CATALOGUE
from maxpo_cli.metrics.summary import summaries
from maxpo_cli.policies.kinds.categorical import Categorical
from maxpo_cli.policies.spec import parse_policy
from maxpo_cli.problems.finite import FiniteProblem

PROFILES = {e.name: e.profile for e in CATALOGUE.values() if isinstance(e, RankLinear)}


def random_problem(seed: int) -> tuple[FiniteProblem, int, int]:
    """2 to 6 levels, N to 14 (few enough count vectors to enumerate), outcomes mixed."""
    rng = np.random.default_rng(seed)
    m = int(rng.integers(2, 7))
    n = int(rng.integers(2, 15 if m < 5 else 9))
    levels = np.unique(rng.normal(size=m).round(2) * 10.0 ** rng.integers(-2, 3))
    probs = rng.dirichlet(np.full(len(levels), rng.choice([0.3, 1, 5])))
    outcomes = rng.choice([1, 2, 10, 1000], len(levels))
    policy = Categorical(tuple(levels.tolist()), tuple(probs.tolist()), tuple(outcomes.tolist()))
    (problem,) = policy.problems
    return problem, n, int(rng.integers(1, n + 1))


def assert_same(found: Moments, exact: Moments, rtol: float) -> None:
    size = np.sqrt((exact.mean**2).sum(1) + exact.variance)
    np.testing.assert_allclose(found.mean, exact.mean, rtol=0, atol=rtol * size.max())
    floor = 1e-14 * (exact.variance + (exact.mean**2).sum(1)).max()
    np.testing.assert_allclose(found.variance, exact.variance, rtol=rtol, atol=floor)
    most = exact.centering_max.max()
    for name in ("centering_mean", "centering_max"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(exact, name), rtol=rtol, atol=1e-12 * most
        )
    np.testing.assert_allclose(
        found.centering_square, exact.centering_square, rtol=rtol, atol=1e-12 * most**2
    )


@pytest.mark.parametrize("part", range(10))
def test_200_random_problems_agree_with_enumeration(part: int) -> None:
    for seed in range(20 * part, 20 * part + 20):
        problem, n, k = random_problem(seed)
        exact = enumerated(problem, n, k, rank_linear(problem, n, k))
        assert_same(by_thresholds(problem, n, k), exact, 1e-11)


@pytest.mark.parametrize(
    "spec",
    [
        "bernoulli:p=0.3,outcomes=1",
        "bernoulli:p=1e-9,outcomes=1",
        "gaussian:mean=0.2,std=0.5,reward=threshold,c=0.6,learn=mean+log_std,dim=3",
        "categorical:rewards=0/1/0/2/1,probs=0.2/0.3/0.1/0.1/0.3,outcomes=1/2/3/4/5",
        "categorical:rewards=3,probs=1,outcomes=1",
        "categorical:rewards=1e6/1000001,probs=0.5/0.5,outcomes=1000",
    ],
)
@pytest.mark.parametrize("k", [1, 3, 7])
def test_every_kind_of_finite_policy_agrees_with_enumeration(spec: str, k: int) -> None:
    (problem,) = parse_policy(spec).problems
    assert isinstance(problem, FiniteProblem)
    exact = enumerated(problem, 7, k, rank_linear(problem, 7, k))
    assert_same(by_thresholds(problem, 7, k), exact, 1e-9 if "1e6" in spec else 1e-11)


@pytest.mark.parametrize("name", PROFILES)
def test_the_declared_profile_is_the_definition_on_0_1_groups(name: str) -> None:
    for n in range(2, 9):
        for k in range(1, n + 1) if name in TAKE_NO_K else ks(name, n):
            profile = PROFILES[name](n, k)
            for c in range(n + 1):
                found = [profile.failure[c]] * (n - c) + [profile.success[c]] * c
                exact = oracle(name, [0] * (n - c) + [1] * c, k)
                assert [Fraction(value, profile.denominator) for value in found] == exact, (n, k, c)


@pytest.mark.parametrize("k", [2, 8, 32])
def test_agrees_with_sampling_where_enumeration_cannot_go(k: int) -> None:
    """C(71, 7) count vectors; the variances of 8 estimators at 3 K within 4 standard errors."""
    policy = Categorical(tuple(map(float, range(8))), (0.3, 0.2, 0.15, 0.1, 0.1, 0.05, 0.05, 0.05),
                         (1, 2, 3, 1000, 5, 1, 1, 7))  # fmt: skip
    (problem,) = policy.problems
    chosen = rank_linear(problem, 64, k)
    exact = summaries([by_thresholds(problem, 64, k)], "ei")
    found = summaries([sampled(problem, 64, k, 10_000, chosen, seed=k)], "ei")
    for name, metrics in found.items():
        apart = abs(metrics.variance - exact[name].variance)
        assert apart <= 4 * metrics.variance_stderr, name
        assert math.isnan(exact[name].variance_stderr)


@pytest.mark.parametrize("k", [2, 1000])
def test_is_stable_for_groups_of_1024(k: int) -> None:
    """Against enumeration of two levels: 1,025 count vectors."""
    (problem,) = parse_policy("categorical:p=0.003,outcomes=1000").problems
    assert isinstance(problem, FiniteProblem)
    exact = enumerated(problem, 1024, k, rank_linear(problem, 1024, k))
    assert_same(by_thresholds(problem, 1024, k), exact, 1e-10)


def test_unbiased_estimators_have_no_bias_with_many_levels() -> None:
    levels = np.linspace(-1, 2, 40)
    policy = Categorical(tuple(levels.tolist()), (1 / 40,) * 40, (3,) * 40)
    (problem,) = policy.problems
    found = by_thresholds(problem, 24, 5)
    gradient = problem.gradient(5)
    for estimator, mean in zip(found.estimators, found.mean, strict=True):
        scale = estimator.claims.scale(24, 5)
        if scale is not None:
            np.testing.assert_allclose(mean, float(scale) * gradient, atol=1e-13)
