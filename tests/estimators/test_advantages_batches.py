"""`advantages` on batches: rewards that are not finite, no groups, and work in several passes."""

from math import inf, nan

import numpy as np
import pytest
import torch
from oracles.estimators import NAMES, TAKE_NO_K, ks
from oracles.groups import batch

from maxpo_cli import advantages
from maxpo_cli.estimators import api

every_estimator = pytest.mark.parametrize("name", NAMES)


@every_estimator
@pytest.mark.parametrize("bad", [(nan,), (inf,), (-inf,), (inf, -inf), (inf, inf), (nan, -inf)])
def test_a_group_that_is_not_finite_is_nan_and_leaves_the_others_alone(
    name: str, bad: tuple[float, ...]
) -> None:
    clean = batch(name, 5, count=3)
    for k in ks(name, 5):
        expected = advantages(name, clean, k)
        expected[1] = nan
        for start in range(6 - len(bad)):
            rewards = clean.clone()
            rewards[1, start : start + len(bad)] = torch.tensor(bad)
            found = advantages(name, rewards, k)
            torch.testing.assert_close(found, expected, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("bad", [nan, inf, -inf])
def test_a_group_of_one_that_is_not_finite_is_nan(bad: float) -> None:
    for name in ("pkpo", "ei", "canonical-plugin", "passk-training", "dr-grpo"):
        assert np.isnan(advantages(name, [bad], 1)).all()


def test_a_group_of_one_has_its_reward_or_nothing_as_its_advantage() -> None:
    assert advantages("pkpo", [3.0], 1) == advantages("ei", [3.0], 1) == [3.0]
    assert advantages("canonical-plugin", [3.0], 1) == advantages("dr-grpo", [3.0]) == [0.0]
    assert advantages("passk-training", [1.0], 1) == [0.0]


@every_estimator
@pytest.mark.parametrize("shape", [(0, 4), (0, 3, 4), (3, 0, 4)])
def test_no_groups_have_no_advantages(name: str, shape: tuple[int, ...]) -> None:
    assert advantages(name, torch.empty(shape), 2).shape == shape
    found = advantages(name, np.empty(shape, dtype=np.float32), 2)
    assert found.shape == shape
    assert found.dtype == np.float32


@every_estimator
def test_groups_in_different_passes_have_the_values_they_have_alone(name: str) -> None:
    n = 64
    rows = api.CPU_PASS // n
    rewards = batch(name, n, count=2 * rows + 3)
    found = advantages(name, rewards, 8)
    for row in (0, rows - 1, rows, rows + 1, 2 * rows - 1, 2 * rows, 2 * rows + 2):
        alone = advantages(name, rewards[row], 8)
        torch.testing.assert_close(found[row], alone, rtol=1e-13, atol=1e-14)


@every_estimator
@pytest.mark.parametrize("per_pass", [1, 7, 8, 17])
def test_the_size_of_a_pass_does_not_change_the_answer(
    name: str, per_pass: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewards = batch(name, 8, count=6).reshape(2, 3, 8)
    expected = advantages(name, rewards, 3)
    monkeypatch.setattr(api, "CPU_PASS", per_pass)
    torch.testing.assert_close(advantages(name, rewards, 3), expected, rtol=1e-14, atol=1e-15)


@every_estimator
def test_the_shape_of_the_batch_is_kept(name: str) -> None:
    k = None if name in TAKE_NO_K else 3
    for shape in ((5,), (1, 5), (2, 3, 5), (1, 1, 2, 5)):
        count = int(np.prod(shape[:-1]))
        rewards = batch(name, 5, count=count).reshape(shape)
        assert advantages(name, rewards, k).shape == shape
        assert np.shape(advantages(name, rewards.tolist(), k)) == shape
