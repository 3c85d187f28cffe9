"""Gradients far below the advantages: what unbiased estimators have must not drown in rounding.

Every estimator here is unbiased by theorem, so that its scale is 1 and its bias 0 exactly.
"""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import torch
from oracles.short_calls import by_thresholds, enumerated, named

from maxpo_cli.engines.moments import Moments
from maxpo_cli.estimators.kinds import BestBaseline
from maxpo_cli.estimators.lookup import CATALOGUE
from maxpo_cli.metrics.summary import summaries
from maxpo_cli.policies.spec import parse_policy
from maxpo_cli.problems.finite import FiniteProblem

EIGHT = "rewards=0/1/2/3/4/5/6/7,probs=0.001/0.001/0.001/0.001/0.001/0.001/0.001/0.993"
UNBIASED = ("pkpo", "pkpo-loo", "ei", "canonical", "l2o", "oracle")
BEST = tuple(e.name for e in CATALOGUE.values() if isinstance(e, BestBaseline))
CASES = [
    (f"{start}{outcomes}", n, k)
    for outcomes in ("", ",outcomes=1", ",outcomes=1000")
    for start, n, k in (
        ("bernoulli:p=0.9", 16, 16),
        ("bernoulli:p=0.9", 16, 15),
        ("bernoulli:p=0.71", 64, 32),
        ("bernoulli:p=0.45", 64, 32),
        ("bernoulli:p=0.99", 8, 1),
        ("categorical:rewards=-1/0/0.5/3,probs=0.02/0.03/0.05/0.9", 12, 12),
        ("categorical:rewards=-1/0/0.5/3,probs=0.02/0.03/0.05/0.9", 12, 11),
        ("categorical:rewards=1e6/1000001,probs=0.1/0.9", 16, 12),
        (f"categorical:{EIGHT}", 5, 5),
        (f"categorical:{EIGHT}", 5, 4),
        (f"categorical:{EIGHT}", 3, 1),
    )
] + [("categorical:rewards=0/1/2,probs=0.01/0.04/0.95,norms=4/2/1", 16, 14)]
every_case = pytest.mark.parametrize(("spec", "n", "k"), CASES)


def problem_of(spec: str) -> FiniteProblem:
    (problem,) = parse_policy(spec).problems
    assert isinstance(problem, FiniteProblem)
    return problem


def assert_unbiased(moments: Moments, within: float) -> None:
    for name, summary in summaries([moments], "ei").items():
        assert summary.scale == pytest.approx(1, rel=within), name
        assert summary.relative_bias <= within, name


@pytest.mark.parametrize("engine", [enumerated, by_thresholds])
@every_case
def test_scale_and_bias_keep_nine_digits(
    spec: str, n: int, k: int, engine: Callable[..., Moments]
) -> None:
    chosen = tuple(e for e in named(*UNBIASED) if not e.refusal(n, k, binary=False))
    assert any(estimator.name == "pkpo" for estimator in chosen)
    assert_unbiased(engine(problem_of(spec), n, k, chosen), 1e-9)


@every_case
def test_the_best_baselines_keep_nine_digits(spec: str, n: int, k: int) -> None:
    assert_unbiased(by_thresholds(problem_of(spec), n, k, named(*BEST)), 1e-9)


@pytest.mark.parametrize(("spec", "n", "k"), [case for case in CASES if "1e6" not in case[0]])
def test_single_precision_keeps_five_digits(spec: str, n: int, k: int) -> None:
    chosen = tuple(e for e in named("pkpo", "pkpo-loo") if not e.refusal(n, k, binary=False))
    assert_unbiased(enumerated(problem_of(spec), n, k, chosen, torch.float32), 1e-5)


@pytest.mark.parametrize(
    ("spec", "n", "k", "length"),
    [
        # ∇J_K = K p (1 − p)^K for one logit, and √(2/M) times as long with M outcomes per reward.
        ("bernoulli:p=0.9,outcomes=1", 16, 16, 16 * 0.9 * 0.1**16),
        ("bernoulli:p=0.71,outcomes=1", 64, 32, 32 * 0.71 * 0.29**32),
        ("bernoulli:p=0.71,outcomes=1000", 64, 32, 32 * 0.71 * 0.29**32 * (2 / 1000) ** 0.5),
    ],
)
def test_the_gradient_of_these_cases_is_that_far_below(
    spec: str, n: int, k: int, length: float
) -> None:
    summary = summaries([enumerated(problem_of(spec), n, k, named("pkpo"))], "ei")["pkpo"]
    assert summary.gradient_norm == pytest.approx(length, rel=1e-12)
    assert summary.gradient_norm < 1e-13 * summary.variance**0.5


@pytest.mark.parametrize("engine", [enumerated, by_thresholds])
@pytest.mark.parametrize("k", [1, 4, 16])
@pytest.mark.parametrize("p", [1e-3, 1e-6, 1e-9, 1e-12])
def test_a_rare_success_keeps_every_digit(p: float, k: int, engine: Callable[..., Moments]) -> None:
    """In the limit E ĝ of an unbiased estimator is K p (1 − p)^K along (−1, 1)."""
    chosen = tuple(e for e in named(*UNBIASED, "rloo") if not e.refusal(16, k, binary=True))
    moments = engine(problem_of(f"bernoulli:p={p}"), 16, k, chosen)
    rare = Fraction(p)
    for estimator, mean in zip(moments.estimators, moments.mean, strict=True):
        # rloo is unbiased for the mean reward, and ĝ has K of it.
        power = 1 if estimator.name == "rloo" else k
        expected = float(k * rare * (1 - rare) ** power)
        np.testing.assert_allclose(mean, [-expected, expected], rtol=1e-13, err_msg=estimator.name)


@pytest.mark.parametrize("engine", [enumerated, by_thresholds])
def test_rare_rewards_on_either_side_keep_every_digit(engine: Callable[..., Moments]) -> None:
    """With 0, 1 and 3 the steps at 1 and 3 are nearly sure and nearly impossible."""
    rare = 1e-9
    spec = f"categorical:rewards=0/1/3,probs={rare}/{1 - 2 * rare!r}/{rare}"
    moments = engine(problem_of(spec), 8, 3, named("pkpo", "pkpo-loo", "ei"))
    # The step at 1 adds a share of F_0² = 1e-18 only, so that ∇J_3 is 3 · 2 F_1² p_3 s̄_3.
    p_3 = Fraction(rare)
    weight = 3 * 2 * (1 - p_3) ** 2 * p_3
    expected = [float(-weight * (1 - 2 * p_3)), float(weight * (1 - p_3))]
    for estimator, mean in zip(moments.estimators, moments.mean, strict=True):
        np.testing.assert_allclose(mean[1:], expected, rtol=1e-12, err_msg=estimator.name)
