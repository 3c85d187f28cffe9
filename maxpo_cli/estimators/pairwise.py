"""The paper's own, quadratic definition of the Leave-Two-Out advantage, beside the fast one."""

import torch
from torch import Tensor

from maxpo_cli.estimators.groups import SortedGroups
from maxpo_cli.estimators.profiles import expected_improvement_profile


def l2o_pairwise(groups: SortedGroups, k: int) -> Tensor:
    """EI_i − (1/(N−1)) Σ_{j≠i} EI_j^(−i), EI_j^(−i) computed on the group without i.

    Takes sorted groups `[..., N]` and 2 ≤ K ≤ N − 1, gives `[..., N]` in O(N²) time and memory a
    group. MaxPO, arXiv:2606.06080, the Leave-Two-Out definition; equals `l2o`.
    """
    n = groups.n
    position = torch.arange(n - 1, device=groups.rewards.device)
    without = position + (position >= torch.arange(n, device=position.device)[:, None])
    others = SortedGroups(groups.rewards[..., without])
    baseline = others.rank_linear(expected_improvement_profile, k).mean(-1)
    return groups.rank_linear(expected_improvement_profile, k) - baseline
