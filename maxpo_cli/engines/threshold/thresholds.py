"""What the threshold engine needs of a problem: rewards as a base and steps at thresholds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from maxpo_cli.arrays import FloatArray
from maxpo_cli.engines.threshold.covariance import Pairs, Profiles
from maxpo_cli.problems.problem import Problem

PAIRS_AT_ONCE = 1 << 12
"""Pairs of thresholds that are worked on at once."""


@dataclass(frozen=True)
class Row:
    """The moments of one estimator at one K, as `Moments` has them."""

    mean: FloatArray
    variance: float
    centering_mean: float
    centering_square: float
    centering_max: float


class Thresholds(Protocol):
    """The thresholds of a problem, the lowest of which, the base, is below all rewards."""

    @property
    def problem(self) -> Problem:
        """The problem."""

    @property
    def lowest(self) -> float:
        """The lowest reward."""

    @property
    def highest(self) -> float:
        """The highest reward."""

    @property
    def count(self) -> int:
        """How many pairs of thresholds there are."""

    def pairs(self) -> Iterator[Pairs]:
        """All pairs t ≤ u of thresholds, a pair and its mirror as one."""

    def first_moments(self, profiles: Profiles) -> tuple[Tensor, Tensor]:
        """E Σ_i A_i s_i, `[E, d]`, and the mean advantage of a group, `[E]`."""

    def largest_centering(self, profiles: Profiles) -> Tensor:
        """The largest |mean advantage| of any group, `[E]`; NaN where there is none."""

    def oracle(self, n: int, k: int) -> Row:
        """The moments of the oracle."""
