"""The best baselines against least squares over every sequence of draws, and their order."""

import math

import numpy as np
import pytest
from oracles.estimators import inclusive, leave_one_out, others
from oracles.problems import Cases
from oracles.short_calls import by_thresholds, level_scores, named

from maxpo_cli.arrays import FloatArray
from maxpo_cli.policies.kinds.categorical import Categorical
from maxpo_cli.policies.spec import parse_policy
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.problems.problem import Problem

BEST = ("best-linear", "best-mix", "best-constant")


def variances(
    problem: Problem, n: int, k: int, *names: str, rtol: float = 1e-8
) -> dict[str, float]:
    found = by_thresholds(problem, n, k, named(*names), rtol)
    return dict(zip(names, found.variance.tolist(), strict=True))


def random_policy(seed: int) -> Categorical:
    rng = np.random.default_rng(seed)
    m = int(rng.integers(2, 4))
    levels = np.unique(rng.normal(size=m).round(2))
    probs = rng.dirichlet(np.full(len(levels), rng.choice([1, 5])))
    outcomes = rng.choice([1, 3, 1000], len(levels))
    return Categorical(tuple(levels.tolist()), tuple(probs.tolist()), tuple(outcomes.tolist()))


def cases_of(problem: FiniteProblem) -> Cases:
    means = level_scores(problem)
    squares = (means**2).sum(1) + np.broadcast_to(problem.residual, len(means))
    return Cases(np.asarray(problem.levels), np.asarray(problem.probs), means, squares)


def baselines(kind: str, rewards: FloatArray, k: int) -> list[FloatArray]:
    """The baselines that a kind mixes, `[S, N]` each, for groups `[S, N]`."""
    n = rewards.shape[1]
    if kind == "best-constant":
        return [np.ones_like(rewards)]
    if kind == "best-mix":
        return [leave_one_out(rewards, level) for level in (k, k - 1) if 1 <= level < n]
    rest = np.stack([np.sort(others(rewards, i), -1) for i in range(n)], 1)
    return list(np.moveaxis(rest, -1, 0))


def least_variance(kind: str, cases: Cases, n: int, k: int) -> float:
    """By least squares: E‖ĝ‖² is a sum of squares, linear inside in what the baselines weigh."""
    drawn, probs = cases.sequences(n)
    scores = cases.means[drawn]
    residual = np.sqrt((cases.squares - (cases.means**2).sum(1)).clip(0))[drawn]
    root = np.sqrt(probs) * (k / n)

    def column(values: FloatArray) -> FloatArray:
        whole = np.einsum("sn,snd->sd", values, scores) * root[:, None]
        return np.concatenate([whole.ravel(), (values * residual * root[:, None]).ravel()])

    target = column(inclusive(cases.rewards[drawn], k))
    matrix = np.stack([column(b) for b in baselines(kind, cases.rewards[drawn], k)], 1)
    weights, *_ = np.linalg.lstsq(matrix, target)
    gradient = cases.gradient(k)
    return float(((target - matrix @ weights) ** 2).sum() - gradient @ gradient)


@pytest.mark.parametrize("kind", BEST)
@pytest.mark.parametrize("seed", range(20))
def test_they_are_the_least_squares_over_every_sequence(kind: str, seed: int) -> None:
    (problem,) = random_policy(seed).problems
    n = 3 + seed % 3
    for k in range(1, n + 1):
        least = least_variance(kind, cases_of(problem), n, k)
        found = variances(problem, n, k, kind, "pkpo")
        scale = found["pkpo"] + (problem.gradient(k) ** 2).sum()
        assert found[kind] == pytest.approx(least, rel=1e-9, abs=1e-11 * scale)


@pytest.mark.parametrize("kind", BEST)
@pytest.mark.parametrize(
    "policy",
    [
        Categorical((0.0, 1.0), (0.8, 0.2)),
        Categorical((0.0, 1.0), (0.3, 0.7), norms=(3.0, 0.5)),
        Categorical((-1.0, 0.5, 2.0), (0.5, 0.3, 0.2), norms=(2.0, 0.5, 7.0)),
    ],
    ids=lambda policy: policy.spec,
)
def test_in_the_limit_they_are_the_least_squares_of_lengths(policy: Categorical, kind: str) -> None:
    """Scores are orthogonal there: E‖ĝ‖² is a sum over draws, and no mean is taken off."""
    (problem,) = policy.problems
    levels, probs, norms = map(np.array, (policy.rewards, policy.probs, policy.norms))
    cases = Cases(levels, probs, np.zeros((len(levels), 0)), norms)
    for n, k in ((3, 1), (4, 2), (4, 4)):
        found = variances(problem, n, k, kind)[kind]
        assert found == pytest.approx(least_variance(kind, cases, n, k), rel=1e-10)


@pytest.mark.parametrize(
    "spec",
    [
        "bernoulli:p=0.1,outcomes=1",
        "bernoulli:p=0.7,outcomes=1",
        "categorical:rewards=0/1,probs=0.97/0.03,outcomes=1000",
        "categorical:rewards=0/1,probs=0.2/0.8,outcomes=1000",
        "categorical:rewards=-1/0/0.5/3,probs=0.4/0.3/0.2/0.1,outcomes=1/10/100/1000",
        "gaussian:mean=-1,reward=identity",
        "gaussian:mean=0.3,reward=quadratic",
        "gaussian:reward=clipped-square,dim=4",
        "gaussian:reward=exp,std=0.5",
    ],
)
@pytest.mark.parametrize(("n", "k"), [(2, 2), (3, 1), (6, 3)])
def test_the_more_a_baseline_may_do_the_less_the_variance(spec: str, n: int, k: int) -> None:
    (problem,) = parse_policy(spec).problems
    known = ("canonical",) if k == 1 else ("ei",) if k == n else ("canonical", "ei")
    # The order holds for the sums over nodes that stand for the integrals too, so few nodes do.
    found = variances(problem, n, k, *BEST, *known, "pkpo", rtol=1e-3)
    rounding = 1 + 1e-9
    assert found["best-linear"] <= found["best-mix"] * rounding
    assert found["best-mix"] <= min(found[name] for name in known) * rounding
    if k == 1 and spec.startswith("bernoulli"):  # (r − c)(r − p) is one number for c = 1 − p
        assert math.isnan(found["best-constant"])
    else:
        assert found["best-constant"] <= found["pkpo"] * rounding


def test_a_constant_is_exact_where_the_max_is_nearly_sure() -> None:
    """From rational arithmetic: q_i is 1 but once in 10^14, below the rounding of 1."""
    spec = "categorical:rewards=0/1,probs=0.1/0.9,outcomes=1000"
    (problem,) = parse_policy(spec).problems
    found = variances(problem, 16, 15, "best-constant")
    assert found["best-constant"] == pytest.approx(2.304703124999985e-15, rel=1e-12)


def test_no_baseline_moves_the_mean() -> None:
    for spec in ("bernoulli:p=0.4,outcomes=1", "gaussian:reward=quadratic,learn=mean+log_std"):
        (problem,) = parse_policy(spec).problems
        found = by_thresholds(problem, 5, 3, named(*BEST), rtol=1e-4)
        wanted = np.broadcast_to(problem.gradient(3), found.mean.shape)
        np.testing.assert_allclose(found.mean, wanted, rtol=1e-9, atol=1e-11)
