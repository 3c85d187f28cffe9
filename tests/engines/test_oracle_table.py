"""The table of the oracle's advantages beside the advantages themselves."""

import numpy as np
import pytest
import torch

from maxpo_cli.engines.monte_carlo.oracle_table import RANGE, oracle_table
from maxpo_cli.policies.gaussian import GaussianProblem
from maxpo_cli.policies.reward_functions import REWARDS
from maxpo_cli.policies.spec import parse_policy


def problem_of(spec: str) -> GaussianProblem:
    (problem,) = parse_policy(f"gaussian:{spec}").problems
    assert isinstance(problem, GaussianProblem)
    return problem


@pytest.mark.parametrize("std", [0.1, 1.0, 2.0])
@pytest.mark.parametrize("reward", sorted(set(REWARDS) - {"threshold"}))
@pytest.mark.parametrize("k", [1, 4, 48])
def test_it_is_as_good_as_the_advantages(k: int, reward: str, std: float) -> None:
    problem = problem_of(f"mean=0.3,std={std},reward={reward}")
    z = np.random.default_rng(k).standard_normal(20_000)
    rewards = problem.policy.reward_function.at(0.3 + std * z)
    expected = problem.expected_max(rewards, k) - problem.objective(k)
    found = oracle_table(problem, k, "cpu").at(torch.tensor(z).reshape(100, 200))
    assert found.shape == (100, 200)
    off = found.numpy().ravel() - expected
    assert np.sqrt((off**2).mean()) <= 1e-5 * expected.std()
    assert abs(off.mean()) <= 3e-8 * expected.std()


def test_a_draw_outside_is_on_the_outermost_line() -> None:
    problem = problem_of("reward=identity,mean=2,std=3")
    z = torch.tensor([-RANGE - 1, RANGE, RANGE + 1], dtype=torch.float64)
    found = oracle_table(problem, 4, "cpu").at(z)
    expected = problem.expected_max(2 + 3 * z.numpy(), 4) - problem.objective(4)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
