"""Any figure of a result: the kind is chosen, the figure drawn, its files written."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from maxpo_cli.errors import InputError, unknown
from maxpo_cli.metrics.columns import BY_NAME
from maxpo_cli.plots import kinds
from maxpo_cli.plots.coordinates import require_columns
from maxpo_cli.plots.kind import PlotKind, selection
from maxpo_cli.plots.spec import AUTO, DEFAULT_FORMATS, PlotSpec
from maxpo_cli.plots.style import STYLE, save
from maxpo_cli.storage.folder import replace_file
from maxpo_cli.storage.result import Result

__all__ = ["KINDS", "STEMS", "PlotKind", "PlotSpec", "draw", "read_plot", "write"]


def _find_kinds() -> dict[str, PlotKind]:
    """The `KIND` of every module of `plots/kinds/` by name, in the order in which auto asks."""
    names = sorted(module.name for module in iter_modules(kinds.__path__))
    found: list[PlotKind] = [import_module(f"{kinds.__name__}.{name}").KIND for name in names]
    return {kind.name: kind for kind in sorted(found, key=lambda kind: -kind.precedence)}


KINDS = _find_kinds()
"""The kinds of figures by name."""

STEMS = tuple(kind.stem or kind.name for kind in KINDS.values())
"""How the names of figure files begin, up to the first dash."""


def draw(result: Result, spec: PlotSpec) -> tuple[str, Figure]:
    """The name of the figure's files, without an ending, and the figure.

    `result` is one study's, or several joined. Raises `InputError` where it does not have what
    `spec` asks for.
    """
    if spec.kind not in (AUTO, *KINDS):
        raise unknown("--kind", spec.kind, (AUTO, *KINDS))
    kind = _suitable(result, spec) if spec.kind == AUTO else KINDS[spec.kind]
    for option in kind.refuses:
        if getattr(spec, option) != getattr(PlotSpec, option):
            raise InputError(f"--{option} has no meaning for --kind {kind.name}")
    require_columns(result.table, kind.columns)
    with mpl.rc_context(STYLE):
        return kind.draw(selection(result, spec), spec)


def _suitable(result: Result, spec: PlotSpec) -> PlotKind:
    """The first kind that suits."""
    for kind in KINDS.values():
        if kind.suits(result, spec):
            return kind
    raise InputError(f"no kind of figure suits the table; choose one with --kind {'|'.join(KINDS)}")


def read_plot(options: Mapping[str, Any]) -> PlotSpec:
    """The spec of options by name, as a study file has them under `[[plot]]`.

    Raises `InputError` for a key that is not an option, naming the nearest one, and for a kind that
    does not exist or cannot be drawn of a study's table.
    """
    known = [field.name for field in fields(PlotSpec)]
    lists = ("estimators", "where")
    for name, value in options.items():
        if name not in known:
            raise InputError(f"[[plot]]: {unknown('key', name, known)}")
        texts = value if isinstance(value, list) and name in lists else [value]
        if not all(isinstance(text, str) for text in texts):
            raise InputError(f"[[plot]]: {name} must be text; got {value}")
    drawable = [AUTO, *(name for name, kind in KINDS.items() if set(kind.columns) <= set(BY_NAME))]
    if options.get("kind", AUTO) not in drawable:
        raise unknown("kind of [[plot]]", options["kind"], drawable)
    values: dict[str, Any] = {
        name: tuple(value.split(",") if isinstance(value, str) else value)
        if name in lists
        else value
        for name, value in options.items()
    }
    return PlotSpec(**values)


def write(
    folder: Path, stem: str, figure: Figure, formats: Iterable[str] = DEFAULT_FORMATS
) -> list[Path]:
    """Writes a figure into a folder in each of these formats; returns the paths."""
    paths = [folder / f"{stem}.{ending}" for ending in formats]
    for path in paths:
        replace_file(path, lambda draft: save(figure, draft))
    return paths
