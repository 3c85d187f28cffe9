"""What is asked of a figure. Nothing here needs pandas or matplotlib, so that `--help` is quick."""

from dataclasses import dataclass

AUTO = "auto"
"""The kind that is asked for where the result is to decide."""

DEFAULT_FORMATS = ("png", "svg")
FORMATS = (*DEFAULT_FORMATS, "pdf")
"""The formats of files, by their endings."""


@dataclass(frozen=True)
class PlotSpec:
    """What to draw of a result: the options of `maxpo plot`, under the same names."""

    kind: str = AUTO
    x: str | None = None
    y: str | None = None
    col: str | None = None
    row: str | None = None
    estimators: tuple[str, ...] = ()
    ratio: str = "l2o/ei"
    where: tuple[str, ...] = ()
