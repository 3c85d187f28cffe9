"""Tables for the terminal, drawn from the written tables; they read well at 80 columns."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from maxpo_cli.reports.figures import CENTERED, EXACT_BIAS, Z95, is_biased

NONE = "–"
"""What stands for a figure that does not exist."""

WIDE = 100
"""Columns from which a table with intervals shows everything."""


def console(stderr: bool = False) -> Console:
    """A console that colours nothing by itself, so that numbers keep their column's look."""
    return Console(stderr=stderr, highlight=False)


def comparison_view(table: pd.DataFrame, study: Mapping[str, Any], width: int) -> RenderableType:
    """One comparison: what was measured, a row an estimator, and what the columns mean.

    `table` and `study` are what `table.csv` and `study.json` hold; `width` is the terminal's.
    """
    first = table.iloc[0]
    sampled = first["engine"] == "monte-carlo"
    wide = width >= WIDE or not sampled
    view = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    view.add_column("estimator", no_wrap=True)
    headings = ["bias", "scale", "misalign", "centering", "variance", "ratio", "snr"]
    for heading in headings:
        if wide or heading not in ("misalign", "snr"):
            view.add_column(heading, justify="right", no_wrap=True, min_width=6)
    biased = is_biased(table)
    for index, row in table.iterrows():
        cells = {
            "bias": _bias(row, bool(biased[index]), sampled),
            "scale": _figure(row["scale"]),
            "misalign": _rounded_to_zero(row["misalignment"], row["misalignment"], EXACT_BIAS),
            "centering": _rounded_to_zero(row["centering_rms"], row["centering_max"], CENTERED),
            "variance": _figure(row["variance"]),
            "ratio": _with_error(row["variance_ratio"], row["variance_ratio_stderr"]),
            "snr": _figure(row["snr"]),
        }
        shown = [column.header for column in view.columns[1:]]
        view.add_row(row["estimator"], *(cells[str(heading)] for heading in shown))
    notes = [note for note in dict.fromkeys(table["note"].fillna("")) if note]
    return Group(
        Text(f"{first['policy']}   n={first['n']} k={first['k']}", style="bold"),
        Text(_circumstances(table, study)),
        Text(),
        view,
        Text(),
        *(Text(line) for note in notes for line in (note, "")),
        Text(_legend(study["spec"]["reference"], wide, sampled), style="dim"),
    )


def _circumstances(table: pd.DataFrame, study: Mapping[str, Any]) -> str:
    measured = table[table["objective"].notna()].iloc[0]
    prompts = study.get("prompts")
    mean = f" (mean {_figure(measured['objective'] / prompts)})" if prompts else ""
    amounts = []
    if pd.notna(measured["states"]):
        amounts.append(f"enumeration of {measured['states']:,} count vectors (exact)")
    if pd.notna(measured["groups"]):
        amounts.append(f"monte-carlo, {measured['groups']:,} groups, seed {study['spec']['seed']}")
    if prompts:
        amounts.insert(0, f"{prompts:,} prompts added up")
    return (
        f"objective {_figure(measured['objective'])}{mean}, "
        f"gradient norm {_figure(measured['gradient_norm'])}; {', '.join(amounts)}"
    )


def _legend(reference: str, wide: bool, sampled: bool) -> str:
    lines = ["bias       ‖E ĝ − ∇J‖ / ‖∇J‖;  scale  the length of E ĝ along ∇J, in ‖∇J‖"]
    if wide:
        lines.append("misalign   sine of the angle between E ĝ and ∇J;  snr  ‖E ĝ‖² / variance")
    lines += [
        "centering  rms of a group's mean advantage: 0 where advantages sum to zero",
        f"ratio      variance at equal scale over that of {reference}: below 1 is less noise",
    ]
    if sampled:
        lines.append("±          half of a 95% interval")
    return "\n".join(lines)


def _bias(row: pd.Series, biased: bool, sampled: bool) -> str:
    share = 100 * row["relative_bias"]
    if math.isnan(share):
        return NONE
    if sampled:
        half = 100 * Z95 * row["bias_stderr"] / row["gradient_norm"]
        digits = _digits(half)
        return f"{share:.{digits}f} ± {half:.{digits}f} %"
    return f"{share:.3g} %" if biased else "0"


def _with_error(value: float, stderr: float) -> str:
    if math.isnan(stderr) or math.isnan(value) or stderr == 0:
        return _figure(value)
    half = Z95 * stderr
    digits = _digits(half)
    return f"{value:.{digits}f} ± {half:.{digits}f}"


def _digits(half: float) -> int:
    """Decimals that show the first one or two digits of an error."""
    return max(0, min(6, 1 - math.floor(math.log10(half)))) if half > 0 else 1


def _rounded_to_zero(value: float, size: float, below: float) -> str:
    return "0" if abs(size) < below else _figure(value)


def _figure(value: float) -> str:
    """Four significant digits, or two and a power of ten where that is far from 1."""
    if math.isnan(value):
        return NONE
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.1e}"
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def estimators_view(catalogue: pd.DataFrame) -> RenderableType:
    """The catalogue: a row an estimator, its formula and source below its claims."""
    view = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    view.add_column("estimator", no_wrap=True)
    view.add_column("advantage A_i and its source")
    view.add_column("unbiased", no_wrap=True)
    view.add_column("Σ A = 0", no_wrap=True)
    view.add_column("K", no_wrap=True)
    for estimator in catalogue.itertuples():
        what = Text(estimator.formula).append(f"\n{estimator.source}", style="dim")
        view.add_row(
            estimator.name, what, estimator.unbiased, estimator.centered, estimator.k_range
        )
    return Group(view, Text(), Text(TERMS, style="dim"))


def identities_view(deviations: pd.DataFrame) -> RenderableType:
    """The identities and the largest deviation of each."""
    view = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    view.add_column("identity", no_wrap=True)
    view.add_column("largest deviation", justify="right", no_wrap=True)
    for row in deviations.itertuples():
        view.add_row(row.identity, f"{row.largest_deviation:.1e}")
    return view


TERMS = (
    "v_K       mean of the max over all K-subsets of the group of N\n"
    "v_K^(−i)  the same over those that leave i out;  q_i  over those that hold i\n"
    "EI_i      q_i − v_{K−1}^(−i), the expected improvement of the max of K − 1 by i\n"
    "Q_K, V_K  the expectations of q_i given x_i and of v_K under the policy\n"
    "The gradient estimate is ĝ = (K/N) Σ_i A_i ∇log π(x_i)."
)
