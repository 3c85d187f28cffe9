"""`--config`: options by name from a TOML file, or from the `study.json` of an earlier run."""

import json
import stat
import tomllib
from collections.abc import Mapping
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

LARGEST = 1 << 24
"""Bytes that a config may have."""


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


def command_line_only(context: typer.Context, name: str, option: str) -> None:
    """Raises `InputError` where the config gives this option, which names code to run."""
    if context.params.get(name) and origin(context, name) is Origin.CONFIG:
        raise InputError(
            f"--config {context.params['config']}: {option} names code to run, which no file may "
            f"do; give {option} on the command line"
        )


def _read(path: Path, command: str) -> dict[str, Any]:
    kind = "JSON" if path.suffix == ".json" else "TOML"
    try:
        text = _contents(path)
        study = json.loads(text) if kind == "JSON" else tomllib.loads(text)
    except OSError as error:
        raise InputError(
            f"--config {path}: {(error.strerror or 'cannot be read').lower()}"
        ) from None
    except RecursionError:
        raise InputError(f"--config {path}: its values are nested too deeply") from None
    except ValueError as error:
        raise InputError(f"--config {path} is not {kind}: {error}") from None
    if kind == "TOML":
        return study
    name = study.get("study") if isinstance(study, dict) else None
    if not isinstance(name, str) or not isinstance(study.get("spec"), dict):
        raise InputError(f"--config {path} is not the study.json of a result")
    if name != command:
        raise InputError(f"--config {path} is a study of maxpo {name}, not {command}")
    figures = {PLOT: study[PLOT]} if study.get(PLOT) else {}
    return {**study["spec"], **figures}


def _contents(path: Path) -> str:
    """The text of a file or of a pipe that the shell made; nothing that may never end."""
    mode = path.stat().st_mode
    is_pipe = stat.S_ISFIFO(mode) and not path.resolve().exists()
    if not (is_pipe or stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InputError(f"--config {path} is not a file")
    with path.open("rb") as file:
        contents = file.read(LARGEST + 1)
    if len(contents) > LARGEST:
        raise InputError(f"--config {path} is too large; a config has at most {LARGEST:,} bytes")
    return contents.decode("utf-8-sig")


def _texts(path: Path, name: str, value: object) -> Any:
    """A value as the command line would give it: a text, several texts, or a flag."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Mapping) and name == "grid":
        return [f"{axis}={_values(path, name, values)}" for axis, values in value.items()]
    if name not in REPEATABLE:
        return _values(path, name, value)
    return [_text(path, name, item) for item in (value if isinstance(value, list) else [value])]


def _values(path: Path, name: str, value: object) -> str:
    """A value, or several as one text."""
    if not isinstance(value, list):
        return _text(path, name, value)
    texts = [_text(path, name, item) for item in value]
    for text in texts:
        if name == "grid" and "," in text:
            raise InputError(f"--config {path}: {name}: '{text}' in a list must be one value")
    return ",".join(texts)


def _text(path: Path, name: str, value: object) -> str:
    if isinstance(value, list):
        raise InputError(
            f"--config {path}: {name} cannot be a list within a list; a value that has several "
            "numbers is a text with slashes, as in 0.5/0.5"
        )
    if isinstance(value, float | int) and not isinstance(value, bool):
        value = int(value) if value == value // 1 else value
        try:
            return str(value)
        except ValueError:
            raise InputError(f"--config {path}: {name} has too many digits") from None
    if isinstance(value, str) and "\0" not in value:
        return value
    raise InputError(f"--config {path}: {name} cannot be {_shown(value)}")


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a table"
    return "a list" if isinstance(value, list) else json.dumps(value, default=str)
