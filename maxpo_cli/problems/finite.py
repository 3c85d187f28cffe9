"""Finite problems: reward levels with probabilities, and the moments of the score on each level."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from maxpo_cli.arrays import FloatArray, IntArray
from maxpo_cli.problems.scores import DenseScores, LevelScores, TabularScores

Family = tuple[bytes, type[LevelScores], int, bool]


@dataclass(frozen=True, eq=False)
class FiniteProblem:
    """m reward levels, ascending and distinct, each of positive probability.

    Attributes:
        levels: the rewards, `[m]`.
        probs: their probabilities, `[m]`.
        scores: the mean scores s̄_b = E[s | level b], in d orthonormal coordinates.
        residual: E[‖s‖² | level b] − ‖s̄_b‖², `[m]`.
        orthogonal: whether it is the limit of infinitely many outcomes per level. Then `scores` are
            the mean scores times √M as M → ∞ and `residual` is E[‖s‖² | level b], compared with
            which ‖s̄_b‖² vanishes (engines/README.md, *orthogonal limit*).
    """

    levels: FloatArray
    probs: FloatArray
    scores: LevelScores
    residual: FloatArray
    orthogonal: bool = False

    @classmethod
    def of_classes(
        cls, rewards: FloatArray, probs: FloatArray, scores: FloatArray, residual: FloatArray
    ) -> "FiniteProblem":
        """The problem of classes of outcomes, in any order and possibly of equal reward.

        Classes of probability 0 are left out, and classes of equal reward become one level.

        Args:
            rewards, probs: reward and probability of each class, `[c]`.
            scores: mean score of each class, `[c, d]`.
            residual: E[‖s‖² | class] less the squared length of the mean score, `[c]`.
        """
        levels, total, share, level_of = _merged(rewards, probs)
        scores, residual = scores[probs > 0], residual[probs > 0]
        mean = share @ scores
        spread = residual + ((scores - mean[level_of]) ** 2).sum(1)
        return cls(levels, total, DenseScores(mean), share @ spread)

    @classmethod
    def tabular(
        cls, rewards: FloatArray, probs: FloatArray, outcomes: FloatArray
    ) -> "FiniteProblem":
        """The problem of a softmax over `outcomes[b]` equally likely outcomes of each class b.

        A class's mean score leaves a residual of 1 − 1/M_b (engines/README.md, *tabular scores*).
        Classes are merged as in `of_classes`.

        Args:
            rewards, probs: reward and probability of each whole class, `[c]`.
            outcomes: the number M_b of outcomes of each class, `[c]`.
        """
        root, residual = np.sqrt(outcomes), 1 - 1 / outcomes
        scores = TabularScores.of(1 / root, probs)
        if (np.diff(rewards) > 0).all() and (probs > 0).all():
            return cls(rewards, probs, scores, residual)
        return cls.of_classes(rewards, probs, scores.matrix, residual)

    @classmethod
    def in_the_limit(
        cls, rewards: FloatArray, probs: FloatArray, norms: FloatArray
    ) -> "FiniteProblem":
        """The problem of a softmax over infinitely many outcomes per class, all classes alike.

        Classes are merged as in `of_classes`, and the limit is taken of the merged levels
        (engines/README.md, *orthogonal limit*).

        Args:
            rewards, probs: reward and probability of each class, `[c]`.
            norms: E[‖s‖² | class], `[c]`; the limit itself has 1.
        """
        levels, total, share, _ = _merged(rewards, probs)
        scores = TabularScores.of(np.ones_like(total), total)
        return cls(levels, total, scores, share @ norms[probs > 0], orthogonal=True)

    @property
    def m(self) -> int:
        """The number of reward levels."""
        return len(self.levels)

    @property
    def dimension(self) -> int:
        """See `Problem`."""
        return self.scores.dimension

    @property
    def mean_weight(self) -> float:
        """See `Problem`."""
        return 0.0 if self.orthogonal else 1.0

    @property
    def family(self) -> Family:
        """A key that is equal for problems that can be evaluated together (see `FiniteFamily`)."""
        return self.levels.tobytes(), type(self.scores), self.dimension, self.orthogonal

    @cached_property
    def is_binary(self) -> bool:
        """See `Problem`."""
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
        """J_K = E[max of K draws] (engines/README.md, *layer cake*).

        Steps are counted up and down from the median of the max: from the lowest level a max that
        is nearly certain would be the difference of large numbers.
        """
        steps, log_below = np.diff(self.levels), k * self._log_at_most
        is_below = log_below < np.log(0.5)
        away = np.where(is_below, -np.exp(log_below), -np.expm1(log_below))
        return float(self.levels[is_below.sum()] + steps @ away)

    def gradient(self, k: int) -> FloatArray:
        """∇J_K, `[d]`, in the units of `scores`.

        It is −K Σ_c Δ_c F_c^(K−1) ∇F_c with ∇F_c = Σ_{b≤c} p_b s̄_b = −Σ_{b>c} p_b s̄_b, of which the
        less likely side is taken: a small gradient would drown in the rounding of the other.
        """
        steps = np.diff(self.levels) * np.exp((k - 1) * self._log_at_most)
        upper = self._log_at_most > np.log(0.5)
        of_upper = np.append(0.0, np.cumsum(np.where(upper, steps, 0.0)))
        of_lower = np.append(np.cumsum(np.where(upper, 0.0, steps)[::-1])[::-1], 0.0)
        weights = k * self.probs * (of_upper - of_lower)
        return np.asarray(self.scores.combine(torch.from_numpy(weights)).numpy())


def _merged(
    rewards: FloatArray, probs: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, IntArray]:
    """The distinct rewards of positive probability, and the classes that each consists of.

    Returns:
        The levels and their probabilities, `[m]` each; the share of each kept class in its level,
        `[m, c]`; and the level of each kept class, `[c]`.
    """
    kept = probs > 0
    levels, level_of = np.unique(rewards[kept], return_inverse=True)
    share = np.zeros((len(levels), len(level_of)))
    share[level_of, np.arange(len(level_of))] = probs[kept]
    total = share.sum(1)
    return levels, total, share / total[:, None], level_of
