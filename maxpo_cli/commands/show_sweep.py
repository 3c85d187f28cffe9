"""From a sweep to what the user gets: kept cells, progress, the result folder, the summary."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.table import Column

from maxpo_cli.commands.record import logged_facts, print_json, study_record
from maxpo_cli.commands.show import source_of
from maxpo_cli.errors import InputError, unknown
from maxpo_cli.storage import folder
from maxpo_cli.storage.growing_table import Partial, partial_result
from maxpo_cli.plots.kinds import PlotSpec, draw, read_plot, write
from maxpo_cli.terminal.sweep import sweep_view
from maxpo_cli.terminal.comparison import console, progress
from maxpo_cli.studies.sweep import Batch, Sweep, row_order
from maxpo_cli.studies.tables import as_table


def run_sweep(
    sweep: Sweep,
    plots: Sequence[Mapping[str, Any]],
    workers: int,
    out: Path | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measures the cells that the result folder lacks, completes it and shows it.

    `plots` are the figures to draw, as options of `maxpo plot` by name; one that fits the table
    when there are none.
    """
    if workers > 1 and sweep.device.type != "cpu":
        raise InputError("--workers is for the CPU: a GPU is worked from one process")
    spec = sweep.spec
    figures = [read_plot(plot) for plot in plots]
    for figure in figures:
        _check_figure(figure, sweep)
    axes = {axis.name: axis.text for axis in spec.axes}
    fixed = {name: getattr(spec, name) for name in ("n", "k") if name not in axes}
    study = study_record(
        "variance-sweep", spec.template, {"grid": axes, **fixed}, spec, str(sweep.device)
    )
    study |= {"cells": sweep.cells, "plot": [dict(plot) for plot in plots]}
    study |= logged_facts({id(p): p for b in sweep.batches for p in b.policies}.values())
    asked = ",".join(f"{name}={value}" for name, value in (axes | fixed).items())
    name = folder.slug(f"{spec.template.spec},{asked}", source_of(spec.template))
    path = out if out is not None else Path("results") / f"variance-sweep-{name}"
    with partial_result(path, study, as_table([], spec.swept), overwrite) as partial:
        try:
            study["cells_there"] = _fill(partial, sweep, workers, quiet)
            table = folder.read_table(path)
            _draw(path, table, figures)
        except KeyboardInterrupt:
            places = sweep.places(partial.rows(sweep.identity))
            done = f"{len(set(places)):,} of {sweep.cells:,} cells, which are in {path}"
            stopped = f"after {done}" if places else "before the first cell was done"
            print(f"maxpo: stopped {stopped}; the same command again continues", file=sys.stderr)
            raise
    if as_json:
        print_json(folder.read_study(path), table)
    elif not quiet:
        screen = console()
        screen.print(sweep_view(table, study))
        screen.print(f"\nwritten to {path}", soft_wrap=True)


def _check_figure(figure: PlotSpec, sweep: Sweep) -> None:
    """Raises `InputError` for a figure of what this sweep does not have, before it is run."""
    swept = [axis.name for axis in sweep.spec.axes]
    axes = {"x": figure.x, "col": figure.col, "row": figure.row}
    if figure.kind == "map":
        axes["y"] = figure.y
    for name, column in axes.items():
        if column is not None and column not in swept:
            raise InputError(
                f"[[plot]]: {name} is '{column}', which is not swept; swept are {', '.join(swept)}"
            )
    estimators = [estimator.name for estimator in sweep.spec.asked]
    compared = figure.ratio.split("/") if figure.kind == "map" else []
    for estimator in (*figure.estimators, *compared):
        if estimator not in estimators:
            raise InputError(
                f"[[plot]]: {unknown('estimator of this sweep', estimator, estimators)}"
            )


def _fill(partial: Partial, sweep: Sweep, workers: int, quiet: bool) -> int:
    """Adds the rows of the batches that are missing, and puts all rows in the grid's order.

    Gives the number of cells that were there already.
    """
    places = sweep.places(partial.rows(sweep.identity))
    left, kept = sweep.left(places)
    partial.keep(kept)
    there = sweep.cells - sum(len(batch.cells) for batch in left)
    if not left and partial.complete:
        return there
    with progress(
        quiet,
        TextColumn("{task.fields[cells]:,}/{task.fields[all]:,} cells"),
        BarColumn(20),
        TimeRemainingColumn(),
        TextColumn(
            "{task.description}",
            table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
        ),
        expand=True,
    ) as bar:
        cells = there
        work, whole = (sum(b.work for b in batches) for batches in (left, sweep.batches))
        task = bar.add_task(
            "", total=whole, completed=int(whole - work), cells=cells, all=sweep.cells
        )

        def begin(batch: Batch) -> None:
            bar.update(task, description=batch.title(sweep.spec.swept))

        def advance(done: float) -> None:
            bar.advance(task, done)

        for batch, rows in sweep.run(left, workers, begin, advance):
            partial.append(rows)
            cells += len(batch.cells)
            bar.update(task, cells=cells)
    partial.finish(row_order(sweep.places(partial.rows(sweep.identity))))
    return there


def _draw(path: Path, table: pd.DataFrame, figures: Sequence[PlotSpec]) -> None:
    """The figures asked for, or the one that fits the table, where one does."""
    for number, spec in enumerate(figures or [PlotSpec()], 1):
        try:
            write(path / folder.FIGURES, *draw(table, spec))
        except InputError as error:
            if figures:
                raise InputError(f"the table is written, but [[plot]] {number}: {error}") from None
            print(f"maxpo: no figure: {error}", file=sys.stderr)
