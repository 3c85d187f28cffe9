"""Result tables: the columns that every study writes, in their order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from maxpo_cli.engines.diagnostics import COLUMNS as FIGURES
from maxpo_cli.engines.diagnostics import Diagnostics
from maxpo_cli.engines.measures import Measures

COUNTS = ("states", "groups")
COLUMNS = ("estimator", "policy", "n", "k", "engine", *COUNTS, *FIGURES, "seconds", "note")
"""Section 5 of the design, and `note`: why the figures of a row are empty, where they are."""


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
    found: Mapping[str, Diagnostics],
    notes: Mapping[str, str],
    measured: Sequence[Measures],
) -> list[dict[str, object]]:
    """One row an estimator, in the order given; `notes` says why an estimator has no figures.

    `measured` are the problems behind `found`: none where nothing could be measured.
    """
    states, groups = (sum(getattr(m, count) for m in measured) for count in COUNTS)
    engine = ("monte-carlo" if groups else "enumeration") if measured else ""
    how = vars(cell) | {"engine": engine, "states": states or None, "groups": groups or None}
    return [
        {"estimator": name, "note": notes.get(name, "")}
        | how
        | vars(found.get(name, Diagnostics()))
        for name in estimators
    ]


def as_table(rows: Iterable[Mapping[str, object]], swept: Sequence[str] = ()) -> pd.DataFrame:
    """Rows as a table with the columns `COLUMNS`, those of `swept` after the policy."""
    columns = [*COLUMNS[:2], *swept, *COLUMNS[2:]]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(COUNTS, "Int64"))
