"""A comparison in the terminal: a row per estimator, in a table that fits any width."""

import math
from collections.abc import Sequence

import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from maxpo_cli.metrics.columns import METRICS, Column
from maxpo_cli.metrics.significance import half_width, without_rounding
from maxpo_cli.storage.study import StudyRecord
from maxpo_cli.terminal import numbers
from maxpo_cli.terminal.circumstances import (
    LIMIT,
    exact_for,
    few_samples,
    in_limit,
    measured_before,
    notes_of,
)
from maxpo_cli.terminal.layout import TextColumn, fitting_tables, legend, paragraph

SNR = "snr"
"""The metric that vanishes in the orthogonal limit, as the length of a mean gradient does."""

MEANINGS = {
    "relative_bias": "‖E ĝ − ∇J‖ / ‖∇J‖",
    "scale": "the length of E ĝ along ∇J, in ‖∇J‖",
    "misalignment": "sine of the angle between E ĝ and ∇J",
    "centering_rms": "rms of a group's mean advantage: 0 where advantages sum to zero",
    "variance_ratio": "variance at equal scale over that of {reference}: below 1 is less noise",
    SNR: "‖E ĝ‖² / variance",
}
"""What metrics are, in short; another metric's line is its `meaning`."""


def comparison_view(
    table: pd.DataFrame, record: StudyRecord, width: int, found: bool = False
) -> RenderableType:
    """One comparison: what was measured, a row per estimator, and what the columns mean.

    `table` and `record` are what `table.csv` and `study.json` hold; `width` is the terminal's;
    `found` says that the result was there already and was not measured again.
    """
    first = table.iloc[0]
    shown = [column for column in METRICS if column.heading]
    if in_limit(table).any() and table[SNR].isna().all():
        shown = [column for column in shown if column.name != SNR]
    values = without_rounding(table)
    names = TextColumn("estimator", list(table["estimator"].astype(str)), is_words=True)
    columns = [[TextColumn(column.heading, _texts(values, column))] for column in shown]
    notes = notes_of(table)
    lines = _circumstances(table, record)
    return Group(
        paragraph(f"{first['policy']}   n={first['n']} k={first['k']}", style="bold"),
        paragraph(*lines, *([measured_before(record)] if found else [])),
        Text(),
        fitting_tables(names, columns, width),
        Text(),
        *([paragraph(*notes, "")] if notes else []),
        legend(_legend(str(record.spec["reference"]), shown, table)),
    )


def _texts(table: pd.DataFrame, column: Column) -> list[str]:
    return numbers.texts(list(table[column.name]), list(half_width(table, column.name)))


def _circumstances(table: pd.DataFrame, record: StudyRecord) -> list[str]:
    """What the objective is, and how it was measured."""
    measured = table[table["objective"].notna()].head(1).squeeze()
    if measured.empty:
        return ["no estimator is defined here"]
    objective, prompts = measured["objective"], record.prompts
    mean = f" (mean {numbers.plain(objective / prompts)})" if prompts else ""
    head = f"objective {numbers.plain(objective)}{mean}"
    is_limit = bool(in_limit(table).any())
    if math.isnan(measured["scale"]):
        head += ", no gradient: there is nothing to compare"
    elif not is_limit:
        head += f", gradient norm {numbers.plain(measured['gradient_norm'])}"
    return [
        *few_samples(record, table),
        head,
        ", ".join(_amounts(table, record)),
        *([LIMIT] if is_limit else []),
    ]


def _amounts(table: pd.DataFrame, record: StudyRecord) -> list[str]:
    """What each engine did, and how much of it."""
    amounts = [f"{numbers.count(record.prompts, 'prompt')} added up"] if record.prompts else []
    exact = []
    if table["states"].notna().any():
        exact.append(f"enumeration of {numbers.count(table['states'].max(), 'count vector')}")
    if (table["engine"] == "threshold").any():
        exact.append(_thresholds(table["rtol"].astype(float).max()))
    if exact:
        amounts.append(f"{' and '.join(exact)} ({exact_for(record)})")
    if table["groups"].notna().any():
        groups, seed = table["groups"].max(), record.spec["seed"]
        amounts.append(f"monte-carlo, {groups:,} groups, seed {seed}")
    return amounts


def _thresholds(rtol: float) -> str:
    if math.isnan(rtol):
        return "pairs of reward thresholds"
    return f"integrals over reward thresholds, whose last refinement moved {rtol:.0e},"


def _legend(reference: str, shown: Sequence[Column], table: pd.DataFrame) -> list[tuple[str, str]]:
    texts = [
        (column.heading, MEANINGS.get(column.name, column.meaning).format(reference=reference))
        for column in shown
        if column.name != "variance"
    ]
    if any((half_width(table, column.name) > 0).any() for column in shown):
        texts.append(("±", "half of a 95% interval"))
    return texts
