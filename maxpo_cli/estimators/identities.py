"""The identities between estimators, as pairs of sides to be computed and compared."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from maxpo_cli.estimators.kinds import STD_OFFSET
from maxpo_cli.estimators.lookup import find
from maxpo_cli.estimators.pairwise import l2o_pairwise
from maxpo_cli.estimators.profiles import leave_one_out_profile, mean_max_profile
from maxpo_cli.estimators.sorted_groups import SortedGroups

Side = Callable[[SortedGroups, int], Tensor]


@dataclass(frozen=True)
class Identity:
    """`left` = `right` on every group of n for each K of `ks(n)`; on 0/1 rewards if `binary`."""

    statement: str
    left: Side
    right: Side
    ks: Callable[[int], range]
    binary: bool = False


def _advantages(name: str) -> Side:
    return find(name).advantages


def _best_without(groups: SortedGroups, _k: int) -> Tensor:
    """max(r) − max(r without i): the lead of the last sorted reward, 0 for the others."""
    rewards = groups.rewards
    without = rewards[..., -1:].expand(rewards.shape).clone()
    without[..., -1] = rewards[..., -2]
    return rewards[..., -1:] - without


def _passk_std(groups: SortedGroups, k: int) -> Tensor:
    passk = groups.lowest(mean_max_profile, k)
    return torch.sqrt(passk * (1 - passk))


IDENTITIES = (
    Identity(
        "l2o by pairs = l2o",
        l2o_pairwise,
        _advantages("l2o"),
        lambda n: range(2, n),
    ),
    Identity(
        "l2o = canonical",
        l2o_pairwise,
        _advantages("canonical"),
        lambda n: range(2, n),
    ),
    Identity(
        "canonical = N/(N−K) · canonical-plugin",
        _advantages("canonical"),
        lambda groups, k: _advantages("canonical-plugin")(groups, k) * (groups.n / (groups.n - k)),
        lambda n: range(1, n),
    ),
    Identity(
        "canonical at K=1 = rloo",
        _advantages("canonical"),
        _advantages("rloo"),
        lambda _n: range(1, 2),
    ),
    Identity(
        "ei = pkpo − v_{K−1}^(−i)",
        _advantages("ei"),
        lambda groups, k: (
            _advantages("pkpo")(groups, k) - groups.rank_linear(leave_one_out_profile, k - 1)
        ),
        lambda n: range(2, n + 1),
    ),
    Identity(
        "ei at K=N = max r − max r without i",
        lambda groups, _k: _advantages("ei")(groups, groups.n),
        _best_without,
        lambda n: range(n, n + 1),
    ),
    Identity(
        "grpo-passk · (std + 1e-6) = ei at K=N",
        lambda groups, k: _advantages("grpo-passk")(groups, k) * (groups.std + STD_OFFSET),
        lambda groups, _k: _advantages("ei")(groups, groups.n),
        lambda n: range(n, n + 1),
    ),
    Identity(
        "pkpo-loo = canonical − v_K^(−i)/(N−1)",
        _advantages("pkpo-loo"),
        lambda groups, k: (
            _advantages("canonical")(groups, k)
            - groups.rank_linear(leave_one_out_profile, k) / (groups.n - 1)
        ),
        lambda n: range(1, n),
    ),
    Identity(
        "passk-training · std of pass@K = canonical-plugin",
        lambda groups, k: _advantages("passk-training")(groups, k) * _passk_std(groups, k),
        _advantages("canonical-plugin"),
        lambda n: range(1, n + 1),
        binary=True,
    ),
)


def largest_deviation(identity: Identity, groups: SortedGroups) -> float:
    """The largest |left − right| over the groups and K, relative to each group's largest |r|."""
    size = groups.rewards.abs().amax(-1, keepdim=True).clamp(min=torch.finfo().tiny)
    deviations = [
        ((identity.left(groups, k) - identity.right(groups, k)) / size).abs().max()
        for k in identity.ks(groups.n)
    ]
    # torch's maximum, unlike Python's, does not ignore a NaN.
    return float(torch.stack([torch.zeros_like(size.max()), *deviations]).max())
