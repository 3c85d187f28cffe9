"""The kind `map`: the variance ratio of two estimators over two swept columns of numbers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

from maxpo_cli.arrays import FloatArray
from maxpo_cli.errors import InputError
from maxpo_cli.plots.coordinates import ESTIMATOR, swept_columns, values_of
from maxpo_cli.plots.kind import PlotKind, Prepared, selection
from maxpo_cli.plots.labels import legend_below
from maxpo_cli.plots.layout import Roles, map_roles, numeric_swept
from maxpo_cli.plots.panels import Panel, draw_panels, finish, head, make_room
from maxpo_cli.plots.ratios import Ratios, color_limit, edges, equal_lines, ratios
from maxpo_cli.plots.scales import set_swept_scale
from maxpo_cli.plots.series import drawable
from maxpo_cli.plots.spec import PlotSpec
from maxpo_cli.plots.style import appearances, small, symbol
from maxpo_cli.plots.text import shorten, width
from maxpo_cli.plots.ticks import numbers, round_numbers, set_ticks
from maxpo_cli.storage.result import Result

FINE = 3
"""Values that both axes must have for a map to be drawn without being asked for."""

COLORS = "RdBu_r"
"""Blue where the first has less noise, red where the second has; white between."""

NEAR = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4)
"""Ticks of a colour bar that ends before 2; beyond, they are 1, 2 and 5 times powers of ten."""

BAR = 0.65
"""Height in inches of the colour bar and its texts."""

SPACE = " " * 6
"""Between the texts below the colour bar."""

DOT = 2.0
"""Size of the dots in cells above 1, in points."""

UNDEFINED: dict[str, Any] = {
    "facecolor": "#ededed", "edgecolor": "#bdbdbd", "hatch": "////", "linewidth": 0,
}  # fmt: skip


def prepare(result: Result, spec: PlotSpec) -> Prepared:
    """The matched variance of one estimator over that of another: one coloured cell each.

    Raises `InputError` where no cell has both.
    """
    first, second = _two(result, spec.ratio)
    chosen = roles(result, spec)
    cells = result.table.assign(matched_variance=drawable(result.table["matched_variance"]))
    both = [
        set(map(tuple, rows[list(result.coordinates)].astype(str).to_numpy()))
        for name in (first, second)
        for rows in [cells[(cells[ESTIMATOR] == name) & (cells["matched_variance"] > 0)]]
    ]
    if not both[0] & both[1]:
        raise InputError(f"no cell has a matched_variance above 0 of both {first} and {second}")
    whole = replace(result, table=cells)
    return f"map-{first}-{second}", lambda: _map(whole, chosen, (first, second), spec)


def roles(result: Result, spec: PlotSpec) -> Roles:
    """What is along x and y, across and down."""
    return map_roles(result, spec.x, spec.y, spec.col, spec.row)


def _two(result: Result, ratio: str) -> tuple[str, str]:
    first, slash, second = ratio.partition("/")
    if not slash or first == second:
        raise InputError(f"--ratio must be two estimators as in l2o/ei; got '{ratio}'")
    there = values_of(result.table, ESTIMATOR)
    for name in (first, second):
        if name not in there:
            raise InputError(
                f"--ratio {ratio}: no '{name}' in the table; it has {', '.join(there)}"
            )
    return first, second


def _map(result: Result, roles: Roles, pair: tuple[str, str], spec: PlotSpec) -> Figure:
    figure, panels = draw_panels(result.table, roles, spec)
    axes = values_of(result.table, roles.x), values_of(result.table, str(roles.y))
    found = [ratios(panel.table, roles, *axes, *pair) for panel in panels]
    defined = np.concatenate([one.ratio[np.isfinite(one.ratio)] for one in found])
    limit = color_limit(defined)
    looks = appearances(pair, spec.labels)
    names = looks[pair[0]].label, looks[pair[1]].label
    head(figure, f"Gradient variance at equal scale: {' against '.join(names)}", result, [], spec)
    figure.set_figheight(figure.get_figheight() + BAR)
    for panel, one in zip(panels, found, strict=True):
        _draw_cells(panel.axes, one, axes, limit)
    _color_bar(figure, panels, limit, defined, names)
    lines = any(equal_lines(one) for one in found)
    dots = any((one.ratio > 1).any() for one in found)
    _legend(figure, names[1], lines, dots, _reasons(result.table, found, pair, names))
    finish(figure, panels, symbol(roles.x), symbol(str(roles.y)))
    for panel, one in zip(panels, found, strict=True):
        _draw_equal(panel.axes, one)
    return figure


def _draw_cells(
    axes: Axes, cells: Ratios, values: tuple[Sequence[float], Sequence[float]], limit: float
) -> None:
    """Colours the cells, whose axes have these values, with a dot where the ratio is above 1."""
    x_edges, y_edges = edges(cells.x), edges(cells.y)
    set_swept_scale(axes, "x", values[0], (x_edges[0], x_edges[-1]))
    set_swept_scale(axes, "y", values[1], (y_edges[0], y_edges[-1]))
    axes.add_patch(Rectangle((0, 0), 1, 1, transform=axes.transAxes, zorder=0, **UNDEFINED))
    axes.pcolormesh(
        x_edges, y_edges, np.ma.masked_invalid(cells.ratio), norm=LogNorm(1 / limit, limit),
        cmap=COLORS, edgecolors="face", linewidth=0.2, zorder=1,
    )  # fmt: skip
    rows, columns = np.nonzero(cells.ratio > 1)
    dark = cells.ratio[rows, columns] > limit**0.6
    for color, chosen in (("black", ~dark), ("white", dark)):
        x, y = cells.x[columns[chosen]], cells.y[rows[chosen]]
        axes.plot(x, y, ".", color=color, markersize=DOT, zorder=2)


def _draw_equal(axes: Axes, cells: Ratios) -> None:
    """Draws the lines where the ratio is 1, and names the longest."""
    found = equal_lines(cells)
    for line in found:
        axes.plot(*line.T, color="black", linewidth=1.4, zorder=3)
    if not found:
        return
    shown = [axes.transAxes.inverted().transform(axes.transData.transform(line)) for line in found]
    longest = max(shown, key=_length)
    x, y = longest[len(longest) // 2]
    axes.text(
        min(max(x, 0.12), 0.88), min(max(y, 0.08), 0.92), "equal", transform=axes.transAxes,
        ha="center", va="center", fontsize=small(), zorder=4,
        path_effects=[withStroke(linewidth=2.5, foreground="white")],
    )  # fmt: skip


def _length(line: FloatArray) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def _color_bar(
    figure: Figure,
    panels: Sequence[Panel],
    limit: float,
    defined: FloatArray,
    names: tuple[str, str],
) -> None:
    first, second = names
    over, under = defined.max() > limit, defined.min() < 1 / limit
    extend = "both" if over and under else "max" if over else "min" if under else "neither"
    bar = figure.colorbar(
        ScalarMappable(LogNorm(1 / limit, limit), COLORS),
        ax=[panel.axes for panel in panels], location="bottom", aspect=45, shrink=0.8, pad=0.03,
        extend=extend,
    )  # fmt: skip
    ticks = _bar_ticks(limit)
    set_ticks(bar.ax.xaxis, ticks, numbers(ticks))
    bar.ax.tick_params(labelsize=small())
    low, high = defined.min() < 1, defined.max() > 1
    if low != high:  # one half of the colours does not occur
        bar.ax.set_xlim(1 / limit if low else 1, limit if high else 1)
    middle = f"variance of {first} / variance of {second}"
    left = [f"← {first} quieter"] * bool(low or not high)
    right = [f"{second} quieter →"] * bool(high or not low)
    size = float(mpl.rcParams["axes.labelsize"])
    inches = 0.95 * figure.get_figwidth()
    line = SPACE.join([*left, middle, *right])
    if width(line, size) > inches:
        sides = [shorten(text, 0.45 * inches, size) for text in (*left, *right)]
        line = f"{shorten(middle, inches, size)}\n{SPACE.join(sides)}"
    bar.set_label(line)


def _bar_ticks(limit: float) -> list[float]:
    if limit >= 2:
        return round_numbers(1 / limit, limit)
    return [tick for tick in NEAR if 1 / limit <= tick <= limit]


def _reasons(
    table: pd.DataFrame, found: Sequence[Ratios], pair: tuple[str, str], names: tuple[str, str]
) -> list[str]:
    """Why cells have no ratio; nothing where all have one. `names` are the labels of the pair."""
    if all(np.isfinite(one.ratio).all() for one in found):
        return []
    two = table[table[ESTIMATOR].isin(pair)]
    reasons = ["K > N"] if (two["k"] > two["n"]).any() else []
    missing = two[two["matched_variance"].isna() & (two["k"] <= two["n"])]
    flat = missing["variance"].notna()
    reasons += ["no gradient"] if flat.any() else []
    missing = missing[~flat]
    undefined = [
        name for one, name in zip(pair, names, strict=True) if (missing[ESTIMATOR] == one).any()
    ]
    reasons += [f"{' and '.join(undefined)} undefined"] if undefined else []
    reasons += ["variance 0"] if (two["matched_variance"] <= 0).any() else []
    cells = len(found) * found[0].ratio.size
    return reasons + (["not in the table"] if len(two) < 2 * cells else [])


def _legend(figure: Figure, second: str, lines: bool, dots: bool, reasons: Sequence[str]) -> None:
    handles: list[Any] = []
    if lines:
        handles.append(
            Line2D([], [], color="black", linewidth=1.4, label="equal variance (ratio 1)")
        )
    if dots:
        handles.append(
            Line2D(
                [], [], color="black", marker=".", markersize=2 * DOT, linestyle="none",
                label=f"dots: {second} quieter (ratio above 1)",
            )
        )  # fmt: skip
    if reasons:
        handles.append(Patch(label=f"no ratio: {', '.join(reasons)}", **UNDEFINED))
    legend_below(figure, handles)
    make_room(figure, figure.legends)


def _is_fine(result: Result, spec: PlotSpec) -> bool:
    """Whether two numbers are swept finely and nothing is asked for that only lines show."""
    if spec.ratio != PlotSpec.ratio:
        return True
    chosen = selection(result, spec)
    table = chosen.table
    fine = [column for column in numeric_swept(chosen) if table[column].nunique() >= FINE]
    both = set(spec.ratio.split("/")) <= set(table[ESTIMATOR])
    is_metric = spec.y is not None and spec.y not in swept_columns(chosen)
    return len(fine) > 1 and both and not spec.estimators and not is_metric


KIND = PlotKind(
    name="map",
    summary="the variance ratio of two estimators over two swept columns",
    refuses=("estimators",),
    columns=("n", "k", "variance", "matched_variance"),
    prepare=prepare,
    roles=roles,
    suits=_is_fine,
    precedence=1,
    axes=("x", "y", "col", "row"),
)
