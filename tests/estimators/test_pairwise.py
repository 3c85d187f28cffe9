"""The quadratic Leave-Two-Out definition of the paper."""

import pytest
import torch
from hypothesis import given
from oracles.estimators import ks, oracle, relative_error
from oracles.groups import DOUBLES, FIXED, batch, groups

from maxpo_cli import advantages
from maxpo_cli.estimators.pairwise import l2o_pairwise
from maxpo_cli.estimators.sorted_groups import SortedGroups


@FIXED
@given(group=groups(DOUBLES, smallest=3, largest=7))
def test_l2o_by_pairs_equals_its_definition_over_subsets(group: list[float]) -> None:
    ascending = sorted(group)
    sorted_group = SortedGroups(torch.tensor(ascending, dtype=torch.float64))
    size = max(map(abs, group))  # both of its terms may be that large where they cancel
    for k in ks("l2o", len(group)):
        found = l2o_pairwise(sorted_group, k).tolist()
        exact = oracle("l2o", ascending, k)
        assert max(abs(a - b) for a, b in zip(found, exact, strict=True)) <= 1e-12 * size


@pytest.mark.parametrize("block", [1, 1500, 1 << 18])
def test_l2o_by_pairs_equals_l2o_on_batches_of_larger_groups(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maxpo_cli.estimators.pairwise.BLOCK", block)
    rewards = batch("l2o", 40, count=12).sort(-1).values.reshape(3, 4, 40)
    for k in (2, 3, 20, 38, 39):
        pairwise = l2o_pairwise(SortedGroups(rewards), k)
        torch.testing.assert_close(pairwise, advantages("l2o", rewards, k), rtol=0, atol=1e-13)


def test_l2o_equals_canonical_when_k_is_below_n() -> None:
    for group in batch("l2o", 6, count=4).tolist():
        for k in range(2, 6):
            assert oracle("l2o", group, k) == oracle("canonical", group, k)
            assert relative_error(advantages("l2o", group, k), "canonical", group, k) <= 1e-12
