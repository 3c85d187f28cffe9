"""Which line is which estimator: names at the ends of lines, none overlapping, or a legend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from maxpo_cli.arrays import FloatArray
from maxpo_cli.plots.style import SMALL, look

SAME = 1e-9
"""Relative difference below which two lines coincide."""

LABEL_WIDTH = 18
"""Characters per line of a label at the end of a line."""

ONE_ROW = 100
"""Characters that fit into one row of a legend."""

LINE_HEIGHT = 1.25 * SMALL / 72
"""Height in inches of one line of such a label."""


@dataclass(frozen=True, eq=False)
class Line:
    """The line of an estimator: its values by x, or by panel and x."""

    estimator: str
    values: Mapping[object, float]

    def lies_on(self, other: "Line") -> bool:
        """Whether the two agree wherever both are defined, which is somewhere."""
        shared = [at for at in self.values if at in other.values]
        mine = np.array([self.values[at] for at in shared])
        theirs = np.array([other.values[at] for at in shared])
        return bool(shared) and np.allclose(mine, theirs, rtol=SAME, atol=0)


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


def label_of(group: Sequence[Line]) -> str:
    """The label of lines that coincide: their names joined by equals signs, wrapped."""
    names = " = ".join(line.estimator for line in group)
    return fill(names, LABEL_WIDTH, break_long_words=False, break_on_hyphens=False)


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


def label_height(groups: Sequence[Sequence[Line]]) -> float:
    """Height in inches of the labels of these lines, one above the other."""
    texts = map(label_of, groups)
    return LINE_HEIGHT * sum(1 + text.count("\n") for text in texts)


def label_ends(
    axes: Axes, groups: Sequence[Sequence[Line]], height: float, in_layout: bool
) -> None:
    """Writes names next to axes of `height` inches, each joined to the end of its line."""
    low, high = axes.get_ylim()
    texts = [label_of(group) for group in groups]
    ends = [max(group, key=lambda line: _last(line)[0]) for group in groups]
    points = [(x, min(max(y, low), high)) for x, y in map(_last, ends)]
    placed = axes.transData.transform([(axes.get_xlim()[1], y) for _, y in points])
    wanted = axes.transAxes.inverted().transform(placed)[:, 1]
    sizes = np.array([LINE_HEIGHT * (1 + text.count("\n")) / height for text in texts])
    for text, group, point, y in zip(
        texts, groups, points, spread(wanted, sizes, 0, 1), strict=True
    ):
        color = look(group[0].estimator).color
        axes.annotate(
            text, point, xytext=(1.03, y), textcoords="axes fraction", color=color,
            fontsize=SMALL, va="center", linespacing=1.1, annotation_clip=False,
            arrowprops={
                "arrowstyle": "-", "color": color, "linewidth": 0.6, "alpha": 0.6,
                "shrinkA": 0, "shrinkB": 2, "relpos": (0, 0.5),
            },
        ).set_in_layout(in_layout)  # fmt: skip


def _last(line: Line) -> tuple[float, float]:
    x = max(line.values, key=lambda at: float(at))  # type: ignore[arg-type]
    return float(x), line.values[x]  # type: ignore[arg-type]


def legend(figure: Figure, groups: Sequence[Sequence[Line]], joined: bool) -> None:
    """Draws a legend below the panels; `joined` says whether points are joined by lines."""
    handles = []
    for group in groups:
        drawn = look(group[0].estimator)
        line = drawn.line if joined else {"color": drawn.color, "linestyle": "none"}
        handles.append(
            Line2D([], [], label=label_of(group).replace("\n", " "), **line, **drawn.points)
        )
    wide = sum(6 + len(str(handle.get_label())) for handle in handles) > ONE_ROW
    figure.legend(
        handles=handles, loc="outside lower left", frameon=False,
        ncols=min(4, -(-len(handles) // 2)) if wide else len(handles),
        fontsize=SMALL, handlelength=2.8, columnspacing=1.6,
    )  # fmt: skip
