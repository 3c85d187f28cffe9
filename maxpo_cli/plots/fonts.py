"""Which fonts a figure takes: matplotlib's own, and others only for characters that it lacks."""

from collections.abc import Iterator
from functools import cache

from matplotlib.font_manager import FontEntry, findfont, fontManager
from matplotlib.ft2font import FT2Font

OWN = "DejaVu Sans"
"""The font that matplotlib brings along, so that figures are the same on every machine."""

NEVER = ("Last Resort", "Emoji")
"""Fonts of placeholders, and of pictures that not every format holds, by a part of their names."""


def families(text: str) -> list[str]:
    """The fonts for a text, by preference: others follow where ours lacks characters of it."""
    missing = {character for character in text if not character.isspace()} - _characters(_own())
    chosen = [OWN]
    if missing:
        for entry in _others():
            there = missing & _characters(entry.fname)
            if there:
                chosen.append(entry.name)
                missing -= there
            if not missing:
                break
    return chosen


@cache
def _own() -> str:
    return str(findfont(OWN))


@cache
def _characters(path: str) -> frozenset[str]:
    """The characters that the font of a file has; none where it cannot be read."""
    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError, ValueError):
        return frozenset()


def _others() -> Iterator[FontEntry]:
    """The upright fonts of normal weight that are installed, by name."""
    for entry in sorted(fontManager.ttflist, key=lambda entry: (entry.name, entry.fname)):
        usual = entry.style == "normal" and entry.weight in (400, "normal", "regular")
        if usual and not any(part in entry.name for part in NEVER):
            yield entry
