"""The kind `bench`: the time of a group against N, and Monte Carlo against its lower bound."""

from collections.abc import Iterator
from itertools import cycle

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxpo_cli.plots.kind import PlotKind
from maxpo_cli.plots.scales import plain
from maxpo_cli.plots.spec import PlotSpec
from maxpo_cli.plots.style import GUIDE, LOOKS, SMALL, Look, new_figure
from maxpo_cli.storage.result import Result

NAME = "bench"
BENCH_COLUMNS = (
    "device", "study", "what", "n", "k", "seconds_per_group", "floor", "floor_ratio", "exponent",
)  # fmt: skip
PAIRWISE = "l2o by pairs"
"""What a bench calls the definition of `l2o` by pairs."""

SPARE = [look for name, look in LOOKS.items() if name not in ("l2o", "canonical", "ei")]
"""Looks of what is not an estimator."""


def draw(result: Result, _: PlotSpec) -> tuple[str, Figure]:
    """Two panels over log N: the time per group, and Monte Carlo's over its lower bound."""
    with mpl.rc_context({"axes.spines.left": True}):
        return NAME, _figure(result.table)


def _figure(table: pd.DataFrame) -> Figure:
    figure = new_figure(4.4)
    first = table.iloc[0]
    head = f"Time of a group, K = {first['k']}, one thread\n{first['device']}"
    figure.suptitle(head, x=0.01, ha="left", fontsize="medium")
    times, ratios = figure.subplots(1, 2)
    advantages = table[table["study"] == "advantages"]
    _draw(times, advantages, "seconds_per_group", "seconds per group", "l2o")
    sampled = table[(table["study"] == "monte-carlo") & table["floor"].notna()]
    _draw(ratios, sampled, "floor_ratio", "time / that of draws and sort", None)
    times.set_title("Advantages")
    ratios.set_title("Monte Carlo")
    ratios.axhline(1, color=GUIDE, linewidth=0.8, zorder=0)
    return figure


def _draw(axes: Axes, table: pd.DataFrame, column: str, name: str, first: str | None) -> None:
    whats = list(dict.fromkeys(table["what"]))
    looks = cycle(SPARE)
    for what in whats:
        rows = table[(table["what"] == what) & table[column].notna()]
        look = LOOKS[first] if what == first and first else _look(what, looks)
        exponent = rows["exponent"].iloc[0] if len(rows) else float("nan")
        grows = f"  ~ N^{exponent:.2f}" if column != "floor_ratio" and exponent == exponent else ""
        if len(rows):
            axes.plot(rows["n"], rows[column], label=f"{what}{grows}", **look.line, **look.points)
    sizes = sorted(set(table["n"]))
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(sizes, [f"{n:,}" for n in sizes])
    axes.set_xlabel("N")
    axes.set_ylabel(name)
    axes.grid(color="#eeeeee", linewidth=0.8)
    axes.set_axisbelow(True)
    if column == "floor_ratio":
        axes.yaxis.set_major_formatter(lambda value, _: plain(value))
        axes.yaxis.set_minor_formatter(
            lambda value, _: plain(value) if f"{value:e}"[0] in "25" else ""
        )
    axes.tick_params(which="both", labelsize=SMALL)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="upper center", bbox_to_anchor=(0.45, -0.16), fontsize=SMALL, frameon=False,
        )  # fmt: skip


def _look(what: str, looks: Iterator[Look]) -> Look:
    return LOOKS["ei"] if what == PAIRWISE else next(looks)


def _is_bench(result: Result, _: PlotSpec) -> bool:
    return set(BENCH_COLUMNS) <= set(result.table.columns)


KIND = PlotKind(
    name=NAME,
    summary="a bench: time per group against N, Monte Carlo against its bound",
    refuses=("x", "y", "col", "row", "estimators", "ratio", "where"),
    columns=BENCH_COLUMNS,
    draw=draw,
    suits=_is_bench,
    precedence=3,
)
