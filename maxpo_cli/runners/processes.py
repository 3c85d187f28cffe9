"""Tasks in worker processes, which end when this one does."""

import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process, resource_tracker

from maxpo_cli.errors import InputError
from maxpo_cli.runners.in_process import InProcess
from maxpo_cli.runners.runner import Advance, Result, Runner, T


def runner(workers: int) -> Runner:
    """Worker processes, or this process where one is enough."""
    return Processes(workers) if workers > 1 else InProcess()


class Processes:
    """See `Runner`: `workers` processes, to which tasks and results are pickled."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def run(
        self,
        work: Callable[[T, Advance], Result],
        tasks: Sequence[T],
        begin: Callable[[T], None],
        advance: Advance,
    ) -> Iterator[tuple[T, Result]]:
        """See `Runner`. Raises `InputError` when a worker was killed."""
        if len(tasks) < 2:
            yield from InProcess().run(work, tasks, begin, advance)
            return
        others = set(active_children())
        with _no_code_of_this_folder():
            resource_tracker.ensure_running()  # started later, it would let interrupts through
        pool = ProcessPoolExecutor(self._workers, get_context("spawn"), _follow_parent)
        wait = True
        try:
            # Both hold in the workers, which leave Ctrl-C to this process.
            with _interrupts_held(), _no_code_of_this_folder():
                running = {pool.submit(work, task, _tell_nobody): task for task in tasks}
            begin(tasks[0])
            for done, future in enumerate(as_completed(running), self._workers):
                task = running[future]
                advance(task.work)
                begin(tasks[min(done, len(tasks) - 1)])
                yield task, future.result()
        except BrokenExecutor:
            wait = False  # waiting would not end where a process was lost at the start
            raise InputError(
                "a worker process was killed, for lack of memory perhaps; the same command, with "
                "fewer --workers, continues"
            ) from None
        except BaseException:
            for worker in set(active_children()) - others:
                worker.terminate()
            raise
        finally:
            pool.shutdown(wait=wait, cancel_futures=True)
            del pool
            gc.collect()  # gives the semaphores back: the process may end without doing so


def _tell_nobody(_done: float) -> None:
    """Progress within a task stays in its worker."""


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Holds Ctrl-C back until the block is over; processes that it starts never receive it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _no_code_of_this_folder() -> Iterator[None]:
    """Processes that start in the block import nothing from the current folder."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


def _follow_parent() -> None:
    """A worker ends when its parent is gone."""
    parent = parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
