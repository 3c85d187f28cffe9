"""The table of a reward file: its columns as text, its rows by condition, and their lines."""

import csv
import json
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd

from maxpo_cli.arrays import FloatArray, IntArray
from maxpo_cli.errors import InputError
from maxpo_cli.policies.reward_text import RewardText
from maxpo_cli.problems.limits import measurable

LONGEST_SHOWN = 60
"""Characters of a cell that a message shows, at most."""

LONGEST_NUMBER = 400
"""Digits of a whole number in JSON that is read as a number: no double has more."""

Conditions = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class RewardTable:
    """The cells of a file as text, rows numbered from 0 in file order."""

    text: RewardText
    _known: dict[tuple[Conditions, tuple[str, ...]], Mapping[Any, IntArray]] = field(
        default_factory=dict
    )

    @cached_property
    def cells(self) -> pd.DataFrame:
        """All cells. Raises `InputError` for a file that is empty or not a table."""
        read = _read_json_lines if self.text.is_json else _read_csv
        table = read(self.text)
        if table.empty:
            raise InputError(f"{self.text.name} is empty: it has no rows")
        return table

    def rows(self, fixed: Conditions, given: Mapping[str, str]) -> pd.DataFrame:
        """The rows that meet these conditions.

        The rows of all values of the columns of `given` are found together, the first time.
        Raises `InputError` for a column that is not there and where no row is left.
        """
        columns = tuple(given)
        if (fixed, columns) not in self._known:
            self._known[fixed, columns] = self._places(fixed, columns)
        known = self._known[fixed, columns]
        values = tuple(given.values())
        if values not in known:
            met = [*fixed, *given.items()]
            raise InputError(f"{self.text.name}: no row has {self._missed(met)}")
        return self.cells.iloc[known[values]]

    def _places(self, fixed: Conditions, columns: Sequence[str]) -> Mapping[Any, IntArray]:
        """Which rows meet the fixed conditions, by the values that they have in these columns."""
        places = np.arange(len(self.cells))
        for column, value in fixed:
            self.require(column, "--where or --grid")
            places = places[(self.cells[column].iloc[places] == value).to_numpy()]
        for column in columns:
            self.require(column, "--where or --grid")
        if not len(places):
            return {}
        if not columns:
            return {(): places}
        keys = self.cells[list(columns)].iloc[places].itertuples(index=False, name=None)
        found: dict[tuple[str, ...], list[int]] = {}
        for place, key in zip(places.tolist(), keys, strict=True):
            found.setdefault(key, []).append(place)
        return {key: np.array(several) for key, several in found.items()}

    def _missed(self, conditions: Conditions) -> str:
        """The first condition that no row meets which meets those before it."""
        left = np.ones(len(self.cells), dtype=bool)
        for column, value in conditions:
            left &= (self.cells[column] == value).to_numpy()
            if not left.any():
                break
        return f"{column}={shown(value)}"

    def require(self, column: str, option: str) -> None:
        """Raises `InputError`, naming the option, for a column that is not there."""
        if column not in self.cells.columns:
            raise InputError(
                f"{self.text.name} has no column '{shown(column)}' ({option}); "
                f"it has {self.columns}"
            )

    @property
    def columns(self) -> str:
        """The names of the columns, for a sentence."""
        return ", ".join(f"'{shown(column)}'" for column in self.cells.columns)

    def numbers(self, rows: pd.DataFrame, column: str) -> FloatArray:
        """The numbers in a column of some rows; raises `InputError` with the line of another."""
        texts = rows[column].str.strip()
        booleans = texts.str.lower().map({"true": "1", "false": "0"})
        values = np.asarray(pd.to_numeric(booleans.fillna(texts), errors="coerce"), dtype=float)
        wrong = np.flatnonzero(~measurable(values))
        if len(wrong):
            row = int(wrong[0])
            given = rows[column].iloc[row]
            kind = "is not a finite number" if not np.isfinite(values[row]) else "is out of range"
            said = f"'{shown(given)}' {kind}" if given.strip() else "the value is missing"
            raise self.wrong_cell(rows, row, column, said)
        return values

    def whole_numbers(self, rows: pd.DataFrame, column: str, most: int) -> list[int]:
        """The same for whole numbers from 0 to `most`."""
        values = self.numbers(rows, column)
        for wrong, what in (
            ((values < 0) | (values != np.floor(values)), "is not a whole number from 0"),
            (values > most, f"is above {most:,}"),
        ):
            if wrong.any():
                row = int(np.flatnonzero(wrong)[0])
                said = f"'{shown(rows[column].iloc[row])}' {what}"
                raise self.wrong_cell(rows, row, column, said)
        return [int(value) for value in values]

    def wrong_cell(self, rows: pd.DataFrame, row: int, column: str, what: str) -> InputError:
        """An error about a cell of some rows of this table."""
        return InputError(f"{self.where(rows, row)}, column '{shown(column)}': {what}")

    def where(self, rows: pd.DataFrame, row: int) -> str:
        """The file, and its line on which a row ends.

        It is counted only for an error: blank lines and quoted line breaks make it differ from the
        number of the row.
        """
        wanted = int(rows.index[row])
        line = next(line for i, line in enumerate(_row_lines(self.text)) if i == wanted)
        return f"{self.text.name}, line {line}"


def shown(text: str) -> str:
    """A text as a message shows it: cut where it is long."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _read_csv(text: RewardText) -> pd.DataFrame:
    try:
        return _csv_cells(text)
    except pd.errors.EmptyDataError:
        raise InputError(f"{text.name} is empty") from None
    except pd.errors.ParserWarning:
        raise InputError(
            f"{text.name} is not a CSV table: its rows are longer than its header"
        ) from None
    except (pd.errors.ParserError, OverflowError) as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise InputError(f"{text.name} is not a CSV table: {reason}") from None


def _csv_cells(text: RewardText) -> pd.DataFrame:
    header = pd.read_csv(StringIO(text.text), header=None, nrows=1, dtype=str)
    names = header.iloc[0].dropna()
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and mark in names[0]:
            raise InputError(f"{text.name} has its cells separated by {name}; save it with commas")
    if names.duplicated().any():
        twice = shown(names[names.duplicated()].iloc[0])
        raise InputError(f"{text.name}: the column '{twice}' appears twice")
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(StringIO(text.text), dtype=str, keep_default_na=False, index_col=False)


def _read_json_lines(text: RewardText) -> pd.DataFrame:
    rows = []
    for line, content in enumerate(StringIO(text.text), 1):
        if content.strip():
            row = _object(text, line, content)
            rows.append({key: _cell(value) for key, value in row.items()})
            if "\\u" in content and not _is_encodable(rows[-1]):
                raise InputError(f"{text.name}, line {line}: half of a surrogate pair (\\ud…)")
    return pd.DataFrame(rows, dtype=str).fillna("")


def _object(text: RewardText, line: int, content: str) -> dict[str, object]:
    try:
        row = json.loads(content, parse_int=_whole)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise InputError(
            f"{text.name}, line {line}: not a JSON object; JSON Lines has one in each line"
        )
    return row


def _whole(digits: str) -> int | str:
    """A whole number; one that is too long stays as it is written, as in a CSV cell."""
    return int(digits) if len(digits) <= LONGEST_NUMBER else digits


def _cell(value: object) -> str:
    """A JSON value as the text that a CSV cell would hold; true and false are 1 and 0."""
    if isinstance(value, bool):
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value)


def _is_encodable(row: Mapping[str, str]) -> bool:
    try:
        "".join([*row, *row.values()]).encode()
    except UnicodeEncodeError:
        return False
    return True


def _row_lines(text: RewardText) -> Iterator[int]:
    """The lines on which rows end."""
    lines = StringIO(text.text, newline="")
    if text.is_json:
        yield from (line for line, content in enumerate(lines, 1) if content.strip())
        return
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.reader(lines)
    filled = (reader.line_num for row in reader if len(row) > 1 or "".join(row).strip())
    next(filled)
    yield from filled
