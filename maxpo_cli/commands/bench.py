"""`maxpo bench`: how long advantages and Monte Carlo take on this machine."""

import typer

from maxpo_cli.commands.config import command_line_only
from maxpo_cli.commands.options import OutputOptions, takes
from maxpo_cli.studies.settings import BenchOptions


@takes(BenchOptions, OutputOptions)
def bench(context: typer.Context, options: BenchOptions, output: OutputOptions) -> None:
    """Time advantages and Monte Carlo.

    Advantages against N, and Monte Carlo compared with its lower bound, draws and a sort.
    Leave-Two-Out by listing subsets, by pairs and by one sort, and functions of your own.
    """
    command_line_only(context, "peers", "--peer")
    from maxpo_cli.commands.bench_result import run
    from maxpo_cli.studies.bench import BenchSpec

    run(BenchSpec(options), output)
