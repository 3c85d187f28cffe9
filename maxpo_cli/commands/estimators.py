"""`maxpo estimators`: the catalogue, and the identities between its entries."""

from typing import Annotated

import typer

from maxpo_cli.commands import options
from maxpo_cli.studies.settings import Settings


def estimators(
    identities: Annotated[
        bool,
        typer.Option(
            "--identities",
            help="Check the identities between estimators on random groups and print the largest "
            "deviation of each, relative to the largest reward of a group.",
        ),
    ] = False,
    seed: options.Seed = Settings.seed,
    json: options.Json = False,
) -> None:
    """List the estimators.

    Formula, source, bias and centering of each, and for which K it is defined.
    """
    from maxpo_cli.studies.catalogue import catalogue_table
    from maxpo_cli.studies.identities import check_identities
    from maxpo_cli.terminal.catalogue import estimators_view, identities_view
    from maxpo_cli.terminal.output import print_json
    from maxpo_cli.terminal.screen import console, progress, rendered
    from maxpo_cli.terminal.streams import put

    if identities:
        with progress(quiet=False) as bar:
            task = bar.add_task("identities", total=1.0)
            table = check_identities(seed, lambda done: bar.advance(task, done))
    else:
        table = catalogue_table()
    if json:
        print_json({"study": "identities" if identities else "estimators"}, table)
    else:
        view = identities_view if identities else estimators_view
        put(rendered(view(table, console().width)))
