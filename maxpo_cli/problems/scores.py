"""Mean scores of the reward levels of a finite problem, as a matrix or in tabular form."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.arrays import FloatArray


class LevelScores(Protocol):
    """The mean scores s̄_b = E[s | level b] of m levels, in d orthonormal coordinates."""

    @property
    def dimension(self) -> int:
        """The number of coordinates, d."""

    @property
    def matrix(self) -> FloatArray:
        """The mean scores as a matrix `[m, d]`."""

    def combine(self, weights: Tensor) -> Tensor:
        """Σ_b weights_b s̄_b, `[..., m]` in and `[..., d]` out."""


@dataclass(frozen=True, eq=False)
class DenseScores:
    """Mean scores as a matrix `[m, d]`, for few levels."""

    matrix: FloatArray

    @property
    def dimension(self) -> int:
        """See `LevelScores`."""
        return int(self.matrix.shape[-1])

    def combine(self, weights: Tensor) -> Tensor:
        """See `LevelScores`; by sums, as the rounding of matrix products depends on the batch."""
        matrix = torch.as_tensor(self.matrix, device=weights.device)
        return torch.stack([(weights * of).sum(-1) for of in matrix.unbind(-1)]).movedim(0, -1)


@dataclass(frozen=True, eq=False)
class TabularScores:
    """Mean scores of a softmax over outcomes, s̄_b = diagonal_b u_b − shared, in O(m) numbers.

    The coordinates are u_b = 1_(level b)/√M_b for M_b outcomes at level b. `diagonal`, `[m]`, is
    1/√M_b and `shared`, `[m]`, is p_b/√M_b (engines/README.md, *tabular scores*). Times √M in the
    limit of many outcomes they are 1 and p_b (*orthogonal limit*).
    """

    diagonal: FloatArray
    shared: FloatArray

    @property
    def dimension(self) -> int:
        """See `LevelScores`."""
        return int(self.diagonal.shape[-1])

    @property
    def matrix(self) -> FloatArray:
        """The mean scores as a matrix `[m, m]`."""
        return np.asarray(np.diag(self.diagonal) - self.shared)

    def combine(self, weights: Tensor) -> Tensor:
        """See `LevelScores`."""
        own = weights * torch.as_tensor(self.diagonal, device=weights.device)
        total = weights.sum(-1, keepdim=True)
        return own.addcmul_(total, torch.as_tensor(self.shared, device=weights.device), value=-1)
