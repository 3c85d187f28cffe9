"""The terminal: its console, the progress bar, and the look of tables."""

from rich import box
from rich.console import Console
from rich.padding import PaddingDimensions
from rich.progress import Progress, ProgressColumn
from rich.table import Table

NARROW, ROOMY = (0, 1, 0, 0), (0, 1)
"""The padding of a table of numbers, and of one of texts."""


def console(stderr: bool = False) -> Console:
    """A console that colours nothing by itself, so that numbers keep the look of their column."""
    return Console(stderr=stderr, highlight=False)


def progress(quiet: bool, *columns: ProgressColumn, expand: bool = False) -> Progress:
    """A bar on standard error that disappears at the end, and none where nobody watches.

    `columns` take the place of the usual ones: the work, the bar, its share and the time left.
    """
    screen = console(stderr=True)
    disable = quiet or not screen.is_terminal
    return Progress(*columns, console=screen, transient=True, expand=expand, disable=disable)


def new_table(padding: PaddingDimensions = NARROW) -> Table:
    """An empty table with a line below its headings and a blank between columns."""
    return Table(box=box.SIMPLE_HEAD, padding=padding, show_edge=False, pad_edge=False)
