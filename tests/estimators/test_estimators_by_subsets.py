"""Every catalogue entry against the oracle that lists subsets, at every N up to 8 and every K."""

import pytest
import torch
from hypothesis import given
from oracles.estimators import NAMES, ks, relative_error, shift_invariant
from oracles.groups import BINARY, DOUBLES, FIXED, NEAR_A_MILLION, SINGLES, groups

from maxpo_cli import advantages
from maxpo_cli.estimators.lookup import CATALOGUE

REAL = [name for name in NAMES if name != "passk-training"]
TOLERANCE = 1e-12
SINGLE_TOLERANCE = 2e-6  # 32 units in the last place


def worst(name: str, group: list[float], dtype: torch.dtype = torch.float64) -> float:
    rewards = torch.tensor(group, dtype=dtype)
    errors = [
        relative_error(advantages(name, rewards, k).tolist(), name, group, k)
        for k in ks(name, len(group))
    ]
    return max(errors, default=0.0)


def test_the_oracle_covers_the_whole_catalogue() -> None:
    yardsticks = {name for name, entry in CATALOGUE.items() if not entry.trainable}
    assert set(NAMES) == set(CATALOGUE) - yardsticks


@pytest.mark.parametrize("name", REAL)
@FIXED
@given(group=groups(DOUBLES))
def test_estimators_equal_their_definitions_in_float64(name: str, group: list[float]) -> None:
    assert worst(name, group) <= TOLERANCE


@pytest.mark.parametrize("name", NAMES)
@FIXED
@given(group=groups(BINARY))
def test_estimators_equal_their_definitions_on_binary_rewards(
    name: str, group: list[float]
) -> None:
    assert worst(name, group) <= TOLERANCE


@pytest.mark.parametrize("name", REAL)
@FIXED
@given(group=groups(SINGLES, largest=6))
def test_estimators_equal_their_definitions_in_float32(name: str, group: list[float]) -> None:
    assert worst(name, group, torch.float32) <= SINGLE_TOLERANCE


@pytest.mark.parametrize("n", range(1, 9))
def test_passk_training_equals_its_definition_on_every_group_in_float32(n: int) -> None:
    for successes in range(n + 1):
        group = [0.0] * (n - successes) + [1.0] * successes
        assert worst("passk-training", group, torch.float32) <= SINGLE_TOLERANCE


@pytest.mark.parametrize("name", [name for name in REAL if shift_invariant(name, 2)])
@FIXED
@given(group=groups(NEAR_A_MILLION, smallest=3, largest=6))
def test_a_large_common_offset_costs_no_accuracy(name: str, group: list[float]) -> None:
    rewards = torch.tensor(group, dtype=torch.float64)
    for k in ks(name, len(group)):
        if shift_invariant(name, k):  # all of K but 1 of ei
            found = advantages(name, rewards, k).tolist()
            assert relative_error(found, name, group, k) <= TOLERANCE
