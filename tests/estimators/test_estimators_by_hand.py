"""Values worked out on paper, which the oracle and the code must both give."""

from math import sqrt

import pytest
from oracles.estimators import NAMES, oracle

from maxpo_cli import advantages

STD = sqrt(7 / 3) + 1e-6
ROOT = sqrt(2 / 9)
BY_HAND = {
    "l2o": ([0, 1, 3], [-1, -1, 2]),
    "canonical": ([0, 1, 3], [-1, -1, 2]),
    "canonical-plugin": ([0, 1, 3], [-1 / 3, -1 / 3, 2 / 3]),
    "ei": ([0, 1, 3], [0, 1 / 2, 5 / 2]),
    "pkpo": ([0, 1, 3], [2, 2, 3]),
    "pkpo-loo": ([0, 1, 3], [-5 / 2, -5 / 2, 3 / 2]),
    "passk-training": ([0, 0, 1], [-1 / 6 / ROOT, -1 / 6 / ROOT, 1 / 3 / ROOT]),
    "grpo-passk": ([0, 1, 3], [0, 0, 2 / STD]),
    "rloo": ([0, 1, 3], [-2, -1 / 2, 5 / 2]),
    "grpo": ([0, 1, 3], [-4 / 3 / STD, -1 / 3 / STD, 5 / 3 / STD]),
    "dr-grpo": ([0, 1, 3], [-4 / 3, -1 / 3, 5 / 3]),
}


@pytest.mark.parametrize("name", NAMES)
def test_three_rewards_at_k_2_have_the_values_worked_out_on_paper(name: str) -> None:
    rewards, expected = BY_HAND[name]
    assert list(map(float, oracle(name, rewards, 2))) == pytest.approx(expected, rel=1e-15)
    assert advantages(name, rewards, 2) == pytest.approx(expected, rel=1e-14)
