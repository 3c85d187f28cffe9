"""What a bench shows: the time of a group against N, and Monte Carlo beside its floor."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from maxpo_cli.plots.style import GUIDE, LOOKS, SMALL, STYLE, Look, new_figure
from maxpo_cli.plots.scales import plain
from maxpo_cli.terminal.comparison import NONE, figure_text

BENCH = "bench"
MOST_SIZES = 5
"""Group sizes that a terminal table has columns for."""

SPARE = [look for name, look in LOOKS.items() if name not in ("l2o", "canonical", "ei")]


def is_bench(table: pd.DataFrame) -> bool:
    """Whether it is the table of a bench."""
    return {"what", "seconds_per_group", "floor_ratio"} <= set(table.columns)


def bench_figure(table: pd.DataFrame) -> Figure:
    """Two panels in log N: the time of a group by each way, and Monte Carlo's over its floor."""
    with mpl.rc_context(STYLE | {"axes.spines.left": True}):
        return _figure(table)


def _figure(table: pd.DataFrame) -> Figure:
    figure = new_figure(4.4)
    first = table.iloc[0]
    head = f"Time of a group, K = {first['k']}, one thread\n{first['device']}"
    figure.suptitle(head, x=0.01, ha="left", fontsize="medium")
    times, ratios = figure.subplots(1, 2)
    advantages = table[table["study"] == "advantages"]
    _draw(times, advantages, "seconds_per_group", "seconds a group", "l2o")
    sampled = table[(table["study"] == "monte-carlo") & table["floor"].notna()]
    _draw(ratios, sampled, "floor_ratio", "time / that of draws and sort", None)
    times.set_title("Advantages")
    ratios.set_title("Monte Carlo")
    ratios.axhline(1, color=GUIDE, linewidth=0.8, zorder=0)
    return figure


def _draw(axes: Axes, table: pd.DataFrame, column: str, name: str, first: str | None) -> None:
    whats = list(dict.fromkeys(table["what"]))
    looks = iter(SPARE)
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
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.45, -0.16), fontsize=SMALL, frameon=False,
    )  # fmt: skip


def _look(what: str, looks: Any) -> Look:
    return LOOKS["ei"] if what == "l2o by pairs" else next(looks)


def bench_view(table: pd.DataFrame, study: Mapping[str, Any]) -> RenderableType:
    """Tables for 80 columns: times of a group, and Monte Carlo in groups a second."""
    sizes = _few(sorted(set(table["n"])))
    spec = study["spec"]
    advantages = table[table["study"] == "advantages"]
    sampled = table[table["study"] == "monte-carlo"]
    times = _table("time of a group", sizes, "grows as")
    for what, rows in advantages.groupby("what", sort=False):
        exponent = rows["exponent"].iloc[0]
        grows = f"N^{exponent:.2f}" if exponent == exponent else NONE
        times.add_row(str(what), *_cells(rows, sizes, "seconds_per_group", _seconds), grows)
    speeds = _table("Monte Carlo, groups a second", sizes, "")
    for what, rows in sampled.groupby("what", sort=False):
        speeds.add_row(str(what), *_cells(rows, sizes, "groups_per_second", _count), "")
        if rows["floor_ratio"].notna().any():
            ratio = _cells(rows, sizes, "floor_ratio", lambda value: f"{value:.2f} ×")
            speeds.add_row(Text("  time over the floor's", style="dim"), *ratio, "")
    peers = {note for note in table["note"] if note and " equals " in note}
    noted = table[(table["note"] != "") & ~table["note"].isin(peers)]
    notes = [*sorted(peers), *noted.drop_duplicates("what")["note"]]
    return Group(
        Text(f"{study['device']}   k={spec['k']} {spec['dtype']}, one thread", style="bold"),
        Text(),
        times,
        Text(),
        speeds,
        *(Text(line) for line in ["", *notes] if notes),
    )


def _table(title: str, sizes: Sequence[int], last: str) -> Table:
    view = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    view.add_column(title, overflow="fold")
    for n in sizes:
        view.add_column(f"N={n}", justify="right", no_wrap=True)
    view.add_column(last, justify="right", no_wrap=True)
    return view


def _few(sizes: list[int]) -> list[int]:
    if len(sizes) <= MOST_SIZES:
        return sizes
    last = len(sizes) - 1
    return [sizes[round(i * last / (MOST_SIZES - 1))] for i in range(MOST_SIZES)]


def _cells(rows: pd.DataFrame, sizes: Sequence[int], column: str, text: Any) -> list[str]:
    values = rows.set_index("n")[column]
    return [text(values[n]) if n in values and pd.notna(values[n]) else NONE for n in sizes]


def _seconds(value: float) -> str:
    for unit, size in (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3)):
        if value < 1000 * size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g} s"


def _count(value: float) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return figure_text(value)
