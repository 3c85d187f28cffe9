"""Limits on rewards and counts, within which float64 holds every intermediate result."""

import numpy as np

from maxpo_cli.arrays import BoolArray, FloatArray

LARGEST_REWARD = 1e70
"""Largest absolute value of a reward, and the inverse of the smallest: beyond them the square of a
square leaves the range of a float64."""

LARGEST_COUNT = 2**60
"""Largest number of outcomes of a level, or of coordinates of a Gaussian."""


def measurable(rewards: FloatArray) -> BoolArray:
    """Tells which rewards are 0, or between 1/`LARGEST_REWARD` and `LARGEST_REWARD` in size."""
    size = np.abs(rewards)
    return np.asarray((size == 0) | ((size >= 1 / LARGEST_REWARD) & (size <= LARGEST_REWARD)))
