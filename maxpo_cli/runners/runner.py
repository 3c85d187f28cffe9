"""The protocol of runners, which run a function on tasks and give results as they are done."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

Advance = Callable[[float], None]
"""Told how much work was done since it was last told."""


class Task(Protocol):
    """A piece of work that can be pickled; `work` is how much of it there is."""

    @property
    def work(self) -> float:
        """Its amount, in any unit."""


T = TypeVar("T", bound=Task)
Result = TypeVar("Result")


class Runner(Protocol):
    """Where tasks run."""

    def run(
        self,
        work: Callable[[T, Advance], Result],
        tasks: Sequence[T],
        begin: Callable[[T], None],
        advance: Advance,
    ) -> Iterator[tuple[T, Result]]:
        """Each task with what `work` gives for it, in any order, as soon as it is done.

        `work` is a function at the top level of a module (or a partial of one), which tells of its
        progress. `begin` is told of a task when it is (about to be) worked on, `advance` of the
        work done.
        """
