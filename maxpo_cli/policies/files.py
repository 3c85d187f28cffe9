"""Logged rewards from a CSV or JSON Lines file: one row per sample, or per prompt with counts."""

import csv
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from maxpo_cli.arrays import FloatArray
from maxpo_cli.errors import InputError
from maxpo_cli.policies.logged import Logged, prompt_of_counts, prompt_of_rewards
from maxpo_cli.problems.limits import measurable

COUNT_COLUMNS = ("samples", "correct")
JSON_LINES = (".jsonl", ".ndjson", ".json")


@dataclass(frozen=True)
class RewardsFile:
    """Where logged rewards are: the file, its columns, and the conditions that its rows meet."""

    path: Path
    group_column: str = "prompt"
    reward_column: str = "reward"
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class RewardsTemplate:
    """Logged rewards with conditions on the file's columns that are still to be given."""

    file: RewardsFile

    @property
    def spec(self) -> str:
        """The file's name and the conditions, as policies name them."""
        return f"logged:{_source(self.file)}"

    @property
    def source(self) -> str:
        """What the policies come from: the file, without conditions."""
        return f"logged:{self.file.path.name}"

    @property
    def parameters(self) -> dict[str, str]:
        """The conditions that are given, by column."""
        return dict(self.file.where)

    def at(self, given: Mapping[str, str]) -> Logged:
        """The policy of the rows with these values by column; raises as `read_logged` does."""
        return read_logged(replace(self.file, where=(*self.file.where, *given.items())))


def read_logged(file: RewardsFile) -> Logged:
    """The logged policy of a file.

    A file with the columns `samples` and `correct`, and not the reward column, holds counts, one
    row per prompt. Every other file has one row per sample, and the group column names its prompt.

    Raises `InputError` for a file that is missing, empty, unreadable or without the columns; a
    reward that is not a finite number (with its line); counts that are not whole numbers, or more
    correct than samples; a prompt with fewer than two samples; and conditions that no row meets.
    """
    table = _read(file.path)
    for column, value in file.where:
        _require(file, table, column, "--where or --grid")
        table = table[table[column] == value]
        if table.empty:
            raise InputError(f"{file.path.name}: no row has {column}={value}")
    source = _source(file)
    if set(COUNT_COLUMNS) <= set(table.columns) and file.reward_column not in table.columns:
        return _of_counts(file, table, source)
    return _of_samples(file, table, source)


def _source(file: RewardsFile) -> str:
    chosen = ",".join(f"{column}={value}" for column, value in file.where)
    return file.path.name + (f"[{chosen}]" if chosen else "")


def _of_samples(file: RewardsFile, table: pd.DataFrame, source: str) -> Logged:
    if file.reward_column not in table.columns:
        raise InputError(
            f"{file.path.name} has no column '{file.reward_column}' (it has "
            f"{_listed(table.columns)}); name it with --reward-column and the prompt's column with "
            f"--group-column, or give counts in the columns 'samples' and 'correct'"
        )
    _require(file, table, file.group_column, "--group-column")
    nameless = np.flatnonzero(table[file.group_column].str.strip() == "")
    if len(nameless):
        row = int(nameless[0])
        raise _wrong_cell(file, table, row, file.group_column, "the prompt is missing")
    rewards = _numbers(file, table, file.reward_column)
    groups = pd.Series(rewards).groupby(table[file.group_column].to_numpy(), sort=False)
    prompts = []
    for label, values in groups:
        if len(values) < 2:
            raise InputError(
                f"{file.path.name}: prompt '{label}' has one sample; every prompt needs two or more"
            )
        prompts.append((str(label), prompt_of_rewards(values)))
    return Logged(source, tuple(label for label, _ in prompts), tuple(p for _, p in prompts))


def _of_counts(file: RewardsFile, table: pd.DataFrame, source: str) -> Logged:
    samples, correct = (_whole(file, table, column) for column in COUNT_COLUMNS)
    for row, (n, c) in enumerate(zip(samples, correct, strict=True)):
        if n < 2 or c > n:
            wrong = f"{c} correct of {n} samples" if c > n else f"{n} samples; two are needed"
            raise InputError(f"{file.path.name}, line {_line(file, table, row)}: {wrong}")
    named = file.group_column in table.columns
    labels = table[file.group_column] if named else (table.index + 1).astype(str)
    prompts = tuple(
        prompt_of_counts((0.0, 1.0), (n - c, c)) for n, c in zip(samples, correct, strict=True)
    )
    return Logged(source, tuple(labels), prompts)


def _read(path: Path) -> pd.DataFrame:
    """The file as text columns, rows numbered from 0 in file order."""
    try:
        table = _read_json_lines(path) if path.suffix.lower() in JSON_LINES else _read_csv(path)
    except FileNotFoundError:
        raise InputError(f"--rewards: there is no file {path}") from None
    except IsADirectoryError:
        raise InputError(f"--rewards: {path} is a folder; name a file in it") from None
    except pd.errors.EmptyDataError:
        raise InputError(f"{path.name} is empty") from None
    except UnicodeDecodeError:
        raise InputError(f"{path.name} is not a text file in UTF-8") from None
    except pd.errors.ParserWarning:
        raise InputError(
            f"{path.name} is not a CSV table: its rows are longer than its header"
        ) from None
    except pd.errors.ParserError as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise InputError(f"{path.name} is not a CSV table: {reason}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    if table.empty:
        raise InputError(f"{path.name} is empty: it has no rows")
    return table


def _read_csv(path: Path) -> pd.DataFrame:
    header = pd.read_csv(path, header=None, nrows=1, dtype=str, encoding="utf-8-sig")
    names = header.iloc[0].dropna()
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and mark in names[0]:
            raise InputError(f"{path.name} has its cells separated by {name}; save it with commas")
    if names.duplicated().any():
        twice = names[names.duplicated()].iloc[0]
        raise InputError(f"{path.name}: the column '{twice}' appears twice")
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        return pd.read_csv(
            path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False
        )


def _read_json_lines(path: Path) -> pd.DataFrame:
    rows = []
    with path.open(encoding="utf-8-sig") as lines:
        for line, text in enumerate(lines, 1):
            if not text.strip():
                continue
            try:
                row = json.loads(text)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                raise InputError(
                    f"{path.name}, line {line}: not a JSON object; JSON Lines has one in each line"
                )
            rows.append({key: _text(value) for key, value in row.items()})
    return pd.DataFrame(rows, dtype=str).fillna("")


def _text(value: object) -> str:
    """A JSON value as the text that a CSV cell would hold; true and false are 1 and 0."""
    if isinstance(value, bool):
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value)


def _numbers(file: RewardsFile, table: pd.DataFrame, column: str) -> FloatArray:
    texts = table[column].str.strip()
    booleans = texts.str.lower().map({"true": "1", "false": "0"})
    values = np.asarray(pd.to_numeric(booleans.fillna(texts), errors="coerce"), dtype=float)
    wrong = np.flatnonzero(~measurable(values))
    if len(wrong):
        row = int(wrong[0])
        given = table[column].iloc[row]
        kind = "is not a finite number" if not np.isfinite(values[row]) else "is out of range"
        shown = f"'{given}' {kind}" if given.strip() else "the value is missing"
        raise _wrong_cell(file, table, row, column, shown)
    return values


def _whole(file: RewardsFile, table: pd.DataFrame, column: str) -> list[int]:
    values = _numbers(file, table, column)
    wrong = np.flatnonzero((values < 0) | (values != np.floor(values)))
    if len(wrong):
        row = int(wrong[0])
        what = f"'{table[column].iloc[row]}' is not a whole number from 0"
        raise _wrong_cell(file, table, row, column, what)
    return [int(value) for value in values]


def _wrong_cell(
    file: RewardsFile, table: pd.DataFrame, row: int, column: str, what: str
) -> InputError:
    line = _line(file, table, row)
    return InputError(f"{file.path.name}, line {line}, column '{column}': {what}")


def _require(file: RewardsFile, table: pd.DataFrame, column: str, option: str) -> None:
    if column not in table.columns:
        raise InputError(
            f"{file.path.name} has no column '{column}' ({option}); it has {_listed(table.columns)}"
        )


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f"'{column}'" for column in columns)


def _line(file: RewardsFile, table: pd.DataFrame, row: int) -> int:
    """The line of the file on which a row of the (possibly filtered) table ends.

    Counted only for an error: blank lines and quoted line breaks make it differ from the row.
    """
    wanted = int(table.index[row])
    return next(line for i, line in enumerate(_row_lines(file.path)) if i == wanted)


def _row_lines(path: Path) -> Iterator[int]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        if path.suffix.lower() in JSON_LINES:
            yield from (line for line, text in enumerate(lines, 1) if text.strip())
            return
        csv.field_size_limit(2**31 - 1)
        reader = csv.reader(lines)
        filled = (reader.line_num for row in reader if len(row) > 1 or "".join(row).strip())
        next(filled)
        yield from filled
