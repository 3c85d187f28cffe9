"""Formulas on the rewards themselves: of what is not rank-linear, or quicker this way."""

import torch
from torch import Tensor

from maxpo_cli.estimators.profiles import canonical_plugin_profile, mean_max_profile
from maxpo_cli.estimators.sorted_groups import SortedGroups


def less_mean_of_others(groups: SortedGroups, _k: int) -> Tensor:
    """r_i − the mean of the others (arXiv:2402.14740)."""
    return groups.centered * (groups.n / (groups.n - 1))


def less_mean(groups: SortedGroups, _k: int) -> Tensor:
    """r_i − the mean of the group (arXiv:2503.20783)."""
    return groups.centered


def lead_of_the_best(groups: SortedGroups, _k: int) -> Tensor:
    """max(r) − max(r without i): non-zero only for a unique best (arXiv:2503.19595)."""
    return torch.nn.functional.pad(groups.spacings[..., -1:], (groups.n - 1, 0))


def passk_training(groups: SortedGroups, k: int) -> Tensor:
    """(q_i − v_K) / sqrt(v_K (1 − v_K)), 0 where the root is 0; 0/1 rewards (arXiv:2508.10751)."""
    passk = groups.lowest(mean_max_profile, k)
    gap = groups.rank_linear(canonical_plugin_profile, k)
    # A success has q = 1, so its gap is 1 − v_K without the cancellation when v_K is close to 1.
    miss = torch.where(groups.rewards[..., -1:] > 0, gap[..., -1:], 1 - passk)
    std = (passk * miss).clamp(min=0).sqrt()
    return torch.where(std > 0, gap / std, torch.zeros_like(gap))
