"""`maxpo compare`: every estimator side by side."""

import typer

from maxpo_cli.commands import options


def compare(
    context: typer.Context,
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
    config: options.Config = None,
    out: options.Out = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare every advantage estimator at one policy, group size N and K.

    Bias, centering and gradient variance of each, exact wherever that is possible: as a table
    here, and as table.csv, study.json and a figure in the result folder.
    """
    from maxpo_cli.commands.show import run_comparison
    from maxpo_cli.commands.source import read_settings, read_source
    from maxpo_cli.studies.compare import CompareSpec

    template = read_source(context)
    spec = CompareSpec(template.at({}), n, k, **read_settings(context))
    run_comparison(spec, template, out=out, as_json=json, quiet=quiet)
