"""What a kind of figure is: the record that every module of `plots/kinds/` makes."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from maxpo_cli.plots.coordinates import select, select_estimators
from maxpo_cli.plots.layout import Roles
from maxpo_cli.plots.spec import PlotSpec
from maxpo_cli.storage.result import Result

Prepared = tuple[str, Callable[[], Figure]]
"""The name of a figure's files without an ending, and what draws the figure."""


def selection(result: Result, spec: PlotSpec) -> Result:
    """The rows of a result that `where` and `estimators` of a spec leave.

    Raises `InputError` where they name what the result does not have.
    """
    chosen = select(result, spec.where)
    return select_estimators(chosen, spec.estimators) if spec.estimators else chosen


def _never(_: Result, __: PlotSpec) -> bool:
    return False


@dataclass(frozen=True)
class PlotKind:
    """One kind of figure: the constant `KIND` of a module of `plots/kinds/`.

    Attributes:
        name: its name in `--kind`.
        summary: what it shows, in a few words.
        refuses: the options that have no meaning for it.
        columns: the columns that a table must have for it.
        prepare: the name of the figure's files without an ending, and what draws the figure, of
            the selected rows; raises `InputError` where they do not have what the spec asks for.
        suits: whether `--kind auto` may draw this kind of a result.
        precedence: of the kinds that suit, `auto` draws the one that has the highest.
        stem: how the names of its files begin, up to the first dash; by default as its name.
        axes: the options that name swept columns.
        roles: which column is shown where, which those options choose.
    """

    name: str
    summary: str
    refuses: tuple[str, ...]
    columns: tuple[str, ...]
    prepare: Callable[[Result, PlotSpec], Prepared]
    suits: Callable[[Result, PlotSpec], bool] = _never
    precedence: int = 0
    stem: str = ""
    axes: tuple[str, ...] = ("x", "col", "row")
    roles: Callable[[Result, PlotSpec], Roles] | None = None
