"""Which estimators cannot be measured in a cell, and why: found once for cells alike."""

from collections.abc import Mapping

import numpy as np

from maxpo_cli.engines.choice import Choice
from maxpo_cli.errors import InputError
from maxpo_cli.estimators.kinds import Estimator
from maxpo_cli.estimators.lookup import SETS
from maxpo_cli.policies.policy import Policy
from maxpo_cli.problems.continuous import ContinuousProblem
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.studies.spec import StudySpec

FLOAT32 = 1e35
"""Largest reward, and the inverse of the smallest, whose advantages float32 holds."""

Notes = Mapping[str, str]
"""Why estimators have no metrics in a cell, by name."""


def is_binary(policy: Policy) -> bool:
    """Whether every reward of a policy is 0 or 1."""
    return all(problem.is_binary for problem in policy.problems)


def require_range(policy: Policy, dtype: str) -> None:
    """Raises `InputError` where advantages of a policy leave the range of a float32."""
    if dtype != "float32":
        return
    for problem in policy.problems:
        rewards = np.zeros(1)
        if isinstance(problem, ContinuousProblem):
            rewards = np.abs(problem.law.marks).max(keepdims=True)
        elif isinstance(problem, FiniteProblem):
            rewards = problem.levels
        size = np.abs(rewards[rewards != 0])
        if len(size) and (size.max() > FLOAT32 or size.min() < 1 / FLOAT32):
            worst = size.max() if size.max() > FLOAT32 else size.min()
            raise InputError(
                f"--dtype float32 holds rewards from {1 / FLOAT32:.0e} to {FLOAT32:.0e} in size, "
                f"and there are some of {worst:.3g}; use float64"
            )


class Refusals:
    """The refusals of a study; `strict` makes those of named estimators errors."""

    def __init__(self, spec: StudySpec, strict: bool) -> None:
        self._spec, self._strict = spec, strict
        self._known: dict[object, tuple[Notes, tuple[Estimator, ...]]] = {}
        in_sets = {name for chosen in spec.settings.names for name in SETS.get(chosen, ())}
        self._named = {
            e.name for e in spec.asked if e.name in spec.settings.names or e.name not in in_sets
        }

    def at(
        self, choice: Choice, n: int, k: int, binary: bool
    ) -> tuple[Notes, tuple[Estimator, ...]]:
        """The notes of a cell, and what is measured in it: the reference too where it is defined.

        Raises `InputError` when strict, for an estimator that was named and cannot be measured,
        and for the reference.
        """
        alike = (frozenset(choice.names), n, k, binary)
        if alike not in self._known:
            self._known[alike] = self._worked_out(choice, n, k, binary)
        return self._known[alike]

    def by_definition(self, n: int, k: int, binary: bool) -> Notes:
        """The notes of estimators that are not defined, whichever engine measures."""
        refusals = {e.name: e.refusal(n, k, binary) for e in self._spec.asked}
        return {name: refusal for name, refusal in refusals.items() if refusal}

    def _worked_out(
        self, choice: Choice, n: int, k: int, binary: bool
    ) -> tuple[Notes, tuple[Estimator, ...]]:
        asked, unit = self._spec.asked, self._spec.unit

        def refusal(estimator: Estimator) -> str | None:
            return choice.refusal(estimator) or estimator.refusal(n, k, binary)

        notes = {e.name: why for e in asked if (why := refusal(e))}
        without_unit = refusal(unit)
        for name in notes if self._strict else ():
            if name in self._named:
                raise InputError(f"--estimators: {notes[name]}")
        if without_unit and self._strict:
            raise InputError(f"--reference {without_unit}")
        measured = [e for e in asked if e.name not in notes]
        if measured and not without_unit:
            measured.append(unit)
        if without_unit:
            missing = f"no variance ratio: {without_unit}"
            notes = dict.fromkeys((e.name for e in asked), missing) | notes
        return notes, tuple(dict.fromkeys(measured))
