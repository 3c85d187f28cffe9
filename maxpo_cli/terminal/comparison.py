"""Tables for the terminal, drawn from the written tables; they read well at 80 columns."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console, Group, RenderableType
from rich.progress import Progress, ProgressColumn
from rich.table import Table
from rich.text import Text

from maxpo_cli.metrics.significance import (
    EXACT_BIAS,
    Z95,
    bias_half_width,
    integral_rtol,
    is_biased,
    is_centered,
)

NONE = "–"
"""What stands for a figure that does not exist."""

MULTIPLE_FROM = 10.0
"""Share of 1 from which it is shown as a multiple, not a percentage."""

WIDE = 100
"""Columns from which a table with intervals shows everything."""


def console(stderr: bool = False) -> Console:
    """A console that colours nothing by itself, so that numbers keep their column's look."""
    return Console(stderr=stderr, highlight=False)


def progress(quiet: bool, *columns: ProgressColumn, expand: bool = False) -> Progress:
    """A bar on standard error, gone when the work is done, and none where nobody watches.

    `columns` take the place of the usual ones: the work, the bar, its share and the time left.
    """
    screen = console(stderr=True)
    disable = quiet or not screen.is_terminal
    return Progress(*columns, console=screen, transient=True, expand=expand, disable=disable)


def comparison_view(table: pd.DataFrame, study: Mapping[str, Any], width: int) -> RenderableType:
    """One comparison: what was measured, a row an estimator, and what the columns mean.

    `table` and `study` are what `table.csv` and `study.json` hold; `width` is the terminal's.
    """
    first = table.iloc[0]
    sampled = bool(table["groups"].notna().any())
    wide = width >= WIDE or not sampled
    view = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False)
    view.add_column("estimator", no_wrap=True)
    headings = ["bias", "scale", "misalign", "centering", "variance", "ratio", "snr"]
    shown = [heading for heading in headings if wide or heading not in ("misalign", "snr")]
    for heading in shown:
        view.add_column(heading, justify="right", no_wrap=True, min_width=6)
    biased, centered, halves = is_biased(table), is_centered(table), bias_half_width(table)
    rounding = ~(biased | sampled) | (table["misalignment"] < EXACT_BIAS)
    misalignment = table["misalignment"].mask(rounding & table["misalignment"].notna(), 0.0)
    for index, row in table.iterrows():
        cells = {
            "bias": _bias(row["relative_bias"], halves[index], bool(biased[index])),
            "scale": figure_text(row["scale"]),
            "misalign": figure_text(misalignment[index]),
            "centering": figure_text(0.0 if centered[index] else row["centering_rms"]),
            "variance": figure_text(row["variance"]),
            "ratio": _with_error(row["variance_ratio"], row["variance_ratio_stderr"]),
            "snr": figure_text(row["snr"]),
        }
        view.add_row(row["estimator"], *(cells[heading] for heading in shown))
    notes = [note for note in dict.fromkeys(table["note"].fillna("")) if note]
    return Group(
        Text(f"{first['policy']}   n={first['n']} k={first['k']}", style="bold"),
        Text(_circumstances(table, study)),
        Text(),
        view,
        Text(),
        *(Text(line) for line in ([*notes, ""] if notes else [])),
        Text(_legend(study["spec"]["reference"], wide, sampled), style="dim"),
    )


def _circumstances(table: pd.DataFrame, study: Mapping[str, Any]) -> str:
    measured = table[table["objective"].notna()].head(1).squeeze()
    if measured.empty:
        return "no estimator is defined here"
    prompts = study.get("prompts")
    mean = f" (mean {figure_text(measured['objective'] / prompts)})" if prompts else ""
    norm = measured["gradient_norm"]
    amounts = [f"{count(prompts, 'prompt')} added up"] if prompts else []
    if table["states"].notna().any():
        states = count(table["states"].max(), "count vector")
        amounts.append(f"enumeration of {states} (exact)")
    if (table["engine"] == "threshold").any():
        amounts.append(_thresholds(integral_rtol(table).max()))
    if table["groups"].notna().any():
        groups, seed = table["groups"].max(), study["spec"]["seed"]
        amounts.append(f"monte-carlo, {groups:,} groups, seed {seed}")
    return "\n".join(
        [
            *few_samples(study, int(table["n"].max())),
            f"objective {figure_text(measured['objective'])}{mean}, "
            + (
                f"gradient norm {figure_text(norm)}"
                if norm
                else "no gradient: nothing to tell apart"
            ),
            ", ".join(amounts),
        ]
    )


def _thresholds(rtol: float) -> str:
    if math.isnan(rtol):
        return "pairs of reward thresholds (exact)"
    return f"integrals over reward thresholds (exact, the last refinement moved {rtol:.0e})"


def few_samples(study: Mapping[str, Any], n: int) -> list[str]:
    """A warning where prompts have so few logged samples that answers repeat in a group of n."""
    fewest = study.get("fewest_samples")
    if fewest is None or fewest >= 4 * n:
        return []
    return [f"a prompt has but {fewest:,} samples, below 4 N: answers repeat (see the README)"]


def count(amount: int, what: str) -> str:
    """An amount and what it is of, in the plural where there are several."""
    return f"{amount:,} {what}" + ("" if amount == 1 else "s")


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
    if not wide:
        lines.append(f"misalign and snr are in table.csv, and here from {WIDE} columns on")
    return "\n".join(lines)


def _bias(relative: float, half: float, biased: bool) -> str:
    if math.isnan(relative):
        return NONE
    if math.isnan(half):
        return _percent(relative) if biased else "0"
    if relative >= MULTIPLE_FROM:
        return _percent(relative)
    digits = min(_digits(100 * half), 2)
    return f"{100 * relative:.{digits}f} ± {100 * half:.{digits}f} %"


def _percent(relative: float) -> str:
    """A share of 1: a percentage up to ten times, a multiple beyond."""
    return f"{100 * relative:.3g} %" if relative < MULTIPLE_FROM else f"{relative:.3g} ×"


def _with_error(value: float, stderr: float) -> str:
    half = Z95 * stderr
    if math.isnan(half) or math.isnan(value) or half < 5e-5 or value >= 1000:
        return figure_text(value)
    digits = _digits(half)
    return f"{value:.{digits}f} ± {half:.{digits}f}"


def _digits(half: float) -> int:
    """Decimals, at most four, that show the first two digits of an error."""
    return max(0, min(4, 1 - math.floor(math.log10(half)))) if half > 0 else 1


def figure_text(value: float) -> str:
    """Four significant digits in seven places, or two and a power of ten."""
    if math.isnan(value):
        return NONE
    plain = f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
    return plain if len(plain) <= 7 and "e" not in plain else f"{value:.1e}"


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
