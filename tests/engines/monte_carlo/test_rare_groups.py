"""What rare groups carry, as sampling finds it, beside exact values."""

import math

import numpy as np
import pytest
import torch
from oracles.short_calls import by_thresholds, enumerated, named, sampled

from maxpo_cli.engines.monte_carlo.rare_groups import SHARE, far_groups
from maxpo_cli.metrics.summary import Summary, summaries
from maxpo_cli.policies.spec import parse_policy
from maxpo_cli.problems.continuous import ContinuousProblem
from maxpo_cli.problems.problem import Problem


def problem_of(spec: str) -> Problem:
    (problem,) = parse_policy(spec).problems
    return problem


def both(spec: str, n: int, k: int, groups: int) -> list[tuple[Summary, Summary]]:
    """Exact metrics and sampled ones of every estimator that has both."""
    problem = problem_of(spec)
    is_finite = not isinstance(problem, ContinuousProblem)
    exact = enumerated(problem, n, k) if is_finite else by_thresholds(problem, n, k)
    found = summaries([sampled(problem, n, k, groups, exact.estimators, seed=5)], "ei")
    return [(truth, found[name]) for name, truth in summaries([exact], "ei").items()]


@pytest.mark.parametrize(
    ("spec", "n", "k"),
    [
        ("bernoulli:p=0.9,outcomes=1", 16, 12),
        ("bernoulli:p=0.9,outcomes=1", 16, 6),
        ("bernoulli:p=1e-9", 8, 4),
        ("bernoulli:p=0.005,outcomes=1000", 64, 32),
        ("categorical:rewards=0/1/9,probs=0.99/0.00999/1e-5", 8, 4),
    ],
)
def test_what_is_too_rare_to_be_drawn_is_measured(spec: str, n: int, k: int) -> None:
    """Within 5 standard errors, each of which is below a third, or a fifth where unbiased."""
    for truth, found in both(spec, n, k, 20_000):
        if truth.variance == 0:
            continue
        assert abs(found.variance / truth.variance - 1) < 0.35
        assert abs(found.variance - truth.variance) <= 5 * found.variance_stderr
        off = found.relative_bias - truth.relative_bias
        assert abs(off) <= 5 * found.relative_bias_stderr + 1e-12
        if truth.variance_ratio > 0 and found.variance_ratio == found.variance_ratio:
            off = found.variance_ratio - truth.variance_ratio
            assert abs(off) <= 5 * found.variance_ratio_stderr + 1e-9 * truth.variance_ratio


@pytest.mark.parametrize(
    ("spec", "n", "k"),
    [
        ("gaussian:reward=quad-sin,std=2", 8, 2),
        ("gaussian:mean=1000,std=0.01", 8, 2),
        ("gaussian:reward=exp,std=1", 8, 4),
    ],
)
def test_a_ratio_of_unbiased_estimators_does_not_take_a_measured_scale(
    spec: str, n: int, k: int
) -> None:
    for truth, found in both(spec, n, k, 20_000):
        if found.totals.known_scale[found.e] == 1 and truth.variance_ratio < 5:
            assert found.variance_ratio == pytest.approx(truth.variance_ratio, rel=0.15)
            off = found.variance_ratio - truth.variance_ratio
            assert abs(off) <= 5 * found.variance_ratio_stderr + 1e-12


def test_a_scale_that_is_not_told_from_0_gives_no_ratio() -> None:
    problem = problem_of("gaussian:reward=quad-sin,std=2")
    found = summaries([sampled(problem, 8, 2, 2000, named("ei", "rloo"))], "ei")["rloo"]
    assert math.isnan(found.variance_ratio)
    assert math.isnan(found.matched_variance)
    assert not found.is_scale_known
    assert found.variance > 0


def test_weights_of_far_draws_are_those_of_two_normal_laws() -> None:
    problem = problem_of("gaussian:reward=identity")
    assert isinstance(problem, ContinuousProblem)
    z = torch.randn(2, 500, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    uniforms = torch.linspace(0, 1, 1000, dtype=torch.float64).reshape(2, 500)
    moved, weights = far_groups(problem, z.clone(), uniforms)
    far = uniforms < SHARE
    assert torch.equal(moved[~far], z[~far])
    assert torch.equal(moved[far][:, 0], 2 * z[far][:, 0])
    assert torch.equal(moved[..., 1:], z[..., 1:])
    normal = torch.distributions.Normal
    wide = normal(0.0, 2.0).log_prob(moved).exp() / normal(0.0, 1.0).log_prob(moved).exp()
    expected = 1 / (1 - SHARE + SHARE * wide.mean(-1))
    np.testing.assert_allclose(weights.numpy(), expected.numpy(), rtol=1e-6)


class TestNoCertaintyWithoutEvidence:
    def test_a_mean_that_is_hit_has_no_infinite_score(self) -> None:
        problem = problem_of("bernoulli:p=0.5,outcomes=1")
        found = summaries([sampled(problem, 8, 2, 2000, named("ei", "oracle"))], "ei")["oracle"]
        assert found.relative_bias == pytest.approx(0, abs=1e-12)
        assert math.isnan(found.bias_z)

    @pytest.mark.parametrize("seed", range(20))
    def test_scores_are_finite_or_empty(self, seed: int) -> None:
        """Where successes are rare a sample mean is often 0 or what it should be."""
        problem = problem_of("bernoulli:p=0.02,outcomes=1")
        for found in summaries([sampled(problem, 16, 2, 64, seed=seed)], "ei").values():
            assert not math.isinf(found.bias_z)
            assert found.relative_bias_stderr == 0 or found.relative_bias_stderr > 1e-12

    def test_a_bias_below_its_noise_has_an_interval(self) -> None:
        problem = problem_of("categorical:rewards=1/2/3,probs=0.33/0.33/0.34,outcomes=1")
        for seed in range(10):
            metrics = summaries([sampled(problem, 4, 2, 2000, named("ei", "pkpo-loo"), seed)], "ei")
            assert all(found.relative_bias_stderr > 1e-3 for found in metrics.values())

    def test_a_sample_that_missed_what_matters_says_so(self) -> None:
        """Rewards that nearly all draws have at their largest: one in 10^7 is lower."""
        problem = problem_of("gaussian:reward=clipped-square,mean=6,std=1")
        metrics = summaries([sampled(problem, 8, 4, 2000)], "ei")
        assert all(metrics[name].misses_its_mean for name in ("ei", "l2o"))
        assert all(math.isnan(metrics[name].bias_z) for name in ("ei", "l2o"))
        assert all(found.rests_on_few for found in metrics.values())

    def test_a_sample_of_zeros_says_so(self) -> None:
        problem = problem_of("gaussian:reward=clipped-square,mean=8,std=1")
        metrics = summaries([sampled(problem, 4, 2, 64)], "ei")
        assert metrics["l2o"].saw_nothing
        assert not metrics["l2o"].misses_its_mean
