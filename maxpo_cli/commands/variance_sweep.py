"""`maxpo variance-sweep`: every estimator over a grid."""

from typing import Annotated

import typer

from maxpo_cli.commands import options


def variance_sweep(
    context: typer.Context,
    grid: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=VALUES, repeatable: n, k or a key of the policy (with --rewards, a column "
            "of the file), over a list [bold]1,2,4[/] or a range [bold]START:STOP:COUNT[/] or "
            "[bold]START:STOP:COUNT:log[/].",
            show_default="p=0.01:0.9:20:log and k=2,4,8 of categorical:outcomes=1000",
        ),
    ] = None,
    policy: options.Policy = None,
    rewards: options.Rewards = None,
    n: options.N = 16,
    k: options.K = 4,
    estimators: options.Estimators = "default",
    engine: options.Engine = "auto",
    groups: options.Groups = 100_000,
    until_rel_error: options.UntilRelError = None,
    rtol: options.Rtol = 1e-8,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    dtype: options.Dtype = "float64",
    reference: options.Reference = "ei",
    group_column: options.GroupColumn = None,
    reward_column: options.RewardColumn = None,
    where: options.Where = None,
    workers: Annotated[
        int, typer.Option(min=1, help="CPU processes; a GPU is worked from one.")
    ] = 1,
    config: options.Config = None,
    out: options.Out = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the result of another study.")
    ] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Map where each estimator wins: variance, bias and centering over a grid.

    Finished cells are kept: the same command again continues where it was stopped or killed.
    """
    from maxpo_cli.commands.show_sweep import run_sweep
    from maxpo_cli.commands.source import read_settings, read_sweep_source
    from maxpo_cli.studies.sweep import Sweep, SweepSpec

    template, sizes = read_sweep_source(context)
    sweep = Sweep(SweepSpec(template, **sizes, **read_settings(context)))
    run_sweep(
        sweep,
        plots=context.obj or [],
        workers=workers,
        out=out,
        overwrite=overwrite,
        as_json=json,
        quiet=quiet,
    )
