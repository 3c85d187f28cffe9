"""What may happen to a folder that a study is to be written into: the one rule for all studies.

An empty or missing folder is used. A result of the same study is kept where it is complete and made
with this version of maxpo on this device, continued where it is incomplete and made with the same
versions, and replaced otherwise. A result of another study is replaced with `--overwrite` only.
Anything that maxpo did not write is never touched.
"""

from collections.abc import Collection, Mapping
from enum import Enum, auto
from hashlib import sha256
from pathlib import Path
from typing import Any

from maxpo_cli.errors import InputError
from maxpo_cli.storage.folder import PROMPTS, TABLE, foreign_entry, is_empty
from maxpo_cli.storage.study import StudyRecord, read_json


class Found(Enum):
    """What there is in the folder of a study."""

    NOTHING = auto()
    """Nothing yet."""
    COMPLETE = auto()
    """This very study, complete: a no-op."""
    BEGUN = auto()
    """This very study, incomplete or with a table that was changed, to be continued."""
    REPLACEABLE = auto()
    """A result that this study takes the place of."""


def find(
    path: Path, record: StudyRecord, header: bytes, overwrite: bool, stems: Collection[str]
) -> Found:
    """What there is at `path` for a study whose table begins with the line `header`.

    Raises `InputError` where the study must not be written there, whatever is the reason.
    """
    if not path.exists():
        return Found.NOTHING
    if not path.is_dir():
        raise InputError(f"--out {path}: a file is in the way")
    _refuse_foreign(path, record, stems)
    if is_empty(path):
        return Found.NOTHING
    try:
        before = read_json(path)
    except InputError as error:
        raise InputError(f"{error}; name another folder with --out") from None
    if (path / PROMPTS).exists() and not _has_prompts(before):
        raise _foreign(path, PROMPTS)
    if differences := _differences(before, record):
        if overwrite:
            return Found.REPLACEABLE
        raise InputError(
            f"{path} holds another study ({differences}); give --overwrite to replace it, or "
            "another folder with --out"
        )
    return _same_study(path, before, record, header, overwrite)


def _refuse_foreign(path: Path, record: StudyRecord, stems: Collection[str]) -> None:
    if (foreign := foreign_entry(path, stems)) is not None:
        raise _foreign(path, foreign)
    rewards = record.spec.get("rewards")
    if isinstance(rewards, str) and path.resolve() in Path(rewards).resolve().parents:
        raise InputError(
            f"--out {path}: the folder holds the rewards file {rewards}; name another folder"
        )


def _foreign(path: Path, name: str) -> InputError:
    return InputError(
        f"--out {path}: the folder holds '{name}', which is not part of a result; "
        "name another folder"
    )


def _has_prompts(before: Mapping[str, Any]) -> bool:
    """Whether a study may have a table of prompts: one of logged rewards."""
    return before.get("prompts") is not None


def _same_study(
    path: Path, before: Mapping[str, Any], record: StudyRecord, header: bytes, overwrite: bool
) -> Found:
    try:
        known = StudyRecord.from_json(before)
    except InputError:  # of another schema
        return Found.REPLACEABLE
    same = known.device == record.device and _same_version("maxpo", known, record)
    if not same or (known.complete and overwrite) or not (path / TABLE).is_file():
        return Found.REPLACEABLE
    table = (path / TABLE).read_bytes()
    if not table.startswith(header):
        return Found.REPLACEABLE
    if known.complete and known.table_sha256 == sha256(table).hexdigest():
        return Found.COMPLETE
    return Found.BEGUN if _same_version("torch", known, record) else Found.REPLACEABLE


def _same_version(name: str, known: StudyRecord, record: StudyRecord) -> bool:
    return known.versions.get(name) == record.versions.get(name)


def _differences(before: Mapping[str, Any], record: StudyRecord) -> str:
    """How a study of any schema differs from that of the record, in words; empty where not."""
    if before["study"] != record.study:
        return f"one of maxpo {before['study']}"
    old, new = before.get("spec", {}), record.spec
    if not isinstance(old, Mapping):
        return "its options cannot be read"
    names = [name for name in {**old, **new} if _shown(old.get(name)) != _shown(new.get(name))]
    if not names and before.get("rewards_sha256") != record.rewards_sha256:
        return "its rewards file had other contents"
    return "; ".join(
        f"{name} is {_shown(old.get(name))} there, {_shown(new.get(name))} here" for name in names
    )


def _shown(value: object) -> str:
    """A setting as the command line has it."""
    if isinstance(value, Mapping):
        return " ".join(f"{key}={item}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return "not given" if value is None else str(value)
