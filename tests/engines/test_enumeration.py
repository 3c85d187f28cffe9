from fractions import Fraction
from math import factorial, prod

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.problems import BruteForce, Cases
from oracles.short_calls import (
    CPU,
    defined,
    enumerate_all,
    enumerated,
    level_scores,
    metrics_of,
    named,
)

from maxpo_cli.engines import enumeration
from maxpo_cli.engines.enumeration import count_states
from maxpo_cli.engines.moments import Moments
from maxpo_cli.estimators.lookup import CATALOGUE
from maxpo_cli.metrics.summary import Summary, summaries
from maxpo_cli.policies.kinds.bernoulli import Bernoulli
from maxpo_cli.policies.kinds.categorical import Categorical
from maxpo_cli.policies.spec import parse_policy
from maxpo_cli.problems.family import FiniteFamily
from maxpo_cli.problems.finite import FiniteProblem

ALL_CASES_OF = {
    "rare success": Bernoulli(0.02, outcomes=1),
    "even odds": Bernoulli(0.5, outcomes=1),
    "rare failure": Bernoulli(0.9, outcomes=1),
    "bandit": Categorical((0.0, 0.5, 1.0), (0.6, 0.3, 0.1), (1, 1, 1)),
    "mixed outcomes": Categorical((0.0, 1.0, 0.5), (0.5, 0.2, 0.3), (2, 1, 5)),
    "binary, many outcomes": Categorical((0.0, 1.0), (0.75, 0.25), (5, 4)),
    "skewed": Categorical((0.0, 1.0, 8.0), (0.9989, 0.001, 0.0001), (4, 2, 1)),
    "negative rewards": Categorical((-2.0, -0.25, 0.0, 3.0), (0.1, 0.4, 0.3, 0.2), (5, 1, 3, 2)),
    "equal rewards in two classes": Categorical((1.0, 0.0, 1.0), (0.25, 0.35, 0.4), (2, 1, 3)),
    "a level of probability 0": Categorical((0.0, 0.5, 2.0), (0.7, 0.0, 0.3), (1, 3, 2)),
    "one level": Categorical((2.5,), (1.0,), (3,)),
    "never": Bernoulli(0.0, outcomes=1),
    "always": Bernoulli(1.0, outcomes=1),
}
every_policy = pytest.mark.parametrize("policy", ALL_CASES_OF.values(), ids=ALL_CASES_OF)


def problem_of(policy: Bernoulli | Categorical) -> FiniteProblem:
    (problem,) = policy.problems
    return problem


OVER_GRADIENT = ("relative_bias", "scale", "misalignment", "matched_variance")


def assert_agrees(found: Summary, cases: Cases, n: int, k: int, name: str) -> None:
    """Every metric to 1e-12, and NaN exactly where it does not exist.

    What is measured in units of the gradient also has a double's rounding over that unit.
    """
    for metric, value in BruteForce(cases, n, k, name).metrics().items():
        slack = 1e-15 / max(found.gradient_norm, 1e-15) if metric in OVER_GRADIENT else 0.0
        expected = pytest.approx(value, rel=1e-12, abs=1e-12 + slack, nan_ok=True)
        assert getattr(found, metric) == expected, (metric, name, k)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@every_policy
def test_every_metric_equals_brute_force_over_level_sequences(
    policy: Bernoulli | Categorical, n: int
) -> None:
    cases = Cases.of(policy).by_reward()
    for k in range(1, n + 1):
        moments = enumerated(problem_of(policy), n, k)
        for name, found in summaries([moments], "ei").items():
            assert_agrees(found, cases, n, k, name)


@pytest.mark.parametrize("k", [3, 6])
@pytest.mark.parametrize("name", ["mixed outcomes", "negative rewards"])
def test_groups_of_six_equal_brute_force(name: str, k: int) -> None:
    policy = ALL_CASES_OF[name]
    cases = Cases.of(policy).by_reward()
    for estimator, found in summaries([enumerated(problem_of(policy), 6, k)], "ei").items():
        assert_agrees(found, cases, 6, k, estimator)


@pytest.mark.parametrize(
    "policy",
    [
        Categorical((0.0, 1.0), (0.7, 0.3), (3, 2)),
        Categorical((0.0, 0.5, 2.0), (0.5, 0.3, 0.2), (1, 2, 1)),
        Categorical((1.0, 0.0, 1.0), (0.25, 0.35, 0.4), (1, 2, 1)),
    ],
    ids=lambda policy: policy.spec,
)
def test_every_metric_equals_brute_force_over_outcome_sequences(policy: Categorical) -> None:
    cases = Cases.of(policy)
    for k in (1, 2, 3):
        for name, found in summaries([enumerated(problem_of(policy), 3, k)], "ei").items():
            assert_agrees(found, cases, 3, k, name)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    classes=st.lists(
        st.tuples(st.integers(-8, 8), st.integers(1, 40), st.integers(1, 5)), min_size=2, max_size=4
    ),
    n=st.integers(2, 4),
    k=st.integers(1, 4),
)
def test_random_problems_equal_brute_force(
    classes: list[tuple[int, int, int]], n: int, k: int
) -> None:
    rewards, shares, outcomes = zip(*classes, strict=True)
    probs = tuple(share / sum(shares) for share in shares)
    policy = Categorical(tuple(reward / 4 for reward in rewards), probs, outcomes)
    k = min(k, n)
    cases = Cases.of(policy).by_reward()
    for name, found in summaries([enumerated(problem_of(policy), n, k)], "ei").items():
        assert_agrees(found, cases, n, k, name)


def test_variance_ratio_is_matched_variance_over_that_of_the_reference() -> None:
    policy = ALL_CASES_OF["mixed outcomes"]
    cases = Cases.of(policy).by_reward()
    found = summaries([enumerated(problem_of(policy), 4, 2)], "canonical")
    reference = BruteForce(cases, 4, 2, "canonical").metrics()["matched_variance"]
    for name, metrics in found.items():
        matched = BruteForce(cases, 4, 2, name).metrics()["matched_variance"]
        assert metrics.variance_ratio == pytest.approx(matched / reference, rel=1e-12)


@every_policy
def test_moments_carry_mean_and_gradient_in_one_system_of_coordinates(
    policy: Bernoulli | Categorical,
) -> None:
    cases = Cases.of(policy).by_reward()
    moments = enumerated(problem_of(policy), 3, 2)
    gradient = cases.gradient(2)
    for estimator, mean in zip(moments.estimators, moments.mean, strict=True):
        expected = BruteForce(cases, 3, 2, estimator.name).mean
        assert mean @ mean == pytest.approx(expected @ expected, rel=1e-12, abs=1e-14)
        assert mean @ moments.gradient == pytest.approx(expected @ gradient, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_a_policy_without_choice_has_no_gradient_and_no_ratios(p: float) -> None:
    for metrics in summaries(
        [enumerated(problem_of(Bernoulli(p, outcomes=1)), 4, 2)], "ei"
    ).values():
        assert metrics.objective == p
        assert metrics.gradient_norm == metrics.bias == metrics.variance == metrics.mse == 0
        for metric in ("relative_bias", "scale", "misalignment", "matched_variance", "snr"):
            assert np.isnan(getattr(metrics, metric)), metric
        assert np.isnan(metrics.variance_ratio)
        assert np.isnan(metrics.bias_stderr)


@pytest.mark.parametrize("p", [1e-9, 1 - 1e-9])
def test_nearly_certain_outcomes_give_finite_metrics_or_none(p: float) -> None:
    for metrics in summaries(
        [enumerated(problem_of(Bernoulli(p, outcomes=1)), 16, 4)], "ei"
    ).values():
        assert metrics.variance >= 0
        assert not np.isinf(list(metrics_of(metrics).values())).any()


class TestUnbiasedness:
    """E ĝ = scale · ∇J_K, against the problem's gradient (itself checked in tests/policies)."""

    SIZES = (*range(1, 8), 12, 16, 33)
    PROBLEMS = ("rare success", "even odds", "mixed outcomes", "binary, many outcomes", "bandit")

    @staticmethod
    def _claims(policy: Bernoulli | Categorical, n: int) -> dict[int, Moments]:
        problem = problem_of(policy)
        ks = sorted({1, 2, 3, n // 2, n - 1, n} & set(range(1, n + 1)))
        chosen = {k: defined(problem, n, k) for k in ks}
        return enumerate_all([problem], n, chosen)[0]

    @pytest.mark.parametrize("n", SIZES)
    @pytest.mark.parametrize("name", PROBLEMS)
    def test_claimed_scale_holds(self, name: str, n: int) -> None:
        problem = problem_of(ALL_CASES_OF[name])
        for k, moments in self._claims(ALL_CASES_OF[name], n).items():
            # An advantage is at most the largest reward, 1 here; so much for one of K terms.
            unit = k * np.sqrt(
                problem.probs @ ((level_scores(problem) ** 2).sum(1) + problem.residual)
            )
            for estimator, mean in zip(moments.estimators, moments.mean, strict=True):
                scale = estimator.claims.scale(n, k)
                if scale is not None:
                    apart = np.linalg.norm(mean - float(scale) * moments.gradient)
                    assert apart <= 1e-13 * unit, (estimator.name, k)

    @pytest.mark.parametrize("n", SIZES[1:])
    def test_an_estimator_without_a_claimed_scale_is_biased_somewhere(self, n: int) -> None:
        bias: dict[tuple[str, int], float] = {}
        for name in self.PROBLEMS:
            for k, moments in self._claims(ALL_CASES_OF[name], n).items():
                for estimator, metrics in summaries([moments], "ei").items():
                    if CATALOGUE[estimator].claims.scale(n, k) is None:
                        known = bias.get((estimator, k), 0.0)
                        bias[estimator, k] = max(known, metrics.relative_bias)
        # A pair of answers, of which one is right, is the one group that tells anything at N = 2:
        # passk-training is then rloo.
        assert bias.pop(("passk-training", 1), 1.0) > 1e-3 or n == 2
        assert bias
        assert min(bias.values()) > 1e-3, bias

    @pytest.mark.parametrize("n", [2, 64, 1024])
    def test_canonical_has_no_bias_on_groups_up_to_1024(self, n: int) -> None:
        moments = enumerated(
            problem_of(Bernoulli(0.3, outcomes=1)), n, 1 if n == 2 else 8, named("canonical")
        )
        (metrics,) = summaries([moments], "canonical").values()
        assert moments.states == n + 1
        assert metrics.bias < 1e-13 * metrics.gradient_norm

    @pytest.mark.parametrize(("p", "n", "k"), [(0.99, 16, 4), (0.9, 32, 16), (0.999999, 16, 4)])
    def test_an_easy_prompt_keeps_every_digit(self, p: float, n: int, k: int) -> None:
        """∇J_K is tiny here; so is every advantage that is a difference to a baseline."""
        chosen = named("l2o", "canonical", "ei", "oracle")
        found = summaries([enumerated(problem_of(Bernoulli(p, outcomes=1)), n, k, chosen)], "ei")
        scales = {name: metrics.scale for name, metrics in found.items()}
        assert scales == pytest.approx(dict.fromkeys(scales, 1.0), rel=1e-9)

    @pytest.mark.parametrize("p", [1e-3, 1e-6, 1e-9])
    def test_a_rare_success_keeps_every_digit(self, p: float) -> None:
        moments = enumerated(
            problem_of(Bernoulli(p, outcomes=1)), 16, 4, named("canonical", "ei", "pkpo-loo")
        )
        for metrics in summaries([moments], "ei").values():
            assert metrics.scale == pytest.approx(1, rel=1e-12)
            assert metrics.relative_bias < 1e-12


@pytest.mark.parametrize("n", [3, 8, 64])
@pytest.mark.parametrize("rewards", [(0.0, 1.0), (-2.0, 0.3, 3.0)])
def test_l2o_and_canonical_sum_to_0_in_every_group(rewards: tuple[float, ...], n: int) -> None:
    m = len(rewards)
    problem = problem_of(Categorical(rewards, (1 / m,) * m, (2,) * m))
    for k in (2, n // 2 + 1, n - 1):
        moments = enumerated(problem, n, k, named("l2o", "canonical"))
        assert (moments.centering_max <= 1e-13 * np.ptp(rewards)).all()


def probabilities(probs: np.ndarray, counts: np.ndarray) -> list[Fraction]:
    """The multinomial law of these counts in rational arithmetic."""
    exact = [Fraction(p) for p in probs]
    exact = [p / sum(exact) for p in exact]
    return [
        Fraction(factorial(int(row.sum())), prod(factorial(int(c)) for c in row))
        * prod(p ** int(c) for p, c in zip(exact, row, strict=True))
        for row in counts
    ]


class TestCountVectors:
    SPECS = (
        ("bernoulli:p=0.3,outcomes=1", 40),
        ("bernoulli:p=1e-6,outcomes=1", 12),
        ("categorical:rewards=0/1/2,probs=0.2/0.3/0.5,outcomes=1", 12),
        ("categorical:rewards=0/1/2,probs=0.999998/0.000001/0.000001,outcomes=1", 6),
        ("categorical:rewards=0/1/2,probs=0.000001/0.000001/0.999998,outcomes=1", 6),
        ("categorical:rewards=0/1/2/3/4,probs=0.1/0.2/0.3/0.15/0.25,outcomes=1", 7),
        ("categorical:rewards=3,probs=1,outcomes=1", 5),
    )
    every = pytest.mark.parametrize(("spec", "n"), SPECS)

    @staticmethod
    def _all(spec: str, n: int) -> tuple[FiniteProblem, np.ndarray, np.ndarray]:
        (problem,) = parse_policy(spec).problems
        assert isinstance(problem, FiniteProblem)
        chunks = list(enumeration._chunks(FiniteFamily.of([problem]), n, CPU))
        above, weights = (torch.cat(part, -1) for part in zip(*chunks, strict=True))
        counts = -np.diff(above.numpy(), axis=0, append=0)
        return problem, counts.T, weights[0].numpy()

    @every
    def test_every_vector_is_there_once(self, spec: str, n: int) -> None:
        problem, counts, _ = self._all(spec, n)
        assert len({tuple(row) for row in counts.tolist()}) == len(counts)
        assert len(counts) == count_states(problem, n)
        assert (counts.sum(1) == n).all()
        assert (counts >= 0).all()

    @every
    def test_weights_are_the_multinomial_law(self, spec: str, n: int) -> None:
        problem, counts, weights = self._all(spec, n)
        exact = probabilities(problem.probs, counts)
        off = [abs(Fraction(w) / e - 1) for w, e in zip(weights.tolist(), exact, strict=True)]
        assert max(off) < 1e-13
        assert weights.sum() == pytest.approx(1, abs=1e-13)

    def test_law_keeps_its_digits_at_n_4096(self) -> None:
        _, counts, weights = self._all("bernoulli:p=0.25,outcomes=1", 4096)
        places = np.flatnonzero(weights > 1e-30)[::37]
        exact = probabilities(np.array([0.75, 0.25]), counts[places])
        off = [abs(Fraction(w) / e - 1) for w, e in zip(weights[places], exact, strict=True)]
        assert max(off) < 1e-12


def test_chunk_boundaries_move_no_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(ALL_CASES_OF["negative rewards"])
    whole = summaries([enumerated(problem, 5, 3)], "ei")
    monkeypatch.setattr(enumeration, "CHUNK_REWARDS", 37)
    for name, cut in summaries([enumerated(problem, 5, 3)], "ei").items():
        for metric, value in metrics_of(whole[name]).items():
            expected = pytest.approx(value, rel=1e-13, abs=1e-14, nan_ok=True)
            assert getattr(cut, metric) == expected, (name, metric)


@pytest.mark.parametrize("together", [1, 3, 64])
@pytest.mark.parametrize(
    "specs",
    [
        [f"bernoulli:p={p},outcomes=1" for p in ("0.02", "0.3", "0.5", "0.97", "1e-300")],
        [
            f"categorical:rewards=-1/0/2,probs={probs},outcomes={outcomes}"
            for probs in ("0.2/0.3/0.5", "0.7/0.1/0.2")
            for outcomes in ("1", "1/4/9", "100000")
        ],
    ],
)
def test_problems_of_a_family_give_what_each_gives_alone(
    specs: list[str], together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enumeration, "MAX_TOGETHER", together)
    monkeypatch.setattr(enumeration, "CHUNK_REWARDS", 100)
    problems = [problem_of(parse_policy(spec)) for spec in specs]
    assert len({problem.family for problem in problems}) == 1
    chosen = {k: defined(problems[0], 6, k) for k in (1, 4, 6)}
    done: list[float] = []
    found = enumerate_all(problems, 6, chosen, advance=done.append)
    assert sum(done) == len(problems) * count_states(problems[0], 6)
    for problem, measured in zip(problems, found, strict=True):
        for k, moments in measured.items():
            alone = summaries([enumerated(problem, 6, k)], "ei")
            for name, metrics in summaries([moments], "ei").items():
                for metric, value in metrics_of(metrics).items():
                    expected = pytest.approx(
                        getattr(alone[name], metric), rel=1e-11, abs=1e-14, nan_ok=True
                    )
                    assert value == expected, (k, name, metric)


def test_progress_counts_every_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_of(ALL_CASES_OF["bandit"])
    monkeypatch.setattr(enumeration, "CHUNK_REWARDS", 25)
    done: list[float] = []
    enumerate_all([problem], 5, {2: named("ei")}, advance=done.append)
    assert len(done) > 1
    assert sum(done) == count_states(problem, 5) == 21


def test_one_pass_over_several_k_gives_what_single_passes_give() -> None:
    problem = problem_of(ALL_CASES_OF["bandit"])
    chosen = {k: defined(problem, 5, k) for k in (1, 3, 5)}
    (together,) = enumerate_all([problem], 5, chosen)
    for k, moments in together.items():
        alone = enumerated(problem, 5, k)
        np.testing.assert_array_equal(moments.mean, alone.mean)
        np.testing.assert_array_equal(moments.variance, alone.variance)
        assert moments.estimators == alone.estimators


def test_single_precision_advantages_stay_close_to_double() -> None:
    problem = problem_of(ALL_CASES_OF["negative rewards"])
    exact = enumerated(problem, 6, 3)
    single = enumerated(problem, 6, 3, dtype=torch.float32)
    np.testing.assert_allclose(single.mean, exact.mean, rtol=0, atol=1e-5)
    np.testing.assert_allclose(single.variance, exact.variance, rtol=1e-5)
    assert (single.variance != exact.variance).any()


def test_count_states_is_a_binomial_coefficient() -> None:
    problems = [Categorical(tuple(map(float, range(m))), (1 / m,) * m, (1,) * m) for m in (1, 2, 4)]
    states = [[count_states(problem_of(p), n) for n in (1, 2, 3)] for p in problems]
    assert states == [[1, 1, 1], [2, 3, 4], [4, 10, 20]]
