"""A bench in the terminal: times per group, and Monte Carlo in groups per second."""

import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from maxpo_cli.storage.study import StudyRecord
from maxpo_cli.terminal import numbers
from maxpo_cli.terminal.circumstances import measured_before
from maxpo_cli.terminal.layout import TextColumn, fitting_tables, paragraph

TIMES = ("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0)
SPEEDS = ("groups", 1.0), ("thousand groups", 1e3), ("million groups", 1e6)


def bench_view(
    table: pd.DataFrame, record: StudyRecord, width: int, found: bool = False
) -> RenderableType:
    """Three tables by N; `table` and `record` are what `table.csv` and `study.json` hold.

    `width` is the terminal's; `found` says that the result was there already and was not measured
    again.
    """
    spec = record.spec
    advantages = table[table["study"] == "advantages"]
    sampled = table[table["study"] == "monte-carlo"]
    above = sampled[~sampled["what"].isin(sampled["floor"])]
    time, second = numbers.unit(advantages["seconds_per_group"].tolist(), TIMES)
    speed, groups = numbers.unit(sampled["groups_per_second"].tolist(), SPEEDS)
    parts: list[RenderableType] = []
    for title, rows, column, size in (
        (f"advantages: {time} per group", advantages, "seconds_per_group", second),
        (f"Monte Carlo: {speed} per second", sampled, "groups_per_second", groups),
        ("Monte Carlo: time over that of the draws and a sort", above, "floor_ratio", 1.0),
    ):
        if not rows.empty:
            parts += [
                Text(),
                paragraph(title),
                _view(rows, column, size, rows is advantages, width),
            ]
    notes = _notes(table)
    return Group(
        paragraph(f"{record.device}   k={spec['k']} {spec['dtype']}, one thread", style="bold"),
        *([paragraph(measured_before(record))] if found else []),
        *parts,
        *([paragraph("", *notes)] if notes else []),
    )


def _view(rows: pd.DataFrame, column: str, size: float, grows: bool, width: int) -> RenderableType:
    """What was timed, and its values by N in units of `size`; if asked, how they grow with N."""
    first = rows.drop_duplicates("what")
    values = (rows.set_index(["n", "what"])[column].astype(float) / size).unstack()
    columns = [
        [TextColumn(f"N={n}", numbers.texts(of_n.reindex(first["what"]).tolist()))]
        for n, of_n in values.iterrows()
    ]
    if grows:
        columns.append([TextColumn("grows as", [_power(e) for e in first["exponent"]])])
    return fitting_tables(TextColumn("", list(first["what"]), is_words=True), columns, width)


def _power(exponent: float) -> str:
    return numbers.NONE if pd.isna(exponent) else f"N^{exponent:.2f}"


def _notes(table: pd.DataFrame) -> list[str]:
    """What functions of the user equal, and why things were not timed."""
    notes = table["note"].fillna("")
    peers = sorted({note for note in notes if " equals " in note})
    others = table[(notes != "") & ~notes.isin(peers)]
    return [*peers, *others.drop_duplicates("what")["note"]]
