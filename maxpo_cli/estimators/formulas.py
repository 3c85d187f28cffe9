"""The estimators that are not linear in the sorted rewards, or that take no K."""

import torch
from torch import Tensor

from maxpo_cli.estimators.groups import SortedGroups
from maxpo_cli.estimators.profiles import canonical_plugin_profile, mean_max_profile

STD_OFFSET = 1e-6
"""What frameworks add to a group's standard deviation before they divide by it."""


def rloo(groups: SortedGroups, _k: int) -> Tensor:
    """r_i minus the mean of the others (arXiv:2402.14740)."""
    return groups.centered * (groups.n / (groups.n - 1))


def grpo(groups: SortedGroups, _k: int) -> Tensor:
    """(r_i − mean) / (std + 1e-6), sample standard deviation (arXiv:2402.03300)."""
    return groups.centered / (groups.std + STD_OFFSET)


def dr_grpo(groups: SortedGroups, _k: int) -> Tensor:
    """r_i − mean (arXiv:2503.20783)."""
    return groups.centered


def grpo_passk(groups: SortedGroups, _k: int) -> Tensor:
    """(max(r) − max(r without i)) / (std + 1e-6): non-zero only for a unique best.

    The Best-of-N estimator of arXiv:2503.19595 in the form that training frameworks ship.
    """
    lead = groups.spacings[..., -1:] / (groups.std + STD_OFFSET)
    return torch.nn.functional.pad(lead, (groups.n - 1, 0))


def passk_training(groups: SortedGroups, k: int) -> Tensor:
    """(q_i − v_K) / sqrt(v_K (1 − v_K)), 0 where the root is 0; 0/1 rewards (arXiv:2508.10751)."""
    passk = groups.lowest(mean_max_profile, k)
    gap = groups.rank_linear(canonical_plugin_profile, k)
    # A success has q = 1, so its gap is 1 − v_K without the cancellation when v_K is close to 1.
    miss = torch.where(groups.rewards[..., -1:] > 0, gap[..., -1:], 1 - passk)
    std = (passk * miss).clamp(min=0).sqrt()
    return torch.where(std > 0, gap / std, torch.zeros_like(gap))
