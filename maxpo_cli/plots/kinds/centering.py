"""The kind `centering`: how far from 0 the advantages of a group sum."""

from maxpo_cli.metrics.columns import BY_NAME
from maxpo_cli.metrics.significance import OF_ROUNDING
from maxpo_cli.plots.coordinates import swept_columns
from maxpo_cli.plots.estimator_rows import draw_centering, row_figure
from maxpo_cli.plots.kind import PlotKind, Prepared
from maxpo_cli.plots.layout import Roles, line_roles
from maxpo_cli.plots.line_figure import line_figure
from maxpo_cli.plots.series import CENTERING
from maxpo_cli.plots.spec import PlotSpec
from maxpo_cli.storage.result import Result

NAME = "centering"
TITLE = "How far from 0 a group's advantages sum: rms, and as a thin line the largest"


def prepare(result: Result, spec: PlotSpec) -> Prepared:
    """Lines where something is swept, else one row per estimator: a comparison's third panel."""
    if not swept_columns(result) and not any((spec.x, spec.col, spec.row)):
        return NAME, lambda: row_figure(result, spec, [draw_centering])
    return NAME, line_figure(result, roles(result, spec), BY_NAME[CENTERING], TITLE, spec)


def roles(result: Result, spec: PlotSpec) -> Roles:
    """What is along x, across and down."""
    return line_roles(result, spec.x, spec.col, spec.row)


KIND = PlotKind(
    name=NAME,
    summary="how far from 0 the advantages of a group sum",
    refuses=("y", "ratio"),
    columns=OF_ROUNDING,
    prepare=prepare,
    roles=roles,
)
