"""A sweep in the terminal: where each estimator is least and most noisy, within 80 columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from maxpo_cli.metrics.significance import is_biased
from maxpo_cli.terminal.comparison import NONE, count, few_samples, figure_text

YARDSTICKS = ("oracle",)
"""Estimators that need the true distribution, so that they cannot win."""

NOTES = 3
"""Reasons for rows without figures that are shown, those of most rows."""

TIE = 1e-9
"""Relative difference of two variances that is rounding."""


def sweep_view(table: pd.DataFrame, study: Mapping[str, Any]) -> RenderableType:
    """What was measured, and a row an estimator: how often quietest, least and largest ratio.

    `table` and `study` are what `table.csv` and `study.json` hold.
    """
    spec = study["spec"]
    names = list(table.columns[2 : table.columns.get_loc("engine")])
    swept = [name for name in names if table[name].nunique() > 1]
    fixed = [f"{name}={spec[name]}" for name in ("n", "k") if name in spec]
    grid = [f"{name}={text}" for name, text in spec["grid"].items()]
    wins, cells = _wins(table, names)
    view = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    view.add_column("estimator", no_wrap=True)
    view.add_column("quietest", justify="right", no_wrap=True)
    for heading in ("least", "most"):
        view.add_column(heading, justify="right", no_wrap=True, min_width=6)
        view.add_column("at", overflow="fold")
    for name, rows in table.groupby("estimator", sort=False):
        won = f"{wins[str(name)]:,}" if name in wins else NONE
        view.add_row(str(name), won, *_extremes(rows, swept))
    return Group(
        Text("   ".join([_source(spec), *grid, *fixed]), style="bold"),
        Text(_amounts(table, names, study)),
        Text(),
        view,
        Text(),
        Text(
            f"quietest  in how many of {count(cells, 'cell')} no unbiased estimator but the\n"
            "          oracle has less variance, ties included\n"
            f"least     variance at equal scale over that of {spec['reference']}: below 1 is less "
            "noise",
            style="dim",
        ),
    )


def _source(spec: Mapping[str, Any]) -> str:
    where = f"[{','.join(spec['where'])}]" if spec.get("where") else ""
    return str(spec.get("policy") or f"{spec['rewards']}{where}")


def _amounts(table: pd.DataFrame, names: Sequence[str], study: Mapping[str, Any]) -> str:
    """How many cells each engine measured, and how many rows have no figures."""
    seed, until = study["spec"]["seed"], study["spec"].get("until_rel_error")
    cells = len(table.drop_duplicates(list(names)))
    parts = []
    for engine, how in (
        ("enumeration", "exact"), ("threshold", "exact"), ("monte-carlo", f"seed {seed}"),
    ):  # fmt: skip
        if some := len(table[table["engine"] == engine].drop_duplicates(list(names))):
            parts.append(f"{some:,} by {engine} ({how})")
    lines = [f"{count(cells, 'cell')}: {', '.join(parts) or 'none of them can be measured'}"]
    error = (table["variance_ratio_stderr"] / table["variance_ratio"]).max()
    if error > 0:
        aim = f", where {100 * until:.3g}% was asked for" if until else ""
        lines.append(f"largest standard error of a ratio {100 * error:.2g}% of it{aim}")
    if prompts := study.get("prompts"):
        lines.append(f"{count(prompts, 'prompt')} in all")
    lines += few_samples(study, int(table["n"].max()))
    if there := study.get("cells_there"):
        lines.append(f"{there:,} of them were there already")
    notes = table[table["note"] != ""]["note"].value_counts()
    lines += [f"{count(rows, 'row')}: {note}" for note, rows in notes.head(NOTES).items()]
    if len(notes) > NOTES:
        rest = int(notes.iloc[NOTES:].sum())
        lines.append(f"{count(rest, 'row')} with other notes, which table.csv has")
    return "\n".join(lines)


def _extremes(rows: pd.DataFrame, swept: Sequence[str]) -> list[str]:
    """The least and the largest ratio of an estimator, each with its cell."""
    ratios = rows["variance_ratio"].dropna()
    if ratios.empty:
        return [NONE, "", NONE, ""]
    if ratios.max() - ratios.min() <= TIE * abs(ratios.max()):
        everywhere = "everywhere" if len(ratios) > 1 else ""
        return [figure_text(ratios.iloc[0]), everywhere] * 2
    ends = (rows.loc[ratios.idxmin()], rows.loc[ratios.idxmax()])
    return [t for end in ends for t in (figure_text(end["variance_ratio"]), _cell(end, swept))]


def _cell(row: pd.Series, swept: Sequence[str]) -> str:
    values = (row[name] for name in swept)
    texts = (f"{v:.4g}" if isinstance(v, float) else str(v) for v in values)
    return " ".join(f"{name}={text}" for name, text in zip(swept, texts, strict=True))


def _wins(table: pd.DataFrame, names: Sequence[str]) -> tuple[dict[str, int], int]:
    """In how many cells each unbiased estimator has the least variance, and of how many.

    Within two standard errors of its ratio an estimator may have the least variance.
    """
    measured = ~table["estimator"].isin(YARDSTICKS) & table["matched_variance"].notna()
    biased = set(table[measured & is_biased(table)]["estimator"])
    known = table[measured & ~table["estimator"].isin(biased)]
    least = known.groupby(list(names), sort=False)["matched_variance"].transform("min")
    noise = 2 * np.nan_to_num(known["variance_ratio_stderr"] / known["variance_ratio"])
    tied = known["matched_variance"] <= least * (1 + TIE) / (1 - np.minimum(noise, 0.99))
    wins = {name: int(rows.sum()) for name, rows in tied.groupby(known["estimator"])}
    return wins, len(known.drop_duplicates(list(names)))
