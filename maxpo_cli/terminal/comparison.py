"""A comparison in the terminal: a row per estimator; it reads well at 80 columns."""

import math
from collections.abc import Sequence
from itertools import chain

import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from maxpo_cli.metrics.columns import METRICS, Column
from maxpo_cli.metrics.significance import (
    EXACT_BIAS,
    half_width,
    is_biased,
    is_centered,
)
from maxpo_cli.storage.study import StudyRecord
from maxpo_cli.terminal import numbers
from maxpo_cli.terminal.circumstances import LIMIT, few_samples, in_limit, measured_before
from maxpo_cli.terminal.screen import new_table

WIDE = 100
"""Terminal columns from which a table with intervals shows everything."""

SNR = "snr"
"""The metric that vanishes in the orthogonal limit, as the length of a mean gradient does."""

LEGEND = (
    {
        "relative_bias": "‖E ĝ − ∇J‖ / ‖∇J‖",
        "scale": "the length of E ĝ along ∇J, in ‖∇J‖",
    },
    {"misalignment": "sine of the angle between E ĝ and ∇J", SNR: "‖E ĝ‖² / variance"},
    {"centering_rms": "rms of a group's mean advantage: 0 where advantages sum to zero"},
    {
        "variance_ratio": "variance at equal scale over that of {reference}: below 1 is less noise",
    },
)
"""What metrics are, by the lines of the legend; another metric's line is its `meaning`."""

EXPLAINED = {*chain(*LEGEND), "variance"}


def comparison_view(
    table: pd.DataFrame, record: StudyRecord, width: int, found: bool = False
) -> RenderableType:
    """One comparison: what was measured, a row per estimator, and what the columns mean.

    `table` and `record` are what `table.csv` and `study.json` hold; `width` is the terminal's;
    `found` says that the result was there already and was not measured again.
    """
    first = table.iloc[0]
    is_sampled = bool(table["groups"].notna().any())
    headed = [column for column in METRICS if column.heading]
    if in_limit(table).any() and table[SNR].isna().all():
        headed = [column for column in headed if column.name != SNR]
    is_wide = width >= WIDE or not is_sampled
    shown = [column for column in headed if is_wide or not column.wide_only]
    hidden = [column for column in headed if column not in shown]
    view = new_table()
    view.add_column("estimator", no_wrap=True)
    for column in shown:
        view.add_column(column.heading, justify="right", no_wrap=True, min_width=6)
    values = _without_rounding(table, is_sampled)
    halves = {column.name: _half_width(table, column) for column in shown}
    for index, row in values.iterrows():
        cells = (
            numbers.text(row[column.name], halves[column.name][index], column.format)
            for column in shown
        )
        view.add_row(row["estimator"], *cells)
    notes = [note for note in dict.fromkeys(table["note"].fillna("")) if note]
    lines = _circumstances(table, record)
    return Group(
        Text(f"{first['policy']}   n={first['n']} k={first['k']}", style="bold"),
        Text("\n".join([*lines, measured_before(record)] if found else lines)),
        Text(),
        view,
        Text(),
        *(Text(line) for line in ([*notes, ""] if notes else [])),
        Text(_legend(str(record.spec["reference"]), shown, hidden, is_sampled), style="dim"),
    )


def _without_rounding(table: pd.DataFrame, is_sampled: bool) -> pd.DataFrame:
    """The table with 0 for a bias, a misalignment and a centering that are rounding only."""
    biased, centered = is_biased(table), is_centered(table)
    exact = table["relative_bias_stderr"].isna()
    rounding = ~(biased | is_sampled) | (table["misalignment"] < EXACT_BIAS)
    zero = {
        "relative_bias": exact & ~biased,
        "misalignment": rounding,
        "centering_rms": centered,
    }
    return table.assign(
        **{name: table[name].mask(where & table[name].notna(), 0.0) for name, where in zero.items()}
    )


def _half_width(table: pd.DataFrame, column: Column) -> pd.Series:
    """Half of the interval of a metric that is compared with a value; NaN for others."""
    if column.guide is None:
        return pd.Series(math.nan, table.index)
    return half_width(table, column.name)


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
    if table["states"].notna().any():
        states = numbers.count(table["states"].max(), "count vector")
        amounts.append(f"enumeration of {states} (exact)")
    if (table["engine"] == "threshold").any():
        amounts.append(_thresholds(table["rtol"].astype(float).max()))
    if table["groups"].notna().any():
        groups, seed = table["groups"].max(), record.spec["seed"]
        amounts.append(f"monte-carlo, {groups:,} groups, seed {seed}")
    return amounts


def _thresholds(rtol: float) -> str:
    if math.isnan(rtol):
        return "pairs of reward thresholds (exact)"
    return f"integrals over reward thresholds (exact, the last refinement moved {rtol:.0e})"


def _legend(
    reference: str, shown: Sequence[Column], hidden: Sequence[Column], is_sampled: bool
) -> str:
    headings = {column.name: column.heading for column in shown}
    lines = []
    for texts in LEGEND:
        parts = [
            (headings[name], text.format(reference=reference))
            for name, text in texts.items()
            if name in headings
        ]
        if parts:
            (heading, text), *more = parts
            lines.append("".join([f"{heading:<11}{text}", *(f";  {h}  {t}" for h, t in more)]))
    lines += [f"{c.heading:<11}{c.meaning}" for c in shown if c.name not in EXPLAINED]
    if is_sampled:
        lines.append(f"{'±':<11}half of a 95% interval")
    if hidden:
        names = " and ".join(column.heading for column in hidden)
        verb = "is" if len(hidden) == 1 else "are"
        lines.append(f"{names} {verb} in table.csv, and here from {WIDE} columns on")
    return "\n".join(lines)
