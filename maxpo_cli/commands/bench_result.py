"""From a bench to what the user gets: progress, the result folder, the tables or the JSON."""

import sys
from contextlib import redirect_stdout

from maxpo_cli.commands.figures import draw_figures
from maxpo_cli.commands.options import OutputOptions
from maxpo_cli.commands.result_names import bench_folder
from maxpo_cli.plots.plot import STEMS
from maxpo_cli.runners.interrupts import raise_interrupts
from maxpo_cli.storage.growing_table import open_result
from maxpo_cli.storage.result import read_result
from maxpo_cli.studies.bench import COLUMNS, BenchSpec, bench
from maxpo_cli.studies.record import BENCH, bench_record
from maxpo_cli.terminal.bench import bench_view
from maxpo_cli.terminal.output import show
from maxpo_cli.terminal.screen import progress


def run(spec: BenchSpec, output: OutputOptions) -> None:
    """Times what the spec asks for, writes its folder and shows it."""
    raise_interrupts()
    record = bench_record(spec, ["maxpo", *sys.argv[1:]])
    path = output.out or bench_folder(spec)
    with open_result(path, record, COLUMNS, output.overwrite, STEMS) as result:
        found = result.complete
        if not found:
            with progress(output.quiet) as bar:
                task = bar.add_task(BENCH, total=1.0)
                with redirect_stdout(sys.stderr):  # what functions of the user print
                    table = bench(spec, lambda done: bar.advance(task, done))
            result.append(table)
            result.finish(range(len(table)))
        record = result.record
        draw_figures(path, (), changed=not found)
    table = read_result(path).table
    show(
        path, record, table,
        lambda width: bench_view(table, record, width, found),
        output.json, output.quiet,
    )  # fmt: skip
