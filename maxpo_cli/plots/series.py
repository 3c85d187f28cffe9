"""The series of a figure of lines: a metric of one estimator in one panel, with 95% intervals."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from maxpo_cli.arrays import BoolArray, FloatArray
from maxpo_cli.metrics.columns import Column
from maxpo_cli.metrics.significance import half_width
from maxpo_cli.plots.coordinates import ESTIMATOR
from maxpo_cli.plots.labels import Line
from maxpo_cli.plots.scales import swept_places
from maxpo_cli.plots.style import in_order

CENTERING, LARGEST = "centering_rms", "centering_max"

DRAWABLE = (1e-290, 1e290)
"""What is smaller is drawn as 0, and what is larger not at all: axes add room to their ends."""


@dataclass(frozen=True, eq=False)
class Series:
    """One estimator in one panel: arrays in the order of ascending x, NaN where it has no value."""

    estimator: str
    x: FloatArray
    value: FloatArray
    low: FloatArray
    high: FloatArray
    largest: FloatArray

    @property
    def line(self) -> Line:
        """The values that there are."""
        there = np.isfinite(self.value)
        pairs = zip(self.x[there].tolist(), self.value[there].tolist(), strict=True)
        return Line(self.estimator, dict(pairs))

    @property
    def alone(self) -> BoolArray:
        """Which values have no neighbour to be joined with."""
        there: BoolArray = np.pad(np.isfinite(self.value), 1)
        return there[1:-1] & ~there[:-2] & ~there[2:]


@dataclass(frozen=True)
class XAxis:
    """The swept column along the x axis: points are joined where it is numbers, not for text."""

    column: str
    values: list[Any]
    numeric: bool

    def positions(self, rows: pd.DataFrame) -> FloatArray:
        """Where rows are on the axis."""
        places = swept_places(self.values) if self.numeric else range(len(self.values))
        at = dict(zip(self.values, places, strict=True))
        return np.array([at[value] for value in rows[self.column]], dtype=float)


def drawable(cells: pd.Series) -> FloatArray:
    """A metric as an axis can hold it: NaN for what is infinite or as good as that."""
    values = cells.to_numpy(dtype=float, na_value=np.nan)
    size = np.abs(values)
    return np.where(size < DRAWABLE[0], 0.0, np.where(size < DRAWABLE[1], values, np.nan))


def find_series(table: pd.DataFrame, axis: XAxis, column: Column) -> list[Series]:
    """The series of a panel's rows, in order, of the estimators that have a value.

    A row without a value stays, as a gap; what was not measured is none.
    """
    found = []
    for name in in_order(table[ESTIMATOR]):
        rows = table[table[ESTIMATOR] == name]
        value = drawable(rows[column.name])
        if not np.isfinite(value).any():
            continue
        x = axis.positions(rows)
        half = drawable(half_width(rows, column.name))
        lowest = 0 * half if column.guide == 0 else np.where(value > 0, 0.1 * value, -np.inf)
        low = np.fmax(value - half, np.where(np.isfinite(half), lowest, np.nan))
        largest = drawable(rows[LARGEST]) if column.name == CENTERING else value * np.nan
        order = np.argsort(x, kind="stable")
        arrays = (array[order] for array in (x, value, low, value + half, largest))
        found.append(Series(name, *arrays))
    return found
