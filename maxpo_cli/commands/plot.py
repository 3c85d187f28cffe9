"""`maxpo plot`: the figures of result folders, drawn from their tables."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maxpo_cli.errors import InputError, unknown
from maxpo_cli.plots.spec import DEFAULT_FORMATS, FORMATS, PlotSpec
from maxpo_cli.studies.settings import listed

if TYPE_CHECKING:
    from maxpo_cli.storage.result import Result


def _show_kinds(asked: bool) -> None:
    """Prints the kinds of figures and leaves."""
    if not asked:
        return
    from maxpo_cli.plots.plot import KINDS

    width = max(map(len, KINDS)) + 2
    for kind in sorted(KINDS.values(), key=lambda kind: kind.name):
        print(f"{kind.name:{width}}{kind.summary}")
    raise typer.Exit


def plot(
    results: Annotated[
        list[Path],
        typer.Argument(help="Result folders, as maxpo writes them.", metavar="RESULT..."),
    ],
    kind: Annotated[
        str,
        typer.Option(
            help="lines, map, centering, … (--kinds lists them); auto is what suits the table."
        ),
    ] = PlotSpec.kind,
    x: Annotated[str | None, typer.Option(help="The swept column along the x axis.")] = None,
    y: Annotated[
        str | None,
        typer.Option(
            help="Of lines: the metric (ratio, relative_bias, mse, …), or one divided by N or K as "
            "in snr/n; of a map: the swept column along the y axis."
        ),
    ] = None,
    col: Annotated[str | None, typer.Option(help="The swept column of panels across.")] = None,
    row: Annotated[str | None, typer.Option(help="The swept column of panels down.")] = None,
    estimators: Annotated[
        str, typer.Option(help="The estimators to show, separated by commas; by default all.")
    ] = "",
    ratio: Annotated[
        str, typer.Option(help="The two estimators whose variances a map compares.")
    ] = PlotSpec.ratio,
    where: Annotated[
        list[str] | None,
        typer.Option(help="Only rows of this COLUMN=VALUE; repeat it for more columns or values."),
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", help="png, svg and pdf, separated by commas.")
    ] = ",".join(DEFAULT_FORMATS),
    out: Annotated[
        Path | None, typer.Option(help="Folder for the files; by default RESULT/figures.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
    kinds: Annotated[
        bool,
        typer.Option(
            "--kinds", is_eager=True, callback=_show_kinds, help="List the kinds of figures."
        ),
    ] = False,
) -> None:
    """Draw results: lines or a map of a sweep, how centered advantages are, or one comparison."""
    from maxpo_cli.plots.plot import draw, write
    from maxpo_cli.storage.folder import FIGURES, folder_of

    endings = listed(formats)
    for ending in endings:
        if ending not in FORMATS:
            raise unknown("--format", ending, FORMATS)
    if not endings:
        raise InputError(f"--format: name one or more of {', '.join(FORMATS)}")
    if len(results) > 1 and out is None:
        raise InputError("--out is needed where several results make one figure: name its folder")
    spec = PlotSpec(
        kind=kind,
        x=x,
        y=y,
        col=col,
        row=row,
        estimators=listed(estimators),
        ratio=ratio,
        where=tuple(where or ()),
    )
    stem, figure = draw(_read(results), spec)
    place = out or folder_of(results[0]) / FIGURES
    for path in write(place, stem, figure, endings):
        if not quiet:
            print(f"written to {path}")


def _read(paths: list[Path]) -> "Result":
    """One result, or several joined under the names of their folders."""
    from maxpo_cli.plots.coordinates import join
    from maxpo_cli.storage.folder import folder_of
    from maxpo_cli.storage.result import read_result

    results = {folder: read_result(folder) for folder in map(folder_of, paths)}
    if len(results) == 1:
        return next(iter(results.values()))
    unlike = len({folder.resolve().name for folder in results}) == len(results)
    return join(
        {folder.resolve().name if unlike else str(folder): r for folder, r in results.items()}
    )
