"""Q_K of a continuous reward, interpolated: what the oracle needs of a Gaussian policy."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from maxpo_cli.policies.gaussian import GaussianProblem


@dataclass(frozen=True)
class Places:
    """Where rewards are in a table: their cell, flat, and how far through it they are."""

    cell: Tensor
    share: Tensor


@dataclass(frozen=True)
class QTable:
    """Q_K of a continuous reward by cubic Hermite interpolation, and J_K = E Q_K.

    `cubics` `[4, cells]` are the coefficients of the cells between the thresholds, which all K of a
    problem share.
    """

    thresholds: Tensor
    cubics: Tensor
    objective: float

    def places(self, rewards: Tensor) -> Places:
        """Where these rewards are, for the table of any K."""
        last = len(self.thresholds) - 2
        cell = torch.bucketize(rewards.reshape(-1), self.thresholds).sub_(1).clamp_(0, last)
        left, width = (
            each.index_select(0, cell).view_as(rewards)
            for each in (self.thresholds, self.thresholds.diff())
        )
        return Places(cell, (rewards - left).div_(width))

    def of(self, places: Places) -> Tensor:
        """Q_K of the rewards at these places."""
        flat = places.share.reshape(-1)
        value = self.cubics[3].index_select(0, places.cell)
        for cubic in self.cubics[:3].flip(0):
            value = value.mul_(flat).add_(cubic.index_select(0, places.cell))
        return value.view_as(places.share)

    def at(self, rewards: Tensor) -> Tensor:
        """Q_K of these rewards."""
        return self.of(self.places(rewards))


@lru_cache(maxsize=64)
def q_table(problem: GaussianProblem, k: int, device: str) -> QTable:
    """The table of Q_K of this problem on a device."""
    thresholds, values, slopes = (torch.tensor(each) for each in problem.q_table(k))
    width, rise = thresholds.diff(), values.diff()
    bend_left, bend_right = width * slopes[:-1] - rise, rise - width * slopes[1:]
    # values + s (rise + (1 − s) ((1 − s) bend_left + s bend_right)), by powers of s.
    cubics = torch.stack(
        [values[:-1], width * slopes[:-1], bend_right - 2 * bend_left, bend_left - bend_right]
    )
    return QTable(thresholds.to(device), cubics.to(device), problem.objective(k))
