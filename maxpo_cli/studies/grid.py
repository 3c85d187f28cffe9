"""The axes of a sweep: `NAME=VALUES`, a list `1,2,4` or a range `START:STOP:COUNT[:log]`."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from maxpo_cli.arrays import FloatArray
from maxpo_cli.errors import InputError
from maxpo_cli.policies.policy import WHOLE, Key
from maxpo_cli.policies.text import number, numbers

RANGE = "START:STOP:COUNT or START:STOP:COUNT:log"
DIGITS = 6
"""Significant digits of the numbers between the ends of a range, at least."""

MAX_CELLS = 1_000_000

KeyOf = Callable[[str], Key]
"""Gives the key of a swept name; raises `InputError` for a name that cannot be swept."""


@dataclass(frozen=True)
class Axis:
    """One swept name, its values as texts, each once, and the text that asked for them."""

    name: str
    values: tuple[str, ...]
    text: str


def parse_grid(items: Iterable[str], key_of: KeyOf) -> tuple[Axis, ...]:
    """The axes of `NAME=VALUES` items; `n` and `k` are sizes, `key_of` knows the other names.

    Raises `InputError` for a name given twice or unknown, and values that cannot be read.
    """
    axes: dict[str, Axis] = {}
    for item in items:
        name, equals, text = (part.strip() for part in item.partition("="))
        if not item.isprintable():
            raise InputError("--grid: a value cannot hold a line break or the like")
        if not equals or not name:
            raise InputError(
                f"--grid takes NAME=VALUES, as in k=1,2,4 or p=0.1:0.9:9; got '{item}'"
            )
        if name in axes:
            raise InputError(f"--grid: {name} is given twice")
        axes[name] = _axis(name, text, WHOLE if name in ("n", "k") else key_of(name))
    return tuple(axes.values())


def _axis(name: str, text: str, key: Key) -> Axis:
    items = [item.strip() for item in text.split(",")]
    if "" in items:
        raise InputError(f"--grid {name}: a value is missing in '{text}'")
    if len(items) == 1 and ":" in text and (key.ranged or key.whole):
        items = _range(name, text, key.whole)
    values = [_plain(key, key.value(item, f"--grid {name}"), item) for item in items]
    if name in ("n", "k") and min(map(int, values)) < 1:
        raise InputError(f"--grid {name}: sizes are whole numbers from 1; got '{text}'")
    return Axis(name, tuple(dict.fromkeys(values)), ",".join(items) if "," in text else text)


def _plain(key: Key, value: object, text: str) -> str:
    """A value's text, the same for all ways to write a number: 0.1 and 0.10."""
    if isinstance(value, tuple):
        return "/".join(map(str, value)) if key.whole else numbers(value)
    if key.whole:
        return str(value)
    return number(value) if isinstance(value, float | int) else text


def _range(name: str, text: str, whole: bool) -> list[str]:
    wrong = InputError(f"--grid {name}: a range is {RANGE}; got '{text}'")
    parts = text.split(":")
    if len(parts) not in (3, 4) or (len(parts) == 4 and parts[3] != "log"):
        raise wrong
    try:
        start, stop, count = float(parts[0]), float(parts[1]), int(parts[2])
    except ValueError:
        raise wrong from None
    if count > MAX_CELLS:
        raise InputError(f"--grid {name}: {count:,} values are too many; at most {MAX_CELLS:,}")
    if count < 2 or not math.isfinite(start) or not math.isfinite(stop):
        raise InputError(f"--grid {name}: a range has two or more finite values; got '{text}'")
    if len(parts) == 3:
        values = np.linspace(start, stop, count)
    elif start > 0 and stop > 0:
        values = np.geomspace(start, stop, count)
    else:
        raise InputError(f"--grid {name}: a log range has ends above 0; got '{text}'")
    if whole:
        return [str(round(value)) for value in values]
    return [parts[0], *_short(values)[1:-1], parts[1]]


def _short(values: FloatArray) -> list[str]:
    """These numbers in as few digits as leave their steps as they are to a thousandth."""
    step = float(np.abs(np.diff(values)).min())
    for digits in range(DIGITS, 17):
        texts = [f"{value:.{digits}g}" for value in values]
        if np.abs(np.array(texts, dtype=float) - values).max() <= step / 1000:
            break
    return texts
