"""The columns of a study's table: one record each, and everything that shows a column reads it.

The table, the terminal, the plots and the README take names, labels, meanings and formats from
here. A new metric is one record: its `value` is a function of a `Summary`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # so that what shows tables does not load torch
    from maxpo_cli.metrics.summary import Summary


class Kind(Enum):
    """What the cells of a column hold."""

    TEXT = auto()
    COUNT = auto()
    NUMBER = auto()


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        name: its name in `table.csv` and in Python.
        meaning: what it holds, in one sentence (Markdown) for the README.
        kind: what its cells hold.
        value: the metric of a summary; None for a column that says what was measured and how.
        label: its name on the axis of a plot.
        heading: its heading in a terminal table; empty where the terminal does not show it.
        unit: its unit: of a reward, of a gradient, its square, or a share; empty without one.
        stderr: the column that holds its standard error; empty where there is none.
        guide: the value it is compared with in a plot: 0 for a bias, 1 for a ratio.
        is_ratio: whether twice as large is as far from the guide as half as large.
    """

    name: str
    meaning: str
    kind: Kind = Kind.NUMBER
    value: "Callable[[Summary], float] | None" = None
    label: str = ""
    heading: str = ""
    unit: str = ""
    stderr: str = ""
    guide: float | None = None
    is_ratio: bool = False


def _metric(
    name: str,
    meaning: str,
    label: str = "",
    heading: str = "",
    unit: str = "",
    stderr: str = "",
    guide: float | None = None,
    is_ratio: bool = False,
) -> Column:
    """A metric that `Summary` has under its name."""
    return Column(
        name, meaning, Kind.NUMBER, attrgetter(name), label or name.replace("_", " "), heading,
        unit, stderr, guide, is_ratio,
    )  # fmt: skip


ESTIMATOR = Column("estimator", "the estimator", Kind.TEXT)
POLICY = Column("policy", "the policy as its spec", Kind.TEXT)
N = Column("n", "the group size N", Kind.COUNT, label="N")
K = Column("k", "K of max@K", Kind.COUNT, label="K")
ENGINE = Column(
    "engine", "how it was measured: `enumeration`, `threshold` or `monte-carlo`", Kind.TEXT
)
NOTE = Column("note", "why metrics of the row are empty, or not as exact as was asked", Kind.TEXT)

HOW = (
    ENGINE,
    Column("states", "count vectors that were enumerated", Kind.COUNT),
    Column("groups", "groups that were sampled", Kind.COUNT),
    Column(
        "rtol",
        "how far the last refinement of an integral still moved any metric, as a share of it",
    ),
)
"""How a row was measured."""

METRICS = (
    _metric("objective", "J_K = E[max of K rewards], summed over prompts", unit="reward"),
    _metric("gradient_norm", "‖∇J_K‖", unit="gradient"),
    _metric("bias", "‖E ĝ − ∇J_K‖", guide=0, unit="gradient", stderr="bias_stderr"),
    _metric("bias_stderr", "standard error of `bias`", unit="gradient"),
    _metric(
        "relative_bias",
        "distance of the mean of ĝ from ∇J_K, in units of ‖∇J_K‖",
        label="bias / gradient norm",
        heading="bias",
        unit="share",
        stderr="relative_bias_stderr",
        guide=0,
    ),
    _metric("relative_bias_stderr", "standard error of `relative_bias`", unit="share"),
    _metric(
        "bias_z",
        "z-score of a sampled bias if the estimator were unbiased: beyond 4 it is a bias",
        label="z-score of the bias",
    ),
    _metric(
        "scale",
        "length of E ĝ along ∇J_K, in units of ‖∇J_K‖: 0.75 is a wrong length, which a learning "
        "rate corrects",
        label="scale, unbiased = 1",
        heading="scale",
        unit="share",
        guide=1,
    ),
    _metric(
        "misalignment",
        "sine of the angle between E ĝ and ∇J_K: a wrong direction, which nothing corrects",
        label="misalignment (sine of the angle)",
        heading="misalign",
        guide=0,
    ),
    _metric(
        "centering_mean",
        "mean over groups of a group's mean advantage",
        label="mean advantage of a group, mean",
        unit="reward",
        guide=0,
    ),
    _metric(
        "centering_rms",
        "root mean square of a group's mean advantage; 0: advantages sum to zero",
        label="|mean advantage of a group|, rms",
        heading="centering",
        unit="reward",
        guide=0,
    ),
    _metric(
        "centering_max",
        "largest |mean advantage| of any group",
        label="|mean advantage of a group|, largest",
        unit="reward",
        guide=0,
    ),
    _metric(
        "variance",
        "tr Cov ĝ",
        label="gradient variance",
        heading="variance",
        unit="gradient²",
        stderr="variance_stderr",
    ),
    _metric("variance_stderr", "standard error of `variance`", unit="gradient²"),
    _metric(
        "matched_variance",
        "variance ÷ scale²: what is left when step sizes are matched",
        label="gradient variance at equal scale",
        unit="gradient²",
    ),
    _metric(
        "variance_ratio",
        "`matched_variance` over that of the reference estimator: below 1 is less noise for equal "
        "steps",
        label="variance ratio, reference = 1",
        heading="ratio",
        stderr="variance_ratio_stderr",
        guide=1,
        is_ratio=True,
    ),
    _metric("variance_ratio_stderr", "standard error of `variance_ratio`"),
    _metric(
        "snr",
        "‖E ĝ‖² ÷ variance",
        label="signal-to-noise ratio",
        heading="snr",
    ),
    _metric("mse", "bias² + variance", label="mean squared error", unit="gradient²"),
)
"""The metrics, in the order of the table."""

COLUMNS = (ESTIMATOR, POLICY, N, K, *HOW, *METRICS, NOTE)
"""All columns in their order; swept names come between `policy` and `n`."""

BY_NAME = {column.name: column for column in COLUMNS}


def column_names(swept: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The names of a table's columns, those of `swept` after the policy."""
    names = tuple(column.name for column in COLUMNS)
    return (*names[:2], *swept, *names[2:])
