"""Result folders: what they are called, what may be in them, and files replaced in one step."""

import os
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import pandas as pd

from maxpo_cli.errors import InputError
from maxpo_cli.storage.study import STUDY

TABLE, PROMPTS, FIGURES = "table.csv", "prompts.csv", "figures"
LOCK = ".table.maxpo-lock"
MAX_SLUG = 100
HASH = 7
"""Characters that a dash and a hash take at the end of a name."""

FIGURE_STEMS = ("bench", "centering", "compare", "lines", "map")
"""How the names of our figures begin, before the first dash; no other file is ever removed."""

FIGURE = re.compile(r"(?P<stem>[a-z]+)(-[\w.+-]+)?\.(png|svg|pdf)")
DRAFT = re.compile(r"\.(?P<stem>.+)\.maxpo-\d+(?P<ending>\.[a-z]+)")


def slug(spec: str, more: str = "") -> str:
    """A folder name made from a spec: letters, digits, dots and dashes, at most `MAX_SLUG` long.

    A hash of spec and `more` ends it where the plain name would not distinguish two of them.
    """
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", spec.replace("=", "")).strip("-.")
    if more or len(plain) > MAX_SLUG or not re.fullmatch(r"[A-Za-z0-9.:=,/]*", spec):
        plain = with_hash(plain[: MAX_SLUG - HASH], f"{spec}{more}")
    return plain


def with_hash(name: str, text: str) -> str:
    """A name that is `HASH` characters longer, and unlike that of any other text."""
    return f"{name}-{sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[: HASH - 1]}"


def folder_of(result: Path) -> Path:
    """The result folder that a path is, or that its table.csv or study.json is in."""
    return result.parent if result.name in (TABLE, STUDY) and result.is_file() else result


def foreign_entry(path: Path, stems: Collection[str] = FIGURE_STEMS) -> str | None:
    """The first entry of a folder that no result has, or None.

    A result has its files, the figures whose names begin with one of `stems`, and what a killed
    process leaves. A link is foreign, whatever its name.
    """
    for entry in sorted(path.iterdir()):
        if entry.name == FIGURES and _is_folder(entry):
            for figure in sorted(entry.iterdir()):
                if not _is_allowed(figure, is_figure(figure.name, stems)):
                    return f"{FIGURES}/{figure.name}"
        elif not _is_allowed(entry, _is_ours(entry.name)):
            return entry.name
    return None


def is_empty(path: Path) -> bool:
    """Whether there is nothing in a folder except what a killed process leaves."""
    return all(entry.name == LOCK or DRAFT.fullmatch(entry.name) for entry in path.iterdir())


def is_figure(name: str, stems: Collection[str] = FIGURE_STEMS) -> bool:
    """Whether a file is named as a figure of ours, or as the draft of one."""
    draft = DRAFT.fullmatch(name)
    if draft:
        name = draft["stem"] + draft["ending"]
    figure = FIGURE.fullmatch(name)
    return figure is not None and figure["stem"] in stems


def remove_figures(path: Path, stems: Collection[str] = FIGURE_STEMS) -> None:
    """Removes the figures of a result folder, and their folder where it is then empty."""
    folder = path / FIGURES
    if not _is_folder(folder):
        return
    for entry in folder.iterdir():
        if _is_file(entry) and is_figure(entry.name, stems):
            entry.unlink()
    with suppress(OSError):
        folder.rmdir()


def remove_figure_drafts(path: Path, stems: Collection[str] = FIGURE_STEMS) -> None:
    """Removes the drafts of figures that killed processes left."""
    for entry in (path / FIGURES).glob(".*"):
        if DRAFT.fullmatch(entry.name) and _is_file(entry) and is_figure(entry.name, stems):
            entry.unlink()


def drafts(path: Path) -> Iterator[Path]:
    """The drafts of a result's files that killed processes left."""
    for entry in path.iterdir():
        if DRAFT.fullmatch(entry.name) and _is_file(entry) and _is_ours(entry.name):
            yield entry


def _is_ours(name: str) -> bool:
    draft = DRAFT.fullmatch(name)
    if draft:
        name = draft["stem"] + draft["ending"]
    return name in (TABLE, PROMPTS, STUDY, LOCK)


def _is_allowed(entry: Path, is_ours: bool) -> bool:
    """Whether it is a file of ours, or a draft of another process that has gone since."""
    return is_ours and (_is_file(entry) or not os.path.lexists(entry))


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def write_table(path: Path, table: pd.DataFrame) -> None:
    """A CSV table in full precision; what does not exist is an empty cell."""
    table.to_csv(path, index=False, lineterminator="\n")


def replace_file(path: Path, write: Callable[[Path], object]) -> None:
    """Writes a file next to `path` and puts it in its place in one step.

    Raises `InputError` where it cannot be written; the earlier file is then as it was.
    """
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
