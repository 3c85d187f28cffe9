"""Texts of figures: their width as they are drawn, line breaks, and what tells several apart."""

import re
from collections.abc import Sequence
from functools import cache
from itertools import takewhile
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties

from maxpo_cli.text import one_line

ELLIPSIS = "…"

FINE = 720
"""Dots per inch at which texts are measured: ten times what hinting rounds to."""

WORD = re.compile(r"[^\s,/:]+[\s,/:]*|[\s,/:]+")
"""A word with the blanks and the punctuation after which a line may break."""

PART = re.compile(r"[^\s,/:=_-]+[\s,/:=_-]*|[\s,/:=_-]+")
"""The same for words that do not fit into a line."""

PHRASE = re.compile(r"[^\s,/:-]+[\s,/:-]*|[\s,/:-]+")
"""What is left out as a whole of texts that begin or end alike."""

LONGEST = 1000
"""Characters of a text that are looked at; no figure has room for so many."""


@cache
def _renderer() -> Any:
    return RendererAgg(1, 1, FINE)  # type: ignore[no-untyped-call]


def width(text: str, size: float) -> float:
    """The width in inches of a line in a font of `size` points."""
    return _width(text, size, tuple(mpl.rcParams["font.family"]))


@cache
def _width(text: str, size: float, families: tuple[str, ...]) -> float:
    font = FontProperties(family=list(families), size=size)
    found, _, _ = _renderer().get_text_width_height_descent(text, font, ismath=False)
    return float(found) / FINE


def shorten(text: str, inches: float, size: float) -> str:
    """The text in one line, without its middle where it is wider than `inches`."""
    text = one_line(text[:LONGEST])
    if width(text, size) <= inches:
        return text
    kept = len(text) - 1
    while kept > 2 and width(_without_middle(text, kept), size) > inches:
        kept -= max(1, kept // 20)
    return _without_middle(text, kept)


def _without_middle(text: str, kept: int) -> str:
    tail = kept // 2
    return text[: kept - tail].rstrip() + ELLIPSIS + text[len(text) - tail :].lstrip()


def wrap(text: str, inches: float, size: float, most: int) -> str:
    """The text in at most `most` lines of at most `inches`, broken after blanks and punctuation.

    A piece that does not fit into a line, and what does not fit into the last, lose their middle.
    """
    pieces = [
        part
        for word in WORD.findall(one_line(text[:LONGEST]))
        for part in ([word] if width(word.rstrip(), size) <= inches else PART.findall(word))
    ]
    lines = [""]
    for place, piece in enumerate(pieces):
        if not lines[-1] or width((lines[-1] + piece).rstrip(), size) <= inches:
            lines[-1] += piece
        elif len(lines) < most:
            lines.append(piece)
        else:
            lines[-1] += "".join(pieces[place:])
            break
    return "\n".join(shorten(line.strip(), inches, size) for line in lines)


def differences(texts: Sequence[str]) -> list[str]:
    """What tells texts apart: without the words that all begin with, and those that all end with.

    They stay as they are where that would leave nothing of one of them.
    """
    words = [PHRASE.findall(text) for text in texts]
    begin = _shared(words)
    end = _shared([one[begin:][::-1] for one in words])
    left = ["".join(one[begin : len(one) - end]).strip(" ,/:-") for one in words]
    return left if all(left) and len(set(left)) == len(set(texts)) else list(texts)


def _shared(words: Sequence[Sequence[str]]) -> int:
    """How many words all begin with."""
    return sum(1 for _ in takewhile(lambda same: len(set(same)) == 1, zip(*words, strict=False)))
