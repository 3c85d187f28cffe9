"""Tables that fit the width of the terminal: what does not fit beside follows below."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from maxpo_cli.text import printable

GAP = 2
"""Blanks between columns: one of the box, the others of the padding."""


@dataclass(frozen=True)
class TextColumn:
    """A column as texts.

    Attributes:
        heading: its heading.
        texts: its cells.
        is_words: whether it is left-aligned, and may be folded where the terminal is narrow.
        shortest: the characters that words keep when they are folded.
    """

    heading: str
    texts: Sequence[str]
    is_words: bool = False
    shortest: int = 16

    def __post_init__(self) -> None:
        """Escapes what a terminal would obey, so that widths are those of what is printed."""
        object.__setattr__(self, "texts", [_safe(text) for text in self.texts])

    @property
    def width(self) -> int:
        """The characters that it takes on one line."""
        return max(map(cell_len, [self.heading, *self.texts]))

    @property
    def least_width(self) -> int:
        """The characters that it needs."""
        return min(self.width, self.shortest) if self.is_words else self.width

    def placed(self, text: str) -> Text:
        """A cell or the heading; numbers are right-aligned, with the blanks that end them."""
        blanks = 0 if self.is_words else self.width - cell_len(text)
        return Text(" " * blanks + text)


def fitting_tables(
    first: TextColumn, groups: Sequence[Sequence[TextColumn]], width: int
) -> RenderableType:
    """Tables of at most `width` characters, each of which begins with the column `first`.

    The columns of a group stay in one table. Words are folded before a table is divided, and
    nothing is ever cut.
    """
    tables: list[RenderableType] = []
    for columns in _parted(first, groups, width):
        tables += [Text()] if tables else []
        tables.append(_table(columns, width))
    return Group(*tables)


def paragraph(*lines: str, style: str = "") -> Text:
    """Lines of a view."""
    return Text("\n".join(map(_safe, lines)), style=style)


def legend(texts: Sequence[tuple[str, str]]) -> Table:
    """What the headings of a table mean, one per row."""
    view = Table.grid(padding=(0, 2, 0, 0))
    view.add_column(no_wrap=True)
    view.add_column(overflow="fold")
    for heading, text in texts:
        view.add_row(Text(heading, style="dim"), Text(text, style="dim"))
    return view


def _safe(text: str) -> str:
    return printable(text.translate({ord("\n"): " ", ord("\t"): " "}))


def _parted(
    first: TextColumn, groups: Sequence[Sequence[TextColumn]], width: int
) -> Iterator[list[TextColumn]]:
    """The columns of each table."""
    columns = [first]
    for group in groups:
        if len(columns) > 1 and _least_width([*columns, *group]) > width:
            yield columns
            columns = [first]
        columns += group
    yield columns


def _least_width(columns: Sequence[TextColumn]) -> int:
    return _total([column.least_width for column in columns])


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)


def _widths(columns: Sequence[TextColumn], width: int) -> list[int]:
    """The width of each column: the widest words are folded first."""
    widths = [column.width for column in columns]
    least = [column.least_width for column in columns]
    while (over := _total(widths) - width) > 0:
        widest, place = max((w, i) for i, w in enumerate(widths) if w > least[i])
        widths[place] = max(widest - over, least[place])
    return widths


def _table(columns: Sequence[TextColumn], width: int) -> Table:
    view = Table(box=box.SIMPLE_HEAD, padding=(0, GAP - 1, 0, 0), show_edge=False, pad_edge=False)
    fits = _least_width(columns) <= width
    widths = _widths(columns, width) if fits else [None] * len(columns)
    for column, characters in zip(columns, widths, strict=True):
        view.add_column(column.placed(column.heading), width=characters, overflow="fold")
    for cells in zip(*(column.texts for column in columns), strict=True):
        view.add_row(*(c.placed(text) for c, text in zip(columns, cells, strict=True)))
    return view
