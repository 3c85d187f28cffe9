"""From a planned study to what the user gets: kept cells, progress, the result folder, the view."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from maxpo_cli.commands.figures import check_figures, draw_figures
from maxpo_cli.commands.options import OutputOptions
from maxpo_cli.commands.result_names import study_folder
from maxpo_cli.errors import InputError
from maxpo_cli.metrics.columns import column_names
from maxpo_cli.plots.plot import STEMS, read_plot
from maxpo_cli.runners.interrupts import raise_interrupts
from maxpo_cli.runners.processes import runner
from maxpo_cli.storage.growing_table import GrowingResult, open_result
from maxpo_cli.storage.result import read_result
from maxpo_cli.studies.plan import Batch, Plan
from maxpo_cli.studies.record import study_record
from maxpo_cli.studies.study import row_order, run_batches
from maxpo_cli.terminal.output import show
from maxpo_cli.terminal.progress import study_progress
from maxpo_cli.terminal.streams import say
from maxpo_cli.terminal.study import study_view

COMPARE, SWEEP = "compare", "variance-sweep"


def run(
    command: str,
    plan: Plan,
    output: OutputOptions,
    workers: int = 1,
    plots: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Measures the cells that the result folder lacks, completes it and shows it.

    `plots` are the figures to draw, as options of `maxpo plot` by name; without any it is the one
    that fits the table.
    """
    raise_interrupts()
    if workers > 1 and plan.spec.precision.device.type != "cpu":
        raise InputError("--workers is for the CPU: a GPU takes one process")
    figures = [read_plot(plot) for plot in plots]
    record = study_record(command, plan, ["maxpo", *sys.argv[1:]], plots)
    check_figures(figures, plan, record)
    path = output.out or study_folder(command, plan)
    columns = column_names(plan.spec.swept)
    with open_result(path, record, columns, output.overwrite, STEMS) as result:
        there, found = plan.cells, result.complete
        if not found:
            try:
                there = _fill(result, plan, workers, output.quiet)
            except KeyboardInterrupt:
                _say_where_it_stopped(result, path, plan)
                raise
        record = result.record_plot()
        draw_figures(path, figures, changed=not found)
    table = read_result(path).table
    show(
        path, record, table,
        lambda width: study_view(table, record, width, there, found),
        output.json, output.quiet,
    )  # fmt: skip


def _fill(result: GrowingResult, plan: Plan, workers: int, quiet: bool) -> int:
    """Adds the rows of the batches that are missing, and puts all rows in the grid's order.

    Gives the number of cells that were there already.
    """
    identity = [*plan.spec.swept, "n", "k"]
    left, kept = plan.left(plan.places(result.rows(identity)))
    if plan.has_prompts:  # which are written at the end only, of all that was measured
        left, kept = list(plan.batches), 0
    result.keep(kept)
    there = plan.cells - sum(len(batch.points) for batch in left)
    prompts: pd.DataFrame | None = None
    work, whole = (sum(batch.work for batch in batches) for batches in (left, plan.batches))
    with study_progress(quiet, plan.cells, there, whole, whole - work) as progress:

        def begin(batch: Batch) -> None:
            progress.begin(batch.title(plan.spec.swept))

        for batch, measured in run_batches(plan, left, runner(workers), begin, progress.advance):
            result.append(measured.rows, measured.seconds)
            progress.add_cells(len(batch.points))
            prompts = measured.prompts
    result.finish(row_order(plan.places(result.rows(identity))), prompts=prompts)
    return there


def _say_where_it_stopped(result: GrowingResult, path: Path, plan: Plan) -> None:
    places = plan.places(result.rows([*plan.spec.swept, "n", "k"]))
    done = f"{len(set(places)):,} of {plan.cells:,} cells, which are in {path}"
    stopped = f"after {done}" if places else "before the first cell was done"
    say(f"stopped {stopped}; the same command again continues")
