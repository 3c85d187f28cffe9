"""From a bench to what the user gets: progress, the result folder, the tables or the JSON."""

import sys

from maxpo_cli.commands.options import OutputOptions
from maxpo_cli.commands.result_names import bench_folder
from maxpo_cli.plots.plot import STEMS, draw, write
from maxpo_cli.plots.spec import DEFAULT_FORMATS, PlotSpec
from maxpo_cli.storage import folder
from maxpo_cli.storage.growing_table import open_result
from maxpo_cli.storage.result import read_result
from maxpo_cli.studies.bench import COLUMNS, BenchSpec, bench
from maxpo_cli.studies.record import BENCH, bench_record
from maxpo_cli.terminal.bench import bench_view
from maxpo_cli.terminal.output import show
from maxpo_cli.terminal.screen import progress


def run(spec: BenchSpec, output: OutputOptions) -> None:
    """Times what the spec asks for, writes its folder and shows it."""
    record = bench_record(spec, ["maxpo", *sys.argv[1:]])
    path = output.out or bench_folder(spec)
    with open_result(path, record, COLUMNS, output.overwrite, STEMS) as result:
        found = result.complete
        if not found:
            with progress(output.quiet) as bar:
                task = bar.add_task(BENCH, total=1.0)
                table = bench(spec, lambda done: bar.advance(task, done))
            result.append(table)
            result.finish(range(len(table)))
        record = result.record
        if not found or not folder.has_figures(path, len(DEFAULT_FORMATS)):
            folder.remove_figure_drafts(path, STEMS)
            write(path / folder.FIGURES, *draw(read_result(path), PlotSpec()))
    table = read_result(path).table
    view = bench_view(table, record, found)
    show(path, record, table, lambda _: view, output.json, output.quiet)
