"""The kind `bench`: the time of a group against N, and Monte Carlo against its lower bound."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from maxpo_cli.arrays import FloatArray
from maxpo_cli.plots.kind import PlotKind, Prepared
from maxpo_cli.plots.labels import legend_below
from maxpo_cli.plots.panels import write_head
from maxpo_cli.plots.scales import Scale, figure_scale, set_scale
from maxpo_cli.plots.series import drawable
from maxpo_cli.plots.spec import PlotSpec
from maxpo_cli.plots.style import (
    FAINT,
    GUIDE,
    LOOKS,
    OTHERS,
    Appearance,
    Look,
    appearances,
    is_narrow,
    new_figure,
    small,
)
from maxpo_cli.plots.ticks import numbers, set_ticks, thin_ticks
from maxpo_cli.storage.result import Result

NAME = "bench"
BENCH_COLUMNS = (
    "device", "study", "what", "n", "k", "seconds_per_group", "floor", "floor_ratio", "exponent",
)  # fmt: skip

SORT = "torch.sort"
WAYS = {
    SORT: Look("#999999", (0, (1, 1.6)), "x"),
    "l2o by pairs": replace(LOOKS["l2o"], dashes=(0, (5, 1.5)), marker="d", hollow=True),
    "l2o by subsets": replace(LOOKS["l2o"], dashes=(0, (2, 1.5)), marker="H", hollow=True),
}
"""The looks of what is no estimator by itself: two of `l2o` in its colour."""

PANEL, LINE = 2.6, 0.17
"""Height in inches of a panel, and of a line of a legend."""


def prepare(result: Result, spec: PlotSpec) -> Prepared:
    """Two panels over log N: the time per group, and Monte Carlo's over its lower bound."""
    return NAME, lambda: _draw(result.table, spec)


def _draw(table: pd.DataFrame, spec: PlotSpec) -> Figure:
    advantages = table[table["study"] == "advantages"]
    sampled = table[(table["study"] == "monte-carlo") & table["floor"].notna()]
    labels = [*advantages["what"], *(what.partition(": ")[2] for what in sampled["what"])]
    looks = {name: one.look for name, one in appearances(labels).items()} | WAYS
    several = [name for name in dict.fromkeys(labels) if name.endswith(" estimators")]
    looks |= dict(zip(several, OTHERS, strict=False))
    stacked = is_narrow(spec)
    lines = [_count(part) for part in (advantages, sampled)]
    height = sum(lines) if stacked else max(lines)
    figure = new_figure(spec, (2 if stacked else 1) * PANEL + LINE * height)
    first = table.iloc[0]
    texts = [(f"Time of a group, K = {first['k']}, one thread", 1), (str(first["device"]), 1)]
    write_head(figure, texts, [], spec)
    parts = figure.subfigures(*((2, 1) if stacked else (1, 2)), squeeze=False).ravel()
    _panel(parts[0], "Advantages", advantages, "seconds_per_group", looks)
    _panel(parts[1], "Monte Carlo", sampled, "floor_ratio", looks)
    figure.draw_without_rendering()
    for axes in figure.axes:
        thin_ticks(axes, figure.canvas.get_renderer())  # type: ignore[attr-defined]
    return figure


def _count(table: pd.DataFrame) -> int:
    return int(table["what"].nunique())


def _panel(
    part: SubFigure, title: str, table: pd.DataFrame, column: str, looks: dict[str, Look]
) -> None:
    axes = part.subplots()
    axes.set_title(title)
    axes.spines["left"].set_visible(True)
    axes.grid(color="#eeeeee", linewidth=0.8)
    axes.set_axisbelow(True)
    values = drawable(table[column])
    rows = table[values > 0]
    if rows.empty:
        axes.text(
            0.5, 0.5, "no values", transform=axes.transAxes, ha="center", color=FAINT,
            style="italic", fontsize=small(),
        )  # fmt: skip
        set_ticks(axes.xaxis, [], [])
        set_ticks(axes.yaxis, [], [])
        return
    names = list(dict.fromkeys(rows["what"]))
    policies = list(dict.fromkeys(name.partition(": ")[0] for name in names))
    shown = [_appearance(name, rows, column, looks, policies) for name in names]
    for name, one in zip(names, shown, strict=True):
        here = rows[rows["what"] == name].sort_values("n")
        axes.plot(here["n"], here[column], label=one.label, **one.look.line, **one.look.points)
    ratio = column == "floor_ratio"
    if ratio:
        axes.axhline(1, color=GUIDE, linewidth=0.8, zorder=0)
    _set_axes(axes, rows, drawable(rows[column]), ratio)
    legend_below(
        part, [Line2D([], [], label=s.label, **s.look.line, **s.look.points) for s in shown]
    )


def _set_axes(axes: Axes, rows: pd.DataFrame, values: FloatArray, ratio: bool) -> None:
    sizes = sorted(set(rows["n"]))
    axes.set_xscale("log", base=2)
    set_ticks(axes.xaxis, sizes, numbers([float(n) for n in sizes]))
    axes.set_xlim(sizes[0] / 1.15, sizes[-1] * 1.15)
    axes.set_xlabel("N")
    axes.set_ylabel("time / that of draws and sort" if ratio else "seconds per group")
    ends = np.array([*values, *([1.0] if ratio else [])])
    low, high = float(ends.min()), float(ends.max())
    scale = figure_scale(ends, 1.0)
    set_scale(axes, "y", Scale("log", low / 2, high * 2) if high <= low else scale)


def _appearance(
    name: str, rows: pd.DataFrame, column: str, looks: dict[str, Look], policies: Sequence[str]
) -> Appearance:
    """The look of an estimator is the same in both panels; hollow is the second policy."""
    if column == "floor_ratio":
        policy, _, what = name.partition(": ")
        look = looks[what]
        other = policies.index(policy) > 0
        dashes = (0, (2, 1.5)) if other else "solid"
        return Appearance(name, replace(look, dashes=dashes, hollow=other))
    exponent = rows.loc[rows["what"] == name, "exponent"].iloc[0]
    grows = f"  ~ N^{exponent:.2f}" if exponent == exponent else ""
    return Appearance(f"{name}{grows}", looks[name])


def _is_bench(result: Result, _: PlotSpec) -> bool:
    return set(BENCH_COLUMNS) <= set(result.table.columns)


KIND = PlotKind(
    name=NAME,
    summary="a bench: time per group against N, Monte Carlo against its bound",
    refuses=("x", "y", "col", "row", "estimators", "ratio", "where", "label"),
    columns=BENCH_COLUMNS,
    prepare=prepare,
    suits=_is_bench,
    precedence=3,
)
