"""Axes: whether linear or logarithmic, their limits, and which values have ticks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from maxpo_cli.arrays import FloatArray
from maxpo_cli.plots.ticks import INFINITE, even_ticks, numbers, round_numbers, set_ticks

Kind = Literal["linear", "log", "symlog"]
WIDE = 100.0
"""Ratio of the largest to the smallest value from which an axis is logarithmic."""

WIDE_RATIO = 8.0
"""The same for ratios, where a half is as far from 1 as two."""

WIDE_FROM_ZERO = 1000.0
"""The same for the positive values of a column that holds 0, whose distance from 0 matters."""

WIDE_DISTANCE = 64.0
"""The same for distances from 0 of the rows of one cell."""

DEPTH = 1e-4
"""A logarithmic axis that holds 0 is linear below this share of its largest value."""

FEW = 12
"""The number of swept values up to which each has its tick."""

LAST_STEP = 1 / 8
"""The least step to an infinite value, as a share of the axis before it."""


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


def figure_scale(values: FloatArray, wide: float) -> Scale:
    """The scale that shows these values."""
    low, high = float(values.min()), float(values.max())
    positive = values[values > 0]
    if low > 0 and high > wide * low:
        margin = (high / low) ** 0.05
        return Scale("log", low / margin, high * margin)
    if low == 0 and high > WIDE_FROM_ZERO * positive.min(initial=high):
        below = max(float(positive.min()), DEPTH * high)
        return Scale("symlog", -below / 3, high * 1.6, below)
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 0.5
    return Scale("linear", low - margin, high + margin)


def distance_scale(values: FloatArray) -> Scale:
    """The scale of distances from 0, which it begins with."""
    found = values[np.isfinite(values)]
    top, least = found.max(initial=0.0), found[found > 0].min(initial=np.inf)
    if top == 0:
        return Scale("linear", -0.04, 1.0)
    if top > WIDE_DISTANCE * least:
        below = max(float(least), DEPTH * top)
        return Scale("symlog", -below / 4, 1.6 * float(top), below)
    return Scale("linear", -0.04 * float(top), 1.05 * float(top))


def set_scale(axes: Axes, which: Literal["x", "y"], scale: Scale) -> int:
    """Sets scale, limits and ticks of an axis that shows a metric.

    Gives the exponent of the power of ten that its ticks are in units of, mostly 0.
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    options = {"linthresh": scale.linear_below, "linscale": 0.5} if scale.linear_below else {}
    getattr(axes, f"set_{which}scale")(scale.kind, **options)
    exponent = 0
    if scale.kind == "linear":
        places, texts, exponent = even_ticks(scale.low, scale.high)
    else:
        if scale.kind == "log":
            places = round_numbers(scale.low, scale.high)
        else:
            places = [0.0, *round_numbers(scale.linear_below, scale.high, steps=(1,))]
        texts = numbers(places)
    set_ticks(axis, places, texts)
    axes.set(**{f"{which}lim": (scale.low, scale.high)})
    return exponent


def set_swept_scale(
    axes: Axes, which: Literal["x", "y"], values: Sequence[float], limits: tuple[float, float]
) -> None:
    """Sets scale, limits and ticks of a swept column's axis; few values have a tick each.

    `values` ascend; an infinite one is a tick of that name at its place (`swept_places`).
    """
    places = swept_places(values)
    kind = swept_kind(places)
    axes.set(**{f"{which}scale": kind})
    axis = axes.xaxis if which == "x" else axes.yaxis
    infinite = [places[-1]] if math.isinf(values[-1]) else []
    finite = places[:-1] if infinite else places
    low, high = limits
    if len(values) <= FEW and (kind == "linear" or max(places) <= WIDE * min(places)):
        ticks = finite
    elif kind == "log":
        ticks = [t for t in round_numbers(low, high) if not infinite or t <= finite[-1]]
    elif infinite:
        ticks = finite
    else:
        whole = all(place.is_integer() for place in places)
        found = MaxNLocator(6, integer=whole, steps=[1, 2, 4, 5, 10]).tick_values(low, high)
        ticks = [float(tick) for tick in found if low <= tick <= high]
    set_ticks(axis, [*ticks, *infinite], [*numbers(ticks), *([INFINITE] if infinite else [])])
    axes.set(**{f"{which}lim": limits})


def swept_limits(values: Sequence[float]) -> tuple[float, float]:
    """The limits of the x axis of lines: around all values, with a little room."""
    places = swept_places(values)
    low, high = places[0], places[-1]
    if swept_kind(places) == "log":
        room = (high / low) ** 0.03
        return low / room, high * room
    room = 0.03 * (high - low)
    return low - room, high + room
