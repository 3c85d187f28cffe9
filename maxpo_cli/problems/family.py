"""Families: finite problems that have the same levels, and so the same advantages of a group."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maxpo_cli.arrays import FloatArray
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.problems.scores import LevelScores


@dataclass(frozen=True, eq=False)
class FiniteFamily:
    """P problems of one `FiniteProblem.family`, stacked.

    Attributes:
        problems: the P problems.
        levels: their rewards, `[m]`.
        scores: their mean scores, `[E, B, m]` in and `[P, E, B, d]` out.
        residual: their residuals, `[P, 1, m]`.
        mean_weight: that of each of them (see `Problem`).
    """

    problems: tuple[FiniteProblem, ...]
    levels: FloatArray
    scores: LevelScores
    residual: FloatArray
    mean_weight: float

    @classmethod
    def of(cls, problems: Sequence[FiniteProblem]) -> "FiniteFamily":
        """The family of these problems."""
        residual = np.stack([problem.residual for problem in problems])[:, None]
        scores = _stacked([problem.scores for problem in problems])
        first = problems[0]
        return cls(tuple(problems), first.levels, scores, residual, first.mean_weight)

    @property
    def m(self) -> int:
        """The number of reward levels."""
        return len(self.levels)

    def oracle_advantages(self, k: int) -> FloatArray:
        """Q_K − V_K on each level of each problem, `[P, 1, m]`."""
        return np.stack([problem.oracle_advantages(k) for problem in self.problems])[:, None]


def _stacked(scores: Sequence[LevelScores]) -> LevelScores:
    """Mean scores of one type with leading dimensions for the problem, estimators and groups."""
    parts = [tuple(vars(each).values()) for each in scores]
    return type(scores[0])(
        *(np.stack(arrays)[:, None, None] for arrays in zip(*parts, strict=True))
    )
