"""The progress of a study: its cells, the work done, and what is being measured."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column

from maxpo_cli.terminal.screen import progress


@dataclass
class StudyProgress:
    """A bar over the work of a study, next to the count of its cells."""

    bar: Progress
    task: TaskID
    done: int

    def begin(self, title: str) -> None:
        """What is measured from now on."""
        self.bar.update(self.task, description=title)

    def advance(self, work: float) -> None:
        """Some work is done."""
        self.bar.advance(self.task, work)

    def add_cells(self, count: int) -> None:
        """Some cells are done."""
        self.done += count
        self.bar.update(self.task, cells=self.done)


@contextmanager
def study_progress(
    quiet: bool, cells: int, there: int, work: float, done: float
) -> Iterator[StudyProgress]:
    """A bar for `cells` cells and their `work`, of which some are there already."""
    with progress(
        quiet,
        TextColumn("{task.fields[cells]:,}/{task.fields[all]:,} cells"),
        BarColumn(20),
        TimeRemainingColumn(),
        TextColumn("left"),
        TextColumn(
            "{task.description}",
            markup=False,
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
        expand=True,
    ) as bar:
        task = bar.add_task("", total=work, completed=int(done), cells=there, all=cells)
        yield StudyProgress(bar, task, there)
