"""A result as it is read back: the table, and what its study says of the table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from maxpo_cli.errors import InputError
from maxpo_cli.metrics.columns import COLUMNS, NOTE, K, Kind, N
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
    """

    table: pd.DataFrame
    coordinates: tuple[str, ...]
    source: str
    parameters: Mapping[str, str]


def read_result(folder: Path) -> Result:
    """The result in a folder; raises `InputError` saying what is there instead."""
    table = read_table(folder)
    record = read_study(folder)
    missing = [column for column in record.coordinates if column not in table.columns]
    if missing:
        raise InputError(f"{folder / TABLE} has no column {', '.join(missing)}, as {STUDY} says")
    return Result(table, record.coordinates, record.source, record.parameters)


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
        names = pd.read_csv(path, nrows=0).columns
        unknown = [name for name in names if name not in TYPES]
        types = TYPES | dict.fromkeys(unknown, "str")
        table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=types)
    except (ValueError, OSError):  # no rows of cells, not UTF-8, not the numbers of a column
        raise InputError(f"{path} is not a table that maxpo wrote") from None
    if table.empty:
        raise InputError(f"{path} has no rows")
    table = table.assign(**dict(_numbers(table, unknown)))
    return table.fillna({NOTE.name: ""})


def _numbers(table: pd.DataFrame, columns: Iterable[str]) -> Iterable[tuple[str, pd.Series]]:
    """Those of these columns of texts that hold numbers, as numbers."""
    for column in columns:
        try:
            numbers = pd.to_numeric(table[column].astype(object))
        except ValueError:
            continue
        if numbers.isna().equals(table[column].isna()):
            yield column, numbers
