"""`--config`: options by name from a TOML file, or from the `study.json` of an earlier run."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path
from typing import Any, TypeVar

import typer

from maxpo_cli.errors import InputError, unknown
from maxpo_cli.studies.settings import StudyOptions, SweepOptions, axis_name, given_twice

Options = TypeVar("Options", bound=StudyOptions)

PLOT = "plot"
"""The one key that is not an option: which figures to draw, each with options of `maxpo plot`."""

REPEATABLE = ("grid", "where", "peer")
"""Options that are given once for each value."""


def read_config(context: typer.Context, path: Path | None) -> Path | None:
    """Makes the settings of the file the defaults of this command's options.

    Raises `InputError` for a file that cannot be read, a key that is not an option (naming the
    nearest) and a value that no option can have.
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


class Origin(Enum):
    """Where the value of an option comes from."""

    COMMAND_LINE = auto()
    CONFIG = auto()
    DEFAULT = auto()


def origin(context: typer.Context, name: str) -> Origin:
    """Where the value of a parameter of this command comes from."""
    source = context.get_parameter_source(name)
    if source is None or source.name == "DEFAULT":
        return Origin.DEFAULT
    return Origin.CONFIG if source.name == "DEFAULT_MAP" else Origin.COMMAND_LINE


def policy_or_rewards(context: typer.Context, options: Options) -> Options:
    """The options without a policy or rewards of the config that the command line replaces."""
    if options.policy is None or options.rewards is None:
        return options
    origins = origin(context, "policy"), origin(context, "rewards")
    if origins == (Origin.CONFIG, Origin.COMMAND_LINE):
        return replace(options, policy=None)
    if origins != (Origin.COMMAND_LINE, Origin.CONFIG):
        return options

    def kept(name: str) -> bool:
        return origin(context, name) is not Origin.CONFIG

    return replace(
        options,
        rewards=None,
        where=options.where if kept("where") else (),
        group_column=options.group_column if kept("group_column") else None,
        reward_column=options.reward_column if kept("reward_column") else None,
    )


def grid_or_sizes(context: typer.Context, options: SweepOptions) -> SweepOptions:
    """The options with one value for N and one for K.

    -n or -k on the command line wins over the same name on the grid of the config, and the other
    way round; it takes the place of the same name on the default grid. Raises `InputError` for a
    size that is given twice.
    """
    grid = options.items
    of_grid = origin(context, "grid")
    for size in ("k", "n"):
        of_size = origin(context, size)
        on_grid = [item for item in grid if axis_name(item) == size]
        if not on_grid or of_size is Origin.DEFAULT:
            continue
        if of_size is of_grid:
            raise given_twice(size)
        if of_grid is not Origin.COMMAND_LINE:
            grid = tuple(item for item in grid if item not in on_grid)
    return replace(options, grid=grid)


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
    figures = {PLOT: study[PLOT]} if study.get(PLOT) else {}
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
