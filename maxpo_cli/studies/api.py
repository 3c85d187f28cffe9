"""`compare` and `sweep` in Python: the words of the command line in, a pandas table out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Real
from os import PathLike
from typing import TypedDict, Unpack, get_args, get_origin, get_type_hints

import pandas as pd

from maxpo_cli.errors import InputError, unknown
from maxpo_cli.storage.study import StudyRecord
from maxpo_cli.studies.plan import Plan
from maxpo_cli.studies.record import study_record
from maxpo_cli.studies.settings import Grid, StudyOptions, SweepOptions, axis_name, given_twice
from maxpo_cli.studies.source import compare_spec, sweep_spec
from maxpo_cli.studies.study import run_study

TYPES = {float: Real, Sequence: Iterable, Mapping: Mapping, PathLike: PathLike}
"""The values that a type of an option admits here; whole numbers are checked by themselves."""


class Words(TypedDict, total=False):
    """The words of `compare`, as `StudyOptions` explains them."""

    policy: str | None
    rewards: str | PathLike[str] | None
    n: int
    k: int
    estimators: str | Sequence[str]
    engine: str
    groups: int
    until_rel_error: float | None
    rtol: float
    seed: int
    device: str
    dtype: str
    reference: str
    group_column: str | None
    reward_column: str | None
    where: str | Sequence[str]


class SweepWords(Words, total=False):
    """The words of `sweep`, as `SweepOptions` explains them."""

    grid: Grid


@dataclass(frozen=True, eq=False)
class StudyResult:
    """A study that was measured.

    Attributes:
        table: one row per cell and estimator, with the columns of `table.csv`.
        study: what `study.json` would hold: the options, the versions, the device, the seconds.
        prompts: the same columns for each prompt of logged rewards, from `compare` alone.
    """

    table: pd.DataFrame
    study: StudyRecord
    prompts: pd.DataFrame | None


def compare(**words: Unpack[Words]) -> StudyResult:
    """Every estimator side by side at one policy, N and K.

    Args:
        words: the options of `maxpo compare` by name; `StudyOptions` says what each means. Names of
            estimators may be a list, or one text with commas.

    Returns:
        The table, one row per estimator, and its study. Nothing is written.

    Raises:
        InputError: what `maxpo compare` refuses, in the same words.

    >>> found = compare(policy="bernoulli:p=0.5,outcomes=1", n=4, k=2, estimators=["l2o", "ei"])
    >>> found.table[["estimator", "objective", "variance_ratio"]].round(3)
      estimator  objective  variance_ratio
    0       l2o       0.75             4.0
    1        ei       0.75             1.0
    """
    _check_words(words, StudyOptions)
    return _run("compare", Plan(compare_spec(StudyOptions(**words)), strict=True))


def sweep(**words: Unpack[SweepWords]) -> StudyResult:
    """Every estimator over a grid of policy keys, N and K.

    Args:
        words: the options of `maxpo variance-sweep` by name; `SweepOptions` says what each means.
            `grid` may map names to values, or to a text such as `0.1:0.9:9`. A size that is given
            takes its place on the default grid.

    Returns:
        The table, one row per cell and estimator, the first name of the grid slowest, and its
        study. Nothing is written.

    Raises:
        InputError: what `maxpo variance-sweep` refuses, in the same words.

    >>> found = sweep(policy="bernoulli", grid={"p": [0.1, 0.5], "k": "2,4"}, estimators="l2o")
    >>> found.table[["estimator", "p", "k", "variance_ratio"]].round(3)
      estimator    p  k  variance_ratio
    0       l2o  0.1  2           0.961
    1       l2o  0.1  4           0.964
    2       l2o  0.5  2           0.536
    3       l2o  0.5  4           0.551
    """
    _check_words(words, SweepOptions)
    options = SweepOptions(**words)
    if options.has_default_grid:
        left = tuple(item for item in options.items if axis_name(item) not in words)
        options = replace(options, grid=left)
    for size in ("k", "n"):
        if size in words and any(axis_name(item) == size for item in options.items):
            raise given_twice(size)
    return _run("variance-sweep", Plan(sweep_spec(options)))


def _check_words(words: Mapping[str, object], options: type[StudyOptions]) -> None:
    """Raises `InputError` for a word that is not an option, and for a value of another type."""
    hints = get_type_hints(options)
    known = [field.name for field in fields(options)]
    for word, value in words.items():
        if word not in known:
            raise unknown("word", word, known)
        hint = hints[word]
        types = tuple(TYPES.get(get_origin(of) or of, of) for of in get_args(hint) or (hint,))
        if hint is not int and not isinstance(value, types):
            raise InputError(f"{word} cannot be {value!r}")


def _run(study: str, plan: Plan) -> StudyResult:
    found = run_study(plan)
    for name in plan.spec.swept:  # texts, as the command line has them
        numbers = pd.to_numeric(found.table[name], errors="coerce")
        if numbers.notna().all():
            found.table[name] = numbers
    record = replace(study_record(study, plan), seconds=found.seconds, complete=True)
    return StudyResult(found.table, record, found.prompts)
