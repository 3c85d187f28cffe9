"""Q_K of a continuous reward, interpolated: what the oracle needs of a Gaussian policy."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from maxpo_cli.policies.gaussian import GaussianProblem


@dataclass(frozen=True)
class QTable:
    """Q_K of a continuous reward by cubic Hermite interpolation, and J_K = E Q_K."""

    thresholds: Tensor
    values: Tensor
    slopes: Tensor
    objective: float

    def at(self, rewards: Tensor) -> Tensor:
        """Q_K of these rewards."""
        right = torch.bucketize(rewards, self.thresholds).clamp_(1, len(self.thresholds) - 1)
        left = right - 1
        width = self.thresholds[right] - self.thresholds[left]
        s = (rewards - self.thresholds[left]) / width
        rise = self.values[right] - self.values[left]
        bend_left = width * self.slopes[left] - rise
        bend_right = rise - width * self.slopes[right]
        return self.values[left] + s * (rise + (1 - s) * ((1 - s) * bend_left + s * bend_right))


@lru_cache(maxsize=64)
def q_table(problem: GaussianProblem, k: int, device: str) -> QTable:
    """The table of Q_K of this problem on a device."""
    thresholds, values, slopes = (torch.tensor(a, device=device) for a in problem.q_table(k))
    return QTable(thresholds, values, slopes, problem.objective(k))
