"""A bench in the terminal: times per group, and Monte Carlo in groups per second."""

from collections.abc import Callable, Sequence

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from maxpo_cli.storage.study import StudyRecord
from maxpo_cli.terminal import numbers
from maxpo_cli.terminal.circumstances import measured_before
from maxpo_cli.terminal.screen import new_table

MOST_SIZES = 5
"""Group sizes that a table has columns for."""


def bench_view(table: pd.DataFrame, record: StudyRecord, found: bool = False) -> RenderableType:
    """Tables for 80 columns; `table` and `record` are what `table.csv` and `study.json` hold.

    `found` says that the result was there already and was not measured again.
    """
    sizes = _few(sorted(set(table["n"])))
    spec = record.spec
    advantages = table[table["study"] == "advantages"]
    sampled = table[table["study"] == "monte-carlo"]
    times = _table("time per group", sizes, "grows as")
    for what, rows in advantages.groupby("what", sort=False):
        exponent = rows["exponent"].iloc[0]
        grows = f"N^{exponent:.2f}" if exponent == exponent else numbers.NONE
        times.add_row(str(what), *_cells(rows, sizes, "seconds_per_group", numbers.duration), grows)
    speeds = _table("Monte Carlo, groups per second", sizes, "")
    for what, rows in sampled.groupby("what", sort=False):
        speeds.add_row(str(what), *_cells(rows, sizes, "groups_per_second", numbers.large), "")
        if rows["floor_ratio"].notna().any():
            ratio = _cells(rows, sizes, "floor_ratio", lambda value: f"{value:.2f} ×")
            speeds.add_row(Text("  time / lower bound", style="dim"), *ratio, "")
    peers = {note for note in table["note"] if note and " equals " in note}
    noted = table[(table["note"] != "") & ~table["note"].isin(peers)]
    notes = [*sorted(peers), *noted.drop_duplicates("what")["note"]]
    head = f"{record.device}   k={spec['k']} {spec['dtype']}, one thread"
    return Group(
        Text(head, style="bold"),
        *([Text(measured_before(record))] if found else []),
        Text(),
        times,
        Text(),
        speeds,
        *(Text(line) for line in ["", *notes] if notes),
    )


def _table(title: str, sizes: Sequence[int], last: str) -> Table:
    view = new_table()
    view.add_column(title, overflow="fold")
    for n in sizes:
        view.add_column(f"N={n}", justify="right", no_wrap=True)
    view.add_column(last, justify="right", no_wrap=True)
    return view


def _few(sizes: list[int]) -> list[int]:
    """At most `MOST_SIZES` of these, the first and the last among them."""
    if len(sizes) <= MOST_SIZES:
        return sizes
    last = len(sizes) - 1
    return [sizes[round(i * last / (MOST_SIZES - 1))] for i in range(MOST_SIZES)]


def _cells(
    rows: pd.DataFrame, sizes: Sequence[int], column: str, text: Callable[[float], str]
) -> list[str]:
    values = rows.set_index("n")[column]
    return [text(values[n]) if n in values and pd.notna(values[n]) else numbers.NONE for n in sizes]
