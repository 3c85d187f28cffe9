"""Running a planned study: batches through a runner, and the table that they make."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from maxpo_cli.policies.logged import Logged
from maxpo_cli.runners.in_process import InProcess
from maxpo_cli.runners.runner import Advance, Runner
from maxpo_cli.studies.measure import measure_batch
from maxpo_cli.studies.plan import Batch, Plan
from maxpo_cli.studies.rows import as_table, job_rows, prompt_rows
from maxpo_cli.studies.spec import StudySpec


@dataclass(frozen=True, eq=False)
class Measured:
    """What a batch gave.

    Attributes:
        rows: its rows of the table, its cells in their order.
        prompts: the rows of each prompt of logged rewards, where they were asked for.
        seconds: the time that each engine took.
    """

    rows: pd.DataFrame
    prompts: pd.DataFrame | None
    seconds: Mapping[str, float]


def run_batches(
    plan: Plan,
    batches: Sequence[Batch],
    runner: Runner,
    begin: Callable[[Batch], None],
    advance: Advance,
) -> Iterator[tuple[Batch, Measured]]:
    """Measures these batches and gives each with its rows as soon as it is done.

    `begin` is told of a batch when it is (about to be) worked on, `advance` of the work done. With
    several workers batches come in any order; their rows are the same.
    """
    return runner.run(partial(_measured, plan.spec, plan.has_prompts), batches, begin, advance)


def _measured(spec: StudySpec, by_prompt: bool, batch: Batch, advance: Advance) -> Measured:
    records = measure_batch(batch, spec, advance)
    rows = [
        row
        for job, found in zip(batch.jobs, records, strict=True)
        for row in job_rows(job, found, spec, spec.swept)
    ]
    prompts = None
    if by_prompt and isinstance(batch.jobs[0].policy, Logged):
        prompts = prompt_rows(batch.jobs[0], records[0], spec)
        labels = batch.jobs[0].policy.labels
        prompts.insert(0, "prompt", [label for label in labels for _ in spec.asked])
    seconds = added(record.seconds for found in records for record in found)
    return Measured(as_table(rows, spec.swept), prompts, seconds)


@dataclass(frozen=True, eq=False)
class Outcome:
    """A whole study: its table in the order of the grid, and the seconds of each engine."""

    table: pd.DataFrame
    prompts: pd.DataFrame | None
    seconds: Mapping[str, float]


def run_study(plan: Plan, progress: Callable[[float], None] = lambda _: None) -> Outcome:
    """Measures a plan in this process: one row per cell and estimator, the first axis slowest.

    `progress` is told of the shares of the whole work as they are done.
    """
    whole = sum(batch.work for batch in plan.batches) or 1.0
    found = [
        measured
        for _, measured in run_batches(
            plan, plan.batches, InProcess(), lambda _: None, lambda done: progress(done / whole)
        )
    ]
    table = pd.concat([each.rows for each in found], ignore_index=True)
    places = plan.places(table.astype(str))
    seconds = added([each.seconds for each in found])
    ordered = table.iloc[row_order(places)].reset_index(drop=True)
    return Outcome(ordered, found[0].prompts, seconds)


def added(seconds: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The seconds of each engine, added up."""
    total: dict[str, float] = {}
    for each in seconds:
        for engine, some in each.items():
            total[engine] = total.get(engine, 0.0) + some
    return total


def row_order(places: Sequence[int]) -> list[int]:
    """In which order to take rows, those of a cell together, for the order of the grid."""
    return sorted(range(len(places)), key=places.__getitem__)
