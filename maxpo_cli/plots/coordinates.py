"""Which columns of a table are swept: joining the tables of several results, selecting rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from maxpo_cli.errors import InputError
from maxpo_cli.plots.style import value_text

ESTIMATOR, POLICY, RESULT, ENGINE = "estimator", "policy", "result", "engine"
BASE = (ESTIMATOR, POLICY, "n", "k", ENGINE)
"""The columns without which a table is no study's."""


def require_columns(table: pd.DataFrame, columns: Iterable[str]) -> None:
    """Raises `InputError` naming the columns that a table lacks and those it has."""
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise InputError(
            f"the table has no column {', '.join(missing)}; it has {', '.join(table.columns)}"
        )


def coordinates(table: pd.DataFrame) -> list[str]:
    """The columns that say what a row measured: those between the estimator and the engine."""
    columns = list(table.columns)
    return columns[columns.index(ESTIMATOR) + 1 : columns.index(ENGINE)]


def swept_columns(table: pd.DataFrame) -> tuple[str, ...]:
    """The coordinates with more than one value.

    The policy and the result's name count only where the others do not tell the rows apart. Raises
    `InputError` where nothing does.
    """
    varying = [column for column in coordinates(table) if table[column].nunique() > 1]
    chosen = [column for column in varying if column not in (POLICY, RESULT)]
    for column in (POLICY, RESULT):
        if column in varying and table.duplicated([ESTIMATOR, *chosen]).any():
            chosen.append(column)
    repeated = table[table.duplicated([ESTIMATOR, *chosen])]
    if len(repeated):
        row = repeated.iloc[0]
        values = [*chosen, *(column for column in BASE[1:4] if column not in chosen)]
        cell = ", ".join(f"{column}={value_text(row[column])}" for column in values)
        raise InputError(f"the table has several rows of {row[ESTIMATOR]} at {cell}")
    return tuple(column for column in coordinates(table) if column in chosen)


def values_of(table: pd.DataFrame, column: str) -> list[Any]:
    """The values of a coordinate: numbers ascending, text in the order of the table."""
    values = list(dict.fromkeys(table[column].dropna()))
    return sorted(values) if is_numeric_dtype(table[column]) else values


def without_swept_keys(table: pd.DataFrame) -> pd.DataFrame:
    """The table with policy specs that leave out the keys which have columns of their own."""
    keys = set(coordinates(table))
    if "p" in keys:
        keys |= {"probs"}  # as which the spec of a categorical policy has it
    shorter = {spec: _without(str(spec), keys) for spec in table[POLICY].unique()}
    return table.assign(policy=table[POLICY].map(shorter))


def _without(spec: str, keys: set[str]) -> str:
    name, _, rest = spec.partition(":")
    if name == "logged":  # the file; the columns chosen are in brackets
        return f"{name}:{rest.partition('[')[0]}"
    kept = ",".join(item for item in rest.split(",") if item.partition("=")[0] not in keys)
    return f"{name}:{kept}" if kept else name


def common(specs: Sequence[str]) -> list[str]:
    """What policy specs share: one spec with the items that all have; none of unlike policies."""
    names = {spec.partition(":")[0] for spec in specs}
    if len(names) > 1:
        return []
    first, *others = (spec.partition(":")[2].split(",") for spec in specs)
    shared = ",".join(item for item in first if all(item in other for other in others))
    return [f"{names.pop()}:{shared}".rstrip(":")]


def join(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One table of the results of these names, told apart by the column `result`.

    A coordinate that a table lacks is read from its policies' specs. One that cannot be had for all
    of them is left out: the policy tells its values apart.
    """
    every = dict.fromkeys(column for table in tables.values() for column in coordinates(table))
    cells = {column: [_coordinate(table, column) for table in tables.values()] for column in every}
    known = {column: parts for column, parts in cells.items() if all(len(p) for p in parts)}
    first = next(iter(tables.values()))
    figures = list(first.columns)[list(first.columns).index(ENGINE) :]
    joined = pd.concat(
        [
            table.assign(result=name, **{column: parts[i] for column, parts in known.items()})
            for i, (name, table) in enumerate(tables.items())
        ],
        ignore_index=True,
    )
    return joined[[ESTIMATOR, RESULT, *known, *figures]]


def _coordinate(table: pd.DataFrame, column: str) -> pd.Series:
    """A coordinate's column, from the policies' specs where there is none; empty if not there."""
    if column in table.columns:
        return table[column]
    texts = table[POLICY].astype(str).str.extract(rf"[:,]{column}=([^,]*)")[0]
    if texts.isna().any():
        return texts.iloc[:0]
    numbers = pd.to_numeric(texts, errors="coerce")
    return texts if numbers.isna().any() else numbers


def select(table: pd.DataFrame, where: Iterable[str]) -> pd.DataFrame:
    """The rows that `COLUMN=VALUE` conditions leave; a column named twice may have either value."""
    wanted: dict[str, list[str]] = {}
    for condition in where:
        column, equals, value = condition.partition("=")
        if not equals:
            raise InputError(f"--where must be COLUMN=VALUE; got '{condition}'")
        if column not in coordinates(table):
            known = ", ".join(coordinates(table))
            raise InputError(f"--where {condition}: no column '{column}'; there are {known}")
        wanted.setdefault(column, []).append(value)
    for column, values in wanted.items():
        matching = np.any([_is(table[column], column, value) for value in values], axis=0)
        if not matching.any():
            there = ", ".join(value_text(value) for value in values_of(table, column))
            raise InputError(
                f"--where {column}={values[0]} leaves no rows; {column} is one of {there}"
            )
        table = table[matching]
    return table


def _is(cells: pd.Series, column: str, value: str) -> Any:
    if not is_numeric_dtype(cells):
        return (cells == value).to_numpy()
    try:
        return np.isclose(cells, float(value), rtol=1e-9, atol=0)
    except ValueError:
        raise InputError(f"--where {column}={value}: {column} is a number") from None
