"""Result folders that grow: rows are kept as they are found, whenever the process is killed."""

import csv
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
from filelock import FileLock, Timeout

from maxpo_cli.errors import InputError
from maxpo_cli.storage.folder import (
    FIGURES,
    PROMPTS,
    STUDY,
    TABLE,
    check_replaceable,
    is_draft,
    read_study,
    replace_file,
    write_study,
)

LOCK = ".table.maxpo-lock"


class Partial:
    """A result folder whose table grows by whole batches of rows, one write each."""

    def __init__(self, path: Path, study: Mapping[str, Any]) -> None:
        self.path = path
        self._study = study

    @property
    def complete(self) -> bool:
        """Whether the study is marked as complete."""
        return bool(read_study(self.path).get("complete"))

    def rows(self, columns: Sequence[str]) -> pd.DataFrame:
        """These columns of the rows that were written whole, as texts, in the file's order.

        They are empty in a row that is spoiled.
        """
        header, *rows = map(_fields, self._lines())
        places = [header.index(column) for column in columns]
        known = (row if len(row) == len(header) else [""] * len(header) for row in rows)
        return pd.DataFrame([[row[i] for i in places] for row in known], columns=list(columns))

    def keep(self, count: int) -> None:
        """Cuts the table after so many rows."""
        with (self.path / TABLE).open("r+b") as file:
            file.truncate(sum(map(len, self._lines()[: count + 1])))

    def append(self, rows: pd.DataFrame) -> None:
        """Adds rows at the end of the table."""
        with (self.path / TABLE).open("ab", buffering=0) as file:
            file.write(_csv(rows, header=False).encode())

    def finish(self, order: Sequence[int]) -> None:
        """Puts the rows into this order and marks the study as complete."""
        header, *rows = self._lines()
        table = b"".join([header, *(rows[place] for place in order)])
        replace_file(self.path / TABLE, lambda draft: draft.write_bytes(table))
        self._write_study(complete=True)

    def begin(self, header: pd.DataFrame) -> None:
        """Starts an empty table with these columns."""
        for name in (TABLE, PROMPTS):
            (self.path / name).unlink(missing_ok=True)
        shutil.rmtree(self.path / FIGURES, ignore_errors=True)
        self._write_study(complete=False)
        replace_file(
            self.path / TABLE, lambda draft: draft.write_text(_csv(header), encoding="utf-8")
        )

    def _write_study(self, complete: bool) -> None:
        study = {**self._study, "complete": complete}
        replace_file(self.path / STUDY, lambda draft: write_study(draft, study))

    def has(self, header: pd.DataFrame) -> bool:
        """Whether there is a table with these columns."""
        path = self.path / TABLE
        return path.is_file() and path.read_bytes().startswith(_csv(header).encode())

    def _lines(self) -> list[bytes]:
        """The header and the rows that end in a line break: what a killed write left is none."""
        *lines, _ = (self.path / TABLE).read_bytes().split(b"\n")
        return [line + b"\n" for line in lines]


def _fields(line: bytes) -> list[str]:
    """The cells of a line of a table; none of a line that is not one."""
    try:
        return next(csv.reader([line.decode()], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return []


def _csv(table: pd.DataFrame, header: bool = True) -> str:
    return str(table.to_csv(index=False, header=header, lineterminator="\n"))


@contextmanager
def partial_result(
    path: Path, study: Mapping[str, Any], header: pd.DataFrame, overwrite: bool
) -> Iterator[Partial]:
    """The result folder of a study: a new one, or what an earlier run of the same study left.

    It is locked until the block ends; a block that is left early, however, leaves a result that
    can be read and continued. `header` is an empty table with the columns.

    Raises `InputError` before the block when the folder holds another study and is not to be
    overwritten, holds anything else, is in use, or cannot be written.
    """
    given, path = path, Path(os.path.realpath(path))
    if path in (here := Path.cwd(), *here.parents):
        raise InputError(f"--out {given}: a result has a folder of its own; it cannot be this one")
    check_replaceable(given)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / LOCK, timeout=0)
        lock.acquire()
    except Timeout:
        raise InputError(f"--out {given}: another maxpo is writing there") from None
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"--out {given}: the folder cannot be written ({reason})") from None
    try:
        again = _is_continued(given, study, overwrite)
        for left in path.iterdir():
            if is_draft(left) and left.name != LOCK:
                left.unlink()
        partial = Partial(path, study)
        if not again or not partial.has(header):
            partial.begin(header)
        yield partial
    finally:
        with suppress(OSError):
            (path / LOCK).unlink()
        lock.release()


def _is_continued(path: Path, study: Mapping[str, Any], overwrite: bool) -> bool:
    """Whether the folder holds a table of this very study; an error where of another.

    What is to be overwritten is continued all the same where it is this study, not yet complete.
    """
    if all(is_draft(entry) for entry in path.iterdir()):
        return False
    try:
        before = read_study(path)
    except InputError as error:
        if overwrite:
            return False
        raise InputError(f"{error}; give --overwrite to replace what is there") from None
    if overwrite:
        return not (before.get("complete") or _differences(before, study))
    if differences := _differences(before, study):
        raise InputError(
            f"{path} holds another study ({differences}); give --overwrite to replace it, or "
            "another folder with --out"
        )
    return True


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Where two studies differ, in words; empty where one continues the other."""
    if before.get("study") != now["study"]:
        return f"one of maxpo {before.get('study')}"
    for name in ("maxpo", "torch"):
        was = before.get("versions", {}).get(name)
        if was != now["versions"].get(name):
            return f"begun with {name} {was}"
    if before.get("rewards_sha256") != now.get("rewards_sha256"):
        return "its rewards file had other contents"
    if before.get("device") != now.get("device"):
        return f"begun on {before.get('device')}, and this is {now.get('device')}"
    old, new = before.get("spec", {}), now["spec"]
    names = [name for name in {**old, **new} if _shown(old.get(name)) != _shown(new.get(name))]
    return "; ".join(
        f"{name} is {_shown(old.get(name))} there, {_shown(new.get(name))} here" for name in names
    )


def _shown(value: object) -> str:
    """A setting as the command line has it."""
    if isinstance(value, Mapping):
        return " ".join(f"{key}={item}" for key, item in value.items())
    if isinstance(value, list):
        return ",".join(map(str, value))
    return "not given" if value is None else str(value)
