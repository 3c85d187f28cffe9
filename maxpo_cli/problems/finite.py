"""Finite problems: a few reward levels, and what the score looks like on each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.arrays import BoolArray, FloatArray

LARGEST_REWARD = 1e70
"""Rewards farther from 0 than this, or nearer than its inverse, have squares of squares that leave
the range of a double."""

LARGEST_COUNT = 2**60
"""Outcomes a class, or coordinates of a Gaussian, at the most."""


def measurable(rewards: FloatArray) -> BoolArray:
    """Which rewards are 0, or finite and within `LARGEST_REWARD` and its inverse of 1."""
    size = np.abs(rewards)
    return np.asarray((size == 0) | ((size >= 1 / LARGEST_REWARD) & (size <= LARGEST_REWARD)))


class LevelScores(Protocol):
    """The mean scores s̄_b of m levels, in d orthonormal coordinates."""

    @property
    def dimension(self) -> int:
        """d."""

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
        """See `LevelScores`; sums and no matrix product, whose rounding depends on the batch."""
        matrix = torch.as_tensor(self.matrix, device=weights.device)
        return torch.stack([(weights * of).sum(-1) for of in matrix.unbind(-1)]).movedim(0, -1)


@dataclass(frozen=True, eq=False)
class TabularScores:
    """s̄_b = diagonal_b u_b − shared: those of a softmax over outcomes, without an m × m matrix.

    The coordinates are u_b = 1_(level b)/√M_b, `diagonal` is 1/√M_b and `shared` p_b/√M_b, `[m]`.
    """

    diagonal: FloatArray
    shared: FloatArray

    @property
    def dimension(self) -> int:
        """See `LevelScores`."""
        return int(self.diagonal.shape[-1])

    @property
    def matrix(self) -> FloatArray:
        """The same as a matrix `[m, m]`."""
        return np.asarray(np.diag(self.diagonal) - self.shared)

    def combine(self, weights: Tensor) -> Tensor:
        """See `LevelScores`."""
        own = weights * torch.as_tensor(self.diagonal, device=weights.device)
        total = weights.sum(-1, keepdim=True)
        return own.addcmul_(total, torch.as_tensor(self.shared, device=weights.device), value=-1)


Family = tuple[bytes, type[LevelScores], int]


@dataclass(frozen=True, eq=False)
class FiniteProblem:
    """m reward levels, ascending and distinct, each of positive probability.

    Attributes:
        levels: the rewards, `[m]`.
        probs: their probabilities, `[m]`.
        scores: s̄_b = E[s | level b], in d orthonormal coordinates.
        residual: E[‖s‖² | level b] − ‖s̄_b‖², `[m]`.
    """

    levels: FloatArray
    probs: FloatArray
    scores: LevelScores
    residual: FloatArray

    @classmethod
    def of_classes(
        cls, rewards: FloatArray, probs: FloatArray, scores: FloatArray, residual: FloatArray
    ) -> "FiniteProblem":
        """The problem of classes of outcomes, in any order and possibly of equal reward.

        Classes of probability 0 are left out, and classes of one reward become one level.
        """
        kept = probs > 0
        probs, scores, residual = probs[kept], scores[kept], residual[kept]
        levels, level_of = np.unique(rewards[kept], return_inverse=True)
        share = np.zeros((len(levels), len(probs)))
        share[level_of, np.arange(len(probs))] = probs
        total = share.sum(1)
        share /= total[:, None]
        mean = share @ scores
        spread = residual + ((scores - mean[level_of]) ** 2).sum(1)
        return cls(levels, total, DenseScores(mean), share @ spread)

    @property
    def m(self) -> int:
        """How many reward levels it has."""
        return len(self.levels)

    @property
    def family(self) -> Family:
        """Equal for problems that can be evaluated together: the same levels, scores of a kind."""
        return self.levels.tobytes(), type(self.scores), self.scores.dimension

    @cached_property
    def is_binary(self) -> bool:
        """Whether every reward is 0 or 1."""
        return bool(np.isin(self.levels, (0.0, 1.0)).all())

    @cached_property
    def _log_at_most(self) -> FloatArray:
        """log P(r ≤ level c) for c = 1..m−1, exact to the last digits near 0 and near 1."""
        at_most = np.cumsum(self.probs)[:-1]
        above = np.cumsum(self.probs[:0:-1])[::-1]
        return np.asarray(
            np.where(above < at_most, np.log1p(-np.minimum(above, 0.5)), np.log(at_most))
        )

    def oracle_advantages(self, k: int) -> FloatArray:
        """Q_K − V_K on each level, `[m]`, Q_K the expected max of that reward and K − 1 draws.

        Level b gains Δ_c F_c^K at each step c below it, and lacks Δ_c F_c^(K−1) (1 − F_c) at the
        others; the difference of Q_K and V_K would cancel where a high reward is nearly certain.
        """
        steps = np.diff(self.levels)
        gains = steps * np.exp(k * self._log_at_most)
        lacks = -steps * np.exp((k - 1) * self._log_at_most) * np.expm1(self._log_at_most)
        below = np.append(0.0, np.cumsum(gains))
        return np.asarray(below - np.append(np.cumsum(lacks[::-1])[::-1], 0.0))

    def objective(self, k: int) -> float:
        """J_K = E[max of K draws]."""
        return float(self.levels[0] - np.diff(self.levels) @ np.expm1(k * self._log_at_most))

    def gradient(self, k: int) -> FloatArray:
        """∇J_K, `[d]`: −K Σ_c Δ_c F_c^(K−1) ∇F_c with ∇F_c = Σ_{b≤c} p_b s̄_b."""
        steps = np.append(np.diff(self.levels) * np.exp((k - 1) * self._log_at_most), 0.0)
        weights = -k * self.probs * np.cumsum(steps[::-1])[::-1]
        return np.asarray(self.scores.combine(torch.from_numpy(weights)).numpy())


@dataclass(frozen=True, eq=False)
class FiniteFamily:
    """P problems of one `family`, stacked: one group has one advantage a level for all of them.

    Attributes:
        problems: the P problems.
        levels: their rewards, `[m]`.
        scores: their mean scores, `[E, B, m]` in and `[P, E, B, d]` out.
        residual: their residuals, `[P, 1, m]`.
    """

    problems: tuple[FiniteProblem, ...]
    levels: FloatArray
    scores: LevelScores
    residual: FloatArray

    @classmethod
    def of(cls, problems: Sequence[FiniteProblem]) -> "FiniteFamily":
        """The family of these problems."""
        residual = np.stack([problem.residual for problem in problems])[:, None]
        scores = _stacked([problem.scores for problem in problems])
        return cls(tuple(problems), problems[0].levels, scores, residual)

    @property
    def m(self) -> int:
        """How many reward levels each of them has."""
        return len(self.levels)

    def oracle_advantages(self, k: int) -> FloatArray:
        """Q_K − V_K on each level of each problem, `[P, 1, m]`."""
        return np.stack([problem.oracle_advantages(k) for problem in self.problems])[:, None]


def _stacked(scores: Sequence[LevelScores]) -> LevelScores:
    """Mean scores of one kind with leading dimensions for the problem, estimators and groups."""
    parts = [tuple(vars(each).values()) for each in scores]
    return type(scores[0])(
        *(np.stack(arrays)[:, None, None] for arrays in zip(*parts, strict=True))
    )
