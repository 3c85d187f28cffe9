"""Continuous policies by thresholds: closed forms, grids of x, Monte Carlo, what `rtol` says."""

import numpy as np
import pytest
from oracles.gaussian import reward_at
from oracles.problems import BruteForce, Cases
from oracles.short_calls import by_thresholds, named, rank_linear, sampled

from maxpo_cli.metrics.summary import summaries
from maxpo_cli.policies.kinds.gaussian import Gaussian
from maxpo_cli.policies.spec import parse_policy

REWARDS = ("identity", "quadratic", "clipped-square", "quad-sin", "exp")
LEARNT = ("mean", "mean+log_std")
WIGGLES = 3
"""The f of `quad-sin`: it turns three times; more turns cost time and show no more."""


def on_a_grid(policy: Gaussian, panels: int) -> Cases:
    """The policy as draws from quadrature nodes in x, 8 a panel; 0 and 1 are ends of panels."""
    nodes, weights = np.polynomial.legendre.leggauss(8)
    width = 1 / panels
    ends = np.arange(np.floor(policy.mean - 8 * policy.std), policy.mean + 8 * policy.std, width)
    x = (ends[:, None] + width * (nodes + 1) / 2).ravel()
    z = (x - policy.mean) / policy.std
    probs = (
        np.exp(-z * z / 2)
        / np.sqrt(2 * np.pi)
        / policy.std
        * np.tile(weights * width / 2, len(ends))
    )
    rewards = reward_at(policy.reward, x, policy.c, policy.a, policy.f)
    means = [z / policy.std] if policy.learn == "mean" else [z / policy.std, z * z - 1]
    own = np.stack(means, 1)
    # Each further coordinate adds a score of its own: 1/std² for its mean, 2 for its log std.
    more = (policy.dim - 1) * (1 / policy.std**2 + (2 if policy.learn != "mean" else 0))
    return Cases(rewards, probs, own, (own**2).sum(1) + more)


@pytest.mark.parametrize(
    ("n", "dim", "std"), [(2, 1, 2), (2, 3, 0.5), (5, 1, 0.5), (5, 3, 2), (16, 3, 0.5), (24, 1, 2)]
)
def test_identity_at_k_1_is_a_sample_variance(n: int, dim: int, std: float) -> None:
    """ĝ of `canonical` is Σ(z − z̄)²/(N − 1): its mean is 1 and its variance 2/(N − 1)."""
    (problem,) = parse_policy(f"gaussian:mean=0.7,std={std},dim={dim}").problems
    found = by_thresholds(problem, n, 1, named("canonical", "rloo"))
    np.testing.assert_allclose(found.mean[:, 0], 1, rtol=1e-12)
    np.testing.assert_allclose(found.variance, (2 + dim - 1) / (n - 1), rtol=1e-10)
    assert found.centering_square == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize("learn", LEARNT)
@pytest.mark.parametrize("reward", REWARDS)
def test_pairs_of_rewards_agree_with_a_grid_of_x(reward: str, learn: str) -> None:
    dim = 3 if reward in ("quadratic", "exp") else 1
    keys = f"mean=0.3,std=0.6,reward={reward},learn={learn},dim={dim}"
    policy = parse_policy(f"gaussian:{keys},f={WIGGLES}")
    assert isinstance(policy, Gaussian)
    (problem,) = policy.problems
    cases = on_a_grid(policy, 5)
    # A max has kinks that the grid does not know of; at K = 1 there is none.
    for k, rtol in ((1, 1e-8), (2, 1e-3)):
        names = [e.name for e in rank_linear(problem, 2, k) if e.name != "oracle"]
        found = by_thresholds(problem, 2, k, named(*names), rtol)
        for i, name in enumerate(names):
            grid = BruteForce(cases, 2, k, name)
            values, probs = grid.centering
            size = np.sqrt(grid.variance + grid.mean @ grid.mean)
            np.testing.assert_allclose(found.mean[i], grid.mean, rtol=0, atol=rtol * size)
            assert found.variance[i] == pytest.approx(grid.variance, rel=rtol)
            square = probs @ values**2
            assert found.centering_square[i] == pytest.approx(square, rel=rtol, abs=1e-12)
            assert found.centering_mean[i] == pytest.approx(probs @ values, rel=rtol, abs=1e-9)


@pytest.mark.parametrize("learn", LEARNT)
@pytest.mark.parametrize("reward", REWARDS)
def test_unbiased_estimators_have_the_gradient_as_their_mean(reward: str, learn: str) -> None:
    """The gradient is an integral over x, `tests/policies/test_gaussian.py` checks it."""
    keys = f"mean=-0.4,std=0.8,reward={reward},learn={learn},f={WIGGLES}"
    (problem,) = parse_policy(f"gaussian:{keys}").problems
    unbiased = named("l2o", "ei", "pkpo", "pkpo-loo", "oracle")
    found = by_thresholds(problem, 8, 3, unbiased, rtol=1e-4)
    wanted = np.broadcast_to(problem.gradient(3), found.mean.shape)
    np.testing.assert_allclose(found.mean, wanted, rtol=0, atol=1e-8 * np.linalg.norm(wanted[0]))


@pytest.mark.parametrize(
    "spec",
    [
        "identity,mean=-1",
        "quadratic,mean=1,std=0.5,dim=5",
        "clipped-square,mean=-0.5,learn=mean+log_std",
        f"quad-sin,mean=0.5,std=0.5,f={WIGGLES}",
        "exp,std=0.5,learn=mean+log_std,dim=2",
    ],
)
def test_groups_of_8_agree_with_monte_carlo(spec: str) -> None:
    (problem,) = parse_policy(f"gaussian:reward={spec}").problems
    estimators = rank_linear(problem, 8, 3)
    exact = by_thresholds(problem, 8, 3, estimators, rtol=1e-3)
    drawn = sampled(problem, 8, 3, 20_000, estimators, seed=5)
    truth, seen = summaries([exact], "ei"), summaries([drawn], "ei")
    for name, row in seen.items():
        off = abs(row.variance - truth[name].variance)
        assert off <= 4 * row.variance_stderr, name
        if name != "ei":
            off = abs(row.variance_ratio - truth[name].variance_ratio)
            assert off <= 4 * row.variance_ratio_stderr, name


@pytest.mark.parametrize("reward", REWARDS)
def test_metrics_are_as_near_as_rtol_says(reward: str) -> None:
    (problem,) = parse_policy(f"gaussian:mean=0.2,reward={reward},f={WIGGLES}").problems
    estimators = named("l2o", "ei", "pkpo", "oracle")
    fine = by_thresholds(problem, 3, 2, estimators, rtol=1e-9)
    for rtol in (1e-2, 1e-6):
        coarse = by_thresholds(problem, 3, 2, estimators, rtol)
        assert coarse.rtol is not None
        assert coarse.rtol <= rtol
        np.testing.assert_allclose(coarse.variance, fine.variance, rtol=rtol)
        np.testing.assert_allclose(
            coarse.centering_square, fine.centering_square, rtol=rtol, atol=1e-20
        )


def test_what_is_not_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """`rtol` of the table is what was achieved, not what was asked."""
    (problem,) = parse_policy("gaussian:reward=exp").problems
    fine = by_thresholds(problem, 4, 3, named("l2o"))
    monkeypatch.setattr("maxpo_cli.engines.threshold.engine.NODES", (4, 6))
    found = by_thresholds(problem, 4, 3, named("l2o"))
    assert found.rtol is not None
    assert 1e-8 < found.rtol < 1e-2
    np.testing.assert_allclose(found.variance, fine.variance, rtol=found.rtol)
