"""What every figure shares: the style, the look of each estimator, its width, saving, names."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from typing import Any
from warnings import catch_warnings, filterwarnings

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from maxpo_cli.metrics.columns import BY_NAME
from maxpo_cli.plots.fonts import OWN, families
from maxpo_cli.plots.spec import PlotSpec

NO_DATES: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}
"""Metadata by file ending: what would make two files of the same table differ is left out."""

INCH = 25.4
"""Millimetres."""

NARROW = 120.0
"""Width in millimetres below which panels stand below each other and letters are smaller."""

FONT_SIZES = {False: (9.0, 8.0, 10.0), True: (7.5, 7.0, 8.0)}
"""Points of names, of ticks and legends, and of the title, by whether the figure is narrow."""

STYLE: dict[Any, Any] = {
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "maxpo",
    "svg.fonttype": "none",  # texts stay texts, which can be searched and edited
    "pdf.fonttype": 42,  # TrueType, as journals ask for
    "text.parse_math": False,  # a dollar sign in a name is one
    "text.usetex": False,
}

GUIDE = "#999999"
"""The colour of reference lines."""

FAINT = "#666666"
"""The colour of remarks inside panels."""


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


# The first six are Okabe and Ito's, for colour-blind readers; yellow, which white hides, is left
# out. The others are chosen to be far from those and from each other.
LOOKS = {
    "l2o": Look("#0072B2", "solid", "o"),
    "canonical": Look("#56B4E9", (0, (4, 2)), "s"),
    "canonical-plugin": Look("#009E73", (0, (1, 1.6)), "^"),
    "ei": Look("#D55E00", "solid", "D"),
    "pkpo": Look("#E69F00", (0, (6, 1.5, 1.5, 1.5)), "v"),
    "pkpo-loo": Look("#CC79A7", (0, (5, 1.5)), "P"),
    "passk-training": Look("#5B8C00", (0, (6, 1.5)), "o", hollow=True),
    "grpo-passk": Look("#A00050", (0, (2, 1.5)), "D", hollow=True),
    "rloo": Look("#777777", "solid", "s", hollow=True),
    "grpo": Look("#9A4FD0", (0, (1, 1.6)), "v", hollow=True),
    "dr-grpo": Look("#2A2A8C", (0, (6, 1.5, 1.5, 1.5)), "^", hollow=True),
    "oracle": Look("#000000", (0, (1, 1.6)), "*"),
    "best-linear": Look("#7A4A1E", "solid", "X"),
    "best-mix": Look("#A8A848", (0, (5, 1.5)), "p"),
    "best-constant": Look("#2F6B6B", (0, (1, 1.6)), "h", hollow=True),
}
ORDER = list(LOOKS)

OTHERS = [
    Look(look.color, (0, (3, 3)), marker, hollow)
    for (marker, hollow), look in product(
        product("<>dH", (False, True)), (LOOKS[name] for name in ("oracle", "ei", "l2o", "rloo"))
    )
]
"""The looks of what is not in the catalogue, in turn."""


@dataclass(frozen=True)
class Appearance:
    """What an estimator is called in a figure, and how it is drawn."""

    label: str
    look: Look


def in_order(estimators: Iterable[str]) -> list[str]:
    """The estimators, each once, in the order that all figures share."""
    names = dict.fromkeys(estimators)
    return sorted(names, key=lambda name: ORDER.index(name) if name in LOOKS else len(ORDER))


def appearances(
    estimators: Iterable[str], labels: Mapping[str, str] | None = None
) -> dict[str, Appearance]:
    """The appearance of each estimator of a figure, in order; those unknown have looks in turn."""
    found: dict[str, Appearance] = {}
    others = 0
    for name in in_order(estimators):
        look = LOOKS.get(name)
        if look is None:
            look, others = OTHERS[others % len(OTHERS)], others + 1
        found[name] = Appearance((labels or {}).get(name, name), look)
    return found


@contextmanager
def style(spec: PlotSpec | None = None, text: str = "") -> Iterator[None]:
    """matplotlib's defaults with our style, letters for the width, and fonts that have the text.

    A character that no font has is drawn as a box, without a word.
    """
    spec = spec or PlotSpec()
    default = {k: v for k, v in mpl.rcParamsDefault.items() if not k.startswith("backend")}
    base, small, title = FONT_SIZES[is_narrow(spec)]
    sizes = {
        "font.size": base, "axes.titlesize": base, "axes.labelsize": base,
        "xtick.labelsize": small, "ytick.labelsize": small, "legend.fontsize": small,
        "figure.titlesize": title,
    }  # fmt: skip
    fonts = {"font.family": [*families(text), "sans-serif"], "font.sans-serif": [OWN]}
    with mpl.rc_context(default | STYLE | sizes | fonts), catch_warnings():
        filterwarnings("ignore", message="Glyph .* missing from")
        yield


def is_narrow(spec: PlotSpec) -> bool:
    """Whether a figure is so narrow that its panels stand below each other."""
    return spec.millimetres < NARROW


def small() -> float:
    """Points of ticks, legends, and labels at line ends."""
    return float(mpl.rcParams["legend.fontsize"])


def new_figure(spec: PlotSpec, height: float) -> Figure:
    """An empty figure, `height` inches high, in a layout for its texts."""
    layout = ConstrainedLayoutEngine(w_pad=0.07, h_pad=0.05)
    figure = Figure(figsize=(spec.millimetres / INCH, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def image(figure: Figure, ending: str) -> bytes:
    """A figure as a file of this format holds it, without dates or versions in it."""
    file = BytesIO()
    with style():
        figure.savefig(file, format=ending, dpi=200, metadata=NO_DATES[ending])
    return file.getvalue()


def symbol(column: str) -> str:
    """A coordinate's name as figures write it: N and K as in formulas, the others as they are."""
    known = BY_NAME.get(column)
    return known.label if known and known.label else column


def value_text(value: Any) -> str:
    """A value of a coordinate as one types it: numbers without trailing zeros, text as it is."""
    return value if isinstance(value, str) else f"{value:g}" if value < 1e6 else f"{value:.15g}"
