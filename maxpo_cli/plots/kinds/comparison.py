"""The kind `comparison`: variance, bias and centering of every estimator in one cell."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from maxpo_cli.arrays import BoolArray, FloatArray, IntArray
from maxpo_cli.errors import InputError
from maxpo_cli.metrics.columns import BY_NAME
from maxpo_cli.metrics.significance import half_width, is_biased
from maxpo_cli.plots.coordinates import swept_columns
from maxpo_cli.plots.estimator_rows import (
    draw_centering,
    head,
    line_at,
    mark_empty,
    name_rows,
    places,
)
from maxpo_cli.plots.kind import PlotKind, selection
from maxpo_cli.plots.spec import PlotSpec
from maxpo_cli.plots.style import new_figure
from maxpo_cli.storage.result import Result

STEM = "compare"
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


def draw(result: Result, _: PlotSpec) -> tuple[str, Figure]:
    """Variance ratio and relative bias with 95% intervals, and centering, by estimator.

    Raises `InputError` where the result has more than one cell.
    """
    if swept := swept_columns(result):
        cells = len(result.table[list(swept)].drop_duplicates())
        raise InputError(
            f"the table holds {cells} cells of ({', '.join(swept)}); a comparison is drawn of one: "
            "choose it with --where COLUMN=VALUE"
        )
    table = result.table
    figure = new_figure(1.6 + 0.26 * len(table))
    panels = figure.subplots(1, 3, sharey=True)
    biased = is_biased(table).to_numpy()
    _draw_variance(panels[0], table, biased)
    _draw_bias(panels[1], table, biased)
    draw_centering(panels[2], table)
    name_rows(panels, table)
    head(figure, result)
    return STEM, figure


def _draw_variance(axes: Axes, table: pd.DataFrame, biased: BoolArray) -> None:
    ratio = table["variance_ratio"].to_numpy(dtype=float)
    half = np.nan_to_num(half_width(table, "variance_ratio").to_numpy(dtype=float))
    seen = ratio[np.isfinite(ratio) & (ratio > 0)]
    if len(seen) and seen.max() > LOG_FROM * seen.min():
        axes.set_xscale("log")
        decades = np.log10(seen.max() / seen.min())
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2 else (1,)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        half = np.minimum(half, 0.9 * ratio)
    line_at(axes, 1)
    _points(axes, ratio, half, places(table), biased)
    noted = table["note"].notna() & (table["note"] != "")
    for row, value, note in zip(places(table), ratio, noted, strict=True):
        if not np.isfinite(value) or (value == 0 and axes.get_xscale() == "log"):
            said = "0" if value == 0 else "undefined" if note else "no ratio"
            axes.text(
                0.02, row, said, color="#666666", va="center", style="italic", backgroundcolor="w",
                transform=axes.get_yaxis_transform(),
            )  # fmt: skip
    axes.set_title("Gradient variance")
    axes.set_xlabel(f"{BY_NAME['variance_ratio'].label}\n← less noise")


def _draw_bias(axes: Axes, table: pd.DataFrame, biased: BoolArray) -> None:
    half = np.nan_to_num(half_width(table, "relative_bias").to_numpy(dtype=float))
    line_at(axes, 0)
    known = biased | table["bias_z"].notna().to_numpy()
    bias = table["relative_bias"].to_numpy(dtype=float)
    _points(axes, np.where(known, bias, 0 * bias), half, places(table), biased)
    mark_empty(axes, bias)
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
    axes.set_xlabel(BY_NAME["relative_bias"].label)
    handles = [
        axes.plot([], [], label=label, **marker)[0]
        for label, marker in (("unbiased", UNBIASED), ("biased", BIASED))
    ]
    axes.figure.legend(handles=handles, loc="outside lower left", ncols=2, frameon=False)


def _points(
    axes: Axes, values: FloatArray, half: FloatArray, rows: IntArray, biased: BoolArray
) -> None:
    for chosen, marker in ((~biased, UNBIASED), (biased, BIASED)):
        axes.errorbar(
            values[chosen], rows[chosen], xerr=half[chosen], ecolor=marker["color"], capsize=2,
            elinewidth=1, **marker,
        )  # fmt: skip


def _one_cell(result: Result, spec: PlotSpec) -> bool:
    return not swept_columns(selection(result, spec))


KIND = PlotKind(
    name="comparison",
    summary="one cell: variance ratio, bias and centering of every estimator",
    refuses=("x", "y", "col", "row", "ratio"),
    columns=(
        "n", "k", "bias", "relative_bias", "relative_bias_stderr", "bias_z", "rtol", "mse",
        "centering_rms", "centering_max", "variance_ratio", "variance_ratio_stderr", "note",
    ),
    draw=draw,
    suits=_one_cell,
    precedence=2,
    stem=STEM,
)  # fmt: skip
