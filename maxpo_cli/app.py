"""The Typer application: registers the commands, and turns errors into sentences."""

import gc
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from maxpo_cli import __version__
from maxpo_cli.commands.bench import bench
from maxpo_cli.commands.compare import compare
from maxpo_cli.commands.estimators import estimators
from maxpo_cli.commands.examples import examples
from maxpo_cli.commands.plot import plot
from maxpo_cli.commands.variance_sweep import variance_sweep
from maxpo_cli.errors import InputError
from maxpo_cli.runners.interrupts import INTERRUPTED, end_at_interrupts
from maxpo_cli.terminal.streams import open_streams, put, report, say

app = typer.Typer(
    name="maxpo",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(epilog=examples("compare"))(compare)
app.command(epilog=examples("variance-sweep"))(variance_sweep)
app.command(epilog=examples("plot"))(plot)
app.command(epilog=examples("estimators"))(estimators)
app.command(epilog=examples("bench"))(bench)


@app.callback(invoke_without_command=True)
def _maxpo(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Choose, check and understand max@K advantage estimators."""
    if version:
        put(f"maxpo {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        put(context.get_help())


def main() -> None:
    """The `maxpo` command. Bad input: one sentence on standard error and exit status 2."""
    end_at_interrupts()
    open_streams()
    # Loading torch, pandas and matplotlib makes many objects and no garbage: collecting it along
    # the way costs half a second, and so does freeing everything at the end.
    gc.set_threshold(100_000)
    status = run()
    end_at_interrupts()
    if status == INTERRUPTED:
        gc.collect()  # which gives back what worker processes shared
    os._exit(status)


def run() -> int:
    """Runs the command line and gives its exit status; bad input is told in one sentence."""
    try:
        _require_folder()
        status = app(standalone_mode=False)
        sys.stdout.flush()
    except InputError as error:
        return _fail(str(error))
    except TyperException as error:  # what Typer itself finds wrong with the command line
        return _fail(error.format_message())
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else 1
    except OSError as error:  # a disk that is full, a folder that is gone
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{(error.strerror or str(error)).lower()}")
    except MemoryError:
        return _fail("this takes more memory than there is")
    except Exception:
        report(traceback.format_exc())
        return 1
    return status if isinstance(status, int) else 0


def _require_folder() -> None:
    """Raises `InputError` where the current folder is gone: torch would end the process."""
    try:
        Path.cwd()
    except OSError as error:
        raise InputError(f"the current folder: {(error.strerror or '').lower()}") from None


def _fail(sentence: str) -> int:
    say(sentence)
    return 2
