"""Result folders: written whole or not at all."""

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from maxpo_cli.errors import InputError

TABLE, PROMPTS, STUDY, FIGURES = "table.csv", "prompts.csv", "study.json", "figures"
MAX_SLUG = 100
TYPES = {"note": str, "states": "Int64", "groups": "Int64"}
"""Types of columns that an empty cell would change."""


def slug(spec: str, more: str = "") -> str:
    """A folder name made from a spec: letters, digits, dots and dashes, at most `MAX_SLUG` long.

    A hash of spec and `more` ends it where the plain name would not tell two of them apart.
    """
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", spec.replace("=", "")).strip("-.")
    if more or len(plain) > MAX_SLUG or not re.fullmatch(r"[A-Za-z0-9.:=,/]*", spec):
        plain = f"{plain[: MAX_SLUG - 7]}-{sha256(f'{spec}{more}'.encode()).hexdigest()[:6]}"
    return plain


@contextmanager
def new_result(path: Path, study: str) -> Iterator[Path]:
    """A new, hidden folder to write a result into, which becomes `path` when the block ends well.

    It takes the place of an earlier result of this kind of study at `path`. Nothing is left of it
    when the block raises; what a killed process leaves is hidden, and goes at the next run.

    Raises `InputError` before the block when `path` cannot be written or holds anything else.
    """
    path = Path(os.path.realpath(path))
    if path in (here := Path.cwd(), *here.parents):
        raise InputError(f"--out {path}: a result replaces its folder, so it cannot be this one")
    draft, old = (path.with_name(f"{_prefix(path)}{os.getpid()}.{end}") for end in ("new", "old"))
    missing = [parent for parent in path.parents if not parent.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _tidy(path)
        check_replaceable(path)
        _check_kind(path, study)
        draft.mkdir()
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"--out {path}: the folder cannot be written ({reason})") from None
    try:
        yield draft
        check_replaceable(path)
        if path.exists():
            path.rename(old)
        draft.rename(path)
    except OSError as error:
        raise InputError(f"--out {path}: {error.strerror or error}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            _remove_empty(missing)


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _prefix(path: Path) -> str:
    return f".{path.name}.maxpo-"


def _tidy(path: Path) -> None:
    """Sets right what killed processes left: drafts go, a result that was moved comes back."""
    for left in sorted(path.parent.iterdir(), reverse=True):
        pid, _, kind = left.name.removeprefix(_prefix(path)).partition(".")
        if not left.name.startswith(_prefix(path)) or not pid.isdigit() or _is_alive(int(pid)):
            continue
        if kind == "old" and not path.exists():
            left.rename(path)
        else:
            shutil.rmtree(left)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _check_kind(path: Path, study: str) -> None:
    """Raises `InputError` when there is a result of another kind of study at this path."""
    if (path / STUDY).exists() and (kind := read_study(path).get("study")) != study:
        raise InputError(f"--out {path}: the folder holds a result of maxpo {kind}; name another")


def is_draft(path: Path) -> bool:
    """Whether it is a file that maxpo was still writing, or a lock."""
    return re.fullmatch(r"\..+\.maxpo-[a-z0-9]+(\.[a-z]+)?", path.name) is not None


def check_replaceable(path: Path) -> None:
    """Raises `InputError` when there is anything but a result at this path."""
    if not path.exists():
        return
    if not path.is_dir():
        raise InputError(f"--out {path}: a file is in the way")
    entries = {entry.name for entry in path.iterdir() if not is_draft(entry)}
    foreign = sorted(entries - {TABLE, PROMPTS, STUDY, FIGURES})
    if foreign:
        raise InputError(
            f"--out {path}: the folder holds '{foreign[0]}', which is no part of a result; "
            "name another folder"
        )


def write_table(path: Path, table: pd.DataFrame) -> None:
    """A CSV table in full precision; what does not exist is an empty cell."""
    table.to_csv(path, index=False, lineterminator="\n")


def write_study(path: Path, study: Mapping[str, Any]) -> None:
    """`study.json`: what was run, with what, when."""
    path.write_text(json.dumps(study, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_study(result: Path) -> dict[str, Any]:
    """The `study.json` of a result folder; `InputError` says what is there instead."""
    path = result / STUDY
    try:
        study = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        names = ", ".join(sorted(entry.name for entry in result.iterdir())) or "nothing"
        raise InputError(f"{result} holds no study: it has no {STUDY}; it has {names}") from None
    except (OSError, ValueError):
        raise InputError(f"{path} is not a study that maxpo wrote") from None
    if not isinstance(study, dict):
        raise InputError(f"{path} is not a study that maxpo wrote")
    return study


def folder_of(result: Path) -> Path:
    """The result folder that a path is, or that its table.csv or study.json stands in."""
    return result.parent if result.name in (TABLE, STUDY) and result.is_file() else result


def read_table(result: Path) -> pd.DataFrame:
    """The `table.csv` of a result folder; `InputError` says what is there instead."""
    path = result / TABLE
    if result.is_file():
        raise InputError(f"{result} is a file: name the result folder that it stands in")
    if not result.is_dir():
        raise InputError(f"{result} is no result folder: there is no such folder")
    if not path.is_file():
        names = ", ".join(sorted(entry.name for entry in result.iterdir())) or "nothing"
        raise InputError(f"{result} is no result folder: it has no {TABLE}; it holds {names}")
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=TYPES)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError):
        raise InputError(f"{path} is not a table that maxpo wrote") from None
    if table.empty:
        raise InputError(f"{path} has no rows")
    return table.fillna({"note": ""})


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Writes a file beside `path` and puts it in its place in one step."""
    draft = path.with_name(f".{path.stem}.maxpo-{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(draft)
        draft.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            draft.unlink()
