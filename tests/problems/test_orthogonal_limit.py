"""The orthogonal limit as the limit of what `categorical` with finitely many outcomes has."""

from fractions import Fraction
from math import inf

import numpy as np
import pytest
import torch

from maxpo_cli.arrays import FloatArray
from maxpo_cli.policies.kinds.bernoulli import Bernoulli
from maxpo_cli.policies.kinds.categorical import Categorical
from maxpo_cli.policies.spec import parse_policy
from maxpo_cli.problems.family import FiniteFamily
from maxpo_cli.problems.finite import FiniteProblem

REWARDS, PROBS = (-1.0, 0.0, 0.5, 2.0), (0.1, 0.4, 0.3, 0.2)


def problem_of(policy: Bernoulli | Categorical) -> FiniteProblem:
    (problem,) = policy.problems
    return problem


def gram(problem: FiniteProblem) -> FloatArray:
    scores = problem.scores.combine(torch.eye(problem.m, dtype=torch.float64)).numpy()
    return np.asarray(scores @ scores.T)


def explicit_moments(
    rewards: tuple[float, ...], probs: tuple[float, ...], outcomes: int
) -> tuple[list[list[Fraction]], list[Fraction]]:
    """Gram matrix of the mean scores per reward, and E[‖s‖² | reward], of a softmax, exactly.

    From the score vectors one-hot minus probabilities of all outcomes, in rational arithmetic.
    """
    each = [Fraction(p) / outcomes for p in probs for _ in range(outcomes)]
    level = [reward for reward in rewards for _ in range(outcomes)]
    scores = [[Fraction(int(i == j)) - p for j, p in enumerate(each)] for i in range(len(each))]
    levels = sorted(set(rewards))
    means, squares = [], []
    for one in levels:
        of = [i for i, reward in enumerate(level) if reward == one]
        whole = sum(each[i] for i in of)
        means.append([sum(each[i] * scores[i][j] for i in of) / whole for j in range(len(each))])
        squares.append(sum(each[i] * sum(x * x for x in scores[i]) for i in of) / whole)
    products = [[sum(x * y for x, y in zip(a, b, strict=True)) for b in means] for a in means]
    return products, squares


@pytest.mark.parametrize("outcomes", [1, 2, 7])
def test_m_times_the_gram_matrix_of_equal_outcomes_is_that_of_the_limit(outcomes: int) -> None:
    probs = (0.125, 0.375, 0.3125, 0.1875)
    products, _ = explicit_moments(REWARDS, probs, outcomes)
    expected = np.array([[float(outcomes * x) for x in row] for row in products])
    np.testing.assert_allclose(
        gram(problem_of(Categorical(REWARDS, probs))), expected, rtol=1e-14, atol=1e-15
    )


def test_squared_scores_approach_1_and_mean_scores_vanish_beside_them() -> None:
    limit = problem_of(Categorical(REWARDS, PROBS))
    for outcomes, near in ((10, 0.1), (10_000, 1e-4)):
        finite = problem_of(Categorical(REWARDS, PROBS, (outcomes,)))
        squares = finite.residual + np.diag(gram(finite))
        np.testing.assert_allclose(limit.residual, squares, rtol=1.5 * near)
        assert np.diag(gram(finite)).max() <= 1.5 * near
    _, exact = explicit_moments(REWARDS, (0.125, 0.375, 0.3125, 0.1875), 5)
    finite = problem_of(Categorical(REWARDS, (0.125, 0.375, 0.3125, 0.1875), (5,)))
    np.testing.assert_allclose(
        finite.residual + np.diag(gram(finite)), [float(x) for x in exact], rtol=1e-14
    )


@pytest.mark.parametrize("k", [1, 2, 4])
def test_the_gradient_is_root_m_times_that_of_many_outcomes(k: int) -> None:
    limit, outcomes = problem_of(Categorical(REWARDS, PROBS)), 10**12
    finite = problem_of(Categorical(REWARDS, PROBS, (outcomes,)))
    np.testing.assert_allclose(
        limit.gradient(k), np.sqrt(outcomes) * finite.gradient(k), rtol=1e-12, atol=1e-13
    )
    assert limit.objective(k) == finite.objective(k)
    np.testing.assert_array_equal(limit.oracle_advantages(k), finite.oracle_advantages(k))


@pytest.mark.parametrize("k", [1, 3])
def test_the_gradient_is_k_times_the_mean_of_q_and_scaled_scores(k: int) -> None:
    """∇J_K = K Σ_b p_b Q_K(b) s̄_b, in products with every s̄_c by the Gram matrix's formula."""
    problem, probs = problem_of(Categorical(REWARDS, PROBS)), np.array(PROBS)
    at_most = np.cumsum(probs)
    others = np.diff(at_most ** (k - 1), prepend=0.0) if k > 1 else np.eye(4)[0]
    best = np.maximum(np.array(REWARDS)[:, None], np.array(REWARDS)[None, :])
    q = best @ others if k > 1 else np.array(REWARDS)
    products = np.eye(4) - probs[:, None] - probs + (probs**2).sum()
    scores = problem.scores.combine(torch.eye(4, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(
        scores @ problem.gradient(k), k * products @ (probs * q), rtol=1e-12, atol=1e-14
    )


def test_norms_are_the_mean_squared_scores_of_the_levels() -> None:
    plain = problem_of(Categorical(REWARDS, PROBS))
    one = problem_of(Categorical(REWARDS, PROBS, norms=(3.0,)))
    each = problem_of(Categorical(REWARDS, PROBS, norms=(4.0, 3.0, 2.0, 0.5)))
    assert plain.residual.tolist() == [1, 1, 1, 1]
    assert one.residual.tolist() == [3, 3, 3, 3]
    assert each.residual.tolist() == [4, 3, 2, 0.5]
    np.testing.assert_array_equal(each.gradient(2), plain.gradient(2))


def test_equal_rewards_add_their_probabilities_before_the_limit() -> None:
    policy = Categorical((1.0, 0.0, 1.0, 3.0), (0.1, 0.5, 0.4, 0.0), norms=(2.0, 1.0, 7.0, 9.0))
    problem = problem_of(policy)
    assert problem.levels.tolist() == [0, 1]
    np.testing.assert_allclose(problem.residual, [1, 0.2 * 2 + 0.8 * 7])
    merged = problem_of(Categorical((0.0, 1.0), (0.5, 0.5)))
    np.testing.assert_allclose(gram(problem), gram(merged), rtol=1e-15)


@pytest.mark.parametrize("p", [0.0, 1e-9, 0.1, 0.75, 1.0])
def test_bernoulli_is_categorical_with_two_rewards(p: float) -> None:
    for outcomes in (inf, 2, 1000):
        one = problem_of(Bernoulli(p, outcomes))
        two = problem_of(Categorical((0.0, 1.0), (1 - p, p), (outcomes,)))
        assert one.orthogonal == two.orthogonal == (outcomes == inf)
        np.testing.assert_array_equal(one.levels, two.levels)
        np.testing.assert_allclose(one.probs, two.probs, rtol=1e-15)
        np.testing.assert_allclose(one.residual, two.residual, rtol=1e-15)
        np.testing.assert_allclose(gram(one), gram(two), rtol=1e-14, atol=1e-300)


def test_bernoulli_with_one_outcome_is_the_one_logit_policy() -> None:
    problem = problem_of(Bernoulli(0.3, outcomes=1))
    scores = problem.scores.combine(torch.eye(2, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(scores, [[-0.3], [0.7]])
    assert problem.residual.tolist() == [0, 0]
    assert problem.gradient(2) == pytest.approx([2 * 0.7 * 0.3 * 0.7])  # of 1 − (1 − p)²


@pytest.mark.parametrize(
    ("spec", "weight"),
    [
        ("bernoulli:p=0.1", 0.0),
        ("bernoulli:p=0.1,outcomes=1", 1.0),
        ("categorical:p=0.1", 0.0),
        ("categorical:p=0.1,outcomes=1000", 1.0),
        ("gaussian", 1.0),
        ("gaussian:reward=threshold", 1.0),
    ],
)
def test_only_in_the_limit_mean_scores_have_no_part_in_second_moments(
    spec: str, weight: float
) -> None:
    (problem,) = parse_policy(spec).problems
    assert problem.mean_weight == weight
    assert problem.dimension == len(problem.gradient(2))


def test_problems_in_the_limit_and_others_are_of_different_families() -> None:
    limit, other = (problem_of(Categorical(REWARDS, PROBS, (of,))) for of in (inf, 3))
    same = problem_of(Categorical(REWARDS, PROBS[::-1], norms=(2.0,)))
    assert limit.family == same.family != other.family
    family = FiniteFamily.of([limit, same])
    assert family.mean_weight == 0.0
    assert FiniteFamily.of([other]).mean_weight == 1.0
    np.testing.assert_array_equal(family.residual[:, 0], [[1, 1, 1, 1], [2, 2, 2, 2]])
