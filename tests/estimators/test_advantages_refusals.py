"""What `advantages` refuses, each with one sentence that names what is wrong."""

from datetime import datetime
from typing import Any

import numpy as np
import pytest
import torch
from oracles.estimators import NAMES, TAKE_NO_K

from maxpo_cli import InputError, advantages

REWARDS = [0.0, 1.0, 1.0, 0.0]


def test_a_refusal_is_a_value_error() -> None:
    assert issubclass(InputError, ValueError)


@pytest.mark.parametrize("rewards", [3.0, 3, True, np.float64(3), np.array(3), torch.tensor(3.0)])
def test_a_single_number_is_refused_for_want_of_a_group(rewards: Any) -> None:
    with pytest.raises(InputError, match="rewards must have a group dimension"):
        advantages("rloo", rewards)


@pytest.mark.parametrize("rewards", [[[1.0, 2.0], [1.0]], [1.0, [2.0]], ([1.0], [], [2.0])])
def test_ragged_groups_are_refused(rewards: Any) -> None:
    with pytest.raises(InputError, match="rewards must be groups of one size"):
        advantages("rloo", rewards)


@pytest.mark.parametrize(
    "rewards",
    [
        [1j, 2.0],
        np.array([1j, 2.0]),
        torch.tensor([1j, 2.0]),
        ["0.5", "1"],
        "0.5",
        b"01",
        np.array(["a", "b"]),
        [None, 1.0],
        None,
        {"r": 1.0},
        [datetime(2026, 1, 1)] * 2,
        np.array(["2026-01-01"] * 2, dtype="datetime64[D]"),
    ],
    ids=repr,
)
def test_rewards_that_are_no_real_numbers_are_refused(rewards: Any) -> None:
    with pytest.raises(InputError, match="rewards must be real numbers; got a"):
        advantages("rloo", rewards)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "rewards", [[], [[]], np.empty((3, 0)), torch.empty(3, 0), torch.empty(0)], ids=repr
)
def test_groups_of_nothing_are_refused(name: str, rewards: Any) -> None:
    with pytest.raises(InputError, match=r"needs a group of at least [123]; got n=0"):
        advantages(name, rewards, 1)


@pytest.mark.parametrize("name", ["rloo", "grpo", "grpo-passk"])
def test_a_group_of_one_is_refused_where_the_others_are_needed(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} needs a group of at least 2; got n=1"):
        advantages(name, [[1.0], [2.0]])


@pytest.mark.parametrize("name", [name for name in NAMES if name not in TAKE_NO_K])
def test_a_missing_k_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} needs k"):
        advantages(name, REWARDS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("k", [2.0, 2.5, "2", np.float64(2), np.True_, [2], 2j], ids=repr)
def test_a_k_that_is_no_whole_number_is_refused(name: str, k: Any) -> None:
    with pytest.raises(InputError, match="k must be a whole number; got "):
        advantages(name, REWARDS, k)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("k", [0, -1, -(10**30)])
def test_a_k_below_one_is_refused(name: str, k: int) -> None:
    with pytest.raises(InputError, match=f"at least 1; got k={k}"):
        advantages(name, REWARDS, k)


@pytest.mark.parametrize(
    ("name", "k"),
    [
        ("l2o", 1),
        ("l2o", 4),
        ("canonical", 4),
        ("pkpo-loo", 4),
        ("canonical-plugin", 5),
        ("ei", 5),
        ("pkpo", 5),
        ("passk-training", 5),
        ("pkpo", 10**30),
    ],
)
def test_a_k_outside_the_range_is_refused_with_the_range(name: str, k: int) -> None:
    with pytest.raises(InputError, match=rf"{name} is defined for K in \d\.\.N.*k={k} with n=4"):
        advantages(name, REWARDS, k)


def test_an_unknown_estimator_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="unknown estimator 'canonicl'; did you mean 'canonical'"):
        advantages("canonicl", REWARDS, 2)


def test_the_population_advantage_is_refused_on_rewards_alone() -> None:
    with pytest.raises(InputError, match="oracle needs the policy's own distribution"):
        advantages("oracle", REWARDS, 2)


@pytest.mark.parametrize("reward", [0.5, 2.0, -1.0, 1e-300, 1 - 2**-53])
def test_passk_training_refuses_rewards_other_than_0_and_1(reward: float) -> None:
    with pytest.raises(InputError, match="passk-training is defined for 0/1 rewards only"):
        advantages("passk-training", [[0.0, 1.0], [reward, 1.0]], 1)
