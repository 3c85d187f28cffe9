"""How numbers are printed: every column of a table in one format, each number with its error."""

import math
from collections.abc import Sequence

NONE = "–"
"""What stands for a number that does not exist."""

LEVELS = (4, 3, 2), (3, 3, 1)
"""Significant digits: of a number without an error, of one with an error, and of that error."""

INVISIBLE = 1e-6
"""An error this much smaller than its number changes none of the digits that are shown."""

FIXED_WIDTH = 9
"""Characters of a number up to which a column has fixed decimals: those of 1.234e-05."""

FIXED_WIDTH_WITH_ERROR = 19
"""The same with an error: those of 1.234e-05 ± 1.2e-06."""


def texts(values: Sequence[float], halves: Sequence[float] | None = None) -> list[str]:
    """A column of numbers in one format, each with half of its 95% interval where it has one.

    All numbers have the same decimals, enough for the digits of `LEVELS`; a number below its error
    has the decimals of the error. Where that is too wide, all have a power of ten. An exact 0 is
    `0`, and an error of less than `INVISIBLE` of its number is left out. The signs ± stand below
    each other.

    >>> texts([0.25, 3.5, 0.0])
    ['0.2500', '3.5000', '0']
    >>> texts([0.9931, 1.0], [0.0323, 0.0])
    ['0.993 ± 0.032', '1.000        ']
    """
    given = [0.0] * len(values) if halves is None else halves
    errors = [h if h > INVISIBLE * abs(v) else 0.0 for v, h in zip(values, given, strict=True)]
    pairs = list(zip(map(float, values), map(float, errors), strict=True))
    finite = [(v, h if math.isfinite(h) else 0.0) for v, h in pairs if math.isfinite(v)]
    shown = [pair for pair in finite if any(pair)]
    limit = FIXED_WIDTH_WITH_ERROR if any(errors) else FIXED_WIDTH
    for digits in LEVELS:
        places = max((_decimals(v, h, *digits) for v, h in shown), default=0)
        if places > limit:
            continue
        column = _aligned([_pair(v, h, f"z,.{places}f", f",.{places}f") for v, h in pairs])
        if max(map(len, column), default=0) <= limit:
            return column
    return _aligned([_pair(v, h, ".3e", ".1e") for v, h in pairs])


def plain(value: float) -> str:
    """One number, with four significant digits."""
    if not math.isfinite(value):
        return NONE if math.isnan(value) else str(value)
    if 1e4 <= abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:.4g}" if 1e-4 <= abs(value) < 1e4 or not value else f"{value:.3e}"


def count(amount: int, what: str) -> str:
    """An amount and what it is of, in the plural unless it is 1."""
    return f"{amount:,} {what}" + ("" if amount == 1 else "s")


def unit(values: Sequence[float], units: Sequence[tuple[str, float]]) -> tuple[str, float]:
    """The largest of these units (name, size; ascending) in which the median is 1 or more."""
    known = sorted(value for value in values if math.isfinite(value))
    middle = known[len(known) // 2] if known else 1.0
    return max((u for u in units if u[1] <= middle), key=lambda u: u[1], default=units[0])


def _decimals(value: float, error: float, exact: int, estimate: int, of_error: int) -> int:
    """The decimals that so many significant digits take."""
    if not error:
        return max(exact - 1 - _magnitude(value), 0)
    largest = _magnitude(max(abs(value), error))
    return max(estimate - 1 - largest, of_error - 1 - _magnitude(error), 0)


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value)))


def _pair(value: float, error: float, format_: str, error_format: str) -> tuple[str, str]:
    if not math.isfinite(value):
        return plain(value), ""
    if not error:
        return format(value, format_) if value else "0", ""
    return format(value, format_), f" ± {format(error, error_format)}"


def _aligned(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """The texts of numbers and errors as one text each, all errors in one place."""
    left = max((len(number) for number, _ in pairs), default=0)
    right = max((len(error) for _, error in pairs), default=0)
    if not right:
        return [number for number, _ in pairs]
    return [
        f"{number:>{left}}{f' ± {error[3:]:>{right - 3}}' if error else ' ' * right}"
        for number, error in pairs
    ]
