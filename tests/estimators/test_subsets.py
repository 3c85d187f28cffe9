"""The Leave-Two-Out advantage by listing subsets."""

import torch
from hypothesis import given
from oracles.estimators import ks, oracle
from oracles.groups import DOUBLES, FIXED, batch, groups

from maxpo_cli import advantages
from maxpo_cli.estimators.subsets import l2o_subsets


@FIXED
@given(group=groups(DOUBLES, smallest=3, largest=7))
def test_l2o_by_subsets_equals_its_definition_in_any_order(group: list[float]) -> None:
    size = max(map(abs, group))  # both of its terms may be that large where they cancel
    for k in ks("l2o", len(group)):
        found = l2o_subsets(torch.tensor(group, dtype=torch.float64), k).tolist()
        exact = oracle("l2o", group, k)
        assert max(abs(a - b) for a, b in zip(found, exact, strict=True)) <= 1e-12 * size


def test_l2o_by_subsets_equals_l2o_on_batches_of_larger_groups() -> None:
    rewards = batch("l2o", 14, count=12).reshape(3, 4, 14)
    for k in (2, 3, 7, 13):
        by_subsets = l2o_subsets(rewards, k)
        torch.testing.assert_close(by_subsets, advantages("l2o", rewards, k), rtol=0, atol=1e-13)
