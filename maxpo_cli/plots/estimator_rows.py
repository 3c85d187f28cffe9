"""What figures of one cell share: one row per estimator, their head, and the panel of centering."""

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxpo_cli.arrays import FloatArray, IntArray
from maxpo_cli.metrics.columns import BY_NAME
from maxpo_cli.metrics.significance import is_centered
from maxpo_cli.plots.coordinates import ESTIMATOR, engines_of, fixed_values, policy_text
from maxpo_cli.plots.style import GUIDE
from maxpo_cli.storage.result import Result


def places(table: pd.DataFrame) -> IntArray:
    """The height of each row of the table: the first is at the top."""
    return np.arange(len(table))[::-1]


def name_rows(panels: Sequence[Axes], table: pd.DataFrame) -> None:
    """Writes the estimators next to the first panel, with a line along each in all panels."""
    panels[0].set_yticks(places(table), labels=list(table[ESTIMATOR]))
    panels[0].set_ylim(-0.6, len(table) - 0.4)
    for axes in panels:
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", color="#e6e6e6", linewidth=0.7)
        axes.set_axisbelow(True)


def head(figure: Figure, result: Result) -> None:
    """Writes the policy above the figure and, in a second line, its cell and the engines."""
    policy = "\n".join(wrap(policy_text(result), 88, break_on_hyphens=False)[:3])
    cell = ", ".join([*fixed_values(result), " and ".join(engines_of(result))])
    figure.suptitle(f"{policy}\n{cell}", fontsize=10, x=0.01, ha="left")


def line_at(axes: Axes, value: float) -> None:
    """Draws the line that values are compared with."""
    axes.axvline(value, color=GUIDE, linewidth=1, zorder=1)


def mark_empty(axes: Axes, values: FloatArray) -> None:
    """Says so in the middle of a panel where there are no values at all."""
    if not np.isfinite(values).any():
        axes.text(
            0.5, 0.5, "no values", transform=axes.transAxes, ha="center", va="center",
            color="#666666", style="italic", backgroundcolor="w",
        )  # fmt: skip


def draw_centering(axes: Axes, table: pd.DataFrame) -> None:
    """How far from 0 a group's mean advantage is: root mean square, and the largest there is."""
    shown = table[["centering_rms", "centering_max"]].mask(is_centered(table), 0.0)
    rms, largest = shown.to_numpy(dtype=float).T
    rows = places(table)
    line_at(axes, 0)
    axes.hlines(rows, 0, largest, color="#777777", linewidth=1)
    axes.plot(largest, rows, "|", color="#777777", markersize=7)
    axes.plot(rms, rows, "s", color="black", markersize=5)
    mark_empty(axes, rms)
    axes.set_title("Centering")
    name = BY_NAME["centering_rms"].label.partition(",")[0]
    axes.set_xlabel(f"{name}\n■ rms   | largest")
    top = np.nanmax([largest, rms], initial=0.0)
    axes.set_xlim(*((-0.04 * top, 1.05 * top) if top > 0 else (-0.04, 1)))
