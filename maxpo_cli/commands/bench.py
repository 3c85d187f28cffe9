"""`maxpo bench`: how long advantages and Monte Carlo take on this machine."""

from typing import Annotated

import typer

from maxpo_cli.commands import options


def bench(
    context: typer.Context,
    n: Annotated[
        str, typer.Option("-n", help="Group sizes N, separated by commas.")
    ] = "16,64,256,1024,4096",
    k: options.K = 4,
    estimators: Annotated[
        str, typer.Option(help="Estimators to time, separated by commas.")
    ] = "l2o",
    peer: Annotated[
        list[str] | None,
        typer.Option(
            help="MODULE:FUNCTION of an advantage function that you have installed, or that stands "
            "in this folder; it takes rewards [groups, N] or [N], and K if it has a second "
            "argument. Repeatable."
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long to time each row, at the least.")] = 0.2,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    dtype: options.Dtype = "float64",
    config: options.Config = None,
    out: options.Out = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Time advantages against N, and Monte Carlo beside its floor of draws and sort.

    Leave-Two-Out by listing subsets, by pairs and by one sort, and functions of your own.
    """
    from maxpo_cli.commands.show_bench import run_bench
    from maxpo_cli.errors import InputError
    from maxpo_cli.studies.bench import BenchSpec

    if not all(size.strip().isdecimal() for size in n.split(",")):
        raise InputError(f"-n takes group sizes separated by commas; got '{n}'")
    sizes = tuple(sorted({int(size) for size in n.split(",")}))
    names = options.names(estimators)
    spec = BenchSpec(sizes, k, names, tuple(peer or ()), device, dtype, seed, seconds)
    run_bench(spec, out, json, quiet)
