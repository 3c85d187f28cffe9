"""The paper's own, quadratic definition of the Leave-Two-Out advantage, for comparison."""

import torch
from torch import Tensor

from maxpo_cli.estimators.profiles import expected_improvement_profile
from maxpo_cli.estimators.sorted_groups import SortedGroups

BLOCK = 1 << 18
"""Rewards that are held at once, so that they stay in a CPU's cache."""


def l2o_pairwise(groups: SortedGroups, k: int) -> Tensor:
    """EI_i − (1/(N−1)) Σ_{j≠i} EI_j^(−i), EI_j^(−i) computed on the group without i.

    Takes sorted groups `[..., N]` and 2 ≤ K ≤ N − 1, gives `[..., N]` in O(N²) time per group.
    MaxPO, arXiv:2606.06080, the Leave-Two-Out definition; equals `l2o`.
    """
    n, rewards = groups.n, groups.rewards
    every = torch.arange(n, device=rewards.device)

    def baseline(of: Tensor) -> Tensor:
        """The mean improvement of the others, in the group without each of `of`."""
        without = every[:-1] + (every[:-1] >= of[:, None])
        return SortedGroups(rewards[..., without]).rank_linear(improvement, k).mean(-1)

    improvement = expected_improvement_profile
    blocks = torch.split(every, max(1, BLOCK // (rewards.numel() + 1)))
    return groups.rank_linear(improvement, k) - torch.cat([baseline(of) for of in blocks], -1)
