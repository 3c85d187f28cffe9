from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.draws import sample
from oracles.problems import Cases, every_sequence
from oracles.short_calls import level_scores

from maxpo_cli.arrays import FloatArray
from maxpo_cli.errors import InputError
from maxpo_cli.policies.kinds.bernoulli import Bernoulli
from maxpo_cli.policies.kinds.categorical import Categorical
from maxpo_cli.policies.spec import parse_policy
from maxpo_cli.problems.finite import FiniteProblem

POLICIES = (
    Bernoulli(0.1, outcomes=1),
    Bernoulli(0.75, outcomes=1),
    Categorical((0.0, 1.0), (0.7, 0.3), (1, 1)),
    Categorical((0.0, 1.0, 0.5), (0.5, 0.2, 0.3), (2, 1, 4)),
    Categorical((-2.0, -0.25, 0.0, 3.0), (0.1, 0.4, 0.3, 0.2), (1, 2, 1, 3)),
    Categorical((1.0, 0.0, 1.0), (0.25, 0.35, 0.4), (2, 1, 3)),
    Categorical((0.0, 0.5, 2.0), (0.7, 0.0, 0.3), (1, 3, 2)),
    Categorical((2.5,), (1.0,), (3,)),
)
every_policy = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.spec)


def problem_of(policy: Bernoulli | Categorical) -> FiniteProblem:
    (problem,) = policy.problems
    return problem


def gradient_by_complex_step(policy: Bernoulli | Categorical, k: int) -> FloatArray:
    """∂J_K/∂logits of J_K(θ) = Σ over K-tuples of outcomes of their softmax and largest reward."""
    cases = Cases.of(policy)
    kept = cases.probs > 0
    rewards, logits = cases.rewards[kept], np.log(cases.probs[kept])
    tuples = every_sequence(len(rewards), k)
    best = rewards[tuples].max(1)

    def slope(direction: FloatArray) -> float:
        weights = np.exp(logits + 1e-30j * direction)
        return float(((weights / weights.sum())[tuples].prod(1) @ best).imag / 1e-30)

    if isinstance(policy, Bernoulli):  # one logit
        return np.array([slope(np.array([0.0, 1.0]))])
    return np.array([slope(direction) for direction in np.eye(len(rewards))])


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@every_policy
def test_objective_and_q_values_are_means_over_all_tuples(
    policy: Bernoulli | Categorical, k: int
) -> None:
    cases = Cases.of(policy).by_reward()
    problem = problem_of(policy)
    np.testing.assert_allclose(problem.levels, cases.rewards)
    assert problem.objective(k) == pytest.approx(cases.objective(k), rel=1e-13, abs=1e-14)
    np.testing.assert_allclose(
        problem.objective(k) + problem.oracle_advantages(k),
        cases.q_values(k),
        rtol=1e-13,
        atol=1e-14,
    )


@pytest.mark.parametrize("k", [1, 2, 3])
@every_policy
def test_gradient_is_the_derivative_of_the_objective(
    policy: Bernoulli | Categorical, k: int
) -> None:
    expected = gradient_by_complex_step(policy, k)
    problem = problem_of(policy)
    assert np.linalg.norm(problem.gradient(k)) == pytest.approx(
        np.linalg.norm(expected), rel=1e-12, abs=1e-14
    )


@every_policy
def test_level_scores_have_the_products_of_the_explicit_scores(
    policy: Bernoulli | Categorical,
) -> None:
    cases = Cases.of(policy).by_reward()
    problem = problem_of(policy)
    gram = level_scores(problem) @ level_scores(problem).T
    np.testing.assert_allclose(gram, cases.means @ cases.means.T, atol=1e-14)
    np.testing.assert_allclose(np.diag(gram) + problem.residual, cases.squares, atol=1e-14)
    np.testing.assert_allclose(problem.probs, cases.probs, rtol=1e-14)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    classes=st.lists(
        st.tuples(st.integers(-8, 8), st.integers(0, 40), st.integers(1, 4)), min_size=1, max_size=4
    ).filter(lambda classes: sum(share for _, share, _ in classes) > 0),
    k=st.integers(1, 4),
)
def test_random_problems_have_the_gradient_of_their_definition(
    classes: list[tuple[int, int, int]], k: int
) -> None:
    rewards, shares, outcomes = zip(*classes, strict=True)
    probs = tuple(share / sum(shares) for share in shares)
    policy = Categorical(tuple(map(float, rewards)), probs, outcomes)
    cases = Cases.of(policy)
    problem = problem_of(policy)
    gradient = problem.gradient(k)
    assert problem.objective(k) == pytest.approx(cases.objective(k), rel=1e-12, abs=1e-13)
    assert np.linalg.norm(gradient) == pytest.approx(
        np.linalg.norm(cases.gradient(k)), rel=1e-12, abs=1e-12
    )
    np.testing.assert_allclose(
        level_scores(problem) @ gradient, cases.by_reward().means @ cases.gradient(k), atol=1e-12
    )


@pytest.mark.parametrize("p", [1e-3, 1e-6, 1e-12])
def test_objective_of_a_rare_success_keeps_every_digit(p: float) -> None:
    """pass@K of a hard prompt is about K p: no digit may go in 1 − (1 − p)^K."""
    exact = float(1 - (1 - Fraction(p)) ** 4)
    assert problem_of(Bernoulli(p, outcomes=1)).objective(4) == pytest.approx(
        exact, rel=1e-12, abs=0
    )


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_a_certain_reward_is_one_level_without_gradient(p: float) -> None:
    problem = problem_of(Bernoulli(p, outcomes=1))
    assert problem.levels.tolist() == [p]
    assert problem.m == 1
    assert problem.objective(3) == p
    assert problem.objective(3) + problem.oracle_advantages(3) == [p]
    assert problem.gradient(3).tolist() == [0.0]


def test_binary_means_that_every_reward_that_occurs_is_0_or_1() -> None:
    assert problem_of(Bernoulli(0.2, outcomes=1)).is_binary
    assert problem_of(Categorical((0.0, 0.5, 1.0), (0.5, 0.0, 0.5), (1, 1, 1))).is_binary
    assert not problem_of(Categorical((0.0, 0.5, 1.0), (0.5, 0.1, 0.4), (1, 1, 1))).is_binary


@every_policy
def test_samples_have_the_laws_of_rewards_and_scores(policy: Bernoulli | Categorical) -> None:
    """80,000 draws; 4.5 standard errors of each mean: error rate below 2e-3 for the fixed seed."""
    cases = Cases.of(policy)
    rewards, scores = sample(policy, 20_000, 4, torch.Generator().manual_seed(1))
    assert rewards.shape == (20_000, 4)
    assert scores.shape == (20_000, 4, cases.means.shape[1])
    assert rewards.dtype == scores.dtype == torch.float64
    values = torch.cat([rewards[..., None], scores, (scores**2).sum(-1, keepdim=True)], -1)
    flat = values.reshape(-1, values.shape[-1]).numpy()
    per_case = np.concatenate([cases.rewards[:, None], cases.means, cases.squares[:, None]], 1)
    expected = cases.probs @ per_case
    spread = np.sqrt(np.maximum(cases.probs @ per_case**2 - expected**2, 0) / len(flat))
    assert (abs(flat.mean(0) - expected) <= 4.5 * spread + 1e-12).all()


@every_policy
def test_samples_pair_each_reward_with_its_score(policy: Bernoulli | Categorical) -> None:
    cases = Cases.of(policy)
    rewards, scores = sample(policy, 50, 4, torch.Generator().manual_seed(2))
    known = np.concatenate([cases.rewards[:, None], cases.means], 1)
    drawn = torch.cat([rewards[..., None], scores], -1).reshape(-1, known.shape[1]).numpy()
    nearest = abs(drawn[:, None] - known).max(-1).min(1)
    assert nearest.max() < 1e-12


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("bernoulli:p=1.5,outcomes=1", "p must be between 0 and 1; got 1.5"),
        ("bernoulli:p=-0.1,outcomes=1", "p must be between 0 and 1; got -0.1"),
        ("categorical:rewards=0/1,probs=0.5/0.4,outcomes=1", "they sum to 0.9"),
        ("categorical:rewards=0/1,probs=1.5/-0.5,outcomes=1", "probs must be between 0 and 1"),
        ("categorical:rewards=0/1/2,probs=0.5/0.5,outcomes=1", "one length; got 3, 2 and 3"),
        ("categorical:rewards=0/1,probs=0.5/0.5,outcomes=1/2/3", "one length; got 2, 2 and 3"),
        ("categorical:rewards=0/1,probs=0.5/0.5,outcomes=0", "outcomes must be whole numbers"),
        ("categorical:rewards=0/1,probs=0.5/0.5,outcomes=2/-1", "outcomes must be whole numbers"),
        ("categorical:rewards=0/1,probs=0.5/0.5,outcomes=inf/1", "inf at every level or at none"),
        ("categorical:p=0.5,norms=1/0", "norms must be above 0 and finite; got 1/0"),
        (
            "categorical:p=0.5,norms=1/2/3",
            "norms must be one number, or one per reward; got 3 for 2",
        ),
        ("categorical:p=0.5,norms=2,outcomes=5", "norms can be given with outcomes=inf only"),
        ("categorical:p=0.5,norms=1,outcomes=5", "norms can be given with outcomes=inf only"),
        ("bernoulli:p=0.5,outcomes=0", "outcomes must be whole numbers from 1 to 2\\^60, or inf"),
    ],
)
def test_what_is_no_distribution_is_refused(spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_policy(spec)


def test_a_policy_made_in_python_is_checked_too() -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        Bernoulli(float("nan"), outcomes=1)
    with pytest.raises(InputError, match="rewards must be 0 or from 1e-70 to 1e70"):
        Categorical((0.0, float("inf")), (0.5, 0.5), (1, 1))
    with pytest.raises(InputError, match="at least one level"):
        Categorical((), (), ())
    with pytest.raises(InputError, match="outcomes must be whole numbers"):
        Categorical((0.0, 1.0), (0.5, 0.5), (1, 1.5))
    with pytest.raises(InputError, match="norms can be given with outcomes=inf only"):
        Categorical((0.0, 1.0), (0.5, 0.5), (3,), (2.0,))


def test_probabilities_that_sum_to_1_but_for_rounding_are_taken() -> None:
    problem = problem_of(Categorical((0.0, 1.0, 2.0), (0.3333333333,) * 3, (1, 1, 1)))
    assert problem.probs.sum() == pytest.approx(1, abs=1e-15)
