"""A result as it is read back: the table, and what its study says of the table."""

import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from maxpo_cli.errors import InputError
from maxpo_cli.metrics.columns import COLUMNS, ESTIMATOR, NOTE, POLICY, K, Kind, N
from maxpo_cli.storage.folder import TABLE
from maxpo_cli.storage.study import STUDY, entry_names, read_study

TYPES = {
    column.name: {Kind.TEXT: "str", Kind.COUNT: "Int64", Kind.NUMBER: "float64"}[column.kind]
    for column in COLUMNS
} | dict.fromkeys((N.name, K.name), "int64")
"""The types of known columns; counts may be empty, except for N and K."""


@dataclass(frozen=True, eq=False)
class Result:
    """A table with the names by which its rows are distinguished.

    Attributes:
        table: one row per cell and estimator, with the columns of `metrics.columns`.
        coordinates: the columns that say where a row stands: `policy`, the swept names, `n`, `k`
            (and `result` where several results were joined).
        source: the policy's name, or `logged:FILE`; what all rows share of it.
        parameters: the policy's keys that have one value in the whole result, by name.
        reference: the estimator whose variance is the unit of ratios; empty where unknown.
    """

    table: pd.DataFrame
    coordinates: tuple[str, ...]
    source: str
    parameters: Mapping[str, str]
    reference: str = ""


def read_result(folder: Path) -> Result:
    """The result in a folder; raises `InputError` saying what is there instead."""
    table = read_table(folder)
    record = read_study(folder)
    missing = [column for column in record.coordinates if column not in table.columns]
    if missing:
        raise InputError(f"{folder / TABLE} has no column {', '.join(missing)}, as {STUDY} says")
    identity = [*({ESTIMATOR.name} & set(table.columns)), *record.coordinates]
    if record.coordinates and (twice := table.duplicated(identity)).any():
        row = int(twice.to_numpy().argmax()) + 2
        raise InputError(f"{folder / TABLE}, row {row}: an earlier row is of the same cell")
    reference = str(record.spec.get("reference", ""))
    return Result(table, record.coordinates, record.source, record.parameters, reference)


def read_table(folder: Path) -> pd.DataFrame:
    """The `table.csv` of a result folder; raises `InputError` saying what is there instead.

    A column that `metrics.columns` does not have holds numbers where all of its cells are numbers.
    """
    path = folder / TABLE
    if folder.is_file():
        raise InputError(f"{folder} is a file: name the result folder that it is in")
    if not folder.is_dir():
        raise InputError(f"{folder} is not a result folder: there is no such folder")
    if not path.is_file():
        raise InputError(
            f"{folder} is not a result folder: it has no {TABLE}; it holds {entry_names(folder)}"
        )
    try:
        with warnings.catch_warnings(action="error", category=RuntimeWarning):
            names = pd.read_csv(path, nrows=0).columns
            unknown = [name for name in names if name not in TYPES]
            types = TYPES | dict.fromkeys(unknown, "str")
            table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=types)
    except (ValueError, TypeError, OverflowError, RuntimeWarning):
        # No rows of cells, not UTF-8, not the numbers of a column.
        raise InputError(f"{path} is not a table that maxpo wrote") from None
    if table.empty:
        raise InputError(f"{path} has no rows")
    table = table.assign(**dict(_numbers(table, unknown)))
    for column, is_wrong in _wrong_cells(table):
        if is_wrong.any():
            line = int(is_wrong.to_numpy().argmax()) + 2
            raise InputError(
                f"{path}, row {line}: {column} is {table[column].iloc[line - 2]}, which no table "
                "that maxpo wrote has"
            )
    return table.fillna({NOTE.name: ""})


def _wrong_cells(table: pd.DataFrame) -> Iterable[tuple[str, pd.Series]]:
    """Where the columns hold what can be read and cannot be so."""
    for column in table.columns:
        if TYPES.get(column) == "float64":
            yield column, table[column].abs() == math.inf
        elif column in (N.name, K.name):
            yield column, table[column] < 1
        elif column in (ESTIMATOR.name, POLICY.name):
            yield column, table[column].isna()


def _numbers(table: pd.DataFrame, columns: Iterable[str]) -> Iterable[tuple[str, pd.Series]]:
    """Those of these columns of texts that hold numbers, as numbers."""
    for column in columns:
        try:
            numbers = pd.to_numeric(table[column].astype(object))
        except ValueError:
            continue
        if numbers.isna().equals(table[column].isna()):
            yield column, numbers
