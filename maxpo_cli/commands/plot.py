"""`maxpo plot`: the figure of a result folder, from its table alone."""

from pathlib import Path
from typing import Annotated

import typer

from maxpo_cli.commands import options
from maxpo_cli.errors import InputError, unknown


def plot(
    result: Annotated[Path, typer.Argument(help="A result folder, as maxpo compare writes it.")],
    formats: Annotated[
        str, typer.Option("--format", help="png, svg, or both separated by a comma.")
    ] = "png,svg",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the files; by default RESULT/figures.")
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Draw a comparison: variance ratio and bias with 95% intervals, and centering."""
    from maxpo_cli.reports import figures, folder

    endings = [ending.strip() for ending in formats.split(",")]
    for ending in endings:
        if ending not in figures.FORMATS:
            raise unknown("--format", ending, figures.FORMATS)
    table = folder.read_table(result)
    folder.require_columns(table, figures.COMPARISON_COLUMNS, result / folder.TABLE)
    cells = table[["policy", "n", "k"]].drop_duplicates()
    if len(cells) > 1:
        raise InputError(
            f"{result / folder.TABLE} holds {len(cells)} cells of (policy, n, k); "
            "a comparison is drawn of one"
        )
    for ending in endings:
        path = (out or result / folder.FIGURES) / f"{figures.COMPARISON}.{ending}"
        folder.replace_file(path, lambda draft: figures.save(figures.comparison(table), draft))
        if not quiet:
            print(f"written to {path}")
