"""The table of the oracle's advantages beside the advantages themselves."""

from math import inf

import numpy as np
import pytest
import torch

from maxpo_cli.engines.monte_carlo.oracle_table import oracle_table
from maxpo_cli.policies.kinds.gaussian import Gaussian
from maxpo_cli.policies.reward_functions import REWARDS, Piece, Reward
from maxpo_cli.policies.spec import parse_policy
from maxpo_cli.problems.continuous import ContinuousProblem


def problem_of(spec: str) -> ContinuousProblem:
    (problem,) = parse_policy(f"gaussian:{spec}").problems
    assert isinstance(problem, ContinuousProblem)
    return problem


@pytest.mark.parametrize("reward", sorted(set(REWARDS) - {"threshold"}))
@pytest.mark.parametrize(("k", "std"), [(1, 1.0), (4, 0.1), (4, 2.0), (48, 1.0)])
def test_it_is_as_good_as_the_advantages(k: int, reward: str, std: float) -> None:
    problem = problem_of(f"mean=0.3,std={std},reward={reward},f=3")
    z = np.random.default_rng(k).standard_normal(20_000)
    rewards = problem.rewards(torch.from_numpy(z)).numpy()
    expected = problem.expected_max(rewards, k) - problem.objective(k)
    found = oracle_table(problem, k, "cpu").at(torch.tensor(z).reshape(100, 200))
    assert found.shape == (100, 200)
    off = found.numpy().ravel() - expected
    assert np.sqrt((off**2).mean()) <= 1e-5 * expected.std()
    assert abs(off.mean()) <= 3e-8 * expected.std()


@pytest.mark.parametrize("second", [1.0, 2e-4, 9.5, -50.0])
def test_a_reward_may_jump_several_times(second: float) -> None:
    """R = x, x + 1 and x + 3, with jumps at 0 and `second`; 2e-4 is in the cell after 0."""
    low, high = sorted((0.0, second))
    pieces = (
        Piece(-inf, low, -inf, low, lambda t: t),
        Piece(low, high, low + 1, high + 1, lambda t: t - 1),
        Piece(high, inf, high + 3, inf, lambda t: t - 3),
    )
    policy = Gaussian()
    policy.__dict__["reward_function"] = Reward(
        lambda x: x + (x > low).double() + 2 * (x > high).double(), pieces
    )
    (problem,) = policy.problems
    assert isinstance(problem, ContinuousProblem)
    assert problem.jumps == (low, high)
    z = np.sort(np.random.default_rng(0).standard_normal(20_000))
    z = np.append(z, np.linspace(-5e-4, 5e-4, 500))
    expected = problem.expected_max(problem.rewards(torch.from_numpy(z)).numpy(), 4)
    found = oracle_table(problem, 4, "cpu").at(torch.tensor(z)).numpy()
    np.testing.assert_allclose(found, expected - problem.objective(4), rtol=0, atol=1e-6)


def test_a_draw_outside_is_on_the_outermost_line() -> None:
    problem = problem_of("reward=identity,mean=2,std=3")
    low, high = problem.span
    z = torch.tensor([low - 1, high, high + 1], dtype=torch.float64)
    found = oracle_table(problem, 4, "cpu").at(z)
    expected = problem.expected_max(2 + 3 * z.numpy(), 4) - problem.objective(4)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
