"""Tasks one after the other in this process."""

from collections.abc import Callable, Iterator, Sequence

from maxpo_cli.runners.runner import Advance, Result, T


class InProcess:
    """See `Runner`; the only one that tells of progress within a task."""

    def run(
        self,
        work: Callable[[T, Advance], Result],
        tasks: Sequence[T],
        begin: Callable[[T], None],
        advance: Advance,
    ) -> Iterator[tuple[T, Result]]:
        """See `Runner`; tasks come in their order."""
        for task in tasks:
            begin(task)
            told = 0.0

            def tell(done: float) -> None:
                nonlocal told
                told += done
                advance(done)

            result = work(task, tell)
            if told < task.work:  # less was done than was planned
                advance(task.work - told)
            yield task, result
