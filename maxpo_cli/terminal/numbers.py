"""How numbers are printed."""

import math

from maxpo_cli.metrics.columns import Format

NONE = "–"
"""What stands for a number that does not exist."""

MULTIPLE_FROM = 10.0
"""Share of 1 from which it is shown as a multiple, not a percentage."""

EXACT_BELOW, LARGE = 5e-5, 1000
"""Half widths below this, and values from this on, are shown without an interval."""


def text(value: float, half: float = math.nan, format_: Format = Format.PLAIN) -> str:
    """A number, with half of its 95% interval where that is known."""
    if format_ is Format.PERCENT:
        return percent(value, half)
    return with_interval(value, half)


def plain(value: float) -> str:
    """Four significant digits in seven places, or two and a power of ten."""
    if math.isnan(value):
        return NONE
    digits = f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
    return digits if len(digits) <= 7 and "e" not in digits else f"{value:.1e}"


def with_interval(value: float, half: float) -> str:
    """A number ± half of its interval, which has two digits."""
    if math.isnan(half) or math.isnan(value) or half < EXACT_BELOW or value >= LARGE:
        return plain(value)
    digits = _decimals(half)
    return f"{value:.{digits}f} ± {half:.{digits}f}"


def percent(share: float, half: float = math.nan) -> str:
    """A share of 1: a percentage up to ten times, ± half of its interval; a multiple from there."""
    if math.isnan(share):
        return NONE
    if share >= MULTIPLE_FROM:
        return f"{share:.3g} ×"
    if math.isnan(half):
        return f"{100 * share:.3g} %" if share else "0"
    digits = min(_decimals(100 * half), 2)
    return f"{100 * share:.{digits}f} ± {100 * half:.{digits}f} %"


def _decimals(half: float) -> int:
    """Decimals, at most four, that show the first two digits of half an interval."""
    return max(0, min(4, 1 - math.floor(math.log10(half)))) if half > 0 else 1


def count(amount: int, what: str) -> str:
    """An amount and what it is of, in the plural unless it is 1."""
    return f"{amount:,} {what}" + ("" if amount == 1 else "s")


def duration(seconds: float) -> str:
    """A time in the unit that gives it at most three digits before the point."""
    for unit, size in (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3)):
        if seconds < 1000 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def large(value: float) -> str:
    """A large number by thousands, millions and billions."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return plain(value)
