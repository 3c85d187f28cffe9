"""What distinguishes the rows of a result: coordinates, their values, several results joined."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from maxpo_cli.errors import InputError, unknown
from maxpo_cli.metrics import columns
from maxpo_cli.plots.style import symbol, value_text
from maxpo_cli.storage.result import Result

ESTIMATOR, POLICY, ENGINE = (c.name for c in (columns.ESTIMATOR, columns.POLICY, columns.ENGINE))
RESULT = "result"
"""The column that tells joined results apart."""

SIZES = (columns.N.name, columns.K.name)
BASE = (ESTIMATOR, POLICY, *SIZES, ENGINE)
"""The columns that the table of every sweep and comparison has."""

LOGGED = "logged:"
"""How the source of logged rewards begins."""


def require_columns(table: pd.DataFrame, wanted: Iterable[str]) -> None:
    """Raises `InputError` naming the columns that a table lacks and those it has."""
    missing = [column for column in dict.fromkeys(wanted) if column not in table.columns]
    if missing:
        raise InputError(
            f"the table has no column {', '.join(missing)}; it has {', '.join(table.columns)}"
        )


def swept_columns(result: Result) -> tuple[str, ...]:
    """The coordinates with more than one value.

    The policy and the result's name count only where the others do not tell the rows apart. Raises
    `InputError` where nothing does, and where the table is not one of a sweep or comparison.
    """
    table = result.table
    require_columns(table, (*BASE, *(c for c in result.coordinates if c not in BASE)))
    for column in (ESTIMATOR, *result.coordinates):
        wrong = table[column].isna()
        if is_numeric_dtype(table[column]):
            wrong |= table[column] == -np.inf
        if wrong.any():
            raise InputError(f"the table has a row without a value of {column}")
    varying = [column for column in result.coordinates if table[column].nunique() > 1]
    chosen = [column for column in varying if column not in (POLICY, RESULT)]
    for column in (POLICY, RESULT):
        if column in varying and table.duplicated([ESTIMATOR, *chosen]).any():
            chosen.append(column)
    repeated = table[table.duplicated([ESTIMATOR, *chosen])]
    if len(repeated):
        row = repeated.iloc[0]
        names = [*chosen, *(column for column in (POLICY, *SIZES) if column not in chosen)]
        cell = ", ".join(f"{column}={value_text(row[column])}" for column in names)
        raise InputError(f"the table has several rows of {row[ESTIMATOR]} at {cell}")
    return tuple(column for column in result.coordinates if column in chosen)


def values_of(table: pd.DataFrame, column: str) -> list[Any]:
    """The values of a coordinate: numbers ascending, text in the order of the table."""
    values = list(dict.fromkeys(table[column].dropna()))
    return sorted(values) if is_numeric_dtype(table[column]) else values


def spec_text(source: str, parameters: Mapping[str, str]) -> str:
    """A source with its parameters: `name:key=value,…`, or `logged:FILE[column=value,…]`."""
    given = ",".join(f"{name}={value}" for name, value in parameters.items())
    if not given:
        return source
    return f"{source}[{given}]" if source.startswith(LOGGED) else f"{source}:{given}"


def policy_text(result: Result) -> str:
    """What the policies of all rows share, as a spec; empty where they share nothing."""
    if RESULT in result.coordinates and result.table[POLICY].nunique() == 1:
        return str(result.table[POLICY].iloc[0])
    return spec_text(result.source, result.parameters)


def fixed_values(result: Result) -> list[str]:
    """The coordinates with one value, as `name = value`, except for policy and result."""
    swept = swept_columns(result)
    texts = []
    for column in result.coordinates:
        values = values_of(result.table, column)
        if column not in (POLICY, RESULT, *swept) and len(values) == 1:
            texts.append(f"{symbol(column)} = {value_text(values[0])}")
    return texts


def ratio_label(result: Result, labels: Mapping[str, str]) -> str:
    """The name of an axis of variance ratios, with the estimator that they are relative to."""
    if not result.reference:
        return columns.BY_NAME["variance_ratio"].label
    return f"variance relative to {labels.get(result.reference, result.reference)}"


def engines_of(result: Result) -> list[str]:
    """The engines that measured the rows, each once."""
    return list(dict.fromkeys(result.table[ENGINE].dropna().astype(str)))


def join(results: Mapping[str, Result]) -> Result:
    """One result of several by name, which the column `result` tells apart.

    A coordinate that one of them lacks is taken from its parameters. One that cannot be had for
    all of them is left out: the policy tells its values apart. The source and the parameters are
    those that all share. Raises `InputError` naming a result whose table is not one of a sweep or
    comparison.
    """
    for name, result in results.items():
        try:
            require_columns(result.table, BASE)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
    every = dict.fromkeys(c for r in results.values() for c in r.coordinates if c != POLICY)
    known = [
        column
        for column in every
        if all(column in r.coordinates or column in r.parameters for r in results.values())
    ]
    parts = {column: _parts(list(results.values()), column) for column in known}
    tables = []
    for index, (name, result) in enumerate(results.items()):
        metrics = result.table.drop(columns=[c for c in result.coordinates if c != POLICY])
        own = {column: parts[column][index] for column in known}
        tables.append(metrics.assign(**{RESULT: name, POLICY: _policies(result, known)}, **own))
    sources = {result.source for result in results.values()}
    shared = set.intersection(*(set(r.parameters.items()) for r in results.values()))
    references = {result.reference for result in results.values()}
    first = next(iter(results.values()))
    return Result(
        table=pd.concat(tables, ignore_index=True),
        coordinates=(RESULT, POLICY, *known),
        source=first.source if len(sources) == 1 else "",
        parameters={
            name: value
            for name, value in first.parameters.items()
            if len(sources) == 1 and (name, value) in shared and name not in known
        },
        reference=first.reference if len(references) == 1 else "",
    )


def _parts(results: list[Result], column: str) -> list[pd.Series]:
    """A coordinate's column in each result: numbers if it is numbers in all, else text."""
    parts = [
        result.table[column]
        if column in result.coordinates
        else pd.Series(_number_or_text(result.parameters[column]), result.table.index)
        for result in results
    ]
    if len({is_numeric_dtype(part) for part in parts}) > 1:
        return [part.map(value_text) for part in parts]
    return parts


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _policies(result: Result, known: Iterable[str]) -> pd.Series:
    """The policy of each row, except for the keys that have columns of their own."""
    kept = [*known, POLICY]
    fixed = {name: value for name, value in result.parameters.items() if name not in kept}
    left_out = [column for column in result.coordinates if column not in kept]
    given = [dict(zip(left_out, row, strict=True)) for row in result.table[left_out].to_numpy()]
    texts = [
        spec_text(result.source, fixed | {name: value_text(v) for name, v in cell.items()})
        for cell in given
    ]
    return pd.Series(texts, result.table.index)


def select(result: Result, where: Iterable[str]) -> Result:
    """The rows that `COLUMN=VALUE` conditions leave; a column named twice may have either value.

    Raises `InputError` for a condition that is not one, an unknown column and a value that no row
    has.
    """
    wanted: dict[str, list[str]] = {}
    for condition in where:
        column, equals, value = condition.partition("=")
        if not equals:
            raise InputError(f"--where must be COLUMN=VALUE; got '{condition}'")
        if column not in result.coordinates:
            known = ", ".join(result.coordinates)
            raise InputError(f"--where {condition}: no column '{column}'; there are {known}")
        wanted.setdefault(column, []).append(value)
    table = result.table
    for column, values in wanted.items():
        matching = np.any([_is(table[column], column, value) for value in values], axis=0)
        if not matching.any():
            there = ", ".join(value_text(value) for value in values_of(table, column))
            raise InputError(
                f"--where {column}={values[0]} leaves no rows; {column} is one of {there}"
            )
        table = table[matching]
    return replace(result, table=table)


def _is(cells: pd.Series, column: str, value: str) -> Any:
    if not is_numeric_dtype(cells):
        return (cells == value).to_numpy()
    try:
        return np.isclose(cells, float(value), rtol=1e-9, atol=0)
    except ValueError:
        raise InputError(f"--where {column}={value}: {column} is a number") from None


def select_estimators(result: Result, names: Iterable[str]) -> Result:
    """The rows of these estimators, in their order; `InputError` for one that has no rows."""
    require_columns(result.table, BASE)
    table = result.table
    there = values_of(table, ESTIMATOR)
    for name in names:
        if name not in there:
            raise unknown("name in --estimators of this table", name, there)
    parts = [table[table[ESTIMATOR] == name] for name in dict.fromkeys(names)]
    return replace(result, table=pd.concat(parts))
