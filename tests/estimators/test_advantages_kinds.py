"""`advantages` gives back the kind, shape and floating type that it was given."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from oracles.estimators import NAMES, ks
from oracles.groups import batch

from maxpo_cli import advantages

REWARDS = [0.0, 1.0, 3.0]
CANONICAL = [-1.0, -1.0, 2.0]  # at K = 2
HALVES = [torch.float16, torch.bfloat16]
INTEGERS = [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64]


@pytest.fixture
def double_by_default() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, *HALVES], ids=str)
def test_a_tensor_gives_a_tensor_of_its_floating_type(dtype: torch.dtype) -> None:
    found = advantages("canonical", torch.tensor(REWARDS, dtype=dtype), 2)
    assert found.dtype == dtype
    assert found.tolist() == CANONICAL


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_half_precision_loses_no_more_than_the_last_rounding(name: str, dtype: torch.dtype) -> None:
    rewards = batch(name, 64, dtype=dtype)
    for k in {2, 8, 63}.intersection(ks(name, 64)) or {1}:
        exact = advantages(name, rewards.double(), k)
        found = advantages(name, rewards, k)
        assert found.dtype == dtype
        rounding = torch.finfo(dtype).eps
        torch.testing.assert_close(found.double(), exact, rtol=rounding, atol=rounding * 1e-2)


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_an_integer_tensor_gives_the_default_float_type(dtype: torch.dtype) -> None:
    found = advantages("canonical", torch.tensor([0, 1, 3], dtype=dtype), 2)
    assert found.dtype == torch.float32
    assert found.tolist() == CANONICAL


def test_a_boolean_tensor_gives_the_default_float_type() -> None:
    found = advantages("canonical", torch.tensor([False, True, True]), 1)
    assert found.dtype == torch.float32
    assert found.tolist() == [-1.0, 0.5, 0.5]


@pytest.mark.usefixtures("double_by_default")
def test_a_changed_default_float_type_is_the_one_that_integers_become() -> None:
    assert advantages("canonical", torch.tensor([0, 1, 3]), 2).dtype == torch.float64


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_an_array_gives_an_array_of_its_floating_type(dtype: str) -> None:
    found = advantages("canonical", np.array([REWARDS, REWARDS], dtype=dtype), 2)
    assert type(found) is np.ndarray
    assert found.dtype == dtype
    assert found.tolist() == [CANONICAL, CANONICAL]


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "uint64"])
def test_an_integer_array_gives_float64(dtype: str) -> None:
    found = advantages("canonical", np.array([0, 1, 3], dtype=dtype), 2)
    assert found.dtype == np.float64
    assert found.tolist() == CANONICAL


def test_a_boolean_array_gives_float64() -> None:
    found = advantages("canonical", np.array([False, True, True]), 1)
    assert found.dtype == np.float64
    assert found.tolist() == [-1.0, 0.5, 0.5]


@pytest.mark.parametrize("dtype", [">f4", "<f4", ">f8", "<f8", ">i4", "<i4"])
def test_an_array_in_either_byte_order_gives_one_in_native_order(dtype: str) -> None:
    found = advantages("canonical", np.array([0, 1, 3], dtype=dtype), 2)
    assert found.dtype == (np.float32 if "f4" in dtype else np.float64)
    assert found.tolist() == CANONICAL


def test_a_read_only_array_is_taken_and_the_answer_can_be_written_to() -> None:
    rewards = np.array(REWARDS)
    rewards.flags.writeable = False
    found = advantages("canonical", rewards, 2)
    assert found.tolist() == CANONICAL
    assert found.flags.writeable


def test_reversed_strided_and_transposed_arrays_are_read_in_their_own_order() -> None:
    rewards = np.array([[0.0, 9.0, 1.0, 9.0, 3.0], [9.0] * 5])
    assert advantages("canonical", rewards[0, ::-2], 2).tolist() == CANONICAL[::-1]
    assert advantages("canonical", rewards[:, ::2].T.copy().T, 2)[0].tolist() == CANONICAL
    assert advantages("canonical", np.asfortranarray(rewards[:, ::2]), 2)[0].tolist() == CANONICAL


def test_transposed_strided_and_expanded_tensors_are_read_in_their_own_order() -> None:
    columns = torch.tensor([[0.0, 3.0], [1.0, 1.0], [3.0, 0.0]])
    expected = [CANONICAL, CANONICAL[::-1]]
    assert advantages("canonical", columns.T, 2).tolist() == expected
    strided = torch.tensor([0.0, 9.0, 1.0, 9.0, 3.0])[::2]
    assert advantages("canonical", strided, 2).tolist() == CANONICAL
    expanded = torch.tensor(REWARDS).expand(2, 2, 3)
    assert advantages("canonical", expanded, 2).tolist() == [[CANONICAL] * 2] * 2
    assert advantages("canonical", torch.tensor([[1.0], [2.0]]).expand(2, 3), 2).eq(0).all()


def test_a_list_gives_a_list_and_a_tuple_a_tuple() -> None:
    assert advantages("canonical", REWARDS, 2) == CANONICAL
    assert advantages("canonical", tuple(REWARDS), 2) == tuple(CANONICAL)
    assert advantages("canonical", [0, True, 3], 2) == CANONICAL
    assert all(type(value) is float for value in advantages("canonical", [0, 1, 3], 2))


def test_nested_sequences_give_nested_lists() -> None:
    assert advantages("canonical", [[REWARDS, REWARDS]], 2) == [[CANONICAL, CANONICAL]]
    assert advantages("canonical", (REWARDS, REWARDS), 2) == (CANONICAL, CANONICAL)
    assert advantages("canonical", [np.array(REWARDS), REWARDS], 2) == [CANONICAL, CANONICAL]


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_gives_the_same_numbers(name: str) -> None:
    rewards = batch(name, 6, count=3)
    for k in ks(name, 6):
        expected = advantages(name, rewards, k)
        assert advantages(name, rewards.tolist(), k) == expected.tolist()
        assert np.array_equal(advantages(name, rewards.numpy(), k), expected.numpy())


@pytest.mark.parametrize("name", NAMES)
def test_the_rewards_are_not_changed(name: str) -> None:
    rewards = batch(name, 6, count=3)
    array, listed = rewards.numpy().copy(), rewards.tolist()
    tensor = rewards.clone()
    for given in (tensor, array, listed):
        advantages(name, given, 2)
    assert tensor.equal(rewards)
    assert np.array_equal(array, rewards.numpy())
    assert listed == rewards.tolist()


def test_rewards_that_require_grad_give_advantages_outside_the_graph() -> None:
    rewards = torch.tensor(REWARDS, requires_grad=True)
    for found in (advantages("canonical", rewards, 2), advantages("grpo", rewards * 2)):
        assert not found.requires_grad
    assert rewards.requires_grad
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("k", [2, np.int64(2), np.uint8(2), torch.tensor(2)], ids=repr)
def test_k_may_be_a_whole_number_of_any_type(k: int) -> None:
    assert advantages("canonical", REWARDS, k) == CANONICAL


def test_k_may_be_left_out_where_none_is_taken_and_changes_nothing_there() -> None:
    for name in ("rloo", "grpo", "dr-grpo", "grpo-passk"):
        assert advantages(name, REWARDS) == advantages(name, REWARDS, 2)
