"""`maxpo variance-sweep`: every estimator over a grid."""

import typer

from maxpo_cli.commands.config import grid_or_sizes, policy_or_rewards
from maxpo_cli.commands.options import SweepOutputOptions, takes
from maxpo_cli.studies.settings import SweepOptions


@takes(SweepOptions, SweepOutputOptions)
def variance_sweep(
    context: typer.Context, options: SweepOptions, output: SweepOutputOptions
) -> None:
    """Compare estimators over a grid.

    Variance, bias and centering in every cell, and where each estimator wins. Finished cells are
    kept: the same command again continues where it was stopped or killed.
    """
    from maxpo_cli.commands.results import SWEEP, run
    from maxpo_cli.studies.plan import Plan
    from maxpo_cli.studies.source import sweep_spec

    options = grid_or_sizes(context, policy_or_rewards(context, options))
    run(SWEEP, Plan(sweep_spec(options)), output, output.workers, context.obj or [])
