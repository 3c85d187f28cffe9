"""The Leave-Two-Out advantage by listing subsets: the definition itself, for comparison."""

from functools import lru_cache
from itertools import chain, combinations
from math import comb

import numpy as np
import torch
from torch import Tensor


def l2o_subsets(rewards: Tensor, k: int) -> Tensor:
    """EI_i − (1/(N−1)) Σ_{j≠i} EI_j^(−i), each EI from all K-subsets of the group.

    A subset S adds max S − max S∖{j} to EI_j for each of its members j, which is 0 except for its
    best; and the same to EI_j^(−i) for each i outside. Equals `l2o`, at C(N, K) subsets per group.

    Takes rewards `[..., N]` in any order and 2 ≤ K ≤ N − 1, gives `[..., N]` in O(K · C(N, K)) time
    and memory per group. MaxPO, arXiv:2606.06080, the Leave-Two-Out definition.
    """
    n = rewards.shape[-1]
    members = _subsets(n, k).to(rewards.device)
    picked = rewards[..., members]
    best, place = picked.max(-1, keepdim=True)
    lead = best - picked.scatter(-1, place, -torch.inf).max(-1, keepdim=True).values
    winner = members.expand(picked.shape).gather(-1, place).squeeze(-1)
    won = torch.zeros_like(rewards).scatter_add_(-1, winner, lead.squeeze(-1))
    held = torch.zeros_like(rewards).index_add_(
        -1, members.flatten(), lead.expand(picked.shape).flatten(-2)
    )
    outside = lead.sum((-2, -1)).unsqueeze(-1) - held
    return won / comb(n - 1, k - 1) - outside / ((n - 1) * comb(n - 2, k - 1))


@lru_cache(maxsize=1)
def _subsets(n: int, k: int) -> Tensor:
    """The K-subsets of 0..N−1, `[C(N, K), K]`."""
    numbers = chain.from_iterable(combinations(range(n), k))
    return torch.from_numpy(np.fromiter(numbers, np.int64, comb(n, k) * k).reshape(-1, k))
