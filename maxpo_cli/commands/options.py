"""Options that commands share: the same option has the same name and meaning in every command."""

from pathlib import Path
from typing import Annotated

import typer

Estimators = Annotated[
    str,
    typer.Option(
        help="Names separated by commas, [bold]all[/], or [bold]default[/] (canonical, l2o, ei, "
        "pkpo, pkpo-loo, canonical-plugin, oracle)."
    ),
]
Engine = Annotated[
    str, typer.Option(help="auto, enumeration or monte-carlo; auto is exact wherever it can be.")
]
Groups = Annotated[int, typer.Option(help="Monte Carlo groups (a prompt).")]
Seed = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of the random draws.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:i.")]
Dtype = Annotated[str, typer.Option(help="float64 or float32, what advantages are computed in.")]
Reference = Annotated[str, typer.Option(help="The estimator whose variance is the unit.")]
Out = Annotated[
    Path | None,
    typer.Option(help="Result folder; by default results/COMMAND-SPEC under this folder."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No table, no progress.")]
