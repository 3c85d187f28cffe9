"""Lines about a result that several views show: regime, samples, notes, when it was measured."""

import pandas as pd

from maxpo_cli.storage.study import StudyRecord

LIMIT = "answers never repeat (the orthogonal limit, outcomes=inf)"


def in_limit(table: pd.DataFrame) -> pd.Series:
    """Which rows were measured in the orthogonal limit, where the length of ∇J vanishes.

    There the table has an objective and no gradient norm (engines/README.md, *orthogonal limit*).
    """
    return table["objective"].notna() & table["gradient_norm"].isna()


def exact_for(record: StudyRecord) -> str:
    """For what the values of an exact engine are exact."""
    if record.prompts:
        return "exact for draws with replacement from the logged answers"
    return "exact for this policy"


def few_samples(record: StudyRecord, table: pd.DataFrame) -> list[str]:
    """A warning where prompts have so few logged samples that answers repeat in a group."""
    fewest, n = record.fewest_samples, int(table["n"].max())
    if fewest is None or fewest >= 4 * n or in_limit(table).any():
        return []
    return [f"a prompt has only {fewest:,} samples, below 4 N: answers repeat (see the README)"]


def notes_of(table: pd.DataFrame) -> list[str]:
    """The notes of a table, each once."""
    return [note for note in dict.fromkeys(table["note"].fillna("")) if note]


def measured_before(record: StudyRecord) -> str:
    """A line that says that a complete result was found and not measured again."""
    return f"measured on {record.created[:10]}; --overwrite measures it again"
