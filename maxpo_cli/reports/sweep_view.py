"""A sweep in the terminal: where each estimator is least and most noisy, within 80 columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from maxpo_cli.reports.reading import EXACT_BIAS, is_biased
from maxpo_cli.reports.terminal import NONE, count, figure_text

YARDSTICKS = ("oracle",)
"""Estimators that need the true distribution, so that they cannot win."""

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
        view.add_column("at")
    for name, rows in table.groupby("estimator", sort=False):
        won = NONE if name in YARDSTICKS else f"{wins.get(str(name), 0):,}"
        view.add_row(str(name), won, *_extremes(rows, swept))
    return Group(
        Text("   ".join([_source(spec), *grid, *fixed]), style="bold"),
        Text(_amounts(table, names, study)),
        Text(),
        view,
        Text(),
        Text(
            f"quietest  in how many of {count(cells, 'cell')} nothing has less variance at equal\n"
            "          scale, ties included; oracle and wrong directions are left out\n"
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
    engines = table.drop_duplicates(list(names))["engine"].fillna("")
    cells = engines.value_counts()
    exact, sampled = (int(cells.get(engine, 0)) for engine in ("enumeration", "monte-carlo"))
    parts = [f"{count(len(engines), 'cell')}: {exact:,} by enumeration (exact)"] if exact else []
    if sampled:
        several = "" if exact else f"{count(len(engines), 'cell')}: "
        seed = study["spec"]["seed"]
        parts.append(f"{several}{sampled:,} by monte-carlo (seed {seed})")
    if empty := int(table["variance"].isna().sum()):
        parts.append(f"{empty:,} of {len(table):,} rows empty (see note)")
    return ", ".join(parts)


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
    """In how many cells each estimator has the least variance, and of how many."""
    right = ~is_biased(table) | (table["misalignment"] < EXACT_BIAS)
    measured = right & ~table["estimator"].isin(YARDSTICKS) & table["matched_variance"].notna()
    known = table[measured]
    least = known.groupby(list(names), sort=False)["matched_variance"].transform("min")
    winners = known[known["matched_variance"] <= least * (1 + TIE) + np.finfo(float).tiny]
    return dict(winners["estimator"].value_counts()), len(known.drop_duplicates(list(names)))
