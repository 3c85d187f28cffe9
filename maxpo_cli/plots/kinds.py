"""Every figure of `maxpo plot`, chosen by its kind: a table in, a file name and a figure out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from pandas.api.types import is_numeric_dtype

from maxpo_cli.errors import InputError, unknown
from maxpo_cli.plots import comparison as figures
from maxpo_cli.plots.style import DEFAULT_FORMATS, STYLE, save, symbol
from maxpo_cli.storage.folder import replace_file
from maxpo_cli.plots.lines import CENTERING, LARGEST, lines, meaning
from maxpo_cli.plots.ratio_map import ratio_map
from maxpo_cli.plots.layout import line_roles, map_roles, numeric_swept
from maxpo_cli.plots.coordinates import (
    BASE,
    ENGINE,
    ESTIMATOR,
    require_columns,
    select,
    swept_columns,
    values_of,
    without_swept_keys,
)

SHORT = {"ratio": "variance_ratio", "centering": CENTERING}
"""Short words for figure columns."""

READING = (
    "bias", "bias_z", "relative_bias", "misalignment", "mse", "bias_stderr", "gradient_norm",
    "centering_mean", CENTERING, LARGEST,
)  # fmt: skip
"""What telling rounding from a bias or a centering takes."""

MAP_FROM = 3
"""Values that both axes have where a map is drawn unasked."""


@dataclass(frozen=True)
class PlotSpec:
    """What to draw of a table: the options of `maxpo plot`, of the same names."""

    kind: str = "auto"
    x: str | None = None
    y: str | None = None
    col: str | None = None
    row: str | None = None
    estimators: tuple[str, ...] = ()
    ratio: str = "l2o/ei"
    where: tuple[str, ...] = ()


def draw(table: pd.DataFrame, spec: PlotSpec) -> tuple[str, Figure]:
    """The name of the figure's files, without an ending, and the figure.

    `table` is what a study wrote, or several of them joined. Raises `InputError` where the table
    does not have what `spec` asks for.
    """
    if spec.kind not in ("auto", *KINDS):
        raise unknown("--kind", spec.kind, ("auto", *KINDS))
    require_columns(table, BASE)
    table = select(without_swept_keys(table), spec.where)
    if spec.estimators:
        table = _chosen(table, spec.estimators)
    kind = _kind_of(table, spec) if spec.kind == "auto" else spec.kind
    refused, draw_kind = KINDS[kind]
    for option in refused:
        if getattr(spec, option):
            raise InputError(f"--{option} has no meaning for --kind {kind}")
    with mpl.rc_context(STYLE):
        return draw_kind(table, spec)


def _chosen(table: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """The rows of these estimators, in their order."""
    there = values_of(table, ESTIMATOR)
    for name in names:
        if name not in there:
            raise unknown("name in --estimators of this table", name, there)
    return pd.concat([table[table[ESTIMATOR] == name] for name in dict.fromkeys(names)])


def _kind_of(table: pd.DataFrame, spec: PlotSpec) -> str:
    swept = swept_columns(table)
    if not swept:
        return "comparison"
    if spec.ratio != PlotSpec.ratio:
        return "map"
    fine = [c for c in numeric_swept(table) if table[c].nunique() >= MAP_FROM]
    both = set(spec.ratio.split("/")) <= set(table[ESTIMATOR])
    of_lines = spec.estimators or (spec.y is not None and spec.y not in swept)
    return "map" if len(fine) > 1 and both and not of_lines else "lines"


def _comparison(table: pd.DataFrame, _: PlotSpec) -> tuple[str, Figure]:
    require_columns(table, figures.COMPARISON_COLUMNS)
    if swept := swept_columns(table):
        cells = len(table[list(swept)].drop_duplicates())
        raise InputError(
            f"the table holds {cells} cells of ({', '.join(swept)}); a comparison is drawn of one: "
            "choose it with --where COLUMN=VALUE"
        )
    return figures.COMPARISON, figures.comparison(table)


def _lines(table: pd.DataFrame, spec: PlotSpec) -> tuple[str, Figure]:
    require_columns(table, READING)
    table, column = _with_figure(table, spec.y or "ratio")
    roles = line_roles(table, spec.x, spec.col, spec.row)
    name = meaning(column).name.partition(",")[0]
    title = f"{name[0].upper()}{name[1:]} against {symbol(roles.x)}"
    return f"lines-{column.replace('/', '-')}", lines(table, roles, column, title)


def _centering(table: pd.DataFrame, spec: PlotSpec) -> tuple[str, Figure]:
    require_columns(table, READING)
    if not swept_columns(table):
        return "centering", figures.centering_of_one(table)
    roles = line_roles(table, spec.x, spec.col, spec.row)
    title = "How far from 0 a group's advantages sum: rms, and as a thin line the largest"
    return "centering", lines(table, roles, CENTERING, title)


def _map(table: pd.DataFrame, spec: PlotSpec) -> tuple[str, Figure]:
    require_columns(table, ("variance", "matched_variance"))
    first, second = _two(table, spec.ratio)
    roles = map_roles(table, spec.x, spec.y, spec.col, spec.row)
    return f"map-{first}-{second}", ratio_map(table, roles, first, second)


def _two(table: pd.DataFrame, ratio: str) -> tuple[str, str]:
    first, slash, second = ratio.partition("/")
    if not slash or first == second:
        raise InputError(f"--ratio must be two estimators as in l2o/ei; got '{ratio}'")
    there = values_of(table, ESTIMATOR)
    for name in (first, second):
        if name not in there:
            raise InputError(
                f"--ratio {ratio}: no '{name}' in the table; it has {', '.join(there)}"
            )
    return first, second


def _with_figure(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, str]:
    """The table with the figure column of this name, which may be one divided by N or K."""
    figure, slash, size = name.partition("/")
    column = _figure_column(table, figure)
    if not slash:
        return table, column
    if size not in ("n", "k"):
        raise InputError(f"--y {name}: a figure column can be divided by n or by k")
    return table.assign(**{f"{column}/{size}": table[column] / table[size]}), f"{column}/{size}"


def _figure_column(table: pd.DataFrame, name: str) -> str:
    column = SHORT.get(name, name)
    columns = list(table.columns)
    known = [c for c in columns[columns.index(ENGINE) + 1 :] if is_numeric_dtype(table[c])]
    if column not in known:
        raise InputError(f"--y {name}: no such figure column; there are {', '.join(known)}")
    return column


Draw = Callable[[pd.DataFrame, PlotSpec], tuple[str, Figure]]
KINDS: dict[str, tuple[tuple[str, ...], Draw]] = {
    "lines": ((), _lines),
    "map": (("estimators",), _map),
    "centering": (("y",), _centering),
    "comparison": (("x", "y", "col", "row"), _comparison),
}
"""The kinds: the options that have no meaning for each, and what draws it."""


def read_plot(options: Mapping[str, Any]) -> PlotSpec:
    """The spec of options by name, as a study file has them under `[[plot]]`.

    Raises `InputError` for a key that is no option, naming the nearest, and an unknown kind.
    """
    known = [field.name for field in fields(PlotSpec)]
    lists = ("estimators", "where")
    for name, value in options.items():
        if name not in known:
            raise InputError(f"[[plot]]: {unknown('key', name, known)}")
        texts = value if isinstance(value, list) and name in lists else [value]
        if not all(isinstance(text, str) for text in texts):
            raise InputError(f"[[plot]]: {name} must be text; got {value}")
    if options.get("kind", "auto") not in ("auto", *KINDS):
        raise unknown("kind of [[plot]]", options["kind"], ("auto", *KINDS))
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
    """Writes a figure into a folder in each of these formats; gives the paths."""
    paths = [folder / f"{stem}.{ending}" for ending in formats]
    for path in paths:
        replace_file(path, lambda draft: save(figure, draft))
    return paths
