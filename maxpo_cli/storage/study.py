"""`study.json`: what was run, as options that run it again, and with what."""

import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict, TypeGuard

import pandas as pd

from maxpo_cli import __version__
from maxpo_cli.errors import InputError

STUDY = "study.json"
SCHEMA = 2
"""The version of `study.json` that is written and read; files of version 1 do not name theirs."""


@dataclass(frozen=True, kw_only=True)
class StudyRecord:
    """What `study.json` holds.

    Attributes:
        study: `compare`, `variance-sweep`, `bench` or `benchmark`.
        spec: the options by name, as `--config` takes them.
        source: the name of the policy, or `logged:FILE`; empty without a policy.
        parameters: the keys of the policy that have one value in the whole table.
        coordinates: the columns that say where a row of the table stands: `policy`, the swept
            names, `n`, `k`.
        cells: the number of cells.
        prompts: the number of prompts of logged rewards, over all cells.
        fewest_samples: the number of samples of the prompt that has the fewest.
        plot: the figures that were asked for, as options of `maxpo plot` by name.
        rewards_sha256: the hash of the file of logged rewards.
        device: what it was measured on.
        versions: the versions of maxpo, Python, torch and pandas.
        created: when it was begun, in UTC.
        command_line: the command and its arguments.
        seconds: the time that each engine took in all.
        complete: whether the table is whole.
        table_sha256: the hash of a complete table, so that one that was cut or changed is noticed.
        schema: the version of this record.
    """

    study: str
    spec: Mapping[str, Any]
    device: str
    versions: Mapping[str, str]
    created: str
    source: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    coordinates: tuple[str, ...] = ()
    cells: int | None = None
    prompts: int | None = None
    fewest_samples: int | None = None
    plot: tuple[Mapping[str, Any], ...] = ()
    rewards_sha256: str | None = None
    command_line: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    complete: bool = False
    table_sha256: str | None = None
    schema: int = SCHEMA

    def to_json(self) -> dict[str, Any]:
        """The JSON object of the record, without what is None."""
        values = {name: getattr(self, name) for name in ORDER}
        values["spec"] = without_none(self.spec)
        plain: dict[str, Any] = json.loads(json.dumps(without_none(values), allow_nan=False))
        return plain

    @classmethod
    def from_json(cls, value: object, where: object = STUDY) -> "StudyRecord":
        """The record of a JSON object; `where` names the file in errors.

        Raises `InputError` for a missing key, a value of a wrong type, and another schema.
        """
        if not is_study(value):
            raise not_a_study(where)
        schema = value.get("schema", 1)
        if schema != SCHEMA:
            raise InputError(
                f"{where} was written by another version of maxpo (schema {schema}, this one reads "
                f"{SCHEMA}); run the study again"
            )
        for name in ORDER:
            if name not in value and name not in OPTIONAL:
                raise InputError(f"{where} is not a study that maxpo wrote: it has no '{name}'")
            if name in value and not CHECKS[name](value[name]):
                raise InputError(
                    f"{where} is not a study that maxpo wrote: its '{name}' is of the wrong type"
                )
        known = {name: value[name] for name in ORDER if name in value}
        for name in ("coordinates", "plot", "command_line"):
            known[name] = tuple(known[name])
        return cls(**known)


class MadeWith(TypedDict):
    """The fields of a record that say what it was made with."""

    device: str
    versions: Mapping[str, str]
    created: str


def made_with(device: str) -> MadeWith:
    """The device, the versions of what runs, and the time."""
    import torch

    return {
        "device": device,
        "versions": {
            "maxpo": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "pandas": pd.__version__,
        },
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """The items whose values are not None."""
    return {name: value for name, value in values.items() if value is not None}


def is_study(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is a study that some version of maxpo wrote."""
    return (
        isinstance(value, dict)
        and _is_text(value.get("study"))
        and isinstance(versions := value.get("versions"), dict)
        and _is_text(versions.get("maxpo"))
    )


def not_a_study(where: object) -> InputError:
    """An error for a file in the place of `study.json` that maxpo did not write."""
    return InputError(f"{where} is not a study that maxpo wrote")


def read_json(result: Path) -> dict[str, Any]:
    """The JSON object of the `study.json` in a result folder, whatever its schema.

    Raises `InputError` saying what is there instead.
    """
    path = result / STUDY
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{result} holds no study: it has no {STUDY}; it has {entry_names(result)}"
        ) from None
    except (OSError, ValueError, RecursionError):
        raise not_a_study(path) from None
    if not is_study(value):
        raise not_a_study(path)
    return value


def entry_names(folder: Path) -> str:
    """The names of what is in a folder, for a sentence."""
    if not folder.is_dir():
        return "nothing"
    return ", ".join(sorted(entry.name for entry in folder.iterdir())) or "nothing"


def read_study(result: Path) -> StudyRecord:
    """The record in a result folder; raises `InputError` as `StudyRecord.from_json` does."""
    return StudyRecord.from_json(read_json(result), result / STUDY)


def write_study(path: Path, record: StudyRecord) -> None:
    """Writes a record as JSON, in which a byte of a name that is not UTF-8 is an escape."""
    text = json.dumps(record.to_json(), indent=2, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8", errors="backslashreplace")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return _is_count(value) or isinstance(value, float)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _list_of(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _object_of(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


CHECKS: Mapping[str, Callable[[object], bool]] = {
    "schema": _is_count,
    "study": _is_text,
    "spec": _is_object,
    "source": _is_text,
    "parameters": _object_of(_is_text),
    "coordinates": _list_of(_is_text),
    "cells": _is_count,
    "prompts": _is_count,
    "fewest_samples": _is_count,
    "plot": _list_of(_is_object),
    "rewards_sha256": _is_text,
    "device": _is_text,
    "versions": _object_of(_is_text),
    "created": _is_text,
    "command_line": _list_of(_is_text),
    "seconds": _object_of(_is_number),
    "complete": _is_flag,
    "table_sha256": _is_text,
}
"""What the value of each key of `study.json` must be, in the order of the file."""

ORDER: Sequence[str] = tuple(CHECKS)
OPTIONAL = {each.name for each in fields(StudyRecord) if each.default is None}
