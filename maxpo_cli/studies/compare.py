"""`compare`: every estimator side by side at one policy, N and K."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from maxpo_cli.engines.moments import Measures
from maxpo_cli.errors import InputError
from maxpo_cli.policies.logged import Logged
from maxpo_cli.policies.spec import Policy
from maxpo_cli.studies.measuring import (
    SETS,
    Settings,
    find_device,
    measure,
    one_thread,
    work_of,
)
from maxpo_cli.studies.tables import Cell, as_table, cell_rows

Progress = Callable[[float], None]
"""Told how much of the whole work, from 0 to 1, was done since it was last told."""


@dataclass(frozen=True)
class CompareSpec(Settings):
    """What to compare, and how."""

    policy: Policy
    n: int
    k: int


@dataclass(frozen=True)
class Comparison:
    """The table over all prompts together, the rows of each prompt, and the device used."""

    table: pd.DataFrame
    prompts: pd.DataFrame | None
    device: str


def compare(spec: CompareSpec, progress: Progress = lambda _: None) -> Comparison:
    """Measures every estimator of `spec` on its policy.

    Rows come in the order of the estimators. An estimator that is not defined here is a row with a
    note when it came with a set's name. The reference is measured too when it is not asked for.

    Raises `InputError` for what the spec cannot mean: an unknown name, K above N, an estimator that
    was named and is not defined, an engine that cannot do it, a device that is not there.
    """
    _check_sizes(spec)
    spec.check()
    device = find_device(spec.device)
    asked, notes = spec.asked, _notes(spec)
    measured = [estimator for estimator in asked if estimator.name not in notes]
    reference = spec.unit
    if refusal := spec.refusal(reference, spec.policy, spec.n, spec.k):
        raise InputError(f"--reference {refusal}")
    started = time.perf_counter()
    plan = {spec.k: tuple(dict.fromkeys([*measured, reference]))}
    work = work_of(spec, spec.policy, spec.n, plan)
    with one_thread():
        (found,) = measure(
            [spec.policy], spec.n, plan, spec, device, lambda done: progress(done / work)
        )
    parts = [part[spec.k] for part in found if spec.k in part]
    seconds = (time.perf_counter() - started) / len(plan[spec.k])
    names = [estimator.name for estimator in asked]

    def rows(chosen: Sequence[list[Measures]], each: float) -> list[dict[str, object]]:
        cell = Cell(spec.policy.spec, spec.n, spec.k, each)
        return cell_rows(cell, names, spec, notes, chosen)

    prompts = None
    if isinstance(spec.policy, Logged):
        each = seconds / len(spec.policy.problems)
        one_by_one = zip(*parts, strict=True)
        prompts = as_table(row for one in one_by_one for row in rows([[m] for m in one], each))
        labels = [label for label in spec.policy.labels for _ in names]
        prompts.insert(0, "prompt", labels)
    return Comparison(as_table(rows(parts, seconds)), prompts, str(device))


def _check_sizes(spec: CompareSpec) -> None:
    if spec.n < 1:
        raise InputError(f"-n must be at least 1; got {spec.n}")
    if spec.k < 1:
        raise InputError(f"-k must be at least 1; got {spec.k}")
    if spec.k > spec.n:
        raise InputError(f"-k must be at most the group size -n; got k={spec.k} with n={spec.n}")


def _notes(spec: CompareSpec) -> dict[str, str]:
    """Why estimators of a set are not defined here; an error for those that were named."""
    in_sets = {name for chosen in spec.estimators for name in SETS.get(chosen, ())}
    notes = {}
    for estimator in spec.asked:
        refusal = spec.refusal(estimator, spec.policy, spec.n, spec.k)
        if refusal and (estimator.name not in in_sets or estimator.name in spec.estimators):
            raise InputError(f"--estimators: {refusal}")
        if refusal:
            notes[estimator.name] = refusal
    return notes
