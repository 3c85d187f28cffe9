"""Axes: whether linear or logarithmic, their limits, and ticks that are plain numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from maxpo_cli.arrays import FloatArray
from maxpo_cli.plots.style import SMALL

Kind = Literal["linear", "log", "symlog"]
WIDE = 100.0
"""Ratio of the largest to the smallest value from which an axis is logarithmic."""

WIDE_RATIO = 8.0
"""The same for ratios, where a half is as far from 1 as two."""

WIDE_FROM_ZERO = 1000.0
"""The same for the positive values of a column that holds 0, whose distance from 0 matters."""

MANY_DECADES = 1001.0
"""Ratio of the largest to the smallest value from which ticks are powers of ten only."""

DEPTH = 1e-4
"""A logarithmic axis that holds 0 is linear below this share of its largest value."""

GAP = 0.4
"""Space between tick labels side by side, in units of their height."""

FEW = 12
"""The number of swept values up to which each has its tick."""


LAST_STEP = 1 / 8
"""The least step to an infinite value, as a share of the axis before it."""

INFINITE = "∞"
"""The tick of an infinite value."""


@dataclass(frozen=True)
class Scale:
    """An axis: its kind, its limits and, for symlog, the value below which it is linear."""

    kind: Kind
    low: float
    high: float
    linear_below: float = 0.0


def swept_places(values: Sequence[float]) -> list[float]:
    """Where ascending swept values are on their axis: an infinite one is a step after the last."""
    finite = [float(value) for value in values if math.isfinite(value)]
    if len(finite) == len(values):
        return finite
    if len(finite) == 1:
        return [*finite, finite[0] + 1]
    first, before, last = finite[0], finite[-2], finite[-1]
    if swept_kind(finite) == "log":
        return [*finite, last * max(last / before, (last / first) ** LAST_STEP)]
    return [*finite, last + max(last - before, (last - first) * LAST_STEP)]


def swept_kind(values: Sequence[float]) -> Kind:
    """The scale of a swept column: logarithmic over two decades or if more evenly spaced so."""
    if min(values) <= 0:
        return "linear"
    if max(values) > WIDE * min(values):
        return "log"
    return "log" if _unevenness(np.log(values)) < _unevenness(np.asarray(values)) else "linear"


def _unevenness(values: FloatArray) -> float:
    steps = np.diff(values)
    return float(np.std(steps) / np.mean(steps)) if len(steps) > 1 else 0.0


def figure_scale(values: FloatArray, wide: float, cut: tuple[float, float] | None) -> Scale:
    """The scale that shows these values, except for those beyond the limits `cut`."""
    low, high = float(values.min()), float(values.max())
    positive = values[values > 0]
    if low > 0 and high > wide * low:
        low, high = (max(low, cut[0]), min(high, cut[1])) if cut else (low, high)
        margin = (high / low) ** 0.05
        return Scale("log", low / margin, high * margin)
    if low == 0 and high > WIDE_FROM_ZERO * positive.min(initial=high):
        below = max(float(positive.min()), DEPTH * high)
        return Scale("symlog", -below / 3, high * 1.6, below)
    margin = 0.05 * (high - low) or 0.5
    return Scale("linear", low - margin, high + margin)


def set_scale(axes: Axes, scale: Scale) -> None:
    """Sets scale, limits and ticks of the y axis, which shows a metric."""
    options = {"linthresh": scale.linear_below, "linscale": 0.5} if scale.linear_below else {}
    axes.set_yscale(scale.kind, **options)
    axes.set_ylim(scale.low, scale.high)
    _label(axes.yaxis)
    if scale.kind == "linear":
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    elif scale.kind == "log":
        axes.yaxis.set_major_locator(FixedLocator(round_numbers(scale.low, scale.high)))
    else:
        decades = round_numbers(scale.linear_below, scale.high, steps=(1,))
        axes.yaxis.set_major_locator(FixedLocator([0, *decades]))


def set_swept_scale(
    axes: Axes, which: Literal["x", "y"], values: Sequence[float], limits: tuple[float, float]
) -> None:
    """Sets scale, limits and ticks of a swept column's axis; few values have a tick each.

    `values` ascend; an infinite one is a tick of that name at its place (`swept_places`).
    """
    places = swept_places(values)
    kind = swept_kind(places)
    axes.set(**{f"{which}scale": kind, f"{which}lim": limits})
    axis = axes.xaxis if which == "x" else axes.yaxis
    _label(axis)
    infinite = places[-1] if math.isinf(values[-1]) else None
    if infinite is not None:
        axis.set_major_formatter(
            FuncFormatter(lambda value, _: INFINITE if value == infinite else plain(value))
        )
    if len(values) <= FEW and (kind == "linear" or max(places) <= WIDE * min(places)):
        axis.set_major_locator(FixedLocator(places))
    elif kind == "log":
        ticks = round_numbers(*limits)
        if infinite is not None:
            ticks = [*(tick for tick in ticks if tick <= places[-2]), infinite]
        axis.set_major_locator(FixedLocator(ticks))
    elif infinite is not None:
        axis.set_major_locator(FixedLocator(places))
    else:
        whole = all(place.is_integer() for place in places)
        axis.set_major_locator(MaxNLocator(6, integer=whole, steps=[1, 2, 4, 5, 10]))


def swept_limits(values: Sequence[float]) -> tuple[float, float]:
    """The limits of the x axis of lines: around all values, with a little room."""
    places = swept_places(values)
    low, high = places[0], places[-1]
    if swept_kind(places) == "log":
        room = (high / low) ** 0.03
        return low / room, high * room
    room = 0.03 * (high - low)
    return low - room, high + room


def _label(axis: Axis) -> None:
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
    axis.set_tick_params(labelsize=SMALL)


def plain(value: float) -> str:
    """The text of a tick: plain from a hundred-thousandth to a million, else a power of ten."""
    value = round(value, 12) if abs(value) > 1e-5 else value
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value)}".replace("-", "−")
    if 1e-5 <= abs(value) < 1e-4:
        return f"{value:.7f}".rstrip("0").replace("-", "−")
    digits, _, power = f"{value:g}".partition("e")
    return (f"{digits}e{int(power)}" if power else digits).replace("-", "−")


def round_numbers(low: float, high: float, steps: tuple[int, ...] = (1, 2, 5)) -> list[float]:
    """Round numbers from `low` to `high`: every decade, or as many decades as make about eight."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    every = -(-len(decades) // 8)
    if high > MANY_DECADES * low:
        steps = (1,)
    numbers = [float(f"{step}e{d}") for d in decades if d % every == 0 for step in steps]
    return [number for number in numbers if low <= number <= high]


def thin_ticks(axes: Axes, renderer: Any) -> None:
    """Hides tick labels that would touch the one before; the ticks themselves stay.

    An infinite value keeps its label: there, those that would touch the one after are hidden.
    """
    for axis, horizontal in ((axes.xaxis, True), (axes.yaxis, False)):
        low, high = sorted(axis.get_view_interval())
        ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        ticks.sort(key=lambda tick: tick.get_loc())
        if ticks and ticks[-1].label1.get_text() == INFINITE:
            ticks.reverse()
        kept_start, kept_stop = np.inf, -np.inf
        for tick in ticks:
            box = tick.label1.get_window_extent(renderer)
            start, stop = (box.x0, box.x1) if horizontal else (box.y0, box.y1)
            gap = GAP * box.height if horizontal else 0
            if start < kept_stop + gap and stop > kept_start - gap:
                tick.label1.set_visible(False)
            else:
                kept_start, kept_stop = start, stop
