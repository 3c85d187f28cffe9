"""What is asked of a figure. Nothing here needs pandas or matplotlib, so that `--help` is quick."""

from dataclasses import dataclass
from functools import cached_property

from maxpo_cli.errors import InputError

AUTO = "auto"
"""The kind that is asked for where the result is to decide."""

DEFAULT_FORMATS = ("png", "svg")
FORMATS = (*DEFAULT_FORMATS, "pdf")
"""The formats of files, by their endings."""

WIDTHS = {"column": 85.0, "page": 180.0}
"""Widths of figures in millimetres, by name: a column of a journal in two columns, its page."""

NARROWEST, WIDEST = 60.0, 600.0
"""The widths in millimetres that a figure can have."""


@dataclass(frozen=True)
class PlotSpec:
    """What to draw of a result: the options of `maxpo plot`, under the same names.

    Raises `InputError` for a width that no figure can have and for a label without a name.
    """

    kind: str = AUTO
    x: str | None = None
    y: str | None = None
    col: str | None = None
    row: str | None = None
    estimators: tuple[str, ...] = ()
    ratio: str = "l2o/ei"
    where: tuple[str, ...] = ()
    title: str | None = None
    no_title: bool = False
    width: str = "page"
    label: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.title is not None and self.no_title:
            raise InputError("--title and --no-title exclude each other")
        try:
            fits = NARROWEST <= self.millimetres <= WIDEST
        except ValueError:
            fits = False
        if not fits:
            raise InputError(
                f"--width must be {', '.join(WIDTHS)} or {NARROWEST:g} to {WIDEST:g} in mm; "
                f"got '{self.width}'"
            )
        for label in self.label:
            name, equals, text = label.partition("=")
            if not (name and equals and text.strip()):
                raise InputError(f"--label must be ESTIMATOR=TEXT; got '{label}'")
        if len(self.labels) < len(self.label):
            raise InputError("--label names an estimator twice")

    @property
    def millimetres(self) -> float:
        """The width of the figure."""
        return WIDTHS[self.width] if self.width in WIDTHS else float(self.width)

    @cached_property
    def labels(self) -> dict[str, str]:
        """The texts for estimators, by their names."""
        given = (label.partition("=") for label in self.label)
        return {name: text for name, _, text in given}
