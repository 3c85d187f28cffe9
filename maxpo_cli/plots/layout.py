"""Which swept column a figure shows where: along its axes, across or down its panels."""

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from pandas.api.types import is_numeric_dtype

from maxpo_cli.errors import InputError
from maxpo_cli.plots.coordinates import swept_columns, values_of
from maxpo_cli.plots.style import value_text
from maxpo_cli.storage.result import Result

MAX_PANELS = 24
"""Panels of a figure."""

MAX_COLUMNS = 4
"""Panels side by side on a page."""


def where(column: str, value: str = "VALUE") -> str:
    """The option that chooses a value of a column, as the shell takes it."""
    return f"--where {quote(f'{column}={value}')}"


@dataclass(frozen=True)
class Roles:
    """The swept columns by where they are shown; only a map has `y`."""

    x: str
    y: str | None = None
    col: str | None = None
    row: str | None = None


def numeric_swept(result: Result) -> list[str]:
    """The swept columns that are numbers, those with the most values first."""
    table = result.table
    numeric = [c for c in swept_columns(result) if is_numeric_dtype(table[c])]
    return sorted(numeric, key=lambda column: -table[column].nunique())


def line_roles(result: Result, x: str | None, col: str | None, row: str | None) -> Roles:
    """What lines show where: by default x is the number with the most values, the rest are panels.

    Raises `InputError` for a column that is not swept or named twice, and for too many columns.
    """
    swept = _checked(result, {"--x": x, "--col": col, "--row": row})
    free = [c for c in [*numeric_swept(result), *swept] if c not in (col, row)]
    x = x or (free[0] if free else None)
    if x is None:
        raise InputError("no swept column is left for --x")
    return Roles(x, None, *_panels(result, [c for c in swept if c != x], col, row))


def map_roles(
    result: Result, x: str | None, y: str | None, col: str | None, row: str | None
) -> Roles:
    """What a map shows where: by default the two numbers with the most values, K upwards.

    Raises `InputError` for a column that is not swept or named twice, for axes that are not
    numbers, and for too few or too many columns.
    """
    swept = _checked(result, {"--x": x, "--y": y, "--col": col, "--row": row})
    numeric = numeric_swept(result)
    for option, column in (("--x", x), ("--y", y)):
        if column is not None and column not in numeric:
            raise InputError(f"{option} {column}: a map's axes are numbers, and this is text")
    free = [c for c in numeric if c not in (x, y, col, row)]
    free = free[: 2 - sum(c is not None for c in (x, y))]
    if y is None and free:
        y = "k" if "k" in free else free[-1]
        free = [c for c in free if c != y]
    x = x or (free[0] if free else None)
    if x is None or y is None:
        there = ", ".join(numeric) or "none"
        raise InputError(
            f"a map needs two swept columns of numbers for its axes; there are {there}"
        )
    return Roles(x, y, *_panels(result, [c for c in swept if c not in (x, y)], col, row))


def _checked(result: Result, given: Mapping[str, str | None]) -> tuple[str, ...]:
    """The swept columns, among which those that are given by option must be, each once."""
    swept = swept_columns(result)
    if not swept:
        raise InputError("the table has one cell, so nothing is swept; use --kind comparison")
    taken: dict[str, str] = {}
    for option, column in given.items():
        if column is None:
            continue
        if column not in swept:
            raise InputError(
                f"{option} {column}: no such swept column; swept are {', '.join(swept)}"
            )
        if column in taken:
            raise InputError(f"{taken[column]} and {option} are both {column}")
        taken[column] = option
    return swept


def _panels(
    result: Result, rest: list[str], col: str | None, row: str | None
) -> tuple[str | None, str | None]:
    """What goes across and down: the longer of two across where it fits, else the shorter."""
    table = result.table
    free = sorted((c for c in rest if c not in (col, row)), key=lambda c: table[c].nunique())
    if col is None and row is None and len(free) > 1 and table[free[1]].nunique() <= MAX_COLUMNS:
        col = free.pop(1)
    elif col is None and free:
        col = free.pop(0)
    if row is None and free:
        row = free.pop(0)
    if free:
        value = value_text(values_of(table, free[0])[0])
        raise InputError(
            f"{free[0]} is swept too and has no place in the figure; choose one value of it with "
            f"{where(free[0], value)} (or the like)"
        )
    count = (table[col].nunique() if col else 1) * (table[row].nunique() if row else 1)
    if count > MAX_PANELS:
        raise InputError(
            f"{count} panels of {' and '.join(c for c in (col, row) if c)} are more than "
            f"{MAX_PANELS}; choose values with {where(str(col or row))}"
        )
    return col, row
