"""Result tables: the columns that every study writes, in their order."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from maxpo_cli.metrics.summary import COLUMNS as FIGURES
from maxpo_cli.metrics.summary import Diagnostics, diagnose
from maxpo_cli.engines.moments import Measures
from maxpo_cli.estimators.catalogue import CATALOGUE
from maxpo_cli.studies.measuring import Settings

COUNTS = ("states", "groups")
COLUMNS = ("estimator", "policy", "n", "k", "engine", *COUNTS, "rtol", *FIGURES, "seconds", "note")
"""Section 5 of the design; `rtol`, how far refining an integral over thresholds still moved a
figure; and `note`: why the figures of a row are empty, where they are, or not as exact as asked."""


FLAT = "the gradient is 0 here, so that there is no ratio"


@dataclass(frozen=True)
class Cell:
    """What was measured: one policy (or prompt of it), N and K, and the seconds a row took."""

    policy: str
    n: int
    k: int
    seconds: float | None = None


def cell_rows(
    cell: Cell,
    estimators: Sequence[str],
    settings: Settings,
    notes: Mapping[str, str],
    parts: Sequence[Sequence[Measures]],
) -> list[dict[str, object]]:
    """One row an estimator, in the order given; `notes` says why an estimator has no figures.

    `parts` are the measures of all problems for some of the estimators each; an estimator that is
    in several has its row from the first. A row without figures says how the others were measured.
    """
    found: dict[str, dict[str, object]] = {}
    for measured in reversed(parts):
        how, unsettled = _how(measured), _unsettled(measured, settings.rtol)
        for name, figures in diagnose(measured, settings.reference).items():
            found[name] = how | vars(figures)
            if CATALOGUE[name].best is not None:
                found[name] |= {"engine": "threshold", "states": None}
            flat = FLAT if figures.gradient_norm == 0 else ""
            if note := notes.get(name) or flat or unsettled:
                found[name] |= {"note": note}
    nothing = (_how(parts[0]) if parts else {"engine": ""}) | vars(Diagnostics())
    return [
        {"estimator": name, "note": notes.get(name, "")} | vars(cell) | found.get(name, nothing)
        for name in estimators
    ]


def _how(measured: Sequence[Measures]) -> dict[str, object]:
    """The engine and its counts: the least exact one of those that had a part in it."""
    states, groups = (sum(getattr(m, count) for m in measured) for count in COUNTS)
    cut = any(not m.states and not m.groups for m in measured)
    engine = "monte-carlo" if groups else "threshold" if cut else "enumeration"
    return {
        "engine": engine,
        "states": states or None,
        "groups": groups or None,
        "rtol": _achieved(measured),
    }


def _achieved(measured: Sequence[Measures]) -> float:
    return max((m.rtol for m in measured if m.rtol is not None), default=math.nan)


def _unsettled(measured: Sequence[Measures], rtol: float) -> str:
    """A sentence about integrals that did not settle as far as was asked."""
    achieved = _achieved(measured)
    if not achieved > rtol:
        return ""
    return f"not to --rtol {rtol:g}: the last refinement still moved a figure by {achieved:.0e}"


def as_table(rows: Iterable[Mapping[str, object]], swept: Sequence[str] = ()) -> pd.DataFrame:
    """Rows as a table with the columns `COLUMNS`, those of `swept` after the policy."""
    columns = [*COLUMNS[:2], *swept, *COLUMNS[2:]]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(COUNTS, "Int64"))
