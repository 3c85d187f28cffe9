"""Which line is which estimator: names at the ends of lines, none overlapping, or a legend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from maxpo_cli.arrays import FloatArray
from maxpo_cli.plots.panels import Panel
from maxpo_cli.plots.style import Appearance, small
from maxpo_cli.plots.text import width, wrap

SAME = 1e-9
"""Relative difference below which two lines coincide."""

ROOM = 0.2
"""Share of a figure's width that labels at the ends of lines may take."""

MOST_LINES = 4
"""Lines of text of such a label."""

FEW = 4
"""Entries of a legend up to which one may be as wide as the figure."""

HANDLE, GAP, PAD = 2.8, 1.6, 0.8
"""Length of a legend's lines, space between its columns and before its texts, in letters."""


@dataclass(frozen=True, eq=False)
class Line:
    """The line of an estimator: its values by x, or by panel and x."""

    estimator: str
    values: Mapping[object, float]

    def lies_on(self, other: "Line") -> bool:
        """Whether the two are defined at the same places, and agree there."""
        if self.values.keys() != other.values.keys():
            return False
        theirs = [other.values[at] for at in self.values]
        return np.allclose(list(self.values.values()), theirs, rtol=SAME, atol=0)


def coincident(lines: Sequence[Line]) -> list[list[Line]]:
    """The lines in groups that coincide, in the order of each group's first line."""
    groups: list[list[Line]] = []
    for line in lines:
        for group in groups:
            if all(line.lies_on(other) for other in group):
                group.append(line)
                break
        else:
            groups.append([line])
    return groups


@dataclass(frozen=True)
class Entry:
    """What is told of lines that coincide, which are drawn as one."""

    lines: tuple[Line, ...]
    appearance: Appearance

    @property
    def estimator(self) -> str:
        """The estimator that stands for all of them."""
        return self.lines[0].estimator


def line_height() -> float:
    """Height in inches of one line of a label."""
    return 1.25 * small() / 72


def wrapped(entries: Sequence[Entry], inches: float) -> list[str]:
    """The texts of labels, in lines as wide as labels at the ends of lines may be."""
    return [wrap(entry.appearance.label, inches, small(), MOST_LINES) for entry in entries]


def ends_fit(entries: Sequence[Entry], figure: Figure, height: float) -> bool:
    """Whether labels at the ends of lines have room beside axes of `height` inches, uncut."""
    texts = wrapped(entries, ROOM * figure.get_figwidth())
    lines = sum(1 + text.count("\n") for text in texts)
    return lines * line_height() < height and not any("…" in text for text in texts)


def spread(wanted: FloatArray, heights: FloatArray, low: float, high: float) -> FloatArray:
    """Centers of labels as near to `wanted` as can be without overlap, between `low` and `high`.

    All in units of the axis. Least squares that keeps the order of `wanted` (isotonic regression by
    pooling adjacent violators): labels that touch share their mean shift. Labels that are together
    higher than the room are centered on it.
    """
    order = np.argsort(wanted, kind="stable")
    tall = heights[order]
    offsets = np.cumsum(tall) - tall / 2
    pools: list[tuple[float, int]] = []
    for shift in wanted[order] - offsets:
        pools.append((float(shift), 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (last, many), (before, more) = pools.pop(), pools.pop()
            pools.append(((last * many + before * more) / (many + more), many + more))
    shifts = np.concatenate([np.full(count, shift) for shift, count in pools])
    room = high - low - tall.sum()
    shifts = np.clip(shifts, low, low + room) if room > 0 else np.full(len(tall), low + room / 2)
    placed = np.empty_like(wanted)
    placed[order] = shifts + offsets
    return placed


def label_ends(panel: Panel, entries: Sequence[Entry], figure: Figure, height: float) -> None:
    """Writes names next to axes of `height` inches, each joined to the end of its line."""
    axes = panel.axes
    low, high = axes.get_ylim()
    texts = wrapped(entries, ROOM * figure.get_figwidth())
    ends = [max(entry.lines, key=lambda line: _last(line)[0]) for entry in entries]
    points = [(x, min(max(y, low), high)) for x, y in map(_last, ends)]
    placed = axes.transData.transform([(axes.get_xlim()[1], y) for _, y in points])
    wanted = axes.transAxes.inverted().transform(placed)[:, 1]
    sizes = np.array([line_height() * (1 + text.count("\n")) / height for text in texts])
    for text, entry, point, y in zip(
        texts, entries, points, spread(wanted, sizes, 0, 1), strict=True
    ):
        color = entry.appearance.look.color
        axes.annotate(
            text, point, xytext=(1.03, y), textcoords="axes fraction", color=color,
            fontsize=small(), va="center", linespacing=1.1, annotation_clip=False,
            arrowprops={
                "arrowstyle": "-", "color": color, "linewidth": 0.6, "alpha": 0.6,
                "shrinkA": 0, "shrinkB": 2, "relpos": (0, 0.5),
            },
        ).set_in_layout(panel.edge)  # fmt: skip


def _last(line: Line) -> tuple[float, float]:
    x = max(line.values, key=lambda at: float(at))  # type: ignore[arg-type]
    return float(x), line.values[x]  # type: ignore[arg-type]


def legend(figure: Figure, entries: Sequence[Entry], joined: bool) -> None:
    """Draws a legend below the panels; `joined` says whether points are joined by lines."""
    handles = []
    for entry in entries:
        look = entry.appearance.look
        line = look.line if joined else {"color": look.color, "linestyle": "none"}
        handles.append(Line2D([], [], label=entry.appearance.label, **line, **look.points))
    legend_below(figure, handles)


def legend_below(figure: Figure | SubFigure, handles: Sequence[Artist]) -> None:
    """A legend of these handles below everything, in as many columns as the figure has room for.

    `figure` is one, or a part of one.
    """
    if not handles:
        return
    letter = small() / 72
    inches = figure.bbox.width / figure.dpi
    around = letter * (HANDLE + GAP + PAD)
    room = (inches if len(handles) <= FEW else inches / 2) - around - letter
    texts = [wrap(str(handle.get_label()), room, small(), MOST_LINES) for handle in handles]
    columns = len(texts)
    lines = [text.split("\n") for text in texts]
    widths = [max(width(line, small()) for line in several) + around for several in lines]
    while columns > 1 and _row(widths, columns) > inches:
        columns -= 1
    figure.legend(
        handles=list(handles), labels=texts, loc="outside lower left", frameon=False,
        ncols=columns, fontsize=small(), handlelength=HANDLE, columnspacing=GAP,
        handletextpad=PAD, borderaxespad=0.2,
    )  # fmt: skip


def _row(widths: Sequence[float], columns: int) -> float:
    """The width of a legend: its columns are filled one after the other, the first the fullest."""
    parts = np.array_split(np.array(widths), columns)
    return float(sum(part.max() for part in parts))
