"""The identities between estimators: true in rational arithmetic, and checks that can fail."""

from dataclasses import replace
from fractions import Fraction
from math import nan

import pytest
import torch
from oracles.estimators import fractions, ks, lead, leave_one_out, oracle, std_and_offset
from oracles.groups import batch
from torch import Tensor

from maxpo_cli.estimators import profiles
from maxpo_cli.estimators.identities import IDENTITIES, Identity, Side, largest_deviation
from maxpo_cli.estimators.profiles import ProfileOf
from maxpo_cli.estimators.sorted_groups import SortedGroups

every_identity = pytest.mark.parametrize("identity", IDENTITIES, ids=lambda one: one.statement)


def sorted_batch(identity: Identity, n: int, seed: int = 0) -> SortedGroups:
    name = "passk-training" if identity.binary else "l2o"
    return SortedGroups(batch(name, n, seed=seed).sort(-1).values)


@pytest.mark.parametrize(
    ("identity", "n"),
    [(one, n) for one in IDENTITIES for n in (2, 3, 4, 7, 12, 33) if len(one.ks(n))],
    ids=lambda of: getattr(of, "statement", of),
)
def test_identities_hold_to_rounding(identity: Identity, n: int) -> None:
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


WRONG = (profiles.canonical_profile, profiles.canonical_plugin_profile, profiles.inclusive_profile)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda of: of.__name__)
def test_a_wrong_profile_is_seen_by_an_identity(
    wrong: ProfileOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So no identity compares one function with itself alone."""
    values = SortedGroups.rank_linear

    def scaled(self: SortedGroups, profile_of: ProfileOf, k: int) -> Tensor:
        return values(self, profile_of, k) * (1.01 if profile_of is wrong else 1.0)

    monkeypatch.setattr(SortedGroups, "rank_linear", scaled)
    seen = {
        identity.statement
        for identity in IDENTITIES
        if largest_deviation(identity, sorted_batch(identity, 6)) > 1e-4
    }
    expected = {
        profiles.canonical_profile: {"l2o by pairs = l2o", "l2o = canonical"},
        profiles.canonical_plugin_profile: {"canonical = N/(N−K) · canonical-plugin"},
        profiles.inclusive_profile: {"ei = pkpo − v_{K−1}^(−i)"},
    }
    assert seen >= expected[wrong]


@pytest.mark.parametrize("n", [2, 3, 6])
def test_the_identities_are_exact_in_rational_arithmetic(n: int) -> None:
    for rewards in batch("l2o", n, count=4).tolist():
        group = fractions(rewards)
        for k in ks("canonical", n):
            canonical = oracle("canonical", group, k)
            plugin = oracle("canonical-plugin", group, k)
            left_out = leave_one_out(group, k).tolist()
            assert canonical == [Fraction(n, n - k) * value for value in plugin]
            assert oracle("pkpo-loo", group, k) == [
                value - other / (n - 1) for value, other in zip(canonical, left_out, strict=True)
            ]
            assert k == 1 or oracle("l2o", group, k) == canonical
        assert oracle("canonical", group, 1) == oracle("rloo", group, 1)
        assert oracle("ei", group, n) == lead(group).tolist()
        assert oracle("grpo-passk", group, n) == (lead(group) / std_and_offset(group)).tolist()
