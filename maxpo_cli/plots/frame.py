"""Which values an axis of ratios shows: one estimator far from all others leaves the frame."""

from collections.abc import Sequence

import numpy as np

from maxpo_cli.arrays import FloatArray

SQUASHED = 0.25
"""Series are outlying where the others then take up at most this share of the axis."""

WORTH = 2.0
"""Ratio of the largest to the smallest value from which leaving any out is worth it."""


def inliers(series: Sequence[FloatArray]) -> list[bool]:
    """Which series of positive ratios the frame is made for: at least half of them.

    A series is judged by its median, on a logarithmic axis that holds 1. The fewest are left out
    that let the others have four times the room.
    """
    typical = np.array([np.median(np.log(values)) for values in series])
    order = np.argsort(-np.abs(typical), kind="stable")
    whole = _extent(typical)
    for count in range(1, (len(series) - 1) // 2 + 1):
        kept = np.ones(len(series), dtype=bool)
        kept[order[:count]] = False
        if whole > np.log(WORTH) and _extent(typical[kept]) <= SQUASHED * whole:
            return kept.tolist()
    return [True] * len(series)


def _extent(logs: FloatArray) -> float:
    return float(max(logs.max(initial=0.0), 0.0) - min(logs.min(initial=0.0), 0.0))
