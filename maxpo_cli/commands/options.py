"""The options that commands share: the same option has the same name and meaning in every command.

An option is a field of a dataclass (its name, type and default) and an entry of `WORDS` (its help).
"""

from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields
from functools import wraps
from inspect import Parameter, Signature
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from typer.models import OptionInfo

from maxpo_cli.commands.config import read_config
from maxpo_cli.commands.parsers import number, whole, whole_from
from maxpo_cli.studies.settings import DEFAULT_COLUMNS, DEFAULT_GRID, DEFAULT_POLICY

POLICY_KEYS = {
    "bernoulli": ("p", "outcomes"),
    "categorical": ("rewards", "probs", "p", "outcomes", "norms"),
    "gaussian": ("mean", "std", "reward", "learn", "dim", "c", "a", "f"),
}
"""The keys of each kind of policy: a copy, since the policies themselves need torch to load."""


@dataclass(frozen=True)
class Word:
    """How the command line takes an option: as which type, with which help."""

    type: Any
    option: OptionInfo


def _text(*names: str, help: str, **more: Any) -> OptionInfo:
    found: OptionInfo = typer.Option(*names, help=help, **more)
    return found


def _policies() -> str:
    """The kinds of policies with their keys."""
    texts = [f"{name} ({', '.join(keys)})" for name, keys in POLICY_KEYS.items()]
    return f"{', '.join(texts[:-1])} or {texts[-1]}"


WHOLE: dict[str, Any] = {"parser": whole, "metavar": "INTEGER"}
NUMBER: dict[str, Any] = {"parser": number, "metavar": "NUMBER"}

WORDS = {
    "grid": Word(
        list[str] | None,
        _text(
            help="NAME=VALUES, repeatable: n, k or a key of the policy (with --rewards, a column "
            "of the file), over a list 1,2,4 or a range START:STOP:COUNT or START:STOP:COUNT:log. "
            "It takes the place of the same key of --policy, and all of them that of the grid of "
            "--config.",
            metavar="NAME=VALUES",
            show_default=f"{' and '.join(DEFAULT_GRID)} of {DEFAULT_POLICY.partition(':')[0]}",
        ),
    ),
    "policy": Word(
        str | None,
        _text(
            help=f"NAME:KEY=VALUE,KEY=VALUE; names and their keys are {_policies()}. The items of "
            "rewards, probs, outcomes and norms are separated by slashes. Answers never repeat "
            "unless outcomes is given (outcomes=1 is a bandit).",
            metavar="SPEC",
            show_default=DEFAULT_POLICY,
        ),
    ),
    "rewards": Word(
        Path | None,
        _text(
            help="Logged rewards instead of a policy: CSV or JSON Lines, one row per sample, or "
            "one per prompt with the columns samples and correct.",
            metavar="FILE",
        ),
    ),
    "n": Word(int, _text("-n", "--group-size", help="Group size N.", **WHOLE)),
    "k": Word(
        int,
        _text("-k", "--best-of", help="K of max@K, the mean best of K.", **WHOLE),
    ),
    "estimators": Word(
        str,
        _text(
            help="Names separated by commas, all, or default (canonical, l2o, ei, pkpo, pkpo-loo, "
            "canonical-plugin, oracle); l2o is Leave-Two-Out, ei is expected improvement.",
            metavar="NAMES",
        ),
    ),
    "engine": Word(
        str,
        _text(
            help="auto, enumeration, threshold (rank-linear estimators) or monte-carlo; auto is "
            "exact wherever it can be.",
            metavar="NAME",
        ),
    ),
    "groups": Word(int, _text(help="Monte Carlo groups (per prompt).", **WHOLE)),
    "until_rel_error": Word(
        float | None,
        _text(
            help="Stop sampling before --groups once the standard error of every variance ratio "
            "is at most this share of it.",
            **NUMBER,
        ),
    ),
    "rtol": Word(
        float,
        _text(
            help="Refine the thresholds of a continuous reward until no metric moves by more than "
            "this share of it.",
            **NUMBER,
        ),
    ),
    "seed": Word(
        int,
        _text(
            help="Seed of the random draws, 0 or more.",
            parser=whole_from(0, 2**63 - 1),
            metavar="INTEGER",
        ),
    ),
    "device": Word(str, _text(help="auto, cpu, cuda or cuda:i.", metavar="NAME")),
    "dtype": Word(
        str, _text(help="float64 or float32, what advantages are computed in.", metavar="NAME")
    ),
    "reference": Word(
        str, _text(help="The estimator whose variance is the unit of ratios.", metavar="NAME")
    ),
    "group_column": Word(
        str | None,
        _text(
            help="Column of --rewards that names the prompt.",
            metavar="COLUMN",
            show_default=DEFAULT_COLUMNS[0],
        ),
    ),
    "reward_column": Word(
        str | None,
        _text(
            help="Column of --rewards that holds the reward.",
            metavar="COLUMN",
            show_default=DEFAULT_COLUMNS[1],
        ),
    ),
    "where": Word(
        list[str] | None,
        _text(
            help="Only rows of --rewards with this; when repeated, all must hold.",
            metavar="COLUMN=VALUE",
        ),
    ),
    "sizes": Word(
        str,
        _text("-n", "--group-size", help="Group sizes N, separated by commas.", metavar="INTEGERS"),
    ),
    "peers": Word(
        list[str] | None,
        _text(
            "--peer",
            help="An advantage function that you have installed, or that stands in this folder; "
            "it takes rewards [groups, N] or [N], and K if it has a second argument. Repeatable.",
            metavar="MODULE:FUNCTION",
        ),
    ),
    "seconds": Word(float, _text(help="How long to time each row, at least.", **NUMBER)),
    "workers": Word(
        int,
        _text(
            help="CPU processes, 1 or more; a GPU takes one.",
            parser=whole_from(1),
            metavar="INTEGER",
        ),
    ),
    "config": Word(
        Path | None,
        _text(
            help="A TOML file with these options by name, or the study.json of a result; options "
            "on the command line win.",
            metavar="FILE",
            is_eager=True,
            callback=read_config,
        ),
    ),
    "out": Word(
        Path | None,
        _text(
            help="Result folder; by default results/COMMAND-SPEC under this folder.",
            metavar="FOLDER",
        ),
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
