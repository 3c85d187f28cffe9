"""The kind `centering`: how far from 0 the advantages of a group sum."""

from matplotlib.figure import Figure

from maxpo_cli.metrics.columns import BY_NAME
from maxpo_cli.plots.coordinates import swept_columns
from maxpo_cli.plots.estimator_rows import draw_centering, head, name_rows
from maxpo_cli.plots.kind import PlotKind
from maxpo_cli.plots.layout import line_roles
from maxpo_cli.plots.line_figure import CENTERING, NEEDED, line_figure
from maxpo_cli.plots.spec import PlotSpec
from maxpo_cli.plots.style import new_figure
from maxpo_cli.storage.result import Result

NAME = "centering"


def draw(result: Result, spec: PlotSpec) -> tuple[str, Figure]:
    """Lines where something is swept, else one row per estimator."""
    if not swept_columns(result):
        return NAME, _one_cell(result)
    roles = line_roles(result, spec.x, spec.col, spec.row)
    title = "How far from 0 a group's advantages sum: rms, and as a thin line the largest"
    return NAME, line_figure(result, roles, BY_NAME[CENTERING], title)


def _one_cell(result: Result) -> Figure:
    """The third panel of a comparison, as wide as the figure."""
    figure = new_figure(1.4 + 0.26 * len(result.table))
    axes = figure.subplots()
    draw_centering(axes, result.table)
    name_rows([axes], result.table)
    head(figure, result)
    return figure


KIND = PlotKind(
    name=NAME,
    summary="how far from 0 the advantages of a group sum",
    refuses=("y", "ratio"),
    columns=NEEDED,
    draw=draw,
)
