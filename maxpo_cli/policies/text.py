"""Numbers and lists as policy specs write them."""

from collections.abc import Iterable


def number(value: float) -> str:
    """The shortest text that reads back as this number: `0.1`, `1e-05`, `3`."""
    return repr(float(value)).removesuffix(".0")


def numbers(values: Iterable[float]) -> str:
    """The texts of these numbers, separated by `/`."""
    return "/".join(number(value) for value in values)
