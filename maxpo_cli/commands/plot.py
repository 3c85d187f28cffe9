"""`maxpo plot`: the figures of result folders, from their tables alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maxpo_cli.commands import options
from maxpo_cli.errors import InputError, unknown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from maxpo_cli.plots.kinds import PlotSpec


def plot(
    results: Annotated[
        list[Path],
        typer.Argument(help="Result folders, as maxpo writes them.", metavar="RESULT..."),
    ],
    kind: Annotated[
        str, typer.Option(help="lines, map, centering or comparison; auto is what suits the table.")
    ] = "auto",
    x: Annotated[str | None, typer.Option(help="The swept column along the x axis.")] = None,
    y: Annotated[
        str | None,
        typer.Option(
            help="Of lines: the figure column (ratio, relative_bias, mse, …); of a map: the swept "
            "column along the y axis."
        ),
    ] = None,
    col: Annotated[str | None, typer.Option(help="The swept column of panels across.")] = None,
    row: Annotated[str | None, typer.Option(help="The swept column of panels down.")] = None,
    estimators: Annotated[
        str, typer.Option(help="The estimators to show, separated by commas; by default all.")
    ] = "",
    ratio: Annotated[
        str, typer.Option(help="The two estimators whose variances a map compares.")
    ] = "l2o/ei",
    where: Annotated[
        list[str] | None,
        typer.Option(help="Only rows of this COLUMN=VALUE; repeat it for more columns or values."),
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", help="png, svg and pdf, separated by commas.")
    ] = "png,svg",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the files; by default RESULT/figures.")
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Draw results: lines or a map of a sweep, how centered advantages are, or one comparison."""
    from maxpo_cli.plots import kinds as plots
    from maxpo_cli.plots import style as drawing
    from maxpo_cli.storage import folder

    endings = options.names(formats)
    for ending in endings:
        if ending not in drawing.FORMATS:
            raise unknown("--format", ending, drawing.FORMATS)
    if not endings:
        raise InputError(f"--format: name one or more of {', '.join(drawing.FORMATS)}")
    if len(results) > 1 and out is None:
        raise InputError("--out is needed where several results make one figure: name its folder")
    spec = plots.PlotSpec(
        kind, x, y, col, row, options.names(estimators), ratio, tuple(where or ())
    )
    stem, figure = _bench(results, spec) or plots.draw(_read(results), spec)
    for path in plots.write(
        out or folder.folder_of(results[0]) / folder.FIGURES, stem, figure, endings
    ):
        if not quiet:
            print(f"written to {path}")


def _bench(results: list[Path], spec: "PlotSpec") -> "tuple[str, Figure] | None":
    """The figure of a bench, which has but one; None where the result is another's."""
    from maxpo_cli.plots import bench
    from maxpo_cli.plots import kinds as plots
    from maxpo_cli.storage import folder

    if not bench.is_bench(folder.read_table(folder.folder_of(results[0]))):
        return None
    if len(results) > 1 or spec != plots.PlotSpec():
        raise InputError("a bench has one figure: plot it alone and without options of other kinds")
    return bench.BENCH, bench.bench_figure(folder.read_table(folder.folder_of(results[0])))


def _read(results: list[Path]) -> "pd.DataFrame":
    """The table of one result, or those of several joined under the names of their folders."""
    from maxpo_cli.plots import coordinates as swept
    from maxpo_cli.storage import folder

    tables = {result: folder.read_table(result) for result in map(folder.folder_of, results)}
    for result, table in tables.items():
        try:
            swept.require_columns(table, swept.BASE)
        except InputError as error:
            raise InputError(f"{result / folder.TABLE}: {error}") from None
    if len(tables) == 1:
        return next(iter(tables.values()))
    unlike = len({result.resolve().name for result in tables}) == len(tables)
    return swept.join(
        {result.resolve().name if unlike else str(result): t for result, t in tables.items()}
    )
