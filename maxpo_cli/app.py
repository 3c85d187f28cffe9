"""The Typer application: registers the commands, and turns errors into sentences."""

import gc
import os
import sys
import traceback
from typing import Annotated

import typer
from typer.exceptions import TyperException

from maxpo_cli import __version__
from maxpo_cli.commands.bench import bench
from maxpo_cli.commands.compare import compare
from maxpo_cli.commands.estimators import estimators
from maxpo_cli.commands.plot import plot
from maxpo_cli.commands.variance_sweep import variance_sweep
from maxpo_cli.errors import InputError

app = typer.Typer(
    name="maxpo",
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(compare)
app.command()(variance_sweep)
app.command()(plot)
app.command()(estimators)
app.command()(bench)


@app.callback(invoke_without_command=True)
def _maxpo(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Choose, check and understand max@K advantage estimators."""
    if version:
        print(f"maxpo {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


INTERRUPTED = 130
"""Exit status after Ctrl-C."""


def main() -> None:
    """The `maxpo` command. Bad input: one sentence on standard error and exit status 2."""
    # Loading torch, pandas and matplotlib makes many objects and no garbage: collecting it along
    # the way costs half a second, and so does freeing everything at the end.
    gc.set_threshold(100_000)
    status = run()
    if status == INTERRUPTED:
        gc.collect()  # which gives back what worker processes shared
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        status = 1
    os._exit(status)


def run() -> int:
    """Runs the command line and gives its exit status; bad input is told in one sentence."""
    try:
        status = app(standalone_mode=False)
    except InputError as error:
        return _fail(str(error))
    except TyperException as error:  # what Typer itself finds wrong with the command line
        return _fail(error.format_message())
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 1
    except Exception:
        traceback.print_exc()
        return 1
    return status if isinstance(status, int) else 0


def _fail(sentence: str) -> int:
    print(f"maxpo: {' '.join(sentence.split())}", file=sys.stderr)
    return 2
