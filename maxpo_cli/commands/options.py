"""The options that commands share: the same option has the same name and meaning in every command.

An option is a field of a dataclass (its name, type and default) and an entry of `WORDS` (its help).
"""

import math
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields
from functools import wraps
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from typer.models import OptionInfo

from maxpo_cli.commands.config import read_config
from maxpo_cli.studies.settings import DEFAULT_COLUMNS, DEFAULT_GRID, DEFAULT_POLICY


def _whole(text: str) -> int:
    """A whole number, as 100000 or 1e5."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not value.is_integer():
        raise typer.BadParameter(f"'{text}' is not a whole number")
    return int(value)


@dataclass(frozen=True)
class Word:
    """How the command line takes an option: as which type, with which help."""

    type: Any
    option: OptionInfo


def _text(*names: str, help: str, **more: Any) -> OptionInfo:
    found: OptionInfo = typer.Option(*names, help=help, **more)
    return found


WORDS = {
    "grid": Word(
        list[str] | None,
        _text(
            help="NAME=VALUES, repeatable: n, k or a key of the policy (with --rewards, a column "
            "of the file), over a list [bold]1,2,4[/] or a range [bold]START:STOP:COUNT[/] or "
            "[bold]START:STOP:COUNT:log[/].",
            show_default=f"{' and '.join(DEFAULT_GRID)} of {DEFAULT_POLICY.partition(':')[0]}",
        ),
    ),
    "policy": Word(
        str | None,
        _text(
            help="A policy spec: bernoulli, categorical or gaussian with its keys; the README "
            "lists them. Answers never repeat unless outcomes is given (outcomes=1 is a bandit).",
            show_default=DEFAULT_POLICY,
        ),
    ),
    "rewards": Word(
        Path | None,
        _text(
            help="Logged rewards instead of a policy: CSV or JSON Lines, one row per sample, or "
            "one per prompt with the columns samples and correct."
        ),
    ),
    "n": Word(int, _text("-n", help="Group size N.")),
    "k": Word(int, _text("-k", help="K of max@K.")),
    "estimators": Word(
        str,
        _text(
            help="Names separated by commas, [bold]all[/], or [bold]default[/] (canonical, l2o, "
            "ei, pkpo, pkpo-loo, canonical-plugin, oracle); l2o is Leave-Two-Out, ei is expected "
            "improvement."
        ),
    ),
    "engine": Word(
        str,
        _text(
            help="auto, enumeration, threshold (rank-linear estimators) or monte-carlo; auto is "
            "exact wherever it can be."
        ),
    ),
    "groups": Word(
        int, _text(help="Monte Carlo groups (per prompt).", parser=_whole, metavar="INTEGER")
    ),
    "until_rel_error": Word(
        float | None,
        _text(
            help="Stop sampling before --groups once the standard error of every variance ratio "
            "is at most this share of it."
        ),
    ),
    "rtol": Word(
        float,
        _text(
            help="Refine the thresholds of a continuous reward until no metric moves by more than "
            "this share of it."
        ),
    ),
    "seed": Word(int, _text(min=0, max=2**63 - 1, help="Seed of the random draws.")),
    "device": Word(str, _text(help="auto, cpu, cuda or cuda:i.")),
    "dtype": Word(str, _text(help="float64 or float32, what advantages are computed in.")),
    "reference": Word(str, _text(help="The estimator whose variance is the unit of ratios.")),
    "group_column": Word(
        str | None,
        _text(help="Column of --rewards that names the prompt.", show_default=DEFAULT_COLUMNS[0]),
    ),
    "reward_column": Word(
        str | None,
        _text(help="Column of --rewards that holds the reward.", show_default=DEFAULT_COLUMNS[1]),
    ),
    "where": Word(
        list[str] | None,
        _text(help="Only rows of --rewards with COLUMN=VALUE; when repeated, all must hold."),
    ),
    "sizes": Word(str, _text("-n", help="Group sizes N, separated by commas.")),
    "peers": Word(
        list[str] | None,
        _text(
            "--peer",
            help="MODULE:FUNCTION of an advantage function that you have installed, or that "
            "stands in this folder; it takes rewards \\[groups, N] or \\[N], and K if it has a "
            "second argument. Repeatable.",
        ),
    ),
    "seconds": Word(float, _text(help="How long to time each row, at least.")),
    "workers": Word(int, _text(min=1, help="CPU processes; a GPU takes one.")),
    "config": Word(
        Path | None,
        _text(
            help="A TOML file with these options by name, or the study.json of a result; options "
            "on the command line win.",
            is_eager=True,
            callback=read_config,
        ),
    ),
    "out": Word(
        Path | None,
        _text(help="Result folder; by default results/COMMAND-SPEC under this folder."),
    ),
    "overwrite": Word(
        bool,
        _text("--overwrite", help="Replace the result of another study, or measure one again."),
    ),
    "json": Word(bool, _text("--json", help="One JSON object on standard output.")),
    "quiet": Word(bool, _text("--quiet", "-q", help="No table, no progress.")),
}
"""The options in the order in which help shows them."""

Seed = Annotated[int, WORDS["seed"].option]
Json = Annotated[bool, WORDS["json"].option]


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What a study does with its result."""

    config: Path | None = None
    out: Path | None = None
    overwrite: bool = False
    json: bool = False
    quiet: bool = False


@dataclass(frozen=True, kw_only=True)
class SweepOutputOptions(OutputOptions):
    """What a sweep does with its result, and how many processes measure it."""

    workers: int = 1


ANNOTATED: Any = Annotated
"""For annotations that are made here, which no type checker reads."""

A = TypeVar("A")
B = TypeVar("B")


def takes(
    study: type[A], output: type[B]
) -> Callable[[Callable[[typer.Context, A, B], None]], Callable[..., None]]:
    """Makes a function of two sets of options a command whose options are their fields."""

    def decorate(function: Callable[[typer.Context, A, B], None]) -> Callable[..., None]:
        @wraps(function)
        def command(context: typer.Context, **given: Any) -> None:
            function(context, _filled(study, given), _filled(output, given))

        both = {field.name: field for of in (study, output) for field in _fields(of)}
        options = [_parameter(both[name], word) for name, word in WORDS.items() if name in both]
        context = Parameter("context", Parameter.KEYWORD_ONLY, annotation=typer.Context)
        command.__signature__ = Signature([context, *options])  # type: ignore[attr-defined]
        command.__annotations__ = {}
        return command

    return decorate


def _fields(of: type[Any]) -> tuple[Field[Any], ...]:
    return fields(of)


def _parameter(field: Field[Any], word: Word) -> Parameter:
    default = None if field.default in ((), MISSING) else field.default
    annotation = ANNOTATED[word.type, word.option]
    return Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _filled(of: type[A], given: dict[str, Any]) -> A:
    """A set of options from the values of the command line, lists as tuples."""
    values = {field.name: given[field.name] for field in _fields(of)}
    for field in _fields(of):
        if field.default == ():
            values[field.name] = tuple(values[field.name] or ())
    return of(**values)
