"""A metric against a swept column: one line per estimator, in panels, with 95% intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.api.types import is_numeric_dtype

from maxpo_cli.arrays import FloatArray
from maxpo_cli.errors import InputError
from maxpo_cli.metrics.columns import Column
from maxpo_cli.metrics.significance import half_width, without_rounding
from maxpo_cli.plots.coordinates import ESTIMATOR, values_of
from maxpo_cli.plots.labels import Line, coincident, label_ends, label_height, legend
from maxpo_cli.plots.layout import Roles
from maxpo_cli.plots.panels import Panel, draw_panels, finish, head, name_axes
from maxpo_cli.plots.scales import (
    WIDE,
    WIDE_RATIO,
    Scale,
    figure_scale,
    plain,
    set_scale,
    set_swept_scale,
    swept_limits,
    swept_places,
)
from maxpo_cli.plots.style import GUIDE, SMALL, broken, in_order, look, symbol, value_text
from maxpo_cli.storage.result import Result

CENTERING, LARGEST = "centering_rms", "centering_max"
NEEDED = (
    "n", "k", "bias", "relative_bias", "bias_z", "misalignment", "rtol", "variance", "mse",
    "centering_mean", CENTERING, LARGEST,
)  # fmt: skip
"""The columns that tell rounding from a bias or a centering."""

EMPTY_IN_LIMIT = ("gradient_norm", "bias", "bias_stderr", "snr")
"""Metrics that vanish in the orthogonal limit, and are empty there."""

CUT = (1 / 50, 50.0)
"""Ratios beyond these leave the frame, so that those near 1 can be read."""

MARKS = 8
"""About how many points of a line are marked."""

MAX_CATEGORIES = 12
"""Values of text that fit along an axis."""

SIDE_BY_SIDE = 0.6
"""Share of a category's width over which its estimators are spread."""


@dataclass(frozen=True, eq=False)
class Series:
    """One estimator in one panel, where it is defined: arrays in the order of ascending x."""

    estimator: str
    x: FloatArray
    value: FloatArray
    low: FloatArray
    high: FloatArray
    largest: FloatArray

    @property
    def line(self) -> Line:
        """The values alone."""
        return Line(self.estimator, dict(zip(self.x.tolist(), self.value.tolist(), strict=True)))


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

    def draw(self, axes: Axes, one: Series, estimators: list[str]) -> None:
        """Draws one estimator; `estimators` are all that share the axis."""
        place = estimators.index(one.estimator)
        if self.numeric:
            _draw_line(axes, one, place)
        else:
            _draw_points(axes, one, SIDE_BY_SIDE * ((place + 0.5) / len(estimators) - 0.5))


def line_figure(result: Result, roles: Roles, column: Column, title: str) -> Figure:
    """One line per estimator: `column` against `roles.x`.

    Text along the x axis makes points side by side, not joined. `centering_rms` has a thin line at
    the largest value of any group. Raises `InputError` where no row has a value.
    """
    table = result.table
    if not is_numeric_dtype(table[roles.x]) and table[roles.x].nunique() > MAX_CATEGORIES:
        raise InputError(
            f"{roles.x} has {table[roles.x].nunique()} values that are text, more than the "
            f"{MAX_CATEGORIES} an axis has room for; choose some with --where {roles.x}=VALUE"
        )
    axis = XAxis(roles.x, values_of(table, roles.x), is_numeric_dtype(table[roles.x]))
    figure, panels = draw_panels(without_rounding(table), roles, extra_height=0.75)
    series = [_series(panel.table, axis, column) for panel in panels]
    everything = [one for found in series for one in found]
    if not everything:
        raise InputError(
            f"no row of the selection has a value of {column.name}{_why_empty(table, column)}"
        )
    values = np.concatenate([_extent(one, column) for one in everything])
    wide, cut = (WIDE_RATIO, CUT) if column.is_ratio else (WIDE, None)
    scale = figure_scale(values, wide, cut)
    asked = in_order(table[ESTIMATOR])
    for panel, found in zip(panels, series, strict=True):
        _prepare(panel, column, scale, axis, len(panels))
        for one in found:
            axis.draw(panel.axes, one, asked)
        _mark_empty(panel.axes, found, axis)
    head(figure, title, result, [*_cut_notes(everything, scale), *_absent(everything, asked)])
    _name_lines(figure, panels, series, joined=axis.numeric)
    finish(figure, panels)
    return figure


def _why_empty(table: pd.DataFrame, column: Column) -> str:
    """Why no row has a metric, where rows were measured."""
    metric = column.name.partition("/")[0]
    if metric not in EMPTY_IN_LIMIT or table["variance"].isna().all():
        return ""
    return ": it is empty in the orthogonal limit (outcomes=inf)"


def _series(table: pd.DataFrame, axis: XAxis, column: Column) -> list[Series]:
    found = []
    for name in in_order(table[ESTIMATOR]):
        metric = table[column.name].astype(float)
        rows = table[(table[ESTIMATOR] == name) & np.isfinite(metric)]
        if rows.empty:
            continue
        rows = rows.iloc[np.argsort(axis.positions(rows), kind="stable")]
        low, high = _interval(rows, column)
        value = rows[column.name]
        largest = rows[LARGEST] if column.name == CENTERING else value * np.nan
        arrays = (cells.to_numpy(dtype=float) for cells in (value, low, high, largest))
        found.append(Series(name, axis.positions(rows), *arrays))
    return found


def _interval(rows: pd.DataFrame, column: Column) -> tuple[pd.Series, pd.Series]:
    """The 95% interval: not below 0 for a distance from 0, nor far below a positive metric."""
    value = rows[column.name]
    half = half_width(rows, column.name)
    lowest = 0 * half if column.guide == 0 else 0.1 * value.where(value > 0)
    low = value - half
    return low.mask(low < lowest, lowest), value + half


def _extent(one: Series, column: Column) -> FloatArray:
    parts = [one.value, one.low, one.high, one.largest]
    if column.guide is not None:
        parts.append(np.array([column.guide], dtype=float))
    values = np.concatenate(parts)
    return values[np.isfinite(values)]


def _prepare(panel: Panel, column: Column, scale: Scale, axis: XAxis, panels: int) -> None:
    """Gives a panel its axes, grid and guide."""
    axes = panel.axes
    axes.spines["left"].set_visible(True)
    axes.grid(color="#ececec", linewidth=0.7)
    axes.set_axisbelow(True)
    if column.guide is not None:
        axes.axhline(column.guide, color=GUIDE, linewidth=1, zorder=1)
    set_scale(axes, scale)
    if axis.numeric:
        set_swept_scale(axes, "x", axis.values, swept_limits(axis.values))
    else:
        _set_categories(axes, axis.values, panels)
    name_axes(panel, symbol(axis.column), column.label)


def _draw_line(axes: Axes, one: Series, order: int) -> None:
    drawn = look(one.estimator)
    every = max(1, len(one.x) // MARKS)
    axes.plot(
        one.x, one.value, **drawn.line, **drawn.points, label=one.estimator,
        markevery=(order % every, every), zorder=3,
    )  # fmt: skip
    axes.plot(
        one.x, one.largest, color=drawn.color, linestyle=drawn.dashes, linewidth=0.7, alpha=0.7,
        zorder=2,
    )  # fmt: skip
    if np.isfinite(one.low).any():
        axes.fill_between(one.x, one.low, one.high, color=drawn.color, alpha=0.18, linewidth=0)


def _draw_points(axes: Axes, one: Series, shift: float) -> None:
    drawn = look(one.estimator)
    around = np.nan_to_num(np.array([one.value - one.low, one.high - one.value]))
    axes.errorbar(
        one.x + shift, one.value, yerr=around, linestyle="none", ecolor=drawn.color,
        elinewidth=1, label=one.estimator, **drawn.points,
    )  # fmt: skip
    axes.plot(one.x + shift, one.largest, "_", color=drawn.color, markersize=6)


def _set_categories(axes: Axes, categories: Sequence[Any], panels: int) -> None:
    width = max(4, int(90 / min(panels, 3) / len(categories)))
    axes.set_xlim(-0.5, len(categories) - 0.5)
    texts = [broken(value_text(value), width) for value in categories]
    axes.set_xticks(range(len(categories)), labels=texts, fontsize=SMALL)
    axes.tick_params(axis="x", length=0)
    axes.grid(visible=False, axis="x")
    for between in range(1, len(categories)):
        axes.axvline(between - 0.5, color="#e0e0e0", linewidth=0.7, zorder=0)


def _mark_empty(axes: Axes, found: Sequence[Series], axis: XAxis) -> None:
    """Marks a panel or category without values as such, so that it is not taken for a mistake."""
    there = {x for one in found for x in one.x}
    empty = [0.5] if axis.numeric and not there else []
    if not axis.numeric:
        count = len(axis.values)
        empty = [(i + 0.5) / count for i in range(count) if i not in there]
    for x in empty:
        axes.text(
            x, 0.5, "none", transform=axes.transAxes, ha="center", color="#666666",
            style="italic", fontsize=SMALL,
        )  # fmt: skip


def _absent(series: Sequence[Series], asked: Sequence[str]) -> list[str]:
    """A note on the estimators that have no values."""
    there = {one.estimator for one in series}
    absent = [name for name in asked if name not in there]
    return [f"no values: {', '.join(absent)}"] if absent else []


def _cut_notes(series: Sequence[Series], scale: Scale) -> list[str]:
    """A note on what leaves the frame, with its values."""
    beyond = []
    for name in in_order(one.estimator for one in series):
        values = np.concatenate([one.value for one in series if one.estimator == name])
        ends = (float(values.max()), float(values.min()))
        outside = [plain(float(f"{end:.2g}")) for end in ends if not scale.low <= end <= scale.high]
        beyond += [f"{name} ({' and '.join(outside)})"] if outside else []
    return [f"beyond the frame: {', '.join(beyond)}"] if beyond else []


def _name_lines(
    figure: Figure, panels: Sequence[Panel], series: Sequence[Sequence[Series]], joined: bool
) -> None:
    """Writes names at the ends of lines in each row's last panel; a legend if they do not fit."""
    figure.draw_without_rendering()
    inches = panels[0].axes.get_window_extent().height / figure.dpi
    groups = [coincident([one.line for one in found]) for found in series]
    names: set[str] = set()
    told = True
    for panel, found, group in zip(panels, series, groups, strict=True):
        names |= {one.estimator for one in found}
        if panel.right:
            told &= names == {one.estimator for one in found} and label_height(group) < inches
            names = set()
    if not (joined and told):
        everywhere: dict[str, dict[object, float]] = {}
        for index, found in enumerate(series):
            for one in found:
                mine = everywhere.setdefault(one.estimator, {})
                mine |= {(index, x): value for x, value in one.line.values.items()}
        lines_of_all = [Line(name, everywhere[name]) for name in in_order(everywhere)]
        legend(figure, coincident(lines_of_all), joined)
        return
    for panel, group in zip(panels, groups, strict=True):
        if panel.right:
            label_ends(panel.axes, group, inches, in_layout=panel.edge)
