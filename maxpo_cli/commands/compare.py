"""`maxpo compare`: every estimator side by side."""

from pathlib import Path
from typing import Annotated

import typer

from maxpo_cli.commands import options
from maxpo_cli.errors import InputError


def compare(
    policy: Annotated[
        str | None,
        typer.Option(
            help="A policy spec: bernoulli, categorical or gaussian with its keys; the README "
            "lists them.",
            show_default="bernoulli:p=0.1",
        ),
    ] = None,
    rewards: Annotated[
        Path | None,
        typer.Option(
            help="Logged rewards instead of a policy: CSV or JSON Lines, a row a sample, or a row "
            "a prompt with the columns samples and correct."
        ),
    ] = None,
    n: Annotated[int, typer.Option("-n", help="Group size N.")] = 16,
    k: Annotated[int, typer.Option("-k", help="K of max@K.")] = 4,
    estimators: options.Estimators = "default",
    engine: options.Engine = "auto",
    groups: options.Groups = 100_000,
    seed: options.Seed = 0,
    device: options.Device = "auto",
    dtype: options.Dtype = "float64",
    reference: options.Reference = "ei",
    group_column: Annotated[
        str | None,
        typer.Option(help="Column of --rewards that tells the prompt.", show_default="prompt"),
    ] = None,
    reward_column: Annotated[
        str | None,
        typer.Option(help="Column of --rewards that holds the reward.", show_default="reward"),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            help="Only rows of --rewards with COLUMN=VALUE; when repeated, all must hold."
        ),
    ] = None,
    out: options.Out = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare every advantage estimator at one policy, group size N and K.

    Bias, centering and gradient variance of each, exact wherever that is possible: as a table
    here, and as table.csv, study.json and a figure in the result folder.
    """
    from maxpo_cli.commands.show import run_study
    from maxpo_cli.policies.files import RewardsFile, read_logged
    from maxpo_cli.policies.spec import parse_policy
    from maxpo_cli.studies.compare import CompareSpec

    if policy is not None and rewards is not None:
        raise InputError("--policy and --rewards exclude each other: give one of them")
    about_file = {
        "--where": where,
        "--group-column": group_column,
        "--reward-column": reward_column,
    }
    for option, given in about_file.items():
        if given and rewards is None:
            raise InputError(f"{option} is about --rewards; give --rewards FILE")
    if rewards is None:
        file, chosen = None, parse_policy(policy or "bernoulli:p=0.1")
    else:
        conditions = tuple(_condition(text) for text in where or ())
        columns = (group_column or "prompt", reward_column or "reward")
        file = RewardsFile(rewards, *columns, conditions)
        chosen = read_logged(file)
    spec = CompareSpec(
        policy=chosen,
        n=n,
        k=k,
        estimators=tuple(name.strip() for name in estimators.split(",")),
        engine=engine,
        groups=groups,
        seed=seed,
        device=device,
        dtype=dtype,
        reference=reference,
    )
    run_study(spec, file, out=out, as_json=json, quiet=quiet)


def _condition(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not equals or not column:
        raise InputError(f"--where takes COLUMN=VALUE; got '{text}'")
    return column.strip(), value.strip()
