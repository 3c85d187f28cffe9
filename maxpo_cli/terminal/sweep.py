"""A sweep in the terminal: where each estimator is quietest, least and most noisy."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from maxpo_cli.metrics.columns import BY_NAME, POLICY
from maxpo_cli.metrics.significance import half_width
from maxpo_cli.storage.study import StudyRecord
from maxpo_cli.terminal import numbers
from maxpo_cli.terminal.circumstances import (
    LIMIT,
    exact_for,
    few_samples,
    in_limit,
    measured_before,
)
from maxpo_cli.terminal.layout import TextColumn, fitting_tables, legend, paragraph
from maxpo_cli.terminal.quietest import ROUNDING, Quietest, quietest

NOTES = 3
"""Reasons for rows without metrics that are shown, those of most rows."""

BIASED, YARDSTICK = "biased", "yardstick"
"""What stands for a number of cells where an estimator cannot be quietest."""

RATIO = BY_NAME["variance_ratio"]


class End(NamedTuple):
    """The least or the largest ratio of an estimator, half of its interval, and its cell."""

    ratio: float = float("nan")
    half: float = float("nan")
    place: str = ""


def sweep_view(
    table: pd.DataFrame, record: StudyRecord, width: int, there: int = 0, found: bool = False
) -> RenderableType:
    """What was measured, and a row per estimator: how often quietest, extreme ratios.

    `table` and `record` are what `table.csv` and `study.json` hold; `width` is the terminal's;
    `there` is the number of cells that an earlier run had measured, and `found` says that the whole
    result was there already and was not measured again.
    """
    spec = record.spec
    names = [name for name in record.coordinates if name != POLICY.name]
    fixed = [f"{name}={spec[name]}" for name in ("n", "k") if name in spec]
    grid = [f"{name}={text}" for name, text in spec["grid"].items()]
    rows = {str(name): each for name, each in table.groupby("estimator", sort=False)}
    winners = quietest(table, names, spec["dtype"])
    won = [_won(name, winners, each) for name, each in rows.items()]
    varying = [name for name in names if table[name].nunique() > 1]
    ends = [_extremes(each, varying, ROUNDING[spec["dtype"]]) for each in rows.values()]
    lines = _amounts(table, names, record, 0 if found else there)
    return Group(
        paragraph("   ".join([_source(spec), *grid, *fixed]), style="bold"),
        paragraph(*lines, *([measured_before(record)] if found else [])),
        Text(),
        fitting_tables(
            TextColumn("estimator", list(rows), is_words=True),
            [
                [TextColumn("quietest", won)],
                _end_columns("least", [low for low, _ in ends]),
                _end_columns("most", [high for _, high in ends]),
            ],
            width,
        ),
        Text(),
        legend(_legend(winners, won, str(spec["reference"]), table)),
    )


def _source(spec: Mapping[str, Any]) -> str:
    where = f"[{','.join(spec['where'])}]" if spec.get("where") else ""
    return str(spec.get("policy") or f"{spec['rewards']}{where}")


def _amounts(
    table: pd.DataFrame, names: Sequence[str], record: StudyRecord, there: int
) -> list[str]:
    """How many cells were measured by which engines, and how many rows have no metrics."""
    until = record.spec.get("until_rel_error")
    lines = [_engines(table, names, record), *_limit(table, names)]
    error = (table["variance_ratio_stderr"] / table["variance_ratio"]).max()
    if error > 0:
        aim = f", where {100 * until:.3g}% was asked for" if until else ""
        lines.append(f"largest standard error of a ratio {100 * error:.3g}% of it{aim}")
    if record.prompts:
        lines.append(f"{numbers.count(record.prompts, 'prompt')} in all")
    lines += few_samples(record, table)
    if there:
        lines.append(f"{there:,} of them were there already")
    notes = table[table["note"] != ""]["note"].value_counts()
    lines += [f"{numbers.count(rows, 'row')}: {note}" for note, rows in notes.head(NOTES).items()]
    if len(notes) > NOTES:
        rest = int(notes.iloc[NOTES:].sum())
        lines.append(f"{numbers.count(rest, 'row')} with other notes, which table.csv has")
    return lines


def _engines(table: pd.DataFrame, names: Sequence[str], record: StudyRecord) -> str:
    """The cells, each once, by all the engines that measured it."""
    said = {True: f" (seed {record.spec['seed']})", False: f" ({exact_for(record)})"}
    engine = table["engine"].fillna("")
    known = table[list(names)].assign(engine=engine, sampled=table["groups"].notna())
    by_cell = known[engine != ""].drop_duplicates().sort_values(["sampled", "engine"])
    each = by_cell.groupby(list(names), sort=False)["engine"].agg(tuple).value_counts(sort=False)
    how = dict(zip(by_cell["engine"], by_cell["sampled"], strict=True))
    parts = []
    for engines, cells in each.items():
        exact = [engine for engine in engines if not how[engine]]
        sampled = [engine for engine in engines if how[engine]]
        texts = [
            f"{' and '.join(some)}{said[kind]}"
            for kind, some in ((False, exact), (True, sampled))
            if some
        ]
        parts.append(f"{cells:,} by {', '.join(texts)}")
    measured = "; ".join(parts) or "none of them can be measured"
    return f"{numbers.count(_cells(table, names), 'cell')}: {measured}"


def _cells(rows: pd.DataFrame, names: Sequence[str]) -> int:
    """The number of cells that have rows here."""
    return len(rows.drop_duplicates(list(names)))


def _limit(table: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """In how many of the cells that were measured answers never repeat."""
    limit = _cells(table[in_limit(table)], names)
    if limit == _cells(table[table["objective"].notna()], names):
        return [LIMIT] if limit else []
    return [f"in {limit:,} of them {LIMIT}"] if limit else []


def _won(name: str, winners: Quietest, rows: pd.DataFrame) -> str:
    """In how many cells an estimator is quietest, and of how many; or why in none."""
    if name in winners.yardsticks:
        return YARDSTICK
    if name in winners.of:
        return f"{winners.wins[name]:,} of {winners.of[name]:,}"
    return BIASED if rows["matched_variance"].notna().any() else numbers.NONE


def _extremes(rows: pd.DataFrame, varying: Sequence[str], rounding: float) -> tuple[End, End]:
    """The least and the largest ratio of an estimator."""
    ratios = rows["variance_ratio"].dropna()
    if ratios.empty:
        return End(), End()
    halves = half_width(rows, RATIO.name)
    first, last = ratios.idxmin(), ratios.idxmax()
    is_same = ratios[last] - ratios[first] <= rounding * abs(ratios[last])
    low, high = (
        End(ratios[place], halves[place], _cell_text(rows.loc[place], varying))
        for place in (first, last)
    )
    if not is_same:
        return low, high
    everywhere = low._replace(place="everywhere" if len(ratios) > 1 else "")
    return everywhere, everywhere


def _end_columns(heading: str, ends: Sequence[End]) -> list[TextColumn]:
    """The ratios of one end, and where they are."""
    ratios = numbers.texts([end.ratio for end in ends], [end.half for end in ends])
    places = TextColumn("at", [end.place for end in ends], is_words=True)
    return [TextColumn(heading, ratios), places]


def _cell_text(row: pd.Series, varying: Sequence[str]) -> str:
    values = (row[name] for name in varying)
    texts = (f"{v:.4g}" if isinstance(v, float) else str(v) for v in values)
    return " ".join(f"{name}={text}" for name, text in zip(varying, texts, strict=True))


def _legend(
    winners: Quietest, won: Sequence[str], reference: str, table: pd.DataFrame
) -> list[tuple[str, str]]:
    """What the words of the table mean, those that are in it."""
    noise = f"; in {winners.open_cells:,} of {winners.cells:,} cells noise hides which has less"
    texts = [
        (
            "quietest",
            "in how many of the cells where it is unbiased no unbiased estimator has less "
            f"variance, ties included{noise if winners.open_cells else ''}",
        ),
        (BIASED, "E ĝ is not ∇J in any cell, as claimed or measured"),
        (YARDSTICK, "it knows the policy: nothing can be trained with it"),
        ("least", f"variance at equal scale over that of {reference}: below 1 is less noise"),
        ("±", "half of a 95% interval"),
    ]
    has_errors = bool((half_width(table, RATIO.name) > 0).any())
    left_out = {word for word in (BIASED, YARDSTICK) if word not in won}
    left_out |= set() if has_errors else {"±"}
    return [(heading, text) for heading, text in texts if heading not in left_out]
