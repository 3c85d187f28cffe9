"""Small multiples: one panel per value of up to two swept columns, on shared axes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxpo_cli.plots.coordinates import (
    POLICY,
    RESULT,
    engines_of,
    fixed_values,
    policy_text,
    values_of,
)
from maxpo_cli.plots.layout import Roles
from maxpo_cli.plots.spec import PlotSpec
from maxpo_cli.plots.style import is_narrow, new_figure, symbol, value_text
from maxpo_cli.plots.text import differences, shorten, wrap
from maxpo_cli.plots.ticks import thin_ticks
from maxpo_cli.storage.result import Result

HEIGHTS = {1: 2.5, 2: 1.95}
"""Height in inches of a row of panels of a page, by how many rows there are."""

LOW = 1.65
"""The same where there are more rows."""

LOWER = 0.8
"""The share of these heights that the panels of a narrow figure have."""

PANEL = 44.0
"""The least width of a panel in millimetres, with what is around it."""

TITLE_LINES, FIXED_LINES, NOTE_LINES = 2, 3, 3
"""Lines of a panel's title, of what is the same in a whole figure, and of each note."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One panel: its axes, its rows of the table, its title, and where it is in the figure."""

    axes: Axes
    table: pd.DataFrame
    title: str
    bottom: bool
    first: bool
    right: bool
    """Whether no panel is to its right: its row of panels ends here."""
    edge: bool
    """Whether it is in the last column of panels."""


def draw_panels(table: pd.DataFrame, roles: Roles, spec: PlotSpec) -> tuple[Figure, list[Panel]]:
    """A figure with a titled panel for each value of `roles.col` and `roles.row`, row by row.

    What is wider than the figure is continued in another row of panels.
    """
    blocks = _cells(table, roles)
    asked = len(blocks[0])
    most = max(1, int((spec.millimetres + 4) / PANEL))
    lines = -(-asked // most)
    across = -(-asked // lines)
    down = len(blocks) * lines
    height = down * HEIGHTS.get(down, LOW) * (LOWER if is_narrow(spec) else 1)
    figure = new_figure(spec, height)
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    panels = []
    for place, axes in enumerate(grid.flat):
        line, column = divmod(place, across)
        block, index = blocks[line // lines], line % lines * across + column
        if index >= len(block):
            axes.remove()
            continue
        title, rows = block[index]
        is_last = line // lines == len(blocks) - 1
        bottom = is_last and index + across >= len(block)
        axes.set_title("M" if title else "")  # takes its room, until its width is known
        axes.tick_params(labelbottom=bottom)
        right = column == across - 1 or index == len(block) - 1
        panels.append(Panel(axes, rows, title, bottom, column == 0, right, column == across - 1))
    return figure, panels


def _cells(table: pd.DataFrame, roles: Roles) -> list[list[tuple[str, pd.DataFrame]]]:
    """The title and the rows of each panel: those across, for each value down."""
    down = _values(table, roles.row) if roles.row else [("", table)]
    cells = []
    for name, rows in down:
        across = _values(table, roles.col) if roles.col else [("", table)]
        cells.append(
            [
                (", ".join(filter(None, (title, name))), rows.loc[rows.index.intersection(r.index)])
                for title, r in across
            ]
        )
    return cells


def _values(table: pd.DataFrame, column: str) -> list[tuple[str, pd.DataFrame]]:
    """The title and the rows of each value of a column. Long texts are told by what differs."""
    values = values_of(table, column)
    texts = [value_text(value) for value in values]
    if column in (POLICY, RESULT):
        titles = differences(texts)
    else:
        titles = [f"{symbol(column)} = {text}" for text in texts]
    return [(t, table[table[column] == v]) for t, v in zip(titles, values, strict=True)]


def head(figure: Figure, title: str, result: Result, notes: Iterable[str], spec: PlotSpec) -> None:
    """Writes the figure's title, below it what is the same in the whole result, and notes.

    A title that was asked for takes the place of the first two.
    """
    policy = policy_text(result)
    fixed = ", ".join([*([policy] if policy else []), *fixed_values(result), *engines_of(result)])
    write_head(figure, [(title, 2), (fixed, FIXED_LINES)], notes, spec)


def write_head(
    figure: Figure, texts: Sequence[tuple[str, int]], notes: Iterable[str], spec: PlotSpec
) -> None:
    """Writes texts above a figure, each in at most so many lines, and notes below them."""
    if spec.no_title:
        return
    if spec.title is not None:
        texts = [(spec.title, FIXED_LINES)]
    size = float(mpl.rcParams["figure.titlesize"])
    inches = 0.97 * figure.get_figwidth()
    parts = [*texts, *((note, NOTE_LINES) for note in notes)]
    lines = [wrap(text, inches, size, most) for text, most in parts if text]
    if lines:
        title = figure.suptitle("\n".join(lines), fontsize=size, x=0.01, ha="left")
        make_room(figure, [title])


def make_room(figure: Figure, artists: Iterable[Artist]) -> None:
    """Makes a figure, whose height was that of its panels, as much higher as these need."""
    renderer: Any = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    heights = [one.get_window_extent(renderer).height / figure.dpi + 0.08 for one in artists]
    figure.set_figheight(figure.get_figheight() + sum(heights))


def finish(figure: Figure, panels: Sequence[Panel], x: str, y: str) -> None:
    """Names panels and axes, the latter on the outer panels only, in the room that they have.

    Hides the tick labels that would overlap once everything has its place.
    """
    for panel in panels:  # the names take their room, too
        panel.axes.set_xlabel("M" if panel.bottom else "")
        panel.axes.set_ylabel("M" if panel.first else "")
    figure.draw_without_rendering()
    renderer: Any = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    size = float(mpl.rcParams["axes.labelsize"])
    title_size = float(mpl.rcParams["axes.titlesize"])
    lines = 1
    for panel in panels:
        box = panel.axes.get_window_extent(renderer)
        across, up = box.width / figure.dpi, box.height / figure.dpi
        title = wrap(panel.title, across, title_size, TITLE_LINES)
        lines = max(lines, 1 + title.count("\n"))
        panel.axes.set_title(title)
        panel.axes.set_xlabel(shorten(x, across, size) if panel.bottom else "")
        panel.axes.set_ylabel(wrap(y, 0.98 * up, size, 3) if panel.first else "")
    more = (lines - 1) * len({panel.axes.get_subplotspec().rowspan.start for panel in panels})  # type: ignore[union-attr]
    figure.set_figheight(figure.get_figheight() + more * 1.25 * title_size / 72)
    figure.draw_without_rendering()
    for panel in panels:
        thin_ticks(panel.axes, renderer)
