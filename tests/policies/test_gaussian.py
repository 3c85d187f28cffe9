from math import asin, erfc, exp, pi, sqrt

import numpy as np
import pytest
import torch
from oracles.draws import sample
from oracles.gaussian import OnTheLine
from oracles.short_calls import level_scores
from scipy.integrate import quad
from scipy.stats import norm

from maxpo_cli.errors import InputError
from maxpo_cli.policies.kinds.gaussian import Gaussian, GaussianLaw
from maxpo_cli.policies.reward_functions import REWARDS
from maxpo_cli.policies.spec import parse_policy
from maxpo_cli.problems.continuous import ContinuousProblem
from maxpo_cli.problems.finite import FiniteProblem

CONTINUOUS = (
    "mean=0.7,std=1.3,reward=identity",
    "mean=-40,std=0.01,reward=identity",
    "mean=-0.5,std=0.8,reward=exp",
    "mean=2,std=0.05,reward=exp",
    "mean=1,std=1,reward=quadratic,c=0.4",
    "mean=-3,std=0.1,reward=quadratic",
    "mean=0.3,std=0.5,reward=clipped-square",
    "mean=2,std=0.3,reward=clipped-square",
    "mean=0,std=1,reward=quad-sin",  # a = 1, f = 5: two shoulders that nearly are turning points
    "mean=2.5,std=0.2,reward=quad-sin",
    "mean=0.6,std=0.4,reward=quad-sin,c=0.5,a=-2,f=3",
    "mean=0.2,std=0.7,reward=quad-sin,a=1,f=1.4142135623730951",  # a f² = 2: one flat inflection
)


def policy_of(keys: str, learn: str = "mean+log_std") -> Gaussian:
    policy = parse_policy(f"gaussian:{keys},learn={learn}")
    assert isinstance(policy, Gaussian)
    return policy


def problem_of(keys: str, learn: str = "mean+log_std") -> ContinuousProblem:
    (problem,) = policy_of(keys, learn).problems
    assert isinstance(problem, ContinuousProblem)
    return problem


def policy_in(problem: ContinuousProblem) -> Gaussian:
    assert isinstance(problem.law, GaussianLaw)
    return problem.law.policy


def exactly(value: float) -> object:
    return pytest.approx(value, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("keys", CONTINUOUS)
def test_objective_and_gradient_equal_integrals_over_x(keys: str) -> None:
    problem = problem_of(keys)
    oracle = OnTheLine(policy_in(problem))
    for k in (1, 2, 4, 16):
        value, slopes = oracle.value_and_gradient(k)
        gradient = problem.gradient(k)
        assert problem.objective(k) == exactly(value), k
        size = np.linalg.norm(slopes)
        np.testing.assert_allclose(gradient, slopes, rtol=0, atol=1e-9 * size + 1e-13)


@pytest.mark.parametrize("keys", CONTINUOUS)
def test_a_learned_std_leaves_the_gradient_of_the_mean_as_it_is(keys: str) -> None:
    both, alone = (problem_of(keys, learn).gradient(4) for learn in ("mean+log_std", "mean"))
    assert both.shape == (2,)
    np.testing.assert_allclose(alone, both[:1], rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(
    ("mean", "k", "objective", "slope"),
    [
        (0.3, 4, 0.9082728269971949, -0.05270397117246599),
        (0.3, 16, 0.9085903377052954, -0.00570379141246826),
        (0.29, 16, 0.9086083295830185, 0.0002366913018934265),
    ],
)
def test_narrow_policy_at_a_peak_keeps_the_digits_of_mpmath(
    mean: float, k: int, objective: float, slope: float
) -> None:
    """Reference: mpmath, 30 digits, K ∫ R φ F^(K−1) dx with the mirror point by Newton's method."""
    problem = problem_of(f"mean={mean},std=0.01,reward=quad-sin", "mean")
    assert problem.objective(k) == pytest.approx(objective, rel=1e-12)
    assert problem.gradient(k)[0] == pytest.approx(slope, rel=1e-9, abs=0)


class TestClosedForms:
    @pytest.mark.parametrize(("mean", "std"), [(0, 1), (3, 0.5), (-1e3, 1e-3), (1e-6, 20)])
    def test_best_of_two_identity(self, mean: float, std: float) -> None:
        problem = problem_of(f"mean={mean},std={std}")
        assert problem.objective(2) == exactly(mean + std / sqrt(pi))
        assert problem.gradient(2).tolist() == [exactly(1), exactly(std / sqrt(pi))]

    @pytest.mark.parametrize(
        ("k", "expected"),
        [
            (1, 0.0),
            (3, 1.5 / sqrt(pi)),
            (4, 6 / sqrt(pi) * (0.25 + asin(1 / 3) / (2 * pi))),
            (5, 1.25 / sqrt(pi) + 7.5 * asin(1 / 3) / sqrt(pi) ** 3),
        ],
    )
    def test_identity_gives_the_known_normal_order_statistics(
        self, k: int, expected: float
    ) -> None:
        assert problem_of("mean=0,std=1").objective(k) == exactly(expected)

    def test_log_normal_rewards(self) -> None:
        problem = problem_of("mean=0.3,std=0.9,reward=exp")
        mean = exp(0.3 + 0.9**2 / 2)
        assert problem.objective(1) == exactly(mean)
        assert problem.gradient(1).tolist() == [exactly(mean), exactly(0.9**2 * mean)]
        best = 2 * mean * norm.cdf(0.9 / sqrt(2))
        slope = 0.9**2 * best + 2 * mean * norm.pdf(0.9 / sqrt(2)) * 0.9 / sqrt(2)
        assert problem.objective(2) == exactly(best)
        assert problem.gradient(2).tolist() == [exactly(best), exactly(slope)]

    def test_mean_of_quad_sin(self) -> None:
        problem = problem_of("mean=0.4,std=0.7,reward=quad-sin,c=1,a=1.5,f=2")
        damped = 1.5 * exp(-((2 * 0.7) ** 2) / 2)
        assert problem.objective(1) == exactly(-(0.6**2) - 0.7**2 + damped * np.sin(0.8))
        slope = 2 * 0.6 + 2 * damped * np.cos(0.8)
        spread = -2 * 0.7**2 - 4 * 0.7**2 * damped * np.sin(0.8)
        assert problem.gradient(1).tolist() == [exactly(slope), exactly(spread)]

    @pytest.mark.parametrize("c", [-1.0, 0.3, 2.5])
    @pytest.mark.parametrize("k", [1, 4, 16])
    def test_threshold(self, k: int, c: float) -> None:
        (problem,) = policy_of(f"mean=0.2,std=0.5,reward=threshold,c={c}").problems
        z = (c - 0.2) / 0.5
        assert problem.objective(k) == exactly(1 - norm.cdf(z) ** k)
        slope = k * norm.cdf(z) ** (k - 1) * norm.pdf(z)
        assert problem.gradient(k).tolist() == [exactly(slope / 0.5), exactly(slope * z)]

    def test_a_threshold_far_out_keeps_every_digit(self) -> None:
        (problem,) = policy_of("reward=threshold,c=8").problems
        exact = 4 * erfc(8 / sqrt(2)) / 2
        assert problem.objective(4) == pytest.approx(exact, rel=1e-12, abs=0)


@pytest.mark.parametrize("keys", CONTINUOUS)
def test_expected_max_equals_direct_quadrature(keys: str) -> None:
    problem = problem_of(keys)
    policy = policy_in(problem)
    oracle = OnTheLine(policy)
    x = policy.mean + policy.std * np.array([-3.1, -0.2, 1.7])
    rewards = [float(reward) for reward in oracle.reward(x)]
    # The density of the reward all but diverges at a shoulder that is within reach of the policy.
    tolerance = 1e-6 if keys == "mean=0,std=1,reward=quad-sin" else 1e-9
    ks = (2, 4, 16)
    expected = np.array([oracle.q_values(ks, reward) for reward in rewards])
    for k, values in zip(ks, expected.T, strict=True):
        found = problem.expected_max(np.array(rewards), k)
        np.testing.assert_allclose(found, values, rtol=tolerance, atol=tolerance * policy.std)


@pytest.mark.parametrize("keys", CONTINUOUS[::3])
def test_expected_max_of_one_draw_is_its_reward(keys: str) -> None:
    problem = problem_of(keys)
    rewards = np.linspace(problem.bands[0], problem.bands[-1], 1234)
    np.testing.assert_allclose(problem.expected_max(rewards, 1), rewards, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dim", [1, 3])
@pytest.mark.parametrize("learn", ["mean", "mean+log_std"])
@pytest.mark.parametrize("c", [-1.5, 0.1, 0.9, 4.0])
def test_threshold_levels_have_the_moments_of_truncated_normals(
    c: float, learn: str, dim: int
) -> None:
    mean, std = 0.1, 0.4
    policy = policy_of(f"mean={mean},std={std},reward=threshold,c={c},dim={dim}", learn)
    (problem,) = policy.problems
    assert isinstance(problem, FiniteProblem)
    cut = (c - mean) / std
    probs = norm.cdf([cut, -cut])
    for level, (low, high) in enumerate([(min(cut, 0) - 12, cut), (cut, max(cut, 0) + 12)]):

        def moment(
            power: int, low: float = low, high: float = high, mass: float = probs[level]
        ) -> float:
            return float(
                quad(
                    lambda z: z**power * exp(-z * z / 2) / sqrt(2 * pi) / mass,
                    low,
                    high,
                    epsabs=1e-12,
                    epsrel=1e-12,
                    points=[0.0] if low < 0 < high else None,
                )[0]
            )

        first, second, fourth = (moment(power) for power in (1, 2, 4))
        score = [first / std] + ([second - 1] if learn != "mean" else [])
        square = second / std**2 + (fourth - 2 * second + 1 if learn != "mean" else 0)
        rest = (dim - 1) * (1 / std**2 + (2 if learn != "mean" else 0))
        found = level_scores(problem)[level]
        np.testing.assert_allclose(found, score, rtol=1e-9, atol=1e-12)
        total = problem.residual[level] + found @ found
        assert total == pytest.approx(square + rest, rel=1e-9)
    np.testing.assert_allclose(problem.probs, probs, rtol=1e-13)


@pytest.mark.parametrize("learn", ["mean", "mean+log_std"])
def test_scores_are_the_derivative_of_the_log_density(learn: str) -> None:
    problem = problem_of("mean=0.3,std=0.6", learn)
    z = problem.draw((5, 2), torch.Generator().manual_seed(0))
    x = problem.rewards(z)
    mean = torch.full((5, 2), 0.3, dtype=torch.float64, requires_grad=True)
    log_std = torch.full((5, 2), np.log(0.6), dtype=torch.float64, requires_grad=True)
    torch.distributions.Normal(mean, log_std.exp()).log_prob(x).sum().backward()
    assert mean.grad is not None
    assert log_std.grad is not None
    parts = [mean.grad, log_std.grad] if learn != "mean" else [mean.grad]
    torch.testing.assert_close(problem.scores(z), torch.stack(parts, -1))


@pytest.mark.parametrize("reward", list(REWARDS))
def test_samples_are_rewards_of_a_normal_first_coordinate(reward: str) -> None:
    """40,000 draws within 4.5 standard errors: error rate below 1e-5 a figure, fixed seed."""
    policy = policy_of(f"mean=0.2,std=0.7,reward={reward},dim=2")
    rewards, scores = sample(policy, 10_000, 4, torch.Generator().manual_seed(3))
    assert rewards.shape == (10_000, 4)
    assert scores.shape == (10_000, 4, 4)
    x = policy.mean + policy.std**2 * scores[..., 0]
    torch.testing.assert_close(policy.reward_function.value(x), rewards)
    flat = scores.reshape(-1, 4)
    error = flat.std(0) / 200
    assert (flat.mean(0).abs() <= 4.5 * error).all()
    (problem,) = policy.problems
    spread = float(rewards.std()) / 200
    assert float(rewards.mean()) == pytest.approx(problem.objective(1), abs=4.5 * spread)


def test_coordinates_after_the_first_only_add_score() -> None:
    one, three = (problem_of(f"mean=0.2,std=0.5,dim={dim}") for dim in (1, 3))
    assert one.residual == 0
    assert three.residual == 2 * (1 / 0.5**2 + 2)
    assert three.objective(4) == one.objective(4)
    assert three.gradient(4).tolist() == one.gradient(4).tolist()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("std=0", "std must be above 0; got 0"),
        ("std=-1", "std must be above 0; got -1"),
        ("dim=0", "dim must be a whole number from 1 to"),
        ("reward=quad", "unknown reward of gaussian 'quad'; did you mean 'quad-sin'"),
        ("learn=std", "unknown value of learn in gaussian 'std'"),
        ("reward=exp,mean=700", "reward=exp overflows"),
        ("reward=quadratic,mean=1e200", "reward=quadratic overflows"),
        ("reward=quad-sin,a=1e6,f=100", "turns more than 200 times"),
    ],
)
def test_what_is_no_policy_is_refused(keys: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_policy(f"gaussian:{keys}")


@pytest.mark.parametrize("std", ["1e-200", "1e200"])
def test_a_std_whose_square_leaves_the_range_of_a_double_is_refused(std: str) -> None:
    with pytest.raises(InputError, match="std must be from 1e-50 to 1e50; got 1e"):
        parse_policy(f"gaussian:std={std},reward=threshold")
