"""From a bench to what the user gets: progress, the result folder, the tables or the JSON."""

import sys
from pathlib import Path

from maxpo_cli.commands.record import made_with, print_json
from maxpo_cli.storage import folder
from maxpo_cli.plots.bench import BENCH, bench_figure, bench_view
from maxpo_cli.plots.kinds import write
from maxpo_cli.terminal.comparison import console, progress
from maxpo_cli.studies.bench import BenchSpec, bench
from maxpo_cli.studies.measuring import find_device


def run_bench(spec: BenchSpec, out: Path | None, as_json: bool, quiet: bool) -> None:
    """Times what the spec asks for, writes its folder and shows it."""
    device = find_device(spec.device)
    path = out if out is not None else Path("results") / f"{BENCH}-{device.type}-k{spec.k}"
    with folder.new_result(path, BENCH) as draft:
        with progress(quiet) as bar:
            task = bar.add_task(BENCH, total=1.0)
            table = bench(spec, lambda done: bar.advance(task, done))
        options = {
            "n": list(spec.sizes), "k": spec.k, "estimators": list(spec.estimators),
            "peer": list(spec.peers), "seconds": spec.seconds, "seed": spec.seed,
            "device": spec.device, "dtype": spec.dtype,
        }  # fmt: skip
        study = {
            "study": BENCH,
            "spec": options,
            "command_line": ["maxpo", *sys.argv[1:]],
        } | made_with(str(table["device"].iloc[0]))
        folder.write_table(draft / folder.TABLE, table)
        folder.write_study(draft / folder.STUDY, study)
        write(draft / folder.FIGURES, BENCH, bench_figure(folder.read_table(draft)))
    if as_json:
        print_json(study, table)
    elif not quiet:
        screen = console()
        screen.print(bench_view(table, study))
        screen.print(f"\nwritten to {path}", soft_wrap=True)
