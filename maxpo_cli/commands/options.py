"""Options that commands share: the same option has the same name and meaning in every command."""

import math
from pathlib import Path
from typing import Annotated

import typer

from maxpo_cli.commands.config import read_config

Policy = Annotated[
    str | None,
    typer.Option(
        help="A policy spec: bernoulli, categorical or gaussian with its keys; the README lists "
        "them.",
        show_default="bernoulli:p=0.1",
    ),
]
Rewards = Annotated[
    Path | None,
    typer.Option(
        help="Logged rewards instead of a policy: CSV or JSON Lines, a row a sample, or a row a "
        "prompt with the columns samples and correct."
    ),
]
N = Annotated[int, typer.Option("-n", help="Group size N.")]
K = Annotated[int, typer.Option("-k", help="K of max@K.")]
Estimators = Annotated[
    str,
    typer.Option(
        help="Names separated by commas, [bold]all[/], or [bold]default[/] (canonical, l2o, ei, "
        "pkpo, pkpo-loo, canonical-plugin, oracle)."
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        help="auto, enumeration, threshold (rank-linear estimators) or monte-carlo; auto is exact "
        "wherever it can be."
    ),
]


def _whole(text: str) -> int:
    """A whole number, as 100000 or 1e5."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not value.is_integer():
        raise typer.BadParameter(f"'{text}' is not a whole number")
    return int(value)


Groups = Annotated[
    int,
    typer.Option(help="Monte Carlo groups (a prompt).", parser=_whole, metavar="INTEGER"),
]
UntilRelError = Annotated[
    float | None,
    typer.Option(
        help="Stop sampling before --groups once the standard error of every variance ratio is at "
        "most this share of it."
    ),
]
Rtol = Annotated[
    float,
    typer.Option(
        help="Refine the thresholds of a continuous reward until no figure moves by more than this "
        "share of it."
    ),
]
Seed = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of the random draws.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:i.")]
Dtype = Annotated[str, typer.Option(help="float64 or float32, what advantages are computed in.")]
Reference = Annotated[str, typer.Option(help="The estimator whose variance is the unit.")]
GroupColumn = Annotated[
    str | None,
    typer.Option(help="Column of --rewards that tells the prompt.", show_default="prompt"),
]
RewardColumn = Annotated[
    str | None,
    typer.Option(help="Column of --rewards that holds the reward.", show_default="reward"),
]
Where = Annotated[
    list[str] | None,
    typer.Option(help="Only rows of --rewards with COLUMN=VALUE; when repeated, all must hold."),
]
Config = Annotated[
    Path | None,
    typer.Option(
        help="A TOML file with these options by name, or the study.json of a result; options on "
        "the command line win.",
        is_eager=True,
        callback=read_config,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(help="Result folder; by default results/COMMAND-SPEC under this folder."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No table, no progress.")]


def names(text: str) -> tuple[str, ...]:
    """The names of an option that takes several, separated by commas, each once."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
