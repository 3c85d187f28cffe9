"""The terminal: its console, and the progress bar."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import Progress, ProgressColumn
from rich.segment import Segment
from rich.text import Text

from maxpo_cli.text import printable

LEAST_WIDTH = 40
"""Columns that a terminal has, whatever it says of itself (some say 0)."""


class Screen(Console):
    """A console whose texts are data: no markup, no emoji names, no control characters."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """The segments of a renderable, with what no text may hold escaped."""
        for segment in super().render(renderable, options):
            safe = segment.text if segment.control else printable(segment.text)
            yield Segment(safe, segment.style, segment.control)

    def render_str(self, text: str, **words: Any) -> Text:
        """A text of a table, which is measured as it is printed."""
        return super().render_str(printable(text), **words)


def console(stderr: bool = False) -> Console:
    """A console that colours nothing by itself, so that numbers keep the look of their column."""
    screen = Screen(stderr=stderr, highlight=False, markup=False, emoji=False)
    if screen.width < LEAST_WIDTH:
        screen.width = LEAST_WIDTH
    return screen


def rendered(view: RenderableType) -> str:
    """A view as text for the terminal on standard output, without the last line break."""
    screen = console()
    with screen.capture() as found:
        screen.print(view, end="")
    return found.get().removesuffix("\n")


def progress(quiet: bool, *columns: ProgressColumn, expand: bool = False) -> Progress:
    """A bar on standard error that disappears at the end, and none where nobody watches.

    `columns` take the place of the usual ones: the work, the bar, its share and the time left.
    """
    screen = console(stderr=True)
    disable = quiet or not screen.is_terminal
    return Progress(*columns, console=screen, transient=True, expand=expand, disable=disable)
