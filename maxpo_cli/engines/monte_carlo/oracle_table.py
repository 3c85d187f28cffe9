"""The oracle's advantages under a Gaussian policy, fast enough to sample.

A table in the standardised coordinate z, evenly spaced so that a draw's cell is a product and not a
search.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.arrays import FloatArray
from maxpo_cli.policies.gaussian import GaussianProblem

CELLS, RANGE = 1 << 16, 9.0
"""Cells of a table, and the deviations from the mean that it goes to: hardly a draw is beyond."""

GAUSS = 0.5 - 0.5 / 3**0.5, 0.5 + 0.5 / 3**0.5
"""Where a line through a function in a cell errs by nothing on average, to the third order."""


@dataclass(frozen=True)
class OracleTable:
    """Q_K(R) − J_K by a line a cell, `offsets + slopes · z`; the outermost go on outside.

    `start` is the left end of the first cell, and `width` that of each.
    """

    start: float
    width: float
    offsets: Tensor
    slopes: Tensor

    def at(self, z: Tensor) -> Tensor:
        """The oracle's advantages of standardised draws, of their shape."""
        flat = z.reshape(-1)
        cell = (flat - self.start).div_(self.width).clamp_(0, len(self.offsets) - 1).int()
        slopes = self.slopes.index_select(0, cell)
        return self.offsets.index_select(0, cell).addcmul_(slopes, flat).view_as(z)


@lru_cache(maxsize=64)
def oracle_table(problem: GaussianProblem, k: int, device: str) -> OracleTable:
    """The table of a problem on a device. A jump of the reward is the end of a cell."""
    policy, width = problem.policy, 2 * RANGE / CELLS
    jumps = [(x - policy.mean) / policy.std for x in policy.reward_function.jumps]
    (shift,) = np.remainder(jumps, width) if jumps else (0.0,)
    start = -RANGE - width + shift
    z: FloatArray = start + width * (np.arange(CELLS + 1.0) + np.array(GAUSS)[:, None])
    values = problem.expected_max(policy.reward_function.at(policy.mean + policy.std * z), k)
    slopes = np.diff(values, axis=0)[0] / np.diff(z, axis=0)[0]
    offsets = values[0] - problem.objective(k) - slopes * z[0]
    tensors = (torch.tensor(each, device=device) for each in (offsets, slopes))
    return OracleTable(start, width, *tensors)
