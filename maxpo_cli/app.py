"""The Typer application: registers the commands, and turns errors into sentences."""

import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from maxpo_cli import __version__
from maxpo_cli.commands.compare import compare
from maxpo_cli.commands.estimators import estimators
from maxpo_cli.commands.plot import plot
from maxpo_cli.errors import InputError

app = typer.Typer(
    name="maxpo",
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(compare)
app.command()(estimators)
app.command()(plot)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"maxpo {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _maxpo(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="The version.")
    ] = False,
) -> None:
    """Choose, check and understand max@K advantage estimators."""
    if context.invoked_subcommand is None:
        print(context.get_help())


def main() -> None:
    """The `maxpo` command. Bad input: one sentence on standard error and exit status 2."""
    try:
        status = app(standalone_mode=False)
    except InputError as error:
        status = _fail(str(error))
    except TyperException as error:  # what Typer itself finds wrong with the command line
        status = _fail(error.format_message())
    except typer.Abort:
        status = 130
    sys.exit(status if isinstance(status, int) else 0)


def _fail(sentence: str) -> int:
    print(f"maxpo: {' '.join(sentence.split())}", file=sys.stderr)
    return 2
