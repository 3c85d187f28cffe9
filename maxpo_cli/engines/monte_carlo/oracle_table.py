"""A table of the oracle's advantages under a continuous problem, fast enough for sampling.

It is in the latent draw z, and evenly spaced, so that a draw's cell is a product and not a search.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.arrays import FloatArray
from maxpo_cli.problems.continuous import ContinuousProblem

CELLS = 1 << 16
"""Cells of a table over the span of z."""

ON_END = 1e-6
"""Share of a cell within which a jump is at its end."""

GAUSS = 0.5 - 0.5 / 3**0.5, 0.5 + 0.5 / 3**0.5
"""Points of a cell: a line through a function there has no mean error, to the third order."""


@dataclass(frozen=True)
class OracleTable:
    """Q_K(R) − J_K by one line per cell, `offsets + slopes · z`; the outermost ones have no end.

    `start` is the left end of the first cell, and `width` that of each; `cuts` are points that cut
    the cells they are in into two.
    """

    start: float
    width: float
    cuts: tuple[float, ...]
    offsets: Tensor
    slopes: Tensor

    def at(self, z: Tensor) -> Tensor:
        """The oracle's advantages of draws, of their shape."""
        flat = z.reshape(-1)
        last = len(self.offsets) - len(self.cuts) - 1
        cell = (flat - self.start).div_(self.width).clamp_(0, last).int()
        for cut in self.cuts:
            cell += flat > cut
        slopes = self.slopes.index_select(0, cell)
        return self.offsets.index_select(0, cell).addcmul_(slopes, flat).view_as(z)


@lru_cache(maxsize=64)
def oracle_table(problem: ContinuousProblem, k: int, device: str) -> OracleTable:
    """The table of a problem on a device. A jump of the reward ends a cell or cuts one."""
    low, high = problem.span
    width = (high - low) / CELLS
    first, *others = sorted(problem.jumps) or (low,)
    start = low - width + np.remainder(first - low, width)
    within = (np.array(others) - start) / width
    inside = (within > 0) & (within < CELLS + 1) & (abs(within - np.round(within)) > ON_END)
    ends = np.sort(np.append(np.arange(CELLS + 2.0), within[inside]))
    z: FloatArray = start + width * (ends[:-1] + np.diff(ends) * np.array(GAUSS)[:, None])
    values = problem.expected_max(problem.rewards(torch.from_numpy(z)).numpy(), k)
    slopes = np.diff(values, axis=0)[0] / np.diff(z, axis=0)[0]
    offsets = values[0] - problem.objective(k) - slopes * z[0]
    tensors = (torch.tensor(each, device=device) for each in (offsets, slopes))
    return OracleTable(start, width, tuple(np.array(others)[inside].tolist()), *tensors)
