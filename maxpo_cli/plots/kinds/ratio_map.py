"""The kind `map`: the variance ratio of two estimators over two swept columns of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from contourpy import contour_generator
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from maxpo_cli.arrays import FloatArray
from maxpo_cli.errors import InputError
from maxpo_cli.plots.coordinates import ESTIMATOR, swept_columns, values_of
from maxpo_cli.plots.kind import PlotKind, selection
from maxpo_cli.plots.layout import Roles, map_roles, numeric_swept
from maxpo_cli.plots.panels import Panel, draw_panels, finish, head, name_axes
from maxpo_cli.plots.scales import plain, round_numbers, set_swept_scale, swept_kind, swept_places
from maxpo_cli.plots.spec import PlotSpec
from maxpo_cli.plots.style import SMALL, symbol
from maxpo_cli.storage.result import Result

EQUAL = 1e-9
"""A ratio this near to 1 differs from it by rounding only."""

FINE = 3
"""Values that both axes must have for a map to be drawn without being asked for."""

COLORS = "RdBu_r"
"""Blue where the first has less noise, red where the second has; white between."""

LIMITS = (1.25, 1.5, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Where the colours may end: the same factor on either side of 1."""

NEAR = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4)
"""Ticks of a colour bar that ends before 2; beyond, they are 1, 2 and 5 times powers of ten."""

INSIDE = 0.9
"""Share of the cells whose ratio has a colour of its own; the others have the last colour."""

DOT = 2.0
"""Size of the dots in cells above 1, in points."""

UNDEFINED: dict[str, Any] = {
    "facecolor": "#ededed", "edgecolor": "#bdbdbd", "hatch": "////", "linewidth": 0,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Ratios:
    """The cells of one panel: places on ascending axes, ratios `[y, x]`, NaN where undefined."""

    x: FloatArray
    y: FloatArray
    ratio: FloatArray


def draw(result: Result, spec: PlotSpec) -> tuple[str, Figure]:
    """The matched variance of one estimator over that of another: one coloured cell each.

    Raises `InputError` where no cell has both.
    """
    first, second = _two(result, spec.ratio)
    roles = map_roles(result, spec.x, spec.y, spec.col, spec.row)
    return f"map-{first}-{second}", _map(result, roles, first, second)


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


def _map(result: Result, roles: Roles, first: str, second: str) -> Figure:
    figure, panels = draw_panels(result.table, roles, extra_height=1.75)
    axes = values_of(result.table, roles.x), values_of(result.table, str(roles.y))
    found = [ratios(panel.table, roles, *axes, first, second) for panel in panels]
    defined = np.concatenate([one.ratio[np.isfinite(one.ratio)] for one in found])
    if not len(defined):
        raise InputError(f"no cell has a matched_variance above 0 of both {first} and {second}")
    limit = color_limit(defined)
    for panel, one in zip(panels, found, strict=True):
        _draw_cells(panel.axes, one, axes, limit)
        name_axes(panel, symbol(roles.x), symbol(str(roles.y)))
    head(figure, f"Gradient variance at equal scale: {first} against {second}", result, [])
    _color_bar(figure, panels, limit, defined, (first, second))
    lines = any(equal_lines(one) for one in found)
    _legend(figure, second, lines, _reasons(result.table, found, first, second))
    finish(figure, panels)
    for panel, one in zip(panels, found, strict=True):
        _draw_equal(panel.axes, one)
    return figure


def ratios(
    table: pd.DataFrame,
    roles: Roles,
    x: Sequence[float],
    y: Sequence[float],
    first: str,
    second: str,
) -> Ratios:
    """The ratios of one panel's rows over all values of x and y, 1 where they are equal."""
    grids = []
    for name in (first, second):
        rows = table[table[ESTIMATOR] == name]
        cells = rows.pivot(index=roles.y, columns=roles.x, values="matched_variance")
        grids.append(cells.reindex(index=y, columns=x).to_numpy(dtype=float))
    above, below = (np.where(grid > 0, grid, np.nan) for grid in grids)
    ratio = above / below
    ratio[np.abs(ratio - 1) < EQUAL] = 1
    return Ratios(np.array(swept_places(x)), np.array(swept_places(y)), ratio)


def color_limit(defined: FloatArray) -> float:
    """The factor from 1 at which the colours end: round, and beyond that of almost all cells."""
    far = np.exp(np.quantile(np.abs(np.log(defined)), INSIDE))
    return next((limit for limit in LIMITS if limit >= far), LIMITS[-1])


def edges(values: FloatArray) -> FloatArray:
    """The edges of cells, halfway between neighbours on the axis of these values."""
    if swept_kind(values.tolist()) == "log":
        return np.exp(_halfway(np.log(values)))
    return _halfway(values)


def _halfway(values: FloatArray) -> FloatArray:
    middles = (values[1:] + values[:-1]) / 2
    return np.concatenate([[2 * values[0] - middles[0]], middles, [2 * values[-1] - middles[-1]]])


def equal_lines(cells: Ratios) -> list[FloatArray]:
    """Where the ratio is 1: lines of points (x, y), interpolated on the scales of the axes."""
    logs = [swept_kind(values.tolist()) == "log" for values in (cells.x, cells.y)]
    x, y = (np.log(v) if log else v for v, log in zip((cells.x, cells.y), logs, strict=True))
    heights = np.ma.masked_invalid(np.log(cells.ratio))
    found: Any = contour_generator(x, y, heights, corner_mask=True).lines(0.0)
    return [
        np.column_stack([np.exp(line[:, i]) if logs[i] else line[:, i] for i in (0, 1)])
        for line in found
    ]


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
        ha="center", va="center", fontsize=SMALL, zorder=4,
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
    bar.ax.xaxis.set_major_locator(FixedLocator(_bar_ticks(limit)))
    bar.ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
    bar.ax.xaxis.set_minor_locator(NullLocator())
    bar.ax.tick_params(labelsize=SMALL)
    low, high = defined.min() < 1, defined.max() > 1
    if low != high:  # one half of the colours does not occur
        bar.ax.set_xlim(1 / limit if low else 1, limit if high else 1)
    parts = [f"variance of {first} / variance of {second}"]
    parts = [f"← {first} quieter"] * bool(low or not high) + parts
    parts += [f"{second} quieter →"] * bool(high or not low)
    bar.set_label("      ".join(parts))


def _bar_ticks(limit: float) -> list[float]:
    if limit >= 2:
        return round_numbers(1 / limit, limit)
    return [tick for tick in NEAR if 1 / limit <= tick <= limit]


def _reasons(table: pd.DataFrame, found: Sequence[Ratios], first: str, second: str) -> list[str]:
    """Why cells have no ratio; nothing where all have one."""
    if all(np.isfinite(one.ratio).all() for one in found):
        return []
    two = table[table[ESTIMATOR].isin((first, second))]
    reasons = ["K > N"] if (two["k"] > two["n"]).any() else []
    missing = two[two["matched_variance"].isna() & (two["k"] <= two["n"])]
    flat = missing["variance"].notna()
    reasons += ["no gradient"] if flat.any() else []
    missing = missing[~flat]
    undefined = [name for name in (first, second) if (missing[ESTIMATOR] == name).any()]
    reasons += [f"{' and '.join(undefined)} undefined"] if undefined else []
    reasons += ["variance 0"] if (two["matched_variance"] <= 0).any() else []
    cells = len(found) * found[0].ratio.size
    return reasons + (["not in the table"] if len(two) < 2 * cells else [])


def _legend(figure: Figure, second: str, lines: bool, reasons: Sequence[str]) -> None:
    handles: list[Any] = [
        Line2D([], [], color="black", marker=".", markersize=2 * DOT, linestyle="none",
               label=f"dots: {second} quieter (ratio above 1)"),
    ]  # fmt: skip
    if lines:
        equal = Line2D([], [], color="black", linewidth=1.4, label="equal variance (ratio 1)")
        handles.insert(0, equal)
    if reasons:
        handles.append(Patch(label=f"no ratio: {', '.join(reasons)}", **UNDEFINED))
    figure.legend(handles=handles, loc="outside lower left", ncols=3, frameon=False, fontsize=SMALL)


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
    draw=draw,
    suits=_is_fine,
    precedence=1,
    axes=("x", "y", "col", "row"),
    compared=lambda spec: spec.ratio.split("/"),
)
