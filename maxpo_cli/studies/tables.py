"""Result tables: the columns that every study writes, in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from maxpo_cli.engines.diagnostics import COLUMNS as FIGURES
from maxpo_cli.engines.diagnostics import Diagnostics

COUNTS = ("states", "groups")
COLUMNS = ("estimator", "policy", "n", "k", "engine", *COUNTS, *FIGURES, "seconds", "note")
"""Section 5 of the design, and `note`: why the figures of a row are empty, where they are."""


@dataclass(frozen=True)
class Cell:
    """What was measured, and how: one policy (or prompt of it), N and K."""

    policy: str
    n: int
    k: int
    engine: str
    states: int
    groups: int
    seconds: float


def cell_rows(
    cell: Cell,
    estimators: Sequence[str],
    found: Mapping[str, Diagnostics],
    notes: Mapping[str, str],
) -> pd.DataFrame:
    """One row an estimator, in the order given; `notes` says why an estimator has no figures."""
    rows = []
    for name in estimators:
        row = {"estimator": name, "note": notes.get(name, ""), "seconds": cell.seconds}
        row |= {"policy": cell.policy, "n": cell.n, "k": cell.k, "engine": cell.engine}
        row |= asdict(found[name] if name in found else Diagnostics())
        row |= {"states": cell.states or None, "groups": cell.groups or None}
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(COUNTS, "Int64"))
