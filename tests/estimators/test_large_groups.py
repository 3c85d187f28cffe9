"""Groups too large to list subsets of."""

import pytest
import torch
from oracles.estimators import NAMES, ks
from oracles.groups import batch

from maxpo_cli import advantages

SOME_KS = {1, 2, 7, 2048, 4095, 4096}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_advantages_of_4096_rewards_are_finite_and_not_all_zero(
    name: str, dtype: torch.dtype
) -> None:
    rewards = batch(name, 4096, 2, dtype)
    for k in SOME_KS.intersection(ks(name, 4096)):
        found = advantages(name, rewards, k)
        assert found.isfinite().all()
        if k <= 7:
            assert found.any()


@pytest.mark.parametrize("n", [3, 8, 33, 64])
def test_l2o_is_centered_to_rounding_at_every_k(n: int) -> None:
    rewards = batch("l2o", n)
    spread = rewards.amax(-1) - rewards.amin(-1)
    for k in range(2, n):
        assert (advantages("l2o", rewards, k).mean(-1).abs() <= 1e-13 * spread).all()


def test_a_group_of_more_rewards_than_one_cpu_pass_takes_is_one_group() -> None:
    n = 2**18 + 1
    rewards = torch.arange(2 * n, dtype=torch.float64).reshape(2, n)
    expected = torch.arange(n, dtype=torch.float64) - (n - 1) / 2
    torch.testing.assert_close(advantages("dr-grpo", rewards), expected.expand(2, n))
