"""Numbers of distinct outcomes per reward level: whole numbers, or inf for the orthogonal limit."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import inf

from maxpo_cli.errors import InputError
from maxpo_cli.policies.policy import Key
from maxpo_cli.problems.limits import LARGEST_COUNT


def _count(text: str) -> float:
    return inf if text.strip().lower() == "inf" else int(text)


def _counts(text: str) -> tuple[float, ...]:
    return tuple(_count(item) for item in text.split("/"))


ONE_COUNT = Key(_count, "inf or a whole number", ranged=True, whole=True, default="inf")
COUNTS = replace(ONE_COUNT, read=_counts, kind="inf or whole numbers separated by '/'")


def counts_text(counts: Iterable[float]) -> str:
    """The counts as a spec has them, separated by `/`."""
    return "/".join(map(str, counts))


def checked_counts(policy: str, counts: Sequence[float]) -> tuple[float, ...]:
    """The counts, whole numbers as `int`.

    Raises `InputError`, naming the policy, for counts that are neither inf nor whole numbers in
    range, and for a list that mixes the two.
    """
    infinite = [count == inf for count in counts]
    if any(infinite) and not all(infinite):
        given = counts_text(counts)
        raise InputError(f"{policy}: outcomes must be inf at every level or at none; got {given}")
    if not all(count == inf or 1 <= count <= LARGEST_COUNT for count in counts) or any(
        count != inf and count != int(count) for count in counts
    ):
        raise InputError(f"{policy}: outcomes must be whole numbers from 1 to 2^60, or inf")
    return tuple(count if count == inf else int(count) for count in counts)
