"""Small multiples: one panel per value of up to two swept columns, on shared axes."""

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from maxpo_cli.plots.coordinates import engines_of, fixed_values, policy_text, values_of
from maxpo_cli.plots.layout import MAX_COLUMNS, Roles
from maxpo_cli.plots.scales import thin_ticks
from maxpo_cli.plots.style import broken, new_figure, symbol, value_text
from maxpo_cli.storage.result import Result

HEIGHTS = {1: 2.9, 2: 2.1}
"""Height in inches of a row of panels, by how many rows there are."""

CHARACTERS = 12
"""Characters per inch of the name of a y axis."""

LOW = 1.75
"""Height in inches of a row of panels where there are more rows."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One panel: its axes, its rows of the table, and where it is in the figure."""

    axes: Axes
    table: pd.DataFrame
    bottom: bool
    first: bool
    right: bool
    """Whether no panel is to its right: its row of panels ends here."""
    edge: bool
    """Whether it is in the last column of panels."""


def draw_panels(
    table: pd.DataFrame, roles: Roles, extra_height: float
) -> tuple[Figure, list[Panel]]:
    """A figure with a titled panel for each value of `roles.col` and `roles.row`, row by row.

    A single column of many values is wrapped into several rows of panels.
    """
    cells = _cells(table, roles)
    across = table[roles.col].nunique() if roles.col else 1
    if roles.row is None and across > MAX_COLUMNS:
        across = -(-across // -(-across // MAX_COLUMNS))
    down = -(-len(cells) // across)
    figure = new_figure(down * HEIGHTS.get(down, LOW) + extra_height)
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    panels = []
    for index, axes in enumerate(grid.flat):
        if index >= len(cells):
            axes.remove()
            continue
        title, rows = cells[index]
        bottom = index + across >= len(cells)
        axes.set_title(title, fontsize=9)
        axes.tick_params(labelbottom=bottom)
        column = index % across
        right = column == across - 1 or index == len(cells) - 1
        panels.append(Panel(axes, rows, bottom, column == 0, right, column == across - 1))
    return figure, panels


def _cells(table: pd.DataFrame, roles: Roles) -> list[tuple[str, pd.DataFrame]]:
    chosen = [column for column in (roles.row, roles.col) if column]
    cells: list[tuple[list[str], pd.DataFrame]] = [([], table)]
    for column in chosen:
        cells = [
            ([*names, f"{symbol(column)} = {value_text(value)}"], rows[rows[column] == value])
            for names, rows in cells
            for value in values_of(table, column)
        ]
    across = table[roles.col].nunique() if roles.col else 1
    width = 84 // min(across, MAX_COLUMNS)
    return [(broken(", ".join(reversed(names)), width), rows) for names, rows in cells]


def name_axes(panel: Panel, x: str, y: str) -> None:
    """Names the axes, on the outer panels only."""
    if panel.bottom:
        panel.axes.set_xlabel(x)
    if panel.first:
        inches = panel.axes.get_window_extent().height / panel.axes.figure.dpi
        panel.axes.set_ylabel(broken(y, int(inches * CHARACTERS)))


def head(figure: Figure, title: str, result: Result, notes: Iterable[str]) -> None:
    """Writes the figure's title, below it what is the same in the whole result, and notes."""
    policy = policy_text(result)
    fixed = ", ".join([*([policy] if policy else []), *fixed_values(result), *engines_of(result)])
    lines = [title, *broken(fixed, 100).split("\n")[:3]]
    for note in notes:
        lines += wrap(note, 92, break_on_hyphens=False)
    figure.suptitle("\n".join(lines), fontsize=10, x=0.01, ha="left")


def finish(figure: Figure, panels: Iterable[Panel]) -> None:
    """Hides the tick labels that would overlap once everything has its place."""
    renderer: Any = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    figure.draw_without_rendering()
    for panel in panels:
        thin_ticks(panel.axes, renderer)
