"""Which estimator is the quietest of each cell, and where estimators are biased."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from maxpo_cli.estimators.lookup import find
from maxpo_cli.metrics.significance import is_biased

ROUNDING = {"float64": 1e-9, "float32": 1e-5}
"""Relative difference of two variances that is rounding, by what advantages are computed in."""

RESOLVED = 2.0
"""Standard errors that two ratios differ by at least where one is called the less."""


@dataclass(frozen=True)
class Quietest:
    """How often each estimator is quietest: has the least variance at equal scale.

    Attributes:
        wins: in how many cells an estimator is, by its name; ties of rounding count for each.
        of: in how many cells it could be: those where it is unbiased and was measured. Neither has
            an entry for an estimator that is biased everywhere, or that cannot be trained with.
        yardsticks: the estimators that cannot be trained with.
        cells: the number of cells in which any estimator could be quietest.
        open_cells: those of them in which the noise of sampling hides which one is.
    """

    wins: Mapping[str, int]
    of: Mapping[str, int]
    yardsticks: Collection[str]
    cells: int
    open_cells: int


def quietest(table: pd.DataFrame, coordinates: Sequence[str], dtype: str = "float64") -> Quietest:
    """The winners of every cell of a table; a cell is where the `coordinates` are the same."""
    yardstick = ~table["estimator"].map(_is_trainable).astype(bool)
    rows = table[~yardstick & table["matched_variance"].notna()]
    rows = rows[~biased_rows(rows)]
    cell = rows.groupby(list(coordinates), sort=False, dropna=False).ngroup()
    variance, error = rows["matched_variance"], _error(rows)
    best = variance.groupby(cell).idxmin().reindex(cell)
    above = variance - variance[best].to_numpy()
    rounding = np.fmax(ROUNDING[dtype], rows["rtol"].astype(float)) * variance
    noise = RESOLVED * np.hypot(error, error[best].to_numpy())
    tied = above <= rounding
    is_open = ((above <= noise) & ~tied).groupby(cell).transform("any").astype(bool)
    won = (tied & ~is_open).groupby(rows["estimator"])
    return Quietest(
        wins=won.sum().astype(int).to_dict(),
        of=won.size().to_dict(),
        yardsticks=set(table["estimator"][yardstick]),
        cells=cell.nunique(),
        open_cells=cell[is_open].nunique(),
    )


def biased_rows(table: pd.DataFrame) -> pd.Series:
    """Which rows are biased: those that claim no E ĝ = ∇J there, and those measured to be so."""
    keys = zip(table["estimator"], table["n"], table["k"], strict=True)
    claimed = pd.Series([_is_unbiased(*key) for key in keys], table.index, dtype=bool)
    return ~claimed | is_biased(table)


def _error(rows: pd.DataFrame) -> pd.Series:
    """The standard error of `matched_variance`: that of the ratio where there is one."""
    relative = rows["variance_ratio_stderr"] / rows["variance_ratio"]
    alone = rows["variance_stderr"] / rows["variance"]
    return (
        relative.where(rows["variance_ratio"].notna(), alone) * rows["matched_variance"]
    ).fillna(0.0)


@cache
def _is_unbiased(name: str, n: int, k: int) -> bool:
    return find(name).claims.is_unbiased(n, k)


@cache
def _is_trainable(name: str) -> bool:
    return find(name).trainable
