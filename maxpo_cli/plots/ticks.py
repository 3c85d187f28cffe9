"""Ticks: numbers of one notation on an axis, round, and apart from each other."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator

GAP = 0.5
"""Space between tick labels side by side, in units of their height."""

GAP_ABOVE = 0.1
"""The same for tick labels above each other."""

MANY_DECADES = 1001.0
"""Ratio of the largest to the smallest value from which ticks are powers of ten only."""

PLAIN = (1e-4, 1e6)
"""Numbers from the first on and below the second are written out."""

INFINITE = "∞"
"""The tick of an infinite value."""

SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def power(exponent: int) -> str:
    """A power of ten."""
    return "10" + str(exponent).translate(SUPERSCRIPTS)


def number(value: float, digits: int = 3) -> str:
    """One number by itself: written out where it is neither tiny nor huge, else with a power."""
    if _is_plain([value]):
        return _plain(float(f"{value:.{digits}g}"))
    return _with_power(value, digits)


def numbers(values: Sequence[float]) -> list[str]:
    """Numbers of one axis in one notation, with as many digits as tell them apart."""
    for digits in range(3, 16):
        rounded = [v if v == round(v) else float(f"{v:.{digits}g}") for v in values]
        if len(set(rounded)) == len(set(values)) or digits == 15:
            break
    if _is_plain(rounded):
        return [_plain(value) for value in rounded]
    if all(value == 0 or math.log10(abs(value)).is_integer() for value in rounded):
        return ["0" if v == 0 else _sign(v) + power(round(math.log10(abs(v)))) for v in rounded]
    return [_with_power(value, digits) for value in rounded]


def _is_plain(values: Sequence[float]) -> bool:
    low, high = PLAIN
    return all(value == 0 or low * (1 - 1e-9) <= abs(value) < high for value in values)


def _sign(value: float) -> str:
    return "−" if value < 0 else ""


def _plain(value: float) -> str:
    return _sign(value) + np.format_float_positional(abs(value), trim="-")


def _with_power(value: float, digits: int) -> str:
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{abs(value):.{digits - 1}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{_sign(value)}{mantissa}×{power(int(exponent))}"


def even_ticks(low: float, high: float, most: int = 6) -> tuple[list[float], list[str], int]:
    """Ticks of a linear axis, their texts with equally many decimals, and a power of ten.

    The texts are in units of that power, which is 0 for numbers that are written out.
    """
    found = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    room = 1e-9 * (high - low)
    places = [float(tick) for tick in found if low - room <= tick <= high + room]
    largest = max(map(abs, places), default=0.0)
    step = float(np.diff(found).min())
    exponent = 0
    if largest and not (largest < PLAIN[1] and step >= PLAIN[0]):
        exponent = math.floor(math.log10(largest))
    shown = [tick / 10.0**exponent for tick in places]
    unit = step / 10.0**exponent
    decimals = next((d for d in range(12) if abs(round(unit, d) - unit) < 1e-6 * unit), 12)
    texts = [f"{_sign(round(s, decimals))}{abs(s):.{decimals}f}" for s in shown]
    return places, texts, exponent


def in_units(name: str, exponent: int) -> str:
    """The name of an axis whose ticks are in units of a power of ten."""
    return f"{name} (in {power(exponent)})" if exponent else name


def round_numbers(low: float, high: float, steps: tuple[int, ...] = (1, 2, 5)) -> list[float]:
    """Round numbers from `low` to `high`: every decade, or as many decades as make about eight."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    every = -(-len(decades) // 8)
    if high > MANY_DECADES * low:
        steps = (1,)
    found = [float(f"{step}e{d}") for d in decades if d % every == 0 for step in steps]
    inside = [tick for tick in found if low <= tick <= high]
    if len(inside) > 1 or len(steps) == 1:
        return inside
    return [t for t in even_ticks(low, high, 4)[0] if t > 0]


def set_ticks(axis: Axis, places: Sequence[float], texts: Sequence[str]) -> None:
    """Gives an axis these ticks and no others."""
    axis.set_ticks(list(places), labels=list(texts))
    axis.set_ticks([], minor=True)


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
            gap = (GAP if horizontal else GAP_ABOVE) * box.height
            if start < kept_stop + gap and stop > kept_start - gap:
                tick.label1.set_visible(False)
            else:
                kept_start, kept_stop = start, stop
