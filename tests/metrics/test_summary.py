import math
from dataclasses import replace

import numpy as np
import pytest
from oracles.short_calls import enumerated, metrics_of, named, sampled

from maxpo_cli.engines.moments import Moments, Noise
from maxpo_cli.metrics.summary import Summary, summaries
from maxpo_cli.policies.kinds.bernoulli import Bernoulli
from maxpo_cli.policies.kinds.categorical import Categorical
from maxpo_cli.policies.logged import prompt_of_counts
from maxpo_cli.problems.finite import FiniteProblem

STDERRS = ("bias_stderr", "relative_bias_stderr", "variance_stderr", "variance_ratio_stderr")


def moments_of(
    mean: list[list[float]],
    gradient: list[float],
    variance: list[float],
    noise: Noise | None = None,
    objective: float = 0.5,
) -> Moments:
    """Moments of two estimators that claim no scale at K = 2, with these moments."""
    size = len(mean)
    return Moments(
        engine="made",
        n=4,
        k=2,
        mean_weight=1.0,
        estimators=named("rloo", "dr-grpo")[:size],
        objective=objective,
        gradient=np.array(gradient),
        mean=np.array(mean),
        variance=np.array(variance),
        centering_mean=np.array([0.25, 0.0])[:size],
        centering_square=np.array([0.5, 0.0])[:size],
        centering_max=np.array([1.5, 0.0])[:size],
        noise=noise,
    )


def no_noise(size: int = 2) -> Noise:
    none = np.zeros(size)
    pairs = np.zeros((2 * size, 2 * size))
    return Noise(none, none, none, pairs, pairs[:0], np.ones(size, dtype=bool))


class TestOneProblem:
    """Metrics of a triangle with sides 3, 4 and 5: E ĝ is off the gradient by a right angle."""

    ONE = moments_of([[3.0, 4.0], [6.0, 0.0]], [3.0, 0.0], [8.0, 18.0])

    def test_bias_scale_and_misalignment_are_those_of_the_drawing(self) -> None:
        found = summaries([self.ONE], "rloo")["rloo"]
        assert found.gradient_norm == 3
        assert found.bias == 4
        assert found.relative_bias == pytest.approx(4 / 3)
        assert found.scale == pytest.approx(1)
        assert found.misalignment == pytest.approx(4 / 5)
        assert found.snr == pytest.approx(25 / 8)
        assert found.mse == pytest.approx(16 + 8)

    def test_a_wrong_length_is_no_wrong_direction(self) -> None:
        found = summaries([self.ONE], "rloo")["dr-grpo"]
        assert found.scale == pytest.approx(2)
        assert found.misalignment == 0
        assert found.bias == 3
        assert found.matched_variance == pytest.approx(18 / 4)
        assert found.variance_ratio == pytest.approx(4.5 / 8)

    def test_an_estimate_across_the_gradient_has_scale_0_and_sine_1(self) -> None:
        found = summaries([moments_of([[0.0, 2.0]], [3.0, 0.0], [1.0])], "rloo")["rloo"]
        assert found.scale == 0
        assert found.misalignment == pytest.approx(1)
        assert math.isnan(found.matched_variance)
        assert math.isnan(found.variance_ratio)

    def test_an_estimate_against_the_gradient_has_a_negative_scale(self) -> None:
        found = summaries([moments_of([[-3.0, 0.0], [3.0, 0.0]], [3.0, 0.0], [8.0, 8.0])], "rloo")
        assert found["rloo"].scale == pytest.approx(-1)
        assert found["rloo"].misalignment == 0
        assert found["rloo"].matched_variance == pytest.approx(8)
        assert found["dr-grpo"].variance_ratio == pytest.approx(1)

    def test_exact_metrics_have_no_standard_errors(self) -> None:
        for found in summaries([self.ONE], "rloo").values():
            assert all(math.isnan(getattr(found, metric)) for metric in (*STDERRS, "bias_z"))

    def test_without_its_reference_a_ratio_does_not_exist(self) -> None:
        for found in summaries([self.ONE], "pkpo").values():
            assert math.isnan(found.variance_ratio)
            assert found.matched_variance > 0

    def test_the_reference_itself_has_ratio_1_without_error(self) -> None:
        noise = replace(no_noise(), moments=np.diag([0.4, 0.3, 0.2, 0.1]))
        found = summaries([replace(self.ONE, noise=noise)], "dr-grpo")["dr-grpo"]
        assert found.variance_ratio == 1
        assert found.variance_ratio_stderr == 0

    def test_without_variance_there_is_no_ratio(self) -> None:
        found = summaries([moments_of([[3.0], [3.0]], [3.0], [0.0, 1.0])], "rloo")
        assert math.isnan(found["dr-grpo"].variance_ratio)
        assert math.isnan(found["rloo"].snr)

    def test_without_a_gradient_only_absolute_metrics_exist(self) -> None:
        found = summaries([moments_of([[1.0, 0.0]], [0.0, 0.0], [4.0])], "rloo")["rloo"]
        assert (found.bias, found.variance, found.mse) == (1, 4, 5)
        assert found.snr == pytest.approx(1 / 4)
        for metric in ("relative_bias", "scale", "misalignment", "matched_variance"):
            assert math.isnan(getattr(found, metric)), metric

    @pytest.mark.parametrize("size", [1e-170, 1e-100, 1e100])
    def test_tiny_and_huge_gradients_do_not_end_in_an_error(self, size: float) -> None:
        small = moments_of([[size], [size]], [size], [size**2 * 3 or 1e-300, 1.0])
        for found in summaries([small], "rloo").values():
            assert not math.isinf(found.variance_ratio)

    def test_every_metric_is_there_and_all_are_those_of_the_columns(self) -> None:
        found = summaries([self.ONE], "rloo")["rloo"]
        public = {name for name in dir(Summary) if not name.startswith("_")}
        assert public - {
            "has_gradient",
            "is_resolved",
            "is_sampled",
            "is_scale_known",
            "misses_its_mean",
            "rests_on_few",
            "saw_nothing",
        } == set(metrics_of(found))
        exists = {name for name, value in metrics_of(found).items() if not math.isnan(value)}
        assert set(metrics_of(found)) - exists == {*STDERRS, "bias_z"}


class TestNoise:
    def test_the_variance_of_a_variance_is_read_off_the_moments(self) -> None:
        noise = replace(no_noise(), moments=np.diag([0.09, 0.16, 0.0, 0.0]))
        found = summaries([replace(TestOneProblem.ONE, noise=noise)], "rloo")
        assert found["rloo"].variance_stderr == pytest.approx(0.3)
        assert found["dr-grpo"].variance_stderr == pytest.approx(0.4)

    def test_the_error_of_a_ratio_is_that_of_its_logarithm(self) -> None:
        """d log (V/t²) = dV/V − 2 dt/t for each; here <E ĝ, ∇J> is 9 and 18."""
        generator = np.random.default_rng(0)
        root = generator.standard_normal((4, 4)) / 10
        noise = replace(no_noise(), moments=root @ root.T)
        found = summaries([replace(TestOneProblem.ONE, noise=noise)], "rloo")["dr-grpo"]
        draws = generator.standard_normal((200_000, 4)) @ root.T * 1e-3 + [8, 18, 9, 18]
        ratios = (draws[:, 1] / draws[:, 3] ** 2) / (draws[:, 0] / draws[:, 2] ** 2)
        assert found.variance_ratio == pytest.approx(ratios.mean(), rel=1e-4)
        # 200,000 draws tell a standard deviation to 0.16%; 1% is six of that.
        assert found.variance_ratio_stderr == pytest.approx(ratios.std() * 1e3, rel=0.01)

    def test_noise_that_is_common_to_both_leaves_their_ratio_alone(self) -> None:
        relative = np.array([8.0, 18.0, 9.0, 18.0])
        noise = replace(no_noise(), moments=np.outer(relative, relative) * 1e-2)
        found = summaries([replace(TestOneProblem.ONE, noise=noise)], "rloo")["dr-grpo"]
        assert found.variance_stderr > 1
        assert found.variance_ratio_stderr == pytest.approx(0, abs=1e-8)

    @pytest.mark.parametrize(("trace", "across_square"), [(1.0, 16.0), (9.0, 8.0), (17.0, 0.0)])
    def test_noise_across_the_gradient_is_no_misalignment(
        self, trace: float, across_square: float
    ) -> None:
        """‖across‖² is 16, of which the trace less the 1 along ∇J is noise."""
        moments = np.diag([0.0, 0.0, 9.0, 0.0])  # <noise, ∇J> has variance 9 = ‖∇J‖² · 1
        noise = replace(
            no_noise(), trace=np.full(2, trace), trace_square=np.full(2, trace**2), moments=moments
        )
        found = summaries([replace(TestOneProblem.ONE, noise=noise)], "rloo")["rloo"]
        expected = math.sqrt(across_square / (across_square + 9))
        assert found.misalignment == pytest.approx(expected)


def test_two_problems_are_one_problem_with_both_blocks_of_parameters() -> None:
    first = moments_of([[3.0, 4.0], [6.0, 0.0]], [3.0, 0.0], [8.0, 18.0], objective=0.5)
    second = moments_of([[1.0], [0.5]], [2.0], [2.0, 1.0], objective=0.25)
    found = summaries([first, second], "rloo")
    gradient = np.array([3.0, 0.0, 2.0])
    means = {"rloo": np.array([3.0, 4.0, 1.0]), "dr-grpo": np.array([6.0, 0.0, 0.5])}
    matched = {}
    for name, variance in (("rloo", 10.0), ("dr-grpo", 19.0)):
        mean, metrics = means[name], found[name]
        scale = mean @ gradient / (gradient @ gradient)
        cosine = mean @ gradient / np.linalg.norm(mean) / np.linalg.norm(gradient)
        matched[name] = variance / scale**2
        assert metrics.objective == 0.75
        assert metrics.gradient_norm == pytest.approx(math.sqrt(13))
        assert metrics.bias == pytest.approx(np.linalg.norm(mean - gradient))
        assert metrics.relative_bias == pytest.approx(metrics.bias / math.sqrt(13))
        assert metrics.scale == pytest.approx(scale)
        assert metrics.misalignment == pytest.approx(math.sqrt(1 - cosine**2))
        assert metrics.variance == variance
        assert metrics.matched_variance == pytest.approx(matched[name])
        assert metrics.snr == pytest.approx(mean @ mean / variance)
        assert metrics.mse == pytest.approx(metrics.bias**2 + variance)
        assert metrics.variance_ratio == pytest.approx(matched[name] / matched["rloo"])


def test_centering_is_over_the_groups_of_all_problems() -> None:
    first = moments_of([[1.0]], [1.0], [1.0])
    second = replace(
        first,
        centering_mean=np.array([-0.75]),
        centering_square=np.array([1.5]),
        centering_max=np.array([1.25]),
    )
    found = summaries([first, second], "rloo")["rloo"]
    assert found.centering_mean == -0.25
    assert found.centering_rms == 1
    assert found.centering_max == 1.5


def test_noise_adds_up_and_exact_problems_bring_none() -> None:
    noise = replace(no_noise(1), moments=np.diag([9.0, 0.0]), trace=np.array([0.0]))
    noisy = moments_of([[1.0]], [1.0], [1.0], noise)
    exact = moments_of([[1.0]], [1.0], [1.0])
    assert summaries([noisy, exact], "rloo")["rloo"].variance_stderr == 3
    assert summaries([noisy, noisy], "rloo")["rloo"].variance_stderr == pytest.approx(math.sqrt(18))
    assert summaries([exact, noisy], "rloo")["rloo"].bias_stderr == 0


def _problem(policy: Bernoulli | Categorical) -> FiniteProblem:
    (problem,) = policy.problems
    return problem


def test_two_prompts_together_are_their_sums() -> None:
    problems = [_problem(prompt_of_counts((0.0, 1.0), counts)) for counts in ((7, 3), (1, 4))]
    parts = [enumerated(problem, 4, 2) for problem in problems]
    both = summaries(parts, "ei")
    singles = [summaries([part], "ei") for part in parts]
    for name, found in both.items():
        one, two = (single[name] for single in singles)
        assert found.objective == pytest.approx(one.objective + two.objective)
        assert found.variance == pytest.approx(one.variance + two.variance)
        assert found.bias == pytest.approx(math.hypot(one.bias, two.bias), abs=1e-14)
        assert found.gradient_norm == pytest.approx(
            math.hypot(one.gradient_norm, two.gradient_norm)
        )
        assert found.centering_max == max(one.centering_max, two.centering_max)
        dot = one.scale * one.gradient_norm**2 + two.scale * two.gradient_norm**2
        assert found.scale == pytest.approx(dot / found.gradient_norm**2)


def test_a_sampled_prompt_beside_an_exact_one_agrees_with_both_exact() -> None:
    """4 standard errors on 12 estimators and 3 metrics, fixed seed: error rate below 3e-3."""
    one, two = _problem(Bernoulli(0.3, outcomes=1)), _problem(Bernoulli(0.6, outcomes=1))
    exact = summaries([enumerated(one, 5, 2), enumerated(two, 5, 2)], "ei")
    mixed = summaries([enumerated(one, 5, 2), sampled(two, 5, 2, 20_000)], "ei")
    for name, found in mixed.items():
        for metric in ("bias", "variance", "variance_ratio"):
            apart = abs(getattr(found, metric) - getattr(exact[name], metric))
            assert apart <= 4 * getattr(found, f"{metric}_stderr") + 1e-12, (name, metric)
