"""The kind `comparison`: variance, bias and centering of every estimator in one cell."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from maxpo_cli.arrays import BoolArray, FloatArray, IntArray
from maxpo_cli.errors import InputError
from maxpo_cli.metrics.columns import BY_NAME
from maxpo_cli.metrics.significance import OF_BIAS, OF_CENTERING, half_width, is_biased
from maxpo_cli.plots.coordinates import ratio_label, swept_columns
from maxpo_cli.plots.estimator_rows import (
    draw_centering,
    line_at,
    mark_empty,
    places,
    remark,
    row_figure,
)
from maxpo_cli.plots.frame import inliers
from maxpo_cli.plots.kind import PlotKind, Prepared, selection
from maxpo_cli.plots.labels import legend_below
from maxpo_cli.plots.panels import make_room
from maxpo_cli.plots.scales import WIDE_RATIO, Scale, distance_scale, figure_scale, set_scale
from maxpo_cli.plots.series import drawable
from maxpo_cli.plots.spec import PlotSpec
from maxpo_cli.plots.ticks import in_units, number
from maxpo_cli.storage.result import Result

STEM = "compare"

# Okabe and Ito's palette for colour-blind readers; shape and filling tell them apart in grey.
UNBIASED: dict[str, Any] = {
    "color": "#0072B2", "marker": "o", "linestyle": "none", "markersize": 5.5,
}  # fmt: skip
BIASED: dict[str, Any] = {
    "color": "#D55E00", "marker": "D", "linestyle": "none", "markersize": 5,
    "markerfacecolor": "white", "markeredgewidth": 1.3,
}  # fmt: skip


def prepare(result: Result, spec: PlotSpec) -> Prepared:
    """Variance ratio and relative bias with 95% intervals, and centering, by estimator.

    Raises `InputError` where the result has more than one cell.
    """
    if swept := swept_columns(result):
        cells = len(result.table[list(swept)].drop_duplicates())
        raise InputError(
            f"the table holds {cells} cells of ({', '.join(swept)}); a comparison is drawn of one: "
            "choose it with --where COLUMN=VALUE"
        )
    return STEM, lambda: _draw(result, spec)


def _draw(result: Result, spec: PlotSpec) -> Figure:
    biased = is_biased(result.table).to_numpy()
    variance = partial(_draw_variance, biased=biased, name=ratio_label(result, spec.labels))
    bias = partial(_draw_bias, biased=biased)
    figure = row_figure(result, spec, [variance, bias, draw_centering])
    there = np.isfinite(drawable(result.table["variance"]))
    _legend(figure, biased[there])
    figure.draw_without_rendering()
    return figure


def _legend(figure: Figure, biased: BoolArray) -> None:
    """Tells what the markers mean that there are."""
    shown = [("unbiased", UNBIASED)] if (~biased).any() else []
    shown += [("biased", BIASED)] if biased.any() else []
    legend_below(figure, [Line2D([], [], label=label, **marker) for label, marker in shown])
    make_room(figure, figure.legends)


def _draw_variance(axes: Axes, table: pd.DataFrame, biased: BoolArray, name: str) -> None:
    ratio = drawable(table["variance_ratio"])
    half = np.nan_to_num(drawable(half_width(table, "variance_ratio")))
    rows = places(table)
    scale = _ratio_scale(ratio, half)
    if scale.kind == "log":
        half = np.minimum(half, 0.9 * ratio)
    line_at(axes, 1)
    inside = (ratio >= scale.low) & (ratio <= scale.high)
    _points(axes, np.where(inside, ratio, np.nan), half, rows, biased)
    noted = table["note"].notna() & (table["note"] != "")
    for row, value, note, shown in zip(rows, ratio, noted, inside, strict=True):
        if value > scale.high:
            remark(axes, 0.99, row, f"{number(value)} ▶", "right")
        elif value < scale.low and value > 0:
            remark(axes, 0.01, row, f"◀ {number(value)}")
        elif not shown:
            remark(axes, 0.02, row, "0" if value == 0 else "undefined" if note else "no ratio")
    axes.set_title("Gradient variance")
    axes.set_xlabel(f"{in_units(name, set_scale(axes, 'x', scale))}\n← less noise")


def _ratio_scale(ratio: FloatArray, half: FloatArray) -> Scale:
    """The scale of the ratios that are not far from all others, with their intervals."""
    seen = np.flatnonzero(np.isfinite(ratio) & (ratio > 0))
    if not len(seen):
        return Scale("linear", 0.5, 1.5)
    kept = seen[inliers([ratio[[i]] for i in seen])]
    low, high = ratio[kept] - half[kept], ratio[kept] + half[kept]
    ends = np.concatenate([ratio[kept], np.maximum(low, 0.1 * ratio[kept]), high, [1.0]])
    return figure_scale(ends, WIDE_RATIO)


def _draw_bias(axes: Axes, table: pd.DataFrame, biased: BoolArray) -> None:
    half = np.nan_to_num(drawable(half_width(table, "relative_bias")))
    bias = drawable(table["relative_bias"])
    known = biased | table["bias_z"].notna().to_numpy()
    shown = np.where(known, bias, 0 * bias)
    line_at(axes, 0)
    _points(axes, shown, half, places(table), biased)
    mark_empty(axes, bias)
    scale = distance_scale(np.concatenate([shown, shown + half]))
    axes.set_title("Bias")
    axes.set_xlabel(in_units(BY_NAME["relative_bias"].label, set_scale(axes, "x", scale)))


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
        *OF_BIAS, *OF_CENTERING, "centering_rms", "variance", "variance_ratio",
        "variance_ratio_stderr", "note",
    ),
    prepare=prepare,
    suits=_one_cell,
    precedence=2,
    stem=STEM,
)  # fmt: skip
