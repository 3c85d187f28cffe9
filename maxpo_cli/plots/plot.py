"""Any figure of a result: the kind is chosen, the figure drawn, its files written."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from maxpo_cli.errors import InputError, unknown
from maxpo_cli.metrics.columns import BY_NAME
from maxpo_cli.plots import (
    kinds,
    library,  # noqa: F401 - before what imports matplotlib
)
from maxpo_cli.plots.coordinates import ESTIMATOR, require_columns, values_of
from maxpo_cli.plots.kind import PlotKind, Prepared, selection
from maxpo_cli.plots.line_figure import EMPTY_IN_LIMIT
from maxpo_cli.plots.names import file_stem
from maxpo_cli.plots.spec import AUTO, DEFAULT_FORMATS, WIDTHS, PlotSpec
from maxpo_cli.plots.style import image, style
from maxpo_cli.storage.folder import replace_file
from maxpo_cli.storage.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "EMPTY_IN_LIMIT", "KINDS", "STEMS", "PlotKind", "PlotSpec", "draw", "prepare", "read_plot",
    "write",
]  # fmt: skip


def _find_kinds() -> dict[str, PlotKind]:
    """The `KIND` of every module of `plots/kinds/` by name, in the order in which auto asks."""
    names = sorted(module.name for module in iter_modules(kinds.__path__))
    found: list[PlotKind] = [import_module(f"{kinds.__name__}.{name}").KIND for name in names]
    return {kind.name: kind for kind in sorted(found, key=lambda kind: -kind.precedence)}


KINDS = _find_kinds()
"""The kinds of figures by name."""

STEMS = tuple(kind.stem or kind.name for kind in KINDS.values())
"""How the names of figure files begin, up to the first dash."""


def draw(result: Result, spec: PlotSpec) -> "tuple[str, Figure]":
    """The name of the figure's files, without an ending, and the figure.

    `result` is one study's, or several joined. Raises `InputError` where it does not have what
    `spec` asks for.
    """
    stem, figure = prepare(result, spec)
    return stem, figure()


def prepare(result: Result, spec: PlotSpec) -> Prepared:
    """As `draw`, but the figure is drawn only when the second of what is given back is called.

    The name has the rows that were chosen, the axes where they are not those by default, and the
    width: two figures that show something else have different names.
    """
    if spec.kind not in (AUTO, *KINDS):
        raise unknown("--kind", spec.kind, (AUTO, *KINDS))
    kind = _suitable(result, spec) if spec.kind == AUTO else KINDS[spec.kind]
    for option in kind.refuses:
        if getattr(spec, option) != getattr(PlotSpec, option):
            raise InputError(f"--{option} has no meaning for --kind {kind.name}")
    require_columns(result.table, kind.columns)
    chosen = selection(result, spec)
    for name in spec.labels:
        there = values_of(result.table, ESTIMATOR)
        if name not in there:
            raise unknown("estimator of --label", name, there)
    begin, make = kind.prepare(chosen, spec)

    def figure() -> "Figure":
        with style(spec, _texts(chosen, spec)):
            return make()

    return file_stem(begin, _details(kind, chosen, spec)), figure


def _suitable(result: Result, spec: PlotSpec) -> PlotKind:
    """The first kind that suits."""
    for kind in KINDS.values():
        if kind.suits(result, spec):
            return kind
    raise InputError(f"no kind of figure suits the table; choose one with --kind {'|'.join(KINDS)}")


def _details(kind: PlotKind, chosen: Result, spec: PlotSpec) -> list[str]:
    """What a figure shows that one without options does not, for its name."""
    given = {option: getattr(spec, option) for option in kind.axes if getattr(spec, option)}
    details = [f"{option}={column}" for option, column in given.items()]
    if given and kind.roles:
        none: dict[str, Any] = dict.fromkeys(kind.axes)
        usual = replace(spec, **none)
        try:
            if kind.roles(chosen, spec) == kind.roles(chosen, usual):
                details = []
        except InputError:  # without these axes there would be no figure
            pass
    details += ["of", *spec.estimators] if spec.estimators else []
    details += spec.where
    if spec.width != PlotSpec.width:
        details.append(spec.width if spec.width in WIDTHS else f"{spec.millimetres:g}mm")
    return details


def _texts(result: Result, spec: PlotSpec) -> str:
    """All texts that a figure may show, whose characters its fonts need."""
    table = result.table
    columns = [c for c in (ESTIMATOR, "what", "device", *result.coordinates) if c in table]
    texts = [str(value) for column in columns for value in table[column].unique()]
    texts += [result.source, *result.parameters, *result.parameters.values()]
    return "".join([*texts, *table.columns, spec.title or "", *spec.labels.values()])


def read_plot(options: Mapping[str, Any]) -> PlotSpec:
    """The spec of options by name, as a study file has them under `[[plot]]`.

    Raises `InputError` for a key that is not an option, naming the nearest one, and for a kind that
    does not exist or cannot be drawn of a study's table.
    """
    known = {field.name.replace("_", "-"): field for field in fields(PlotSpec)}
    values: dict[str, Any] = {}
    for key, value in options.items():
        field = known.get(key.replace("_", "-"))
        if field is None:
            raise InputError(f"[[plot]]: {unknown('key', key, list(known))}")
        values[field.name] = _value(key, value, field.default)
    spec = PlotSpec(**values)
    drawable = [AUTO, *(name for name, kind in KINDS.items() if set(kind.columns) <= set(BY_NAME))]
    if spec.kind not in drawable:
        raise unknown("kind of [[plot]]", spec.kind, drawable)
    return spec


def _value(key: str, value: object, default: object) -> Any:
    """The value of an option in a study file, which is of the kind that its default is."""
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise InputError(f"[[plot]]: {key} must be true or false; got {value}")
        return value
    if key == "width" and isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}"
    texts: list[Any] = [value]
    if isinstance(value, list) and isinstance(default, tuple):
        texts = value
    if not all(isinstance(text, str) for text in texts):
        raise InputError(f"[[plot]]: {key} must be text; got {value}")
    if not isinstance(default, tuple):
        return value
    return tuple(value.split(",") if isinstance(value, str) and key != "label" else texts)


def write(
    folder: Path, stem: str, figure: "Figure", formats: Iterable[str] = DEFAULT_FORMATS
) -> list[Path]:
    """Writes a figure into a folder in each of these formats; returns the paths.

    No file is replaced before the figure is there in all formats.
    """
    contents = {folder / f"{stem}.{ending}": image(figure, ending) for ending in formats}
    for path, content in contents.items():
        replace_file(path, partial(Path.write_bytes, data=content))
    return list(contents)
