"""Result folders that grow: rows are kept as they are found, whenever the process is killed.

Whatever moment a process is killed at, the folder holds one of three things: the earlier result;
the beginning of this one, which the same study continues; this one, complete. In between, while an
earlier result is replaced, it may hold a study without a table, which is then measured again.
"""

import csv
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pandas as pd
from filelock import FileLock, Timeout

from maxpo_cli.errors import InputError
from maxpo_cli.storage.folder import (
    FIGURE_STEMS,
    LOCK,
    PROMPTS,
    TABLE,
    drafts,
    remove_figures,
    replace_file,
    write_table,
)
from maxpo_cli.storage.overwrite_rule import Found, find
from maxpo_cli.storage.study import STUDY, StudyRecord, read_study, write_study

NO_SECONDS: Mapping[str, float] = {}


class GrowingResult:
    """A result folder whose table grows by whole batches of rows, one write each.

    `open_result` makes it. Nothing is written before the first call of `append`, `finish` or a
    `keep` that cuts something.
    """

    def __init__(
        self,
        path: Path,
        record: StudyRecord,
        columns: Sequence[str],
        found: Found,
        stems: Collection[str],
    ) -> None:
        self.path = path
        self._header = _csv(pd.DataFrame(columns=list(columns)))
        self._columns = list(columns)
        self._begun = found in (Found.COMPLETE, Found.BEGUN)
        self._is_clean = False
        self._is_whole = False
        self._stems = stems
        self._of_this_run = replace(record, complete=False, seconds={}, table_sha256=None)
        self._record = self._of_this_run
        self._seconds: Counter[str] = Counter()
        self._written_seconds: dict[str, float] = {}
        if self._begun:
            before = read_study(path)
            self._seconds.update(before.seconds)
            self._record = before if found is Found.COMPLETE else self._of_this_run
            self._written_seconds = dict(before.seconds)

    @property
    def record(self) -> StudyRecord:
        """The record: the one on disk where the study is complete, otherwise that of this run."""
        return self._record

    @property
    def complete(self) -> bool:
        """Whether this very study is there, marked as complete, with the table as it was then."""
        return self._record.complete

    def rows(self, columns: Sequence[str]) -> pd.DataFrame:
        """These columns of the rows that were written whole, as texts, in the file's order.

        They are empty in a row that is spoiled.
        """
        if not self._begun:
            return pd.DataFrame(columns=list(columns), dtype=str)
        header, *rows = map(_fields, self._lines())
        places = [header.index(column) for column in columns]
        known = (row if len(row) == len(header) else [""] * len(header) for row in rows)
        return pd.DataFrame(
            [[row[i] for i in places] for row in known], columns=list(columns), dtype=str
        )

    def keep(self, count: int) -> None:
        """Cuts the table after so many rows. Where that cuts any, it is not complete any more."""
        if not self._begun:
            return
        size = sum(map(len, self._lines()[: count + 1]))
        if size == (self.path / TABLE).stat().st_size:
            return
        self._begin_change()
        with _errors(self.path / TABLE), (self.path / TABLE).open("r+b") as file:
            file.truncate(size)

    def append(self, rows: pd.DataFrame, seconds: Mapping[str, float] = NO_SECONDS) -> None:
        """Adds rows at the end of the table, and the time that each engine took for them.

        The time is in `study.json` once the block of `open_result` is left, also by an error.
        """
        if list(rows.columns) != self._columns:
            raise ValueError(f"rows of {list(rows.columns)} in a table of {self._columns}")
        self._seconds.update(seconds)
        if not self._begun:
            self._begin(rows)
            return
        if not self._is_whole:
            self.keep(len(self._lines()) - 1)  # cuts what a killed write left
            self._is_whole = True
        self._begin_change()
        with _errors(self.path / TABLE), (self.path / TABLE).open("ab", buffering=0) as file:
            left = memoryview(_csv(rows, header=False))
            while left:  # once, except on a full disk, which the next write names
                left = left[file.write(left) :]

    def finish(
        self,
        order: Sequence[int],
        seconds: Mapping[str, float] = NO_SECONDS,
        prompts: pd.DataFrame | None = None,
    ) -> StudyRecord:
        """Puts the rows into this order, writes the prompts and marks the study as complete.

        `order` has the present place of each row. `seconds` is added to what `append` was told and
        to what an earlier run of this study took. The prompts are written before the study is
        marked, so that a complete study has them. Nothing happens where it is complete already.
        """
        if self.complete:
            return self.record
        self._seconds.update(seconds)
        if not self._begun:
            self._begin(pd.DataFrame(columns=self._columns))
        header, *rows = self._lines()
        if sorted(order) != list(range(len(rows))):
            raise ValueError(f"the order of {len(rows)} rows must have each of them once")
        self._clean()
        table = b"".join([header, *(rows[place] for place in order)])
        replace_file(self.path / TABLE, lambda draft: draft.write_bytes(table))
        if prompts is not None:
            replace_file(self.path / PROMPTS, lambda draft: write_table(draft, prompts))
        self._record = replace(self._record, table_sha256=sha256(table).hexdigest())
        self._write_record(complete=True)
        return self.record

    def record_plot(self) -> StudyRecord:
        """Notes the figures that this run was asked for where a complete study has others.

        The figures of the folder are then removed, so that there are none of an earlier choice.
        """
        plot = self._of_this_run.to_json()["plot"]
        if self.complete and self._record.to_json()["plot"] != plot:
            with _errors(self.path):
                remove_figures(self.path, self._stems)
            self._record = replace(self._record, plot=tuple(plot))
            self._write_record(complete=True)
        return self.record

    def leave(self) -> None:
        """Notes the seconds of a study that is left incomplete, for the run that continues it."""
        if self._begun and not self.complete and self._rounded() != self._written_seconds:
            self._write_record(complete=False)

    def _begin(self, rows: pd.DataFrame) -> None:
        """Starts a table with these rows, in the place of what is there.

        The earlier table goes first: its rows must never stand next to the new study.
        """
        with _errors(self.path):
            self._clean()
            for name in (TABLE, PROMPTS):
                (self.path / name).unlink(missing_ok=True)
            remove_figures(self.path, self._stems)
        self._write_record(complete=False)
        text = self._header + _csv(rows, header=False)
        replace_file(self.path / TABLE, lambda draft: draft.write_bytes(text))
        self._begun = True

    def _begin_change(self) -> None:
        """Before rows of the table change: a complete study is marked as incomplete."""
        self._clean()
        if self.complete:
            self._record = self._of_this_run
            self._write_record(complete=False)

    def _clean(self) -> None:
        """Removes the drafts that killed processes left, once."""
        if not self._is_clean:
            with _errors(self.path):
                for draft in drafts(self.path):
                    draft.unlink(missing_ok=True)
            self._is_clean = True

    def _write_record(self, complete: bool) -> None:
        record = replace(self._record, complete=complete, seconds=self._rounded())
        replace_file(self.path / STUDY, lambda draft: write_study(draft, record))
        self._record = record
        self._written_seconds = dict(record.seconds)

    def _rounded(self) -> dict[str, float]:
        return {engine: round(seconds, 3) for engine, seconds in self._seconds.items()}

    def _lines(self) -> list[bytes]:
        """The header and the rows that end in a line break: what a killed write left does not."""
        *lines, _ = (self.path / TABLE).read_bytes().split(b"\n")
        return [line + b"\n" for line in lines]


def _fields(line: bytes) -> list[str]:
    """The cells of a line of a table; none of a line that is not one."""
    try:
        return next(csv.reader([line.decode()], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return []


def _csv(table: pd.DataFrame, header: bool = True) -> bytes:
    return str(table.to_csv(index=False, header=header, lineterminator="\n")).encode()


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    """Names the path in errors of the file system."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None


@contextmanager
def open_result(
    path: Path,
    record: StudyRecord,
    columns: Sequence[str],
    overwrite: bool,
    stems: Collection[str] = FIGURE_STEMS,
) -> Iterator[GrowingResult]:
    """The result folder of a study: a new one, or what an earlier run of the same study left.

    It is locked until the block ends; a block that is left early leaves a result that can be read
    and continued, and no folder where nothing was written. `columns` are those of the table, and
    `stems` how the names of its figures begin. The rule of what is kept, continued and replaced is
    that of `overwrite_rule`.

    Raises `InputError` before the block when the folder must not be written to, is in use, or
    cannot be written to.
    """
    place = Path(os.path.realpath(path))
    if place in (here := Path.cwd(), *here.parents):
        raise InputError(f"--out {path}: a result has a folder of its own; it cannot be this one")
    header = _csv(pd.DataFrame(columns=list(columns)))
    missing: list[Path] = []
    try:
        find(path, record, header, overwrite, stems)  # refuses before anything is created
        missing = [folder for folder in (place, *place.parents) if not folder.exists()]
        place.mkdir(parents=True, exist_ok=True)
        lock = FileLock(place / LOCK, timeout=0)
        lock.acquire()
    except Timeout:
        raise InputError(f"--out {path}: another maxpo is writing there") from None
    except OSError as error:
        _remove_empty(missing)
        reason = error.strerror or error
        raise InputError(f"--out {path}: the folder cannot be written ({reason})") from None
    result = None
    try:
        found = find(path, record, header, overwrite, stems)
        result = GrowingResult(place, record, columns, found, stems)
        yield result
    finally:
        if result is not None:
            with suppress(InputError, OSError):
                result.leave()
        with suppress(OSError):
            (place / LOCK).unlink()
        lock.release()
        _remove_empty(missing)


def _remove_empty(folders: Sequence[Path]) -> None:
    """Removes folders, the innermost first, as far as they are empty."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
