"""`--config`: options by name from a TOML file, or from the `study.json` of an earlier run."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import typer

from maxpo_cli.errors import InputError, unknown

PLOT = "plot"
"""The one key that is no option: what figures to draw, each with options of `maxpo plot`."""

REPEATABLE = ("grid", "where", "peer")
"""Options that are given once a value."""


def read_config(context: typer.Context, path: Path | None) -> Path | None:
    """Makes what the file says the defaults of this command's options.

    Raises `InputError` for a file that cannot be read, a key that is no option (naming the nearest)
    and a value that no option can have.
    """
    if path is None:
        return None
    settings = _read(path, str(context.info_name))
    options = {
        option.lstrip("-"): parameter
        for parameter in context.command.params
        for option in parameter.opts
        if option not in ("--config", "--help", "-h", "-q")
    }
    with_figures = "grid" in options
    figures = settings.pop(PLOT, []) if with_figures else []
    if not isinstance(figures, list) or not all(isinstance(figure, dict) for figure in figures):
        raise InputError(f"--config {path}: the figures are tables, each under [[{PLOT}]]")
    context.obj = figures
    context.default_map = {}
    for key, value in settings.items():
        name = key.replace("_", "-")
        if name not in options:
            known = [*options, PLOT] if with_figures else options
            raise InputError(f"--config {path}: {unknown('key', key, known)}")
        if str(options[name].name) in context.default_map:
            raise InputError(f"--config {path}: {name} is given twice")
        if isinstance(value, bool) != bool(getattr(options[name], "is_flag", False)):
            kind = "text or a number" if isinstance(value, bool) else "true or false"
            flag = options[name].opts[0]
            raise InputError(f"--config {path}: {flag} must be {kind}; got {_shown(value)}")
        context.default_map[str(options[name].name)] = _texts(path, name, value)
    return path


def is_from_config(context: typer.Context, name: str) -> bool:
    """Whether a parameter has its value from the config."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "DEFAULT_MAP"


def is_given(context: typer.Context, name: str) -> bool:
    """Whether a parameter was given at all, on the command line or in the config."""
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _read(path: Path, command: str) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".json":
            return tomllib.loads(text)
        study = json.loads(text)
    except OSError as error:
        raise InputError(
            f"--config {path}: {(error.strerror or 'cannot be read').lower()}"
        ) from None
    except ValueError as error:
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise InputError(f"--config {path} is not {kind}: {error}") from None
    if not isinstance(study, dict) or not isinstance(study.get("spec"), dict):
        raise InputError(f"--config {path} is not the study.json of a result")
    if study.get("study") != command:
        raise InputError(f"--config {path} is a study of maxpo {study.get('study')}, not {command}")
    figures = {PLOT: study[PLOT]} if PLOT in study else {}
    return {**study["spec"], **figures}


def _texts(path: Path, name: str, value: object) -> Any:
    """A value as the command line would give it: a text, several texts, or a flag."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Mapping) and name == "grid":
        return [f"{axis}={_text(path, name, values)}" for axis, values in value.items()]
    if name not in REPEATABLE:
        return _text(path, name, value)
    return [_text(path, name, item) for item in (value if isinstance(value, list) else [value])]


def _text(path: Path, name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float | int) and not isinstance(value, bool):
        return str(int(value)) if value == value // 1 else repr(value)
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        return ",".join(_text(path, name, item) for item in value)
    raise InputError(f"--config {path}: {name} cannot be {_shown(value)}")


def _shown(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)
