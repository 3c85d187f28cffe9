"""Logged rewards from a CSV or JSON Lines file: one row per sample, or per prompt with counts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from maxpo_cli.errors import InputError
from maxpo_cli.policies.logged import Logged, prompt_of_counts, prompt_of_rewards
from maxpo_cli.policies.reward_table import RewardTable, shown
from maxpo_cli.policies.reward_text import read_text
from maxpo_cli.problems.limits import LARGEST_COUNT

SAMPLES, CORRECT = "samples", "correct"
"""The columns of counts."""

PROMPT, REWARD = "prompt", "reward"


@dataclass(frozen=True)
class RewardsFile:
    """Where logged rewards are: the file, its columns, and the conditions that its rows meet."""

    path: Path
    group_column: str = PROMPT
    reward_column: str = REWARD
    where: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class RewardsTemplate:
    """Logged rewards with conditions on the file's columns that are still to be given."""

    file: RewardsFile

    @property
    def spec(self) -> str:
        """The file's name and the conditions, as policies name them."""
        return f"logged:{_source(self.file)}"

    @property
    def source(self) -> str:
        """What the policies come from: the file, without conditions."""
        return f"logged:{self.file.path.name}"

    @property
    def parameters(self) -> dict[str, str]:
        """The conditions that are given, by column."""
        return dict(self.file.where)

    @property
    def sha256(self) -> str:
        """The hash of the file's bytes."""
        return self._table.text.sha256

    def at(self, given: Mapping[str, str]) -> Logged:
        """The policy of the rows with these values by column; the file itself is read once.

        A file with the columns `samples` and `correct`, and not the reward column, holds counts,
        one row per prompt. Every other file has one row per sample, and the group column names its
        prompt.

        Raises `InputError` for a file that is missing, empty, unreadable or without the columns; a
        reward that is not a finite number (with its line); counts that are not whole numbers, or
        more correct than samples; a prompt with fewer than two samples; conditions that no row
        meets; and a column that is named without effect.
        """
        file = replace(self.file, where=(*self.file.where, *given.items()))
        rows = self._table.rows(self.file.where, given)
        columns = self._table.cells.columns
        if {SAMPLES, CORRECT} <= set(columns) and file.reward_column not in columns:
            return _of_counts(file, self._table, rows)
        return _of_samples(file, self._table, rows)

    @cached_property
    def _table(self) -> RewardTable:
        return RewardTable(read_text(self.file.path))

    def __getstate__(self) -> dict[str, Any]:
        """The table stays here: worker processes are given policies."""
        return {"file": self.file}


def read_logged(file: RewardsFile) -> Logged:
    """The logged policy of a file; raises as `RewardsTemplate.at` does."""
    return RewardsTemplate(file).at({})


def _source(file: RewardsFile) -> str:
    chosen = ",".join(f"{column}={value}" for column, value in file.where)
    return file.path.name + (f"[{chosen}]" if chosen else "")


def _of_samples(file: RewardsFile, table: RewardTable, rows: pd.DataFrame) -> Logged:
    if file.reward_column not in rows.columns:
        raise InputError(
            f"{table.text.name} has no column '{file.reward_column}' (it has {table.columns}); "
            f"name it with --reward-column and the prompt's column with --group-column, or give "
            f"counts in the columns '{SAMPLES}' and '{CORRECT}'"
        )
    table.require(file.group_column, "--group-column")
    nameless = np.flatnonzero(rows[file.group_column].str.strip() == "")
    if len(nameless):
        row = int(nameless[0])
        raise table.wrong_cell(rows, row, file.group_column, "the prompt is missing")
    rewards = table.numbers(rows, file.reward_column)
    groups = pd.Series(rewards).groupby(rows[file.group_column].to_numpy(), sort=False)
    prompts = []
    for label, values in groups:
        if len(values) < 2:
            raise InputError(
                f"{table.text.name}: prompt '{shown(str(label))}' has one sample; every prompt "
                "needs two or more"
            )
        prompts.append((str(label), prompt_of_rewards(values)))
    labels, policies = zip(*prompts, strict=True)
    return Logged(_source(file), labels, policies)


def _of_counts(file: RewardsFile, table: RewardTable, rows: pd.DataFrame) -> Logged:
    if file.reward_column != REWARD:
        raise InputError(
            f"--reward-column {file.reward_column}: {table.text.name} holds counts in the columns "
            f"'{SAMPLES}' and '{CORRECT}', and has no such column"
        )
    if file.group_column != PROMPT:
        table.require(file.group_column, "--group-column")
    samples, correct = (
        table.whole_numbers(rows, column, LARGEST_COUNT) for column in (SAMPLES, CORRECT)
    )
    for row, (n, c) in enumerate(zip(samples, correct, strict=True)):
        if n < 2 or c > n:
            wrong = f"{c} correct of {n} samples" if c > n else f"{n} samples; two are needed"
            raise InputError(f"{table.where(rows, row)}: {wrong}")
    named = file.group_column in rows.columns
    labels = rows[file.group_column] if named else (rows.index + 1).astype(str)
    prompts = tuple(
        prompt_of_counts((0.0, 1.0), (n - c, c)) for n, c in zip(samples, correct, strict=True)
    )
    return Logged(_source(file), tuple(labels), prompts)
