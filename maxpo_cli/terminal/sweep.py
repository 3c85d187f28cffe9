"""A sweep in the terminal: where each estimator is least and most noisy, within 80 columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from maxpo_cli.estimators.lookup import find
from maxpo_cli.metrics.columns import POLICY
from maxpo_cli.metrics.significance import is_biased
from maxpo_cli.storage.study import StudyRecord
from maxpo_cli.terminal import numbers
from maxpo_cli.terminal.circumstances import LIMIT, few_samples, in_limit, measured_before
from maxpo_cli.terminal.screen import new_table

NOTES = 3
"""Reasons for rows without metrics that are shown, those of most rows."""

TIE = 1e-9
"""Relative difference of two variances that is rounding."""


def sweep_view(
    table: pd.DataFrame, record: StudyRecord, there: int = 0, found: bool = False
) -> RenderableType:
    """What was measured, and a row per estimator: how often quietest, least and largest ratio.

    `table` and `record` are what `table.csv` and `study.json` hold; `there` is the number of cells
    that an earlier run had measured, and `found` says that the whole result was there already and
    was not measured again.
    """
    spec = record.spec
    names = [name for name in record.coordinates if name != POLICY.name]
    varying = [name for name in names if table[name].nunique() > 1]
    fixed = [f"{name}={spec[name]}" for name in ("n", "k") if name in spec]
    grid = [f"{name}={text}" for name, text in spec["grid"].items()]
    wins, cells = _wins(table, names)
    view = new_table()
    view.add_column("estimator", no_wrap=True)
    view.add_column("quietest", justify="right", no_wrap=True)
    for heading in ("least", "most"):
        view.add_column(heading, justify="right", no_wrap=True, min_width=6)
        view.add_column("at", overflow="fold")
    for name, rows in table.groupby("estimator", sort=False):
        won = f"{wins[str(name)]:,}" if name in wins else numbers.NONE
        view.add_row(str(name), won, *_extremes(rows, varying))
    lines = _amounts(table, names, record, 0 if found else there)
    return Group(
        Text("   ".join([_source(spec), *grid, *fixed]), style="bold"),
        Text("\n".join([*lines, measured_before(record)] if found else lines)),
        Text(),
        view,
        Text(),
        Text(
            f"quietest  in how many of {numbers.count(cells, 'cell')} no unbiased estimator has "
            "less variance,\n"
            "          ties included; oracle and best-*, which know the policy, do not count\n"
            f"least     variance at equal scale over that of {spec['reference']}: below 1 is less "
            "noise",
            style="dim",
        ),
    )


def _source(spec: Mapping[str, Any]) -> str:
    where = f"[{','.join(spec['where'])}]" if spec.get("where") else ""
    return str(spec.get("policy") or f"{spec['rewards']}{where}")


def _amounts(
    table: pd.DataFrame, names: Sequence[str], record: StudyRecord, there: int
) -> list[str]:
    """How many cells each engine measured, and how many rows have no metrics."""
    seed, until = record.spec["seed"], record.spec.get("until_rel_error")
    cells = _cells(table, names)
    parts = []
    for (sampled, engine), rows in table.groupby([table["groups"].notna(), "engine"]):
        how = f"seed {seed}" if sampled else "exact"
        parts += [f"{_cells(rows, names):,} by {engine} ({how})"] if engine else []
    measured = ", ".join(parts) or "none of them can be measured"
    lines = [f"{numbers.count(cells, 'cell')}: {measured}"]
    lines += _limit(table, names)
    error = (table["variance_ratio_stderr"] / table["variance_ratio"]).max()
    if error > 0:
        aim = f", where {100 * until:.3g}% was asked for" if until else ""
        lines.append(f"largest standard error of a ratio {100 * error:.2g}% of it{aim}")
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


def _cells(rows: pd.DataFrame, names: Sequence[str]) -> int:
    """The number of cells that have rows here."""
    return len(rows.drop_duplicates(list(names)))


def _limit(table: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """In how many of the cells that were measured answers never repeat."""
    limit = _cells(table[in_limit(table)], names)
    if limit == _cells(table[table["objective"].notna()], names):
        return [LIMIT] if limit else []
    return [f"in {limit:,} of them {LIMIT}"] if limit else []


def _extremes(rows: pd.DataFrame, varying: Sequence[str]) -> list[str]:
    """The least and the largest ratio of an estimator, each with its cell."""
    ratios = rows["variance_ratio"].dropna()
    if ratios.empty:
        return [numbers.NONE, "", numbers.NONE, ""]
    if ratios.max() - ratios.min() <= TIE * abs(ratios.max()):
        everywhere = "everywhere" if len(ratios) > 1 else ""
        return [numbers.plain(ratios.iloc[0]), everywhere] * 2
    ends = (rows.loc[ratios.idxmin()], rows.loc[ratios.idxmax()])
    return [
        text
        for end in ends
        for text in (numbers.plain(end["variance_ratio"]), _cell_text(end, varying))
    ]


def _cell_text(row: pd.Series, varying: Sequence[str]) -> str:
    values = (row[name] for name in varying)
    texts = (f"{v:.4g}" if isinstance(v, float) else str(v) for v in values)
    return " ".join(f"{name}={text}" for name, text in zip(varying, texts, strict=True))


def _wins(table: pd.DataFrame, names: Sequence[str]) -> tuple[dict[str, int], int]:
    """In how many cells each unbiased estimator has the least variance, and of how many.

    Only estimators that can be trained with count. Within two standard errors of its ratio an
    estimator may have the least variance.
    """
    trainable = {name for name in table["estimator"].unique() if find(name).trainable}
    measured = table["estimator"].isin(trainable) & table["matched_variance"].notna()
    biased = set(table[measured & is_biased(table)]["estimator"])
    known = table[measured & ~table["estimator"].isin(biased)]
    least = known.groupby(list(names), sort=False)["matched_variance"].transform("min")
    noise = 2 * np.nan_to_num(known["variance_ratio_stderr"] / known["variance_ratio"])
    tied = known["matched_variance"] <= least * (1 + TIE) / (1 - np.minimum(noise, 0.99))
    wins = {name: int(rows.sum()) for name, rows in tied.groupby(known["estimator"])}
    return wins, _cells(known, names)
