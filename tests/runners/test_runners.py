"""What every runner does with tasks: each once, its progress, and what goes wrong in one."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from maxpo_cli.errors import InputError
from maxpo_cli.runners.in_process import InProcess
from maxpo_cli.runners.processes import Processes, runner
from maxpo_cli.runners.runner import Advance, Runner

RUNNERS = [InProcess(), Processes(2)]
NAMES = ["in_process", "processes"]


@dataclass(frozen=True)
class Task:
    """A number and how much work it is."""

    number: int
    work: float


TASKS = tuple(Task(number, work=10.0 * number) for number in (3, 1, 2))


def square(task: Task, advance: Advance) -> tuple[int, int]:
    """The square of the number and the process that found it; told in two halves."""
    advance(task.work / 2)
    advance(task.work / 2)
    return task.number**2, os.getpid()


def refuse_two(task: Task, advance: Advance) -> int:
    """The number, except for 2, which is bad input."""
    advance(task.work)
    if task.number == 2:
        raise InputError("2 is not what was meant")
    return task.number


def end_at_two(task: Task, advance: Advance) -> int:
    """The number; at 2 the process is killed."""
    advance(task.work)
    if task.number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return task.number


@dataclass(frozen=True)
class Ran:
    """What a runner gave and told."""

    found: dict[Task, tuple[int, int]]
    begun: list[Task]
    told: list[float]


def run(
    chosen: Runner,
    tasks: tuple[Task, ...] = TASKS,
    work: Callable[[Task, Advance], tuple[int, int]] = square,
) -> Ran:
    begun: list[Task] = []
    told: list[float] = []
    results = list(chosen.run(work, tasks, begun.append, told.append))
    assert len(results) == len(tasks)
    return Ran(dict(results), begun, told)


@pytest.fixture(scope="module", params=RUNNERS, ids=NAMES)
def ran(request: pytest.FixtureRequest) -> Ran:
    return run(request.param)


def test_every_task_comes_once_with_its_own_result(ran: Ran) -> None:
    assert {task: square for task, (square, _) in ran.found.items()} == {
        task: task.number**2 for task in TASKS
    }


def test_progress_adds_up_to_the_work_of_all_tasks(ran: Ran) -> None:
    assert sum(ran.told) == pytest.approx(60)
    assert all(part > 0 for part in ran.told)


def test_the_first_task_is_told_before_any_is_done_and_only_tasks_are(ran: Ran) -> None:
    assert ran.begun[0] == TASKS[0]
    assert set(ran.begun) <= set(TASKS)


def test_in_process_is_this_process_and_keeps_the_order() -> None:
    found = run(InProcess())
    assert {process for _, process in found.found.values()} == {os.getpid()}
    assert tuple(found.found) == TASKS
    assert found.begun == list(TASKS)
    assert found.told == [15, 15, 5, 5, 10, 10]


def test_several_tasks_run_in_other_processes() -> None:
    processes = {process for _, process in run(Processes(2)).found.values()}
    assert os.getpid() not in processes
    assert 1 <= len(processes) <= 2


def test_one_task_is_not_worth_a_process() -> None:
    found = run(Processes(2), TASKS[:1])
    assert {process for _, process in found.found.values()} == {os.getpid()}
    assert run(Processes(2), ()).found == {}


@pytest.mark.parametrize("chosen", RUNNERS, ids=NAMES)
def test_bad_input_in_a_task_reaches_the_caller_in_its_words(chosen: Runner) -> None:
    with pytest.raises(InputError, match="2 is not what was meant"):
        run(chosen, work=refuse_two)  # type: ignore[arg-type]


def test_a_killed_worker_is_one_sentence_that_says_what_to_do() -> None:
    with pytest.raises(InputError, match=r"a worker process was killed.*fewer --workers"):
        run(Processes(2), work=end_at_two)  # type: ignore[arg-type]


@pytest.mark.parametrize("module", ["types", "socket", "pickle"])
def test_workers_run_no_code_of_the_current_folder(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    (tmp_path / f"{module}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    run(Processes(2))
    assert not (tmp_path / "ran").exists()
    assert "PYTHONSAFEPATH" not in os.environ


def test_one_worker_is_this_process() -> None:
    assert isinstance(runner(1), InProcess)
    assert isinstance(runner(2), Processes)
