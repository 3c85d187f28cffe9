"""The identities between estimators: true in rational arithmetic, and checks that can fail."""

from dataclasses import replace
from fractions import Fraction
from math import nan

import pytest
import torch
from oracle_estimators import ks, max_leaving_out, oracle, std_and_offset, without
from reward_groups import batch
from torch import Tensor

from maxpo_cli.estimators.groups import SortedGroups
from maxpo_cli.estimators.identities import IDENTITIES, Identity, Side, largest_deviation

every_identity = pytest.mark.parametrize("identity", IDENTITIES, ids=lambda one: one.statement)


def sorted_batch(identity: Identity, n: int, seed: int = 0) -> SortedGroups:
    name = "passk-training" if identity.binary else "l2o"
    return SortedGroups(batch(name, n, seed=seed).sort(-1).values)


@every_identity
@pytest.mark.parametrize("n", [2, 3, 4, 7, 12, 33])
def test_identities_hold_to_rounding(identity: Identity, n: int) -> None:
    if len(identity.ks(n)):
        assert largest_deviation(identity, sorted_batch(identity, n)) <= 1e-12


@every_identity
def test_identities_hold_on_groups_of_zeros(identity: Identity) -> None:
    zeros = SortedGroups(torch.zeros(2, 5, dtype=torch.float64))
    assert largest_deviation(identity, zeros) == 0


def disturbed(side: Side, at: int, by: float) -> Side:
    """The side, with one advantage of every group moved at one K."""

    def moved(groups: SortedGroups, k: int) -> Tensor:
        values = side(groups, k).clone()
        values[..., 1] += by if k == at else 0.0
        return values

    return moved


@every_identity
@pytest.mark.parametrize("which", ["left", "right"])
def test_a_wrong_side_at_a_single_k_gives_a_large_deviation(identity: Identity, which: str) -> None:
    groups = sorted_batch(identity, 6)
    for k in identity.ks(6):
        wrong = disturbed(getattr(identity, which), k, 0.01)
        assert largest_deviation(replace(identity, **{which: wrong}), groups) > 1e-3


@every_identity
def test_a_side_that_is_nan_at_a_single_k_is_not_a_small_deviation(identity: Identity) -> None:
    groups = sorted_batch(identity, 6)
    for k in identity.ks(6):
        wrong = replace(identity, right=disturbed(identity.right, k, nan))
        assert not largest_deviation(wrong, groups) <= 1e-12


@pytest.mark.parametrize("n", [2, 3, 6])
def test_the_identities_are_exact_in_rational_arithmetic(n: int) -> None:
    for rewards in batch("l2o", n, count=4).tolist():
        group = tuple(map(Fraction, rewards))
        for k in ks("canonical", n):
            canonical = oracle("canonical", group, k)
            plugin = oracle("canonical-plugin", group, k)
            left_out = [max_leaving_out(group, k, i) for i in range(n)]
            assert canonical == [Fraction(n, n - k) * value for value in plugin]
            assert oracle("pkpo-loo", group, k) == [
                value - other / (n - 1) for value, other in zip(canonical, left_out, strict=True)
            ]
            assert k == 1 or oracle("l2o", group, k) == canonical
        assert oracle("canonical", group, 1) == oracle("rloo", group, 1)
        lead = [max(group) - max(without(group, i)) for i in range(n)]
        assert oracle("ei", group, n) == lead
        assert oracle("grpo-passk", group, n) == [gap / std_and_offset(group) for gap in lead]
