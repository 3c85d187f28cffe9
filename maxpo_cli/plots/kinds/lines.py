"""The kind `lines`: any metric against a swept column."""

from dataclasses import replace

import pandas as pd

from maxpo_cli.errors import InputError
from maxpo_cli.metrics.columns import HOW, METRICS, Column, Kind
from maxpo_cli.metrics.significance import OF_ROUNDING
from maxpo_cli.plots.coordinates import SIZES, ratio_label, require_columns
from maxpo_cli.plots.kind import PlotKind, Prepared
from maxpo_cli.plots.layout import Roles, line_roles
from maxpo_cli.plots.line_figure import line_figure
from maxpo_cli.plots.series import CENTERING
from maxpo_cli.plots.spec import PlotSpec
from maxpo_cli.plots.style import symbol
from maxpo_cli.storage.result import Result

SHORT = {"ratio": "variance_ratio", "centering": CENTERING}
"""Short names of metrics."""


def prepare(result: Result, spec: PlotSpec) -> Prepared:
    """Lines of the metric `spec.y`, by default the variance ratio."""
    table, column = _metric(result.table, spec.y or "ratio")
    if column.is_ratio:
        column = replace(column, label=ratio_label(result, spec.labels))
    chosen = roles(result, spec)
    name = column.label.partition(",")[0]
    title = f"{name[0].upper()}{name[1:]} against {symbol(chosen.x)}"
    stem = f"lines-{column.name.replace('/', '-')}"
    return stem, line_figure(replace(result, table=table), chosen, column, title, spec)


def roles(result: Result, spec: PlotSpec) -> Roles:
    """What is along x, across and down."""
    return line_roles(result, spec.x, spec.col, spec.row)


def _metric(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, Column]:
    """The metric of this name, which may be one divided by N or K, and a table that has it."""
    metric, slash, size = name.partition("/")
    column = _column(table, metric)
    if not slash:
        return table, column
    if size not in SIZES:
        raise InputError(f"--y {name}: a metric can be divided by n or by k")
    divided = Column(
        name=f"{column.name}/{size}",
        meaning=f"{column.meaning}, divided by {symbol(size)}",
        label=f"{column.label} / {symbol(size)}",
    )
    return table.assign(**{divided.name: table[column.name] / table[size]}), divided


def _column(table: pd.DataFrame, name: str) -> Column:
    """The column of a metric, with a label."""
    known = {c.name: c for c in (*HOW, *METRICS) if c.kind is not Kind.TEXT and c.name in table}
    column = known.get(SHORT.get(name, name))
    if column is None:
        raise InputError(f"--y {name}: no such metric; there are {', '.join(known)}")
    if column.stderr:
        require_columns(table, (column.stderr,))
    return replace(column, label=column.label or column.name)


def _always(_: Result, __: PlotSpec) -> bool:
    return True


KIND = PlotKind(
    name="lines",
    summary="a metric against a swept column, one line per estimator",
    refuses=("ratio",),
    columns=OF_ROUNDING,
    prepare=prepare,
    suits=_always,
    roles=roles,
)
