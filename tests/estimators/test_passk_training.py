"""passk-training on large 0/1 groups, against its terms in rational arithmetic."""

import pytest
import torch
from oracles.coefficients import inclusive, mean_max, value
from oracles.estimators import fractions, root

from maxpo_cli import advantages


def exact(n: int, k: int, successes: int) -> tuple[float, float]:
    """The advantage of a failure and of a success."""
    group = [0] * (n - successes) + [1] * successes
    passk = value(mean_max, group, k, 1)
    (std,) = root(fractions([passk * (1 - passk)]))
    failure, success = (value(inclusive, group, k, t) - passk for t in (1, n))
    return float(failure / std), float(success / std)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-14)], ids=str
)
@pytest.mark.parametrize(
    ("n", "k", "successes"), [(16, 4, 1), (16, 8, 8), (24, 12, 12), (64, 32, 32), (64, 8, 56)]
)
def test_passk_training_is_accurate_when_almost_every_subset_succeeds(
    n: int, k: int, successes: int, dtype: torch.dtype, tolerance: float
) -> None:
    rewards = torch.tensor([0] * (n - successes) + [1] * successes, dtype=dtype)
    found = advantages("passk-training", rewards, k).tolist()
    of_failure, of_success = exact(n, k, successes)
    assert found[0] == pytest.approx(of_failure, rel=tolerance, abs=0)
    assert found[-1] == pytest.approx(of_success, rel=tolerance, abs=0)


@pytest.mark.parametrize("reward", [0.0, 1.0])
def test_passk_training_is_zero_where_all_rewards_are_equal(reward: float) -> None:
    for k in range(1, 7):
        assert advantages("passk-training", [reward] * 6, k) == [0.0] * 6


def test_passk_training_takes_booleans_and_negative_zero_as_binary_rewards() -> None:
    expected = advantages("passk-training", [0.0, 1.0, 0.0], 2)
    assert advantages("passk-training", [False, True, False], 2) == expected
    assert advantages("passk-training", [-0.0, 1.0, 0.0], 2) == expected
