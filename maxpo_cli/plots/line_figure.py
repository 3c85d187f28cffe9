"""A metric against a swept column: one line per estimator, in panels, with 95% intervals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.api.types import is_numeric_dtype

from maxpo_cli.arrays import FloatArray
from maxpo_cli.errors import InputError
from maxpo_cli.metrics.columns import Column
from maxpo_cli.metrics.significance import without_rounding
from maxpo_cli.plots.coordinates import ESTIMATOR, values_of
from maxpo_cli.plots.frame import inliers
from maxpo_cli.plots.labels import Entry
from maxpo_cli.plots.layout import Roles, where
from maxpo_cli.plots.line_names import find_entries, name_lines
from maxpo_cli.plots.panels import Panel, draw_panels, finish, head
from maxpo_cli.plots.scales import (
    WIDE,
    WIDE_RATIO,
    Scale,
    figure_scale,
    set_scale,
    set_swept_scale,
    swept_limits,
)
from maxpo_cli.plots.series import Series, XAxis, drawable, find_series
from maxpo_cli.plots.spec import PlotSpec
from maxpo_cli.plots.style import (
    FAINT,
    GUIDE,
    Appearance,
    Look,
    appearances,
    in_order,
    small,
    symbol,
    value_text,
)
from maxpo_cli.plots.text import wrap
from maxpo_cli.plots.ticks import in_units
from maxpo_cli.storage.result import Result

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


@dataclass(frozen=True)
class _Drawn:
    """What is drawn: panels with their series, which lie within a scale on an axis."""

    panels: Sequence[Panel]
    series: Sequence[Sequence[Series]]
    axis: XAxis
    scale: Scale


def line_figure(
    result: Result, roles: Roles, column: Column, title: str, spec: PlotSpec
) -> Callable[[], Figure]:
    """One line per estimator: `column` against `roles.x`.

    Text along the x axis makes points side by side, not joined. `centering_rms` has a thin line at
    the largest value of any group. Raises `InputError` where no row has a value; the figure is
    drawn when what is given back is called.
    """
    table = result.table
    if not is_numeric_dtype(table[roles.x]) and table[roles.x].nunique() > MAX_CATEGORIES:
        raise InputError(
            f"{roles.x} has {table[roles.x].nunique()} values that are text, more than the "
            f"{MAX_CATEGORIES} an axis has room for; choose some with {where(roles.x)}"
        )
    if not np.isfinite(drawable(table[column.name])).any():
        raise InputError(
            f"no row of the selection has a value of {column.name}{_why_empty(table, column)}"
        )
    return lambda: _draw(result, roles, column, title, spec)


def _why_empty(table: pd.DataFrame, column: Column) -> str:
    """Why no row has a metric, where rows were measured."""
    metric = column.name.partition("/")[0]
    if metric not in EMPTY_IN_LIMIT or table["variance"].isna().all():
        return ""
    return ": it is empty in the orthogonal limit (outcomes=inf)"


def _draw(result: Result, roles: Roles, column: Column, title: str, spec: PlotSpec) -> Figure:
    table = result.table
    axis = XAxis(roles.x, values_of(table, roles.x), is_numeric_dtype(table[roles.x]))
    figure, panels = draw_panels(without_rounding(table), roles, spec)
    series = [find_series(panel.table, axis, column) for panel in panels]
    everything = [one for found in series for one in found]
    scale = _scale(everything, column)
    looks = appearances(table[ESTIMATOR], spec.labels)
    for panel in panels:
        exponent = _prepare(panel.axes, column, scale, axis)
    head(figure, title, result, _absent(everything, looks), spec)
    if not axis.numeric:
        figure.draw_without_rendering()
        for panel in panels:
            _set_categories(panel.axes, axis.values)
    _draw_series(figure, _Drawn(panels, series, axis, scale), find_entries(series, looks))
    finish(figure, panels, symbol(axis.column), in_units(column.label, exponent))
    return figure


def _scale(series: Sequence[Series], column: Column) -> Scale:
    """The scale that shows all series; of ratios, those that are not far from all others."""
    shown = {name: _extents(series, name, column) for name in in_order(s.estimator for s in series)}
    if not column.is_ratio:
        return figure_scale(np.concatenate(list(shown.values())), WIDE)
    positive = [values[values > 0] for values in shown.values() if (values > 0).any()]
    kept = [v for v, inside in zip(positive, inliers(positive), strict=True) if inside]
    values = np.concatenate([*kept, [1.0]])
    return figure_scale(values.clip(*CUT), WIDE_RATIO)


def _extents(series: Sequence[Series], name: str, column: Column) -> FloatArray:
    """All values of an estimator, the ends of its intervals, and the guide."""
    parts = [p for s in series if s.estimator == name for p in (s.value, s.low, s.high, s.largest)]
    if column.guide is not None and not column.is_ratio:
        parts.append(np.array([column.guide], dtype=float))
    values = np.concatenate(parts)
    return values[np.isfinite(values)]


def _prepare(axes: Axes, column: Column, scale: Scale, axis: XAxis) -> int:
    """Gives a panel its axes, grid and guide; the power of ten of its y axis."""
    axes.spines["left"].set_visible(True)
    axes.grid(color="#ececec", linewidth=0.7)
    axes.set_axisbelow(True)
    if column.guide is not None:
        axes.axhline(column.guide, color=GUIDE, linewidth=1, zorder=1)
    if axis.numeric:
        set_swept_scale(axes, "x", axis.values, swept_limits(axis.values))
    return set_scale(axes, "y", scale)


def _draw_series(figure: Figure, drawn: _Drawn, entries: Sequence[Entry]) -> None:
    """Draws every panel, and lines that coincide in all of them as one; then names them."""
    for panel, found in zip(drawn.panels, drawn.series, strict=True):
        there = {one.estimator: one for one in found}
        for place, entry in enumerate(entries):
            if one := there.get(entry.estimator):
                look = entry.appearance.look
                shift = SIDE_BY_SIDE * ((place + 0.5) / len(entries) - 0.5)
                if drawn.axis.numeric:
                    shift = 0.0
                    _draw_line(panel.axes, one, look, place)
                else:
                    _draw_points(panel.axes, one, look, shift)
                _draw_beyond(panel.axes, one, look, shift, drawn.scale)
        _mark_empty(panel.axes, found, drawn.axis)
    name_lines(figure, drawn.panels, drawn.series, entries, drawn.scale, drawn.axis.numeric)


def _draw_beyond(axes: Axes, one: Series, look: Look, shift: float, scale: Scale) -> None:
    """Marks at the edge of the frame what leaves it."""
    for beyond, edge, marker in (
        (one.value > scale.high, 1.0, "^"),
        (one.value < scale.low, 0.0, "v"),
    ):
        if beyond.any():
            axes.plot(
                one.x[beyond] + shift, np.full(beyond.sum(), edge), marker, color=look.color,
                markersize=4, clip_on=False, zorder=5, transform=axes.get_xaxis_transform(),
            )  # fmt: skip


def _draw_line(axes: Axes, one: Series, look: Look, place: int) -> None:
    there = np.flatnonzero(np.isfinite(one.value))
    every = max(1, len(there) // MARKS)
    marks = sorted({*there[place % every :: every], *np.flatnonzero(one.alone)})
    axes.plot(
        one.x, one.value, **look.line, **look.points, label=one.estimator,
        markevery=[int(mark) for mark in marks], zorder=3,
    )  # fmt: skip
    if np.isfinite(one.largest).any():
        axes.plot(
            one.x, one.largest, color=look.color, linestyle=look.dashes, linewidth=0.7,
            alpha=0.7, zorder=2,
        )  # fmt: skip
    if np.isfinite(one.low).any():
        axes.fill_between(one.x, one.low, one.high, color=look.color, alpha=0.18, linewidth=0)


def _draw_points(axes: Axes, one: Series, look: Look, shift: float) -> None:
    around = np.nan_to_num(np.array([one.value - one.low, one.high - one.value]))
    axes.errorbar(
        one.x + shift, one.value, yerr=around, linestyle="none", ecolor=look.color,
        elinewidth=1, label=one.estimator, **look.points,
    )  # fmt: skip
    if np.isfinite(one.largest).any():
        axes.plot(one.x + shift, one.largest, "_", color=look.color, markersize=6)


def _set_categories(axes: Axes, categories: Sequence[Any]) -> None:
    inches = 0.9 * axes.get_window_extent().width / axes.figure.dpi / len(categories)
    size = float(mpl.rcParams["xtick.labelsize"])
    axes.set_xlim(-0.5, len(categories) - 0.5)
    texts = [wrap(value_text(value), inches, size, 4) for value in categories]
    axes.set_xticks(range(len(categories)), labels=texts, fontsize=size)
    axes.tick_params(axis="x", length=0)
    axes.grid(visible=False, axis="x")
    for between in range(1, len(categories)):
        axes.axvline(between - 0.5, color="#e0e0e0", linewidth=0.7, zorder=0)


def _mark_empty(axes: Axes, found: Sequence[Series], axis: XAxis) -> None:
    """Marks a panel or category without values as such, so that it is not taken for a mistake."""
    there = {x for one in found for x in one.line.values}
    empty = [0.5] if axis.numeric and not there else []
    if not axis.numeric:
        count = len(axis.values)
        empty = [(i + 0.5) / count for i in range(count) if i not in there]
    for x in empty:
        axes.text(
            x, 0.5, "none", transform=axes.transAxes, ha="center", color=FAINT, style="italic",
            fontsize=small(),
        )  # fmt: skip


def _absent(series: Sequence[Series], asked: Mapping[str, Appearance]) -> list[str]:
    """A note on the estimators that have no values."""
    there = {one.estimator for one in series}
    absent = [appearance.label for name, appearance in asked.items() if name not in there]
    return [f"no values: {', '.join(absent)}"] if absent else []
