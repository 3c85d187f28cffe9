"""Numbers on the command line: what they are in words where a text is not one."""

import math
from collections.abc import Callable

import typer


def whole(text: str) -> int:
    """A whole number, as 100000 or 1e5."""
    try:
        return int(text)
    except ValueError:
        value = _float(text)
    if not value.is_integer():
        raise typer.BadParameter(f"'{text}' is not a whole number")
    return int(value)


def whole_from(lowest: int, highest: int | None = None) -> Callable[[str], int]:
    """Reads a whole number between bounds."""

    def read(text: str) -> int:
        value = whole(text)
        if value < lowest or (highest is not None and value > highest):
            bound = f"at least {lowest}" if highest is None else f"from {lowest} to {highest}"
            raise typer.BadParameter(f"'{text}' is not {bound}")
        return value

    return read


def number(text: str) -> float:
    """A finite number, as 0.01 or 1e-2."""
    value = _float(text)
    if not math.isfinite(value):
        raise typer.BadParameter(f"'{text}' is not a number")
    return value


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
