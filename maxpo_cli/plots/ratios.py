"""The numbers of a map: the variance ratios of two estimators, and where they are equal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from contourpy import contour_generator

from maxpo_cli.arrays import FloatArray
from maxpo_cli.plots.coordinates import ESTIMATOR
from maxpo_cli.plots.layout import Roles
from maxpo_cli.plots.scales import swept_kind, swept_places

EQUAL = 1e-9
"""A ratio this near to 1 differs from it by rounding only."""

LIMITS = (1.25, 1.5, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Where the colours may end: the same factor on either side of 1."""

INSIDE = 0.9
"""Share of the cells whose ratio has a colour of its own; the others have the last colour."""


@dataclass(frozen=True, eq=False)
class Ratios:
    """The cells of one panel: places on ascending axes, ratios `[y, x]`, NaN where undefined."""

    x: FloatArray
    y: FloatArray
    ratio: FloatArray


def ratios(
    table: pd.DataFrame,
    roles: Roles,
    x: Sequence[float],
    y: Sequence[float],
    first: str,
    second: str,
) -> Ratios:
    """The ratios of one panel's rows over all values of x and y, 1 where they are equal."""
    grids = []
    for name in (first, second):
        rows = table[table[ESTIMATOR] == name]
        cells = rows.pivot(index=roles.y, columns=roles.x, values="matched_variance")
        grids.append(cells.reindex(index=y, columns=x).to_numpy(dtype=float))
    above, below = (np.where(grid > 0, grid, np.nan) for grid in grids)
    ratio = above / below
    ratio[np.abs(ratio - 1) < EQUAL] = 1
    return Ratios(np.array(swept_places(x)), np.array(swept_places(y)), ratio)


def color_limit(defined: FloatArray) -> float:
    """The factor from 1 at which the colours end: round, and beyond that of almost all cells."""
    far = np.exp(np.quantile(np.abs(np.log(defined)), INSIDE))
    return next((limit for limit in LIMITS if limit >= far), LIMITS[-1])


def edges(values: FloatArray) -> FloatArray:
    """The edges of cells, halfway between neighbours on the axis of these values."""
    if swept_kind(values.tolist()) == "log":
        return np.exp(_halfway(np.log(values)))
    return _halfway(values)


def _halfway(values: FloatArray) -> FloatArray:
    middles = (values[1:] + values[:-1]) / 2
    return np.concatenate([[2 * values[0] - middles[0]], middles, [2 * values[-1] - middles[-1]]])


def equal_lines(cells: Ratios) -> list[FloatArray]:
    """Where the ratio is 1: lines of points (x, y), interpolated on the scales of the axes."""
    logs = [swept_kind(values.tolist()) == "log" for values in (cells.x, cells.y)]
    x, y = (np.log(v) if log else v for v, log in zip((cells.x, cells.y), logs, strict=True))
    heights = np.ma.masked_invalid(np.log(cells.ratio))
    found: Any = contour_generator(x, y, heights, corner_mask=True).lines(0.0)
    return [
        np.column_stack([np.exp(line[:, i]) if logs[i] else line[:, i] for i in (0, 1)])
        for line in found
    ]
