"""What every figure shares: the style, the look of each estimator, saving, names, line breaks."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from maxpo_cli.metrics.columns import BY_NAME

NO_DATES: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}
"""Metadata by file ending: what would make two files of the same table differ is left out."""

WIDTH = 7.4
"""Width of a figure in inches: the text width of a page."""

SMALL = 8.0
"""Font size in points of ticks, labels at line ends and legends."""

STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "maxpo",
    "svg.fonttype": "path",
}

GUIDE = "#999999"
"""The colour of reference lines."""


@dataclass(frozen=True)
class Look:
    """How an estimator is drawn in every figure; dashes and marker tell it apart in grey."""

    color: str
    dashes: str | tuple[float, tuple[float, ...]]
    marker: str
    hollow: bool = False

    @property
    def line(self) -> dict[str, Any]:
        return {"color": self.color, "linestyle": self.dashes, "linewidth": 1.5}

    @property
    def points(self) -> dict[str, Any]:
        fill = "white" if self.hollow else self.color
        return {
            "marker": self.marker, "markersize": 4.2, "markerfacecolor": fill,
            "markeredgecolor": self.color, "markeredgewidth": 1.0,
        }  # fmt: skip


# Okabe and Ito's palette for colour-blind readers, without its yellow, which white hides.
LOOKS = {
    "l2o": Look("#0072B2", "solid", "o"),
    "canonical": Look("#56B4E9", (0, (4, 2)), "s"),
    "canonical-plugin": Look("#009E73", (0, (1, 1.6)), "^"),
    "ei": Look("#D55E00", "solid", "D"),
    "pkpo": Look("#E69F00", (0, (6, 1.5, 1.5, 1.5)), "v"),
    "pkpo-loo": Look("#CC79A7", (0, (5, 1.5)), "P"),
    "passk-training": Look("#009E73", (0, (6, 1.5)), "o", hollow=True),
    "grpo-passk": Look("#D55E00", (0, (2, 1.5)), "D", hollow=True),
    "rloo": Look("#777777", "solid", "s", hollow=True),
    "grpo": Look("#CC79A7", (0, (1, 1.6)), "v", hollow=True),
    "dr-grpo": Look("#000000", (0, (6, 1.5, 1.5, 1.5)), "^", hollow=True),
    "oracle": Look("#000000", (0, (1, 1.6)), "*"),
    "best-linear": Look("#000000", "solid", "X"),
    "best-mix": Look("#777777", (0, (5, 1.5)), "p"),
    "best-constant": Look("#777777", (0, (1, 1.6)), "h", hollow=True),
}
ORDER = list(LOOKS)
UNKNOWN = Look("#777777", (0, (3, 3)), "x")


def look(estimator: str) -> Look:
    """The look of an estimator; the same for all that are not in the catalogue."""
    return LOOKS.get(estimator, UNKNOWN)


def in_order(estimators: Iterable[str]) -> list[str]:
    """The estimators, each once, in the order that all figures share."""
    names = dict.fromkeys(estimators)
    return sorted(names, key=lambda name: ORDER.index(name) if name in LOOKS else len(ORDER))


def new_figure(height: float) -> Figure:
    """An empty figure, `height` inches high and as wide as a page, in a layout for its texts."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Writes a figure in the format of the path's ending, without dates or versions in it."""
    with mpl.rc_context(STYLE):
        figure.savefig(path, dpi=200, metadata=NO_DATES[path.suffix])


def symbol(column: str) -> str:
    """A coordinate's name as figures write it: N and K as in formulas, the others as they are."""
    known = BY_NAME.get(column)
    return known.label if known and known.label else column


def value_text(value: Any) -> str:
    """A value of a coordinate as one types it: numbers without trailing zeros, text as it is."""
    return value if isinstance(value, str) else f"{value:g}" if value < 1e6 else f"{value:.15g}"


def broken(text: str, width: int) -> str:
    """`text` in lines of at most `width` characters, broken after blanks and punctuation."""
    lines = [""]
    for piece in re.findall(rf"[^\s,/:=-]{{1,{width}}}[\s,/:=-]*|[\s,/:=-]+", text):
        if lines[-1] and len(lines[-1]) + len(piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines)
