"""What figures of one cell share: one row per estimator, their head, and the panel of centering."""

from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxpo_cli.arrays import FloatArray, IntArray
from maxpo_cli.metrics.columns import BY_NAME
from maxpo_cli.metrics.significance import is_centered
from maxpo_cli.plots.coordinates import ESTIMATOR, engines_of, fixed_values, policy_text
from maxpo_cli.plots.panels import write_head
from maxpo_cli.plots.scales import distance_scale, set_scale
from maxpo_cli.plots.series import drawable
from maxpo_cli.plots.spec import PlotSpec
from maxpo_cli.plots.style import FAINT, GUIDE, appearances, is_narrow, new_figure, small
from maxpo_cli.plots.text import shorten
from maxpo_cli.plots.ticks import in_units, number, thin_ticks
from maxpo_cli.storage.result import Result

ROW, AROUND = 0.24, 0.75
"""Height in inches of a row, and of a panel's title and axis."""

NAMES = 0.35
"""Share of a panel's width that the names of estimators may take."""

FAR = 8.0
"""A panel of centering ends at so many times the largest rms; whiskers beyond have their value."""


def row_figure(
    result: Result, spec: PlotSpec, draw: Sequence[Callable[[Axes, pd.DataFrame], None]]
) -> Figure:
    """A figure of panels with a row per estimator: side by side on a page, stacked in a column."""
    table = result.table
    count = len(draw)
    stacked = is_narrow(spec)
    lines = count if stacked else 1
    figure = new_figure(spec, lines * (AROUND + ROW * len(table)))
    panels = figure.subplots(lines, count // lines, squeeze=False, sharey=True).ravel()
    head(figure, result, spec)
    for axes, panel in zip(panels, draw, strict=True):
        panel(axes, table)
    names = appearances(table[ESTIMATOR], spec.labels)
    inches = NAMES * figure.get_figwidth() / (count // lines) * (1 if stacked else 1.5)
    size = float(mpl.rcParams["ytick.labelsize"])
    labels = [shorten(names[name].label, inches, size) for name in table[ESTIMATOR]]
    for index, axes in enumerate(panels):
        axes.set_yticks(places(table), labels=labels)
        axes.set_ylim(-0.6, len(table) - 0.4)
        axes.tick_params(axis="y", length=0, labelleft=stacked or index == 0)
        axes.grid(axis="y", color="#e6e6e6", linewidth=0.7)
        axes.set_axisbelow(True)
    figure.draw_without_rendering()
    for axes in panels:
        thin_ticks(axes, figure.canvas.get_renderer())  # type: ignore[attr-defined]
    return figure


def places(table: pd.DataFrame) -> IntArray:
    """The height of each row of the table: the first is at the top."""
    return np.arange(len(table))[::-1]


def head(figure: Figure, result: Result, spec: PlotSpec) -> None:
    """Writes the policy above the figure and, in a second line, its cell and the engines."""
    cell = ", ".join([*fixed_values(result), " and ".join(engines_of(result))])
    write_head(figure, [(policy_text(result), 3), (cell, 2)], [], spec)


def line_at(axes: Axes, value: float) -> None:
    """Draws the line that values are compared with."""
    axes.axvline(value, color=GUIDE, linewidth=1, zorder=1)


def remark(axes: Axes, x: float, row: float, text: str, side: str = "left") -> None:
    """Writes a few words into a row, `x` being a share of the panel's width."""
    axes.text(
        x, row, text, color=FAINT, va="center", ha=side, fontsize=small(),
        transform=axes.get_yaxis_transform(), zorder=4,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )  # fmt: skip


def mark_empty(axes: Axes, values: FloatArray) -> None:
    """Says so in the middle of a panel where there are no values at all."""
    if not np.isfinite(values).any():
        axes.text(
            0.5, 0.5, "no values", transform=axes.transAxes, ha="center", va="center",
            color=FAINT, style="italic", backgroundcolor="w",
        )  # fmt: skip


def draw_centering(axes: Axes, table: pd.DataFrame) -> None:
    """How far from 0 a group's mean advantage is: root mean square, and the largest there is."""
    centered = is_centered(table)
    rms, largest = (
        drawable(table[column].mask(centered, 0.0)) for column in ("centering_rms", "centering_max")
    )
    rows = places(table)
    top = np.nanmax(rms, initial=0.0)
    scale = distance_scale(np.concatenate([rms, largest.clip(max=FAR * top) if top else largest]))
    line_at(axes, 0)
    axes.hlines(rows, 0, largest, color="#777777", linewidth=1)
    axes.plot(largest, rows, "|", color="#777777", markersize=7)
    axes.plot(rms, rows, "s", color="black", markersize=5)
    for row, value in zip(rows, largest, strict=True):
        if value > scale.high:
            remark(axes, 0.99, row, f"{number(value)} ▶", "right")
    mark_empty(axes, rms)
    axes.set_title("Centering")
    name = BY_NAME["centering_rms"].label.partition(",")[0]
    axes.set_xlabel(f"{in_units(name, set_scale(axes, 'x', scale))}\n■ rms   | largest")
