"""Groups of rewards in ascending order, with what several estimators need computed once."""

from functools import cached_property

import torch
from torch import Tensor

from maxpo_cli.estimators.profiles import ProfileOf
from maxpo_cli.estimators.weights import Weights, weights


class SortedGroups:
    """Groups `[..., N]` of finite floating-point rewards, ascending in the last dimension."""

    def __init__(self, rewards: Tensor) -> None:
        if rewards.ndim == 0 or not rewards.is_floating_point():
            raise TypeError("SortedGroups takes floating-point rewards [..., N]")
        self.rewards = rewards

    @property
    def n(self) -> int:
        """The group size N."""
        return self.rewards.shape[-1]

    @cached_property
    def spacings(self) -> Tensor:
        """r_(t+1) − r_(t), `[..., N−1]`: exactly 0 between ties."""
        return self.rewards[..., 1:] - self.rewards[..., :-1]

    @cached_property
    def centered(self) -> Tensor:
        """Rewards minus their group mean, `[..., N]`: exactly 0 in a group of equal rewards."""
        shifted = self.rewards - self.rewards[..., :1]
        return shifted - shifted.mean(-1, keepdim=True)

    @cached_property
    def std(self) -> Tensor:
        """Sample standard deviation (N − 1 in the denominator), `[..., 1]`."""
        size = self.rewards[..., -1:] - self.rewards[..., :1]
        scaled = self.centered / torch.where(size > 0, size, 1)  # squares stay in range
        return size * (scaled.square().sum(-1, keepdim=True) / (self.n - 1)).sqrt()

    def lowest(self, profile_of: ProfileOf, k: int) -> Tensor:
        """The rank-linear value of the lowest reward, `[..., 1]`."""
        weight = self._weights(profile_of, k)
        value = (self.spacings * weight.below).sum(-1, keepdim=True)
        return value + weight.whole * self.rewards[..., :1] if weight.whole else value

    def rank_linear(self, profile_of: ProfileOf, k: int) -> Tensor:
        """The rank-linear value of every reward, `[..., N]`: one prefix sum over the spacings."""
        out = torch.empty_like(self.rewards)
        out[..., :1] = self.lowest(profile_of, k)
        torch.mul(self.spacings, self._weights(profile_of, k).rise, out=out[..., 1:])
        return out.cumsum_(-1)

    def _weights(self, profile_of: ProfileOf, k: int) -> Weights:
        return weights(profile_of, self.n, k, self.rewards.dtype, str(self.rewards.device))
