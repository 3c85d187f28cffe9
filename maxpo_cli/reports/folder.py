"""Result folders: written whole or not at all."""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from maxpo_cli.errors import InputError

TABLE, PROMPTS, STUDY, FIGURES = "table.csv", "prompts.csv", "study.json", "figures"
MAX_SLUG = 100


def slug(text: str) -> str:
    """A folder name made from a spec: letters, digits, dots and dashes, at most `MAX_SLUG` long."""
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", text.replace("=", "")).strip("-.")
    if len(plain) > MAX_SLUG:
        plain = f"{plain[: MAX_SLUG - 9]}-{sha256(text.encode()).hexdigest()[:8]}"
    return plain


@contextmanager
def new_result(path: Path) -> Iterator[Path]:
    """A new, hidden folder to write a result into, which becomes `path` when the block ends well.

    It takes the place of an earlier result at `path`. Nothing is left of it when the block raises,
    and a process that is killed leaves `path` as it was.

    Raises `InputError` before the block when `path` cannot be written or holds anything else.
    """
    path = Path(os.path.normpath(path.absolute()))
    _check_replaceable(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _tidy(path)
        draft = Path(tempfile.mkdtemp(prefix=f".{path.name}.maxpo-", dir=path.parent))
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"--out {path}: the folder cannot be written ({reason})") from None
    try:
        draft.chmod(0o755)
        yield draft
        _check_replaceable(path)
        _swap(draft, path)
    except OSError as error:
        raise InputError(f"--out {path}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _check_replaceable(path: Path) -> None:
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_dir():
        raise InputError(f"--out {path}: a file is in the way")
    entries = {entry.name for entry in path.iterdir()}
    foreign = sorted(entries - {TABLE, PROMPTS, STUDY, FIGURES})
    if foreign:
        raise InputError(
            f"--out {path}: the folder holds '{foreign[0]}', which is no part of a result; "
            "name another folder"
        )


def _swap(draft: Path, path: Path) -> None:
    """Puts the finished folder in the place of what is there."""
    if not path.exists():
        draft.rename(path)
        return
    old = _old(path)
    path.rename(old)
    draft.rename(path)
    shutil.rmtree(old, ignore_errors=True)


def _old(path: Path) -> Path:
    return path.with_name(f".{path.name}.maxpo-old")


def _tidy(path: Path) -> None:
    """Sets right what a run that was killed while it replaced a result may have left."""
    old = _old(path)
    if old.exists():
        if path.exists():
            shutil.rmtree(old)
        else:
            old.rename(path)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """A CSV table in full precision; what does not exist is an empty cell."""
    table.to_csv(path, index=False, lineterminator="\n")


def write_study(path: Path, study: Mapping[str, Any]) -> None:
    """`study.json`: what was run, with what, when."""
    path.write_text(json.dumps(study, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_table(result: Path) -> pd.DataFrame:
    """The `table.csv` of a result folder; `InputError` says what is there instead."""
    path = result / TABLE
    if not result.is_dir():
        raise InputError(f"{result} is no result folder: there is no such folder")
    if not path.is_file():
        names = ", ".join(sorted(entry.name for entry in result.iterdir())) or "nothing"
        raise InputError(f"{result} is no result folder: it has no {TABLE}; it holds {names}")
    try:
        table = pd.read_csv(path)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError):
        raise InputError(f"{path} is not a table that maxpo wrote") from None
    if table.empty:
        raise InputError(f"{path} has no rows")
    return table


def require_columns(table: pd.DataFrame, columns: tuple[str, ...], where: Path) -> None:
    """Raises `InputError` naming the columns that a table lacks and those it has."""
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise InputError(
            f"{where}: the table has no column {', '.join(missing)}; it has "
            f"{', '.join(table.columns)}"
        )


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Writes a file beside `path` and puts it in its place in one step."""
    draft = path.with_name(f".{path.stem}.maxpo-{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(draft)
        draft.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        draft.unlink(missing_ok=True)
