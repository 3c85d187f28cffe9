"""The figure of one comparison: noise, bias and centering of every estimator in one cell."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from maxpo_cli.arrays import BoolArray, FloatArray, IntArray
from maxpo_cli.plots.style import GUIDE, STYLE, new_figure
from maxpo_cli.metrics.significance import Z95, bias_half_width, is_biased, is_centered

COMPARISON = "compare"
"""The name of a comparison's files, before their ending."""

COMPARISON_COLUMNS = (
    "estimator", "policy", "n", "k", "engine", "gradient_norm", "bias", "bias_stderr",
    "relative_bias", "bias_z", "centering_rms", "centering_max", "variance_ratio",
    "variance_ratio_stderr", "mse", "note",
)  # fmt: skip

LOG_FROM = 8.0
"""Ratio of the largest to the smallest value from which an axis is logarithmic."""

# Okabe and Ito's palette for colour-blind readers; shape and filling tell them apart in grey.
UNBIASED: dict[str, Any] = {
    "color": "#0072B2", "marker": "o", "linestyle": "none", "markersize": 5.5,
}  # fmt: skip
BIASED: dict[str, Any] = {
    "color": "#D55E00", "marker": "D", "linestyle": "none", "markersize": 5,
    "markerfacecolor": "white", "markeredgewidth": 1.3,
}  # fmt: skip


def comparison(table: pd.DataFrame) -> Figure:
    """One comparison: variance ratio and bias with 95% intervals, and centering, by estimator.

    `table` holds the rows of one policy, N and K, with the columns `COMPARISON_COLUMNS`.
    """
    with mpl.rc_context(STYLE):
        figure = new_figure(1.6 + 0.26 * len(table))
        panels = figure.subplots(1, 3, sharey=True)
        rows = np.arange(len(table))[::-1]
        biased = is_biased(table).to_numpy()
        _draw_variance(panels[0], table, rows, biased)
        _draw_bias(panels[1], table, rows, biased)
        _draw_centering(panels[2], table, rows)
        _name_rows(panels, table, rows)
        _head(figure, table)
        return figure


def centering_of_one(table: pd.DataFrame) -> Figure:
    """The centering of every estimator in one cell: the third panel of `comparison`, as wide."""
    with mpl.rc_context(STYLE):
        figure = new_figure(1.4 + 0.26 * len(table))
        axes = figure.subplots()
        rows = np.arange(len(table))[::-1]
        _draw_centering(axes, table, rows)
        _name_rows([axes], table, rows)
        _head(figure, table)
        return figure


def _name_rows(panels: Sequence[Axes], table: pd.DataFrame, rows: IntArray) -> None:
    panels[0].set_yticks(rows, labels=list(table["estimator"]))
    panels[0].set_ylim(-0.6, len(table) - 0.4)
    for axes in panels:
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", color="#e6e6e6", linewidth=0.7)
        axes.set_axisbelow(True)


def _head(figure: Figure, table: pd.DataFrame) -> None:
    first = table.iloc[0]
    spec = "\n".join(wrap(str(first["policy"]), 88, break_on_hyphens=False)[:3])
    engines = " and ".join(dict.fromkeys(table["engine"].dropna().astype(str)))
    figure.suptitle(
        f"{spec}\nN = {first['n']}, K = {first['k']}, {engines}",
        fontsize=10, x=0.01, ha="left",
    )  # fmt: skip


def _draw_variance(axes: Axes, table: pd.DataFrame, rows: IntArray, biased: BoolArray) -> None:
    ratio = table["variance_ratio"].to_numpy(dtype=float)
    half = np.nan_to_num(Z95 * table["variance_ratio_stderr"].to_numpy(dtype=float))
    seen = ratio[np.isfinite(ratio) & (ratio > 0)]
    if len(seen) and seen.max() > LOG_FROM * seen.min():
        axes.set_xscale("log")
        decades = np.log10(seen.max() / seen.min())
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2 else (1,)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        half = np.minimum(half, 0.9 * ratio)
    _line_at(axes, 1)
    _points(axes, ratio, half, rows, biased)
    noted = table["note"].notna() & (table["note"] != "")
    for row, value, note in zip(rows, ratio, noted, strict=True):
        if not np.isfinite(value) or (value == 0 and axes.get_xscale() == "log"):
            said = "0" if value == 0 else "undefined" if note else "no ratio"
            axes.text(
                0.02, row, said, color="#666666", va="center", style="italic", backgroundcolor="w",
                transform=axes.get_yaxis_transform(),
            )  # fmt: skip
    axes.set_title("Gradient variance")
    axes.set_xlabel("variance ratio, reference = 1\n← less noise")


def _draw_bias(axes: Axes, table: pd.DataFrame, rows: IntArray, biased: BoolArray) -> None:
    half = np.nan_to_num(bias_half_width(table).to_numpy(dtype=float))
    _line_at(axes, 0)
    known = biased | table["bias_z"].notna().to_numpy()
    bias = table["relative_bias"].to_numpy(dtype=float)
    _points(axes, np.where(known, bias, 0 * bias), half, rows, biased)
    found = bias[biased]
    if len(found) and found.max() > LOG_FROM**2 * found.min():
        first, last = np.ceil(np.log10(found.min())), np.floor(np.log10(found.max()))
        axes.set_xscale("symlog", linthresh=found.min(), linscale=0.5)
        axes.set_xticks([0, *10 ** np.arange(first, last + 1)])
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlim(-found.min() / 4, 2 * found.max())
    else:
        axes.set_xlim(left=min(0.0, -0.04 * axes.get_xlim()[1]))
    axes.set_title("Bias")
    axes.set_xlabel("bias / gradient norm")
    handles = [
        axes.plot([], [], label=label, **marker)[0]
        for label, marker in (("unbiased", UNBIASED), ("biased", BIASED))
    ]
    axes.figure.legend(handles=handles, loc="outside lower left", ncols=2, frameon=False)


def _draw_centering(axes: Axes, table: pd.DataFrame, rows: IntArray) -> None:
    """How far from 0 a group's mean advantage is: root mean square, and the largest there is."""
    shown = table[["centering_rms", "centering_max"]].mask(is_centered(table), 0.0)
    rms, largest = shown.to_numpy(dtype=float).T
    _line_at(axes, 0)
    axes.hlines(rows, 0, largest, color="#777777", linewidth=1)
    axes.plot(largest, rows, "|", color="#777777", markersize=7)
    axes.plot(rms, rows, "s", color="black", markersize=5)
    axes.set_title("Centering")
    axes.set_xlabel("|mean advantage of a group|\n■ rms   | largest")
    top = np.nanmax(largest, initial=0.0)
    axes.set_xlim(*((-0.04 * top, 1.05 * top) if top > 0 else (-0.04, 1)))


def _points(
    axes: Axes, values: FloatArray, half: FloatArray, rows: IntArray, biased: BoolArray
) -> None:
    for chosen, marker in ((~biased, UNBIASED), (biased, BIASED)):
        axes.errorbar(
            values[chosen], rows[chosen], xerr=half[chosen], ecolor=marker["color"], capsize=2,
            elinewidth=1, **marker,
        )  # fmt: skip


def _line_at(axes: Axes, value: float) -> None:
    axes.axvline(value, color=GUIDE, linewidth=1, zorder=1)
