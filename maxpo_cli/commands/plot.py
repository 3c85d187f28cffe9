"""`maxpo plot`: the figures of result folders, drawn from their tables."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maxpo_cli.errors import InputError, unknown
from maxpo_cli.plots.spec import DEFAULT_FORMATS, FORMATS, PlotSpec
from maxpo_cli.runners.interrupts import raise_interrupts
from maxpo_cli.studies.settings import listed
from maxpo_cli.terminal.streams import put, put_line, say

if TYPE_CHECKING:
    from maxpo_cli.storage.result import Result


def _show_kinds(asked: bool) -> None:
    """Prints the kinds of figures and leaves."""
    if not asked:
        return
    from maxpo_cli.plots.plot import KINDS

    width = max(map(len, KINDS)) + 2
    for kind in sorted(KINDS.values(), key=lambda kind: kind.name):
        put(f"{kind.name:{width}}{kind.summary}")
    raise typer.Exit


def plot(
    results: Annotated[list[Path], typer.Argument(metavar="RESULT", hidden=True)],
    kind: Annotated[
        str,
        typer.Option(
            help="lines, map, centering, … (--kinds lists them); auto is what suits the table.",
            metavar="NAME",
        ),
    ] = PlotSpec.kind,
    x: Annotated[
        str | None, typer.Option(help="The swept column along the x axis.", metavar="COLUMN")
    ] = None,
    y: Annotated[
        str | None,
        typer.Option(
            help="Of lines: the metric (ratio, relative_bias, mse, …), or one divided by N or K as "
            "in snr/n; of a map: the swept column along the y axis.",
            metavar="COLUMN",
        ),
    ] = None,
    col: Annotated[
        str | None, typer.Option(help="The swept column of panels across.", metavar="COLUMN")
    ] = None,
    row: Annotated[
        str | None, typer.Option(help="The swept column of panels down.", metavar="COLUMN")
    ] = None,
    estimators: Annotated[
        str,
        typer.Option(
            help="The estimators to show, separated by commas; by default all.", metavar="NAMES"
        ),
    ] = "",
    ratio: Annotated[
        str, typer.Option(help="The two estimators whose variances a map compares.", metavar="A/B")
    ] = PlotSpec.ratio,
    where: Annotated[
        list[str] | None,
        typer.Option(
            help="Only rows with this; repeat it for more columns or values.",
            metavar="COLUMN=VALUE",
        ),
    ] = None,
    formats: Annotated[
        str,
        typer.Option("--format", help="png, svg and pdf, separated by commas.", metavar="NAMES"),
    ] = ",".join(DEFAULT_FORMATS),
    title: Annotated[
        str | None, typer.Option(help="A title in the place of the figure's own.", metavar="TEXT")
    ] = None,
    no_title: Annotated[bool, typer.Option("--no-title", help="No title at all.")] = False,
    width: Annotated[
        str,
        typer.Option(
            help="Width of the figure: page (180 mm), column (85 mm) or a number of millimetres.",
            metavar="WIDTH",
        ),
    ] = PlotSpec.width,
    label: Annotated[
        list[str] | None,
        typer.Option(help="What an estimator is called; repeatable.", metavar="ESTIMATOR=TEXT"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the files, whose names then end with those of the results; by default "
            "RESULT/figures.",
            metavar="FOLDER",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
    kinds: Annotated[
        bool,
        typer.Option(
            "--kinds", is_eager=True, callback=_show_kinds, help="List the kinds of figures."
        ),
    ] = False,
) -> None:
    """Draw the figures of results.

    A RESULT is a folder as maxpo writes it; several of them make one figure, in the folder --out.
    Lines or a map of a sweep, how centered advantages are, one comparison, or a bench.
    """
    from maxpo_cli.plots.names import file_stem
    from maxpo_cli.plots.plot import draw, write
    from maxpo_cli.storage.folder import FIGURES, folder_of

    raise_interrupts()
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
        title=title,
        no_title=no_title,
        width=width,
        label=tuple(label or ()),
    )
    folders = _distinct(results)
    stem, figure = draw(_read(folders), spec)
    place = out or folder_of(results[0]) / FIGURES
    if out is not None:
        stem = file_stem(stem, [folder.resolve().name for folder in folders])
    there = [(place / f"{stem}.{ending}").exists() for ending in endings]
    for path, existed in zip(write(place, stem, figure, endings), there, strict=True):
        if not quiet:
            put_line(f"{'replaced' if existed else 'written to'} {path}")


def _distinct(results: list[Path]) -> list[Path]:
    """The folders of results; raises `InputError` for one that is named twice."""
    from maxpo_cli.storage.folder import folder_of

    folders = [folder_of(result) for result in results]
    places = [folder.resolve() for folder in folders]
    for folder, place in zip(folders, places, strict=True):
        if places.count(place) > 1:
            raise InputError(f"{folder} is named twice; name each result once")
    return folders


def _read(folders: list[Path]) -> "Result":
    """One result, or several joined under the names of their folders."""
    from maxpo_cli.plots.coordinates import join
    from maxpo_cli.storage.result import read_result
    from maxpo_cli.storage.study import read_study

    results = {folder: read_result(folder) for folder in folders}
    for folder in folders:
        if not read_study(folder).complete:
            say(f"{folder} is not complete: the figure shows the cells that it has")
    if len(results) == 1:
        return next(iter(results.values()))
    unlike = len({folder.resolve().name for folder in results}) == len(results)
    return join(
        {folder.resolve().name if unlike else str(folder): r for folder, r in results.items()}
    )
