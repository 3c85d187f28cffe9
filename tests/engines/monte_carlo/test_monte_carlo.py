"""Monte Carlo against enumeration, against plain sampling of full scores, and against itself."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from oracles.draws import sample
from oracles.short_calls import defined, enumerated, named, sample_problem, sampled

from maxpo_cli import advantages
from maxpo_cli.engines.moments import Moments, Noise
from maxpo_cli.engines.monte_carlo.sampler import BLOCK
from maxpo_cli.estimators.lookup import CATALOGUE
from maxpo_cli.metrics.summary import summaries
from maxpo_cli.policies.kinds.bernoulli import Bernoulli
from maxpo_cli.policies.kinds.categorical import Categorical
from maxpo_cli.policies.kinds.gaussian import Gaussian
from maxpo_cli.policies.logged import Logged, prompt_of_counts
from maxpo_cli.policies.policy import Policy
from maxpo_cli.policies.reward_functions import REWARDS
from maxpo_cli.policies.spec import parse_policy
from maxpo_cli.problems.finite import FiniteProblem

THRESHOLD = "gaussian:mean=0.2,std=0.5,reward=threshold,c=0.6,learn="
FINITE: dict[str, Policy] = {
    spec: parse_policy(spec)
    for spec in (
        "bernoulli:p=0.2,outcomes=1",
        "categorical:rewards=0/0.5/1,probs=0.6/0.3/0.1,outcomes=1",
        "categorical:rewards=-1/0/3,probs=0.2/0.5/0.3,outcomes=1/50/2",
        "categorical:rewards=0/1,probs=0.8/0.2,outcomes=1000",
        f"{THRESHOLD}mean",
        f"{THRESHOLD}mean,dim=3",
        f"{THRESHOLD}mean+log_std",
        f"{THRESHOLD}mean+log_std,dim=3",
    )
} | {"logged": Logged("file", ("one",), (prompt_of_counts((0.0, 1.0), (9, 3)),))}
CONTINUOUS = tuple(name for name in REWARDS if name != "threshold")


def within(metric: float, exact: float, stderr: float, widths: float) -> bool:
    """Whether a metric is within so many standard errors, rounding aside."""
    return abs(metric - exact) <= widths * stderr + 1e-11 * (1 + abs(exact))


@pytest.mark.parametrize("name", FINITE)
@pytest.mark.parametrize("k", [1, 3])
def test_every_finite_policy_agrees_with_enumeration(name: str, k: int) -> None:
    """Within 4 standard errors: 9 policies × 2 K × 12 estimators × 4 metrics at 6e-5 each, so that
    a right engine would fail for one seed in 18; the seed is fixed."""
    (problem,) = FINITE[name].problems
    assert isinstance(problem, FiniteProblem)
    exact = summaries([enumerated(problem, 6, k)], "ei")
    found = summaries([sampled(problem, 6, k, 20_000, seed=k)], "ei")
    assert list(found) == list(exact)
    for estimator, metrics in found.items():
        truth = exact[estimator]
        for metric in ("bias", "variance", "variance_ratio"):
            value, stderr = getattr(metrics, metric), getattr(metrics, f"{metric}_stderr")
            if math.isnan(getattr(truth, metric)):
                assert math.isnan(value)
            else:
                assert within(value, getattr(truth, metric), stderr, 4), (estimator, metric)
        centering_error = truth.centering_rms / math.sqrt(20_000)
        assert within(metrics.centering_mean, truth.centering_mean, centering_error, 4)
        assert metrics.centering_rms == pytest.approx(truth.centering_rms, rel=0.05, abs=1e-12)
        assert metrics.centering_max <= truth.centering_max * (1 + 1e-12) + 1e-12
        assert metrics.objective == truth.objective
        assert metrics.gradient_norm == truth.gradient_norm


def test_standard_errors_shrink_with_the_root_of_the_groups() -> None:
    (problem,) = FINITE["bernoulli:p=0.2,outcomes=1"].problems
    few, many = (
        summaries([sampled(problem, 6, 3, groups, named("ei", "grpo"))], "ei")
        for groups in (4_000, 64_000)
    )
    for metric in ("bias_stderr", "variance_stderr", "variance_ratio_stderr"):
        ratio = getattr(few["grpo"], metric) / getattr(many["grpo"], metric)
        assert ratio == pytest.approx(4, rel=0.15), metric


@pytest.mark.parametrize("dim", [1, 3])
@pytest.mark.parametrize("learn", ["mean", "mean+log_std"])
@pytest.mark.parametrize("reward", CONTINUOUS)
def test_unbiased_estimators_show_no_bias_on_gaussian_policies(
    reward: str, learn: str, dim: int
) -> None:
    """bias_z is standard normal without bias; above 4 with probability 3e-5, 0.4% over 120."""
    policy = Gaussian(0.3, 0.5, reward, learn, dim)
    (problem,) = policy.problems
    found = summaries([sampled(problem, 5, 2, 4 * BLOCK, seed=11)], "ei")
    scale = {name: CATALOGUE[name].claims.scale(5, 2) for name in found}
    for name in (name for name, claimed in scale.items() if claimed == 1):
        assert found[name].bias_z < 4, name
        assert found[name].bias <= 4 * found[name].bias_stderr, name
        assert found[name].scale == pytest.approx(1, abs=0.5), name
    assert found["canonical-plugin"].matched_variance == pytest.approx(
        found["canonical"].matched_variance, rel=1e-9
    )


@pytest.mark.parametrize("reward", ["identity", "exp"])
def test_biased_estimators_show_their_bias_on_gaussian_policies(reward: str) -> None:
    (problem,) = Gaussian(0.3, 0.5, reward, "mean+log_std").problems
    found = summaries([sampled(problem, 5, 3, 16 * BLOCK)], "ei")
    for name in ("rloo", "grpo", "dr-grpo", "grpo-passk", "canonical-plugin"):
        assert found[name].bias_z > 10, name


@pytest.mark.parametrize("spec", [f"gaussian:reward={reward},mean=0.3" for reward in CONTINUOUS])
def test_the_oracle_sums_to_0_on_average(spec: str) -> None:
    """4 standard errors, five rewards, fixed seed: error rate 3e-4."""
    (problem,) = parse_policy(spec).problems
    moments = sampled(problem, 5, 3, 8 * BLOCK, named("oracle"), seed=31)
    error = math.sqrt(moments.centering_square[0] / moments.groups)
    assert abs(moments.centering_mean[0]) < 4 * error


def test_the_oracle_of_the_mean_has_the_variance_of_a_square() -> None:
    """At K = 1 with reward x and s = z/σ, ĝ is the mean of N squares z²: variance 2/N."""
    (problem,) = parse_policy("gaussian:mean=5,std=0.5").problems
    metrics = summaries([sampled(problem, 4, 1, 16 * BLOCK, named("oracle"))], "oracle")["oracle"]
    assert within(metrics.variance, 2 / 4, metrics.variance_stderr, 4)
    assert metrics.variance_stderr < 0.02


def test_noise_is_the_covariance_of_means_over_seeds() -> None:
    """200 runs tell tr C to about 7%, tr C² to 14% and a variance to 10%: three times that is
    allowed."""
    (problem,) = FINITE["categorical:rewards=0/0.5/1,probs=0.6/0.3/0.1,outcomes=1"].problems
    runs = [sampled(problem, 4, 2, 640, named("ei", "dr-grpo"), seed) for seed in range(200)]
    for e in range(2):
        covariance = np.cov([run.mean[e] for run in runs], rowvar=False)
        noises = [run.noise for run in runs if run.noise is not None]
        trace = np.mean([noise.trace[e] for noise in noises])
        trace_square = np.mean([noise.trace_square[e] for noise in noises])
        assert trace == pytest.approx(np.trace(covariance), rel=0.2)
        assert trace_square == pytest.approx(np.trace(covariance @ covariance), rel=0.4)
        assert trace_square < 0.8 * trace**2
        variances = np.var([run.variance[e] for run in runs], ddof=1)
        claimed = np.mean([noise.moments[e, e] for noise in noises])
        assert claimed == pytest.approx(variances, rel=0.3)


def test_a_score_of_noise_is_not_read_as_bias() -> None:
    """100 seeds: bias_z above 1.645 in 5 of them; 12 or more with probability 4e-3."""
    (problem,) = Gaussian(0.3, 0.5, "identity", "mean+log_std", 3).problems
    scores = [
        summaries([sampled(problem, 4, 2, BLOCK, named("canonical"), seed)], "ei")[
            "canonical"
        ].bias_z
        for seed in range(100)
    ]
    assert sum(score > 1.645 for score in scores) < 12
    assert np.mean(scores) == pytest.approx(0, abs=0.4)


PLAIN = (
    Bernoulli(0.3, outcomes=1),
    Categorical((0.0, 0.5, 2.0), (0.6, 0.3, 0.1), (1, 3, 2)),
    *(
        Gaussian(0.3, 0.8, reward, learn, dim)
        for reward in REWARDS
        for learn, dim in (("mean", 3), ("mean+log_std", 2))
    ),
)


@pytest.mark.parametrize("policy", PLAIN, ids=lambda policy: policy.spec)
def test_plain_sampling_of_full_scores_gives_the_same_moments(
    policy: Bernoulli | Categorical | Gaussian,
) -> None:
    """ĝ formed draw by draw from `sample`; 4.5 standard errors, about 14 policies × 4 estimators
    × up to 7 metrics: error rate below 3e-3 for the fixed seeds."""
    n, k, groups = 4, 2, 8 * BLOCK
    (problem,) = policy.problems
    chosen = named("l2o", "ei", "pkpo-loo", "grpo")
    moments = sampled(problem, n, k, groups, chosen, seed=21)
    rewards, scores = sample(policy, groups, n, torch.Generator().manual_seed(22))
    for e, estimator in enumerate(chosen):
        values = advantages(estimator.name, rewards, k)
        estimates = (values[..., None] * scores).sum(1) * (k / n)
        square = (estimates - estimates.mean(0)).square().sum(1)
        error = math.hypot(float(square.std()) / math.sqrt(groups), noise_of(moments, e))
        assert moments.variance[e] == pytest.approx(float(square.mean()), abs=4.5 * error)
        mean, spread = estimates.mean(0), estimates.std(0) / math.sqrt(groups)
        if isinstance(policy, Gaussian):  # those of the first coordinate; the others have mean 0
            first = [0] if policy.learn == "mean" else [0, policy.dim]
            own = [float(mean[i] - m) for i, m in zip(first, moments.mean[e], strict=True)]
            both = math.sqrt(2) * spread[first]
            assert (torch.tensor(own).abs() <= 4.5 * both).all()
            others = [i for i in range(len(mean)) if i not in first]
            assert (mean[others].abs() <= 4.5 * spread[others]).all()
        else:
            error = 1.5 * float(spread.norm())
            apart = float(mean.norm()) - float(np.linalg.norm(moments.mean[e]))
            assert abs(apart) <= 4.5 * error


def noise_of(moments: Moments, e: int) -> float:
    assert moments.noise is not None
    return math.sqrt(moments.noise.moments[e, e])


def arrays(moments: Moments | Noise) -> dict[str, np.ndarray]:
    """Every number of these moments, those of the noise too."""
    fields = {field.name: getattr(moments, field.name) for field in dataclasses.fields(moments)}
    found = {
        name: np.asarray(v)
        for name, v in fields.items()
        if name not in ("noise", "estimators", "engine")
    }
    if isinstance(moments, Moments) and moments.noise is not None:
        found |= {f"noise.{name}": value for name, value in arrays(moments.noise).items()}
    return found


class TestReproducibility:
    POLICIES = (
        "bernoulli:p=0.2,outcomes=1",
        "categorical:rewards=-1/0/3,probs=0.2/0.5/0.3,outcomes=1/50/2",
        "gaussian:reward=quadratic,learn=mean+log_std,dim=2",
    )
    GROUPS = 5 * BLOCK + 100

    @pytest.mark.parametrize("spec", POLICIES)
    def test_metrics_are_the_same_to_the_last_bit_however_many_blocks_are_at_work(
        self, spec: str
    ) -> None:
        (problem,) = parse_policy(spec).problems
        runs = [
            arrays(sampled(problem, 6, 3, self.GROUPS, blocks_at_once=blocks))
            for blocks in (None, 1, 3, 7)
        ]
        assert len(runs[0]) == 19
        for other in runs[1:]:
            for name, value in runs[0].items():
                np.testing.assert_array_equal(other[name], value, err_msg=name)

    @pytest.mark.parametrize("spec", POLICIES)
    def test_a_seed_gives_one_answer_and_another_seed_another(self, spec: str) -> None:
        (problem,) = parse_policy(spec).problems
        one, again, other = (sampled(problem, 6, 3, 1500, seed=seed) for seed in (4, 4, 5))
        np.testing.assert_array_equal(one.mean, again.mean)
        np.testing.assert_array_equal(one.variance, again.variance)
        assert (one.variance != other.variance).any()

    def test_estimators_and_ks_share_their_draws(self) -> None:
        """Alone or together an estimator sees the same groups, and so has the same metrics."""
        (problem,) = parse_policy(self.POLICIES[0]).problems
        together = sample_problem(
            problem,
            6,
            {k: defined(problem, 6, k) for k in (2, 4)},
            1500,
            torch.Generator().manual_seed(0),
            torch.float64,
            lambda _: None,
        )
        for k, moments in together.items():
            place = [estimator.name for estimator in moments.estimators].index("ei")
            alone = sampled(problem, 6, k, 1500, named("ei"))
            np.testing.assert_allclose(alone.mean[0], moments.mean[place], rtol=1e-13)
            assert alone.variance[0] == pytest.approx(moments.variance[place], rel=1e-13)

    def test_progress_counts_the_groups(self) -> None:
        (problem,) = parse_policy(self.POLICIES[0]).problems
        for blocks in (None, 1, 2):
            done: list[int] = []
            sample_problem(
                problem,
                6,
                {3: named("ei")},
                self.GROUPS,
                torch.Generator().manual_seed(0),
                torch.float64,
                done.append,
                blocks,
            )
            assert sum(done) == self.GROUPS
        assert done == [2 * BLOCK, 2 * BLOCK, BLOCK, 100]

    @pytest.mark.parametrize("groups", [2, 3, 63, 65, 1023, 1024, 1025])
    def test_any_number_of_groups_gives_that_many(self, groups: int) -> None:
        (problem,) = parse_policy(self.POLICIES[0]).problems
        moments = sampled(problem, 6, 3, groups)
        assert moments.groups == groups
        assert moments.states == 0
        for name, metrics in summaries([moments], "ei").items():
            assert metrics.variance >= 0, name
            assert metrics.bias_stderr >= 0, name

    def test_variance_of_few_groups_is_the_unbiased_one(self) -> None:
        """The mean of s² over 300 samples of 3 groups; with 1/n for 1/(n − 1) it is 2/3 of it."""
        (problem,) = FINITE["bernoulli:p=0.2,outcomes=1"].problems
        exact = enumerated(problem, 4, 2, named("ei")).variance[0]
        found = [sampled(problem, 4, 2, 3, named("ei"), s).variance[0] for s in range(300)]
        error = np.std(found) / math.sqrt(300)
        assert np.mean(found) == pytest.approx(exact, abs=4 * error)
        assert error < exact / 20


@pytest.mark.parametrize("spec", TestReproducibility.POLICIES)
def test_single_precision_stays_close_to_double(spec: str) -> None:
    (problem,) = parse_policy(spec).problems
    double, single = (
        sampled(problem, 6, 3, 2 * BLOCK, dtype=dtype) for dtype in (torch.float64, torch.float32)
    )
    np.testing.assert_allclose(single.mean, double.mean, rtol=0, atol=2e-5)
    np.testing.assert_allclose(single.variance, double.variance, rtol=2e-5)
    assert (single.variance != double.variance).any()
    assert single.variance.dtype == np.float64


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_a_certain_reward_is_sampled_without_ado(p: float) -> None:
    (problem,) = Bernoulli(p, outcomes=1).problems
    for metrics in summaries([sampled(problem, 4, 2, 100)], "ei").values():
        assert metrics.objective == p
        assert metrics.bias == metrics.variance == 0
        assert math.isnan(metrics.variance_ratio)


def test_rewards_of_any_size_and_place_leave_centred_metrics_alone() -> None:
    """canonical does not see a common shift of all rewards, and is linear in their unit."""
    plain, moved = (
        sampled(*parse_policy(spec).problems, 6, 3, 2 * BLOCK, named("canonical"))
        for spec in (
            "categorical:rewards=0/0.5/1,probs=0.6/0.3/0.1,outcomes=1",
            "categorical:rewards=1000/1002/1004,probs=0.6/0.3/0.1,outcomes=1",
        )
    )
    np.testing.assert_allclose(moved.mean, 4 * plain.mean, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(moved.variance, 16 * plain.variance, rtol=1e-9)
