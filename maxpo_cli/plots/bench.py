"""What a bench shows in the terminal; moves to `maxpo_cli/terminal/bench.py`."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from maxpo_cli.terminal.comparison import NONE, figure_text

MOST_SIZES = 5
"""Group sizes that a terminal table has columns for."""


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
