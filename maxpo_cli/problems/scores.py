"""Mean scores of the reward levels of a finite problem, as a matrix or in tabular form."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.arrays import FloatArray

NEARLY_SURE = 1e-3
"""Probability of all other levels from which one level is so likely that three digits cancel."""


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
    """Mean scores of a softmax over outcomes, s̄_b = diagonal_b (u_b − p_b 1), in O(m) numbers.

    The coordinates are u_b = 1_(level b)/√M_b for M_b outcomes at level b. `diagonal`, `[m]`, is
    1/√M_b, and times √M in the limit of many outcomes 1 (engines/README.md, *tabular scores*,
    *orthogonal limit*). `probs`, `[m]`, are the p_b, and `rest` the 1 − p_b.
    """

    diagonal: FloatArray
    probs: FloatArray
    rest: FloatArray

    @classmethod
    def of(cls, diagonal: FloatArray, probs: FloatArray) -> "TabularScores":
        """The mean scores of levels of these probabilities, 1 − p_b as the sum of the others."""
        before, after = np.cumsum(probs)[:-1], np.cumsum(probs[:0:-1])[::-1]
        return cls(diagonal, probs, np.append(0.0, before) + np.append(after, 0.0))

    @property
    def dimension(self) -> int:
        """See `LevelScores`."""
        return int(self.diagonal.shape[-1])

    @property
    def shared(self) -> FloatArray:
        """p_b/√M_b, `[m]`."""
        return self.probs * self.diagonal

    @property
    def matrix(self) -> FloatArray:
        """The mean scores as a matrix `[m, m]`."""
        matrix = np.tile(-self.shared, (len(self.diagonal), 1))
        np.fill_diagonal(matrix, self.rest * self.diagonal)
        return matrix

    def combine(self, weights: Tensor) -> Tensor:
        """See `LevelScores`.

        Coordinate b is weights_b less p_b of all weights. Where p_b is nearly 1 that would cancel:
        it is 1 − p_b of all weights less the other ones.
        """
        diagonal = torch.as_tensor(self.diagonal, device=weights.device)
        share, own = self.probs, weights
        if (self.rest < NEARLY_SURE).any():
            sure = self.rest < NEARLY_SURE
            share = np.where(sure, -self.rest, share)
            is_sure = torch.as_tensor(sure, device=weights.device)
            others = torch.where(is_sure, 0, weights).sum(-1, keepdim=True)
            own = torch.where(is_sure, -others, weights)
        shared = torch.as_tensor(share * self.diagonal, device=weights.device)
        return (own * diagonal).addcmul_(weights.sum(-1, keepdim=True), shared, value=-1)
