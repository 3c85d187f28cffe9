"""The plan of a study: its cells, what is measured in each, with which engines, in batches."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod

import pandas as pd

from maxpo_cli.engines.choice import BY_NAME, Part, choose
from maxpo_cli.errors import InputError
from maxpo_cli.policies.logged import Logged
from maxpo_cli.policies.policy import Policy
from maxpo_cli.policies.spec import PolicyTemplate
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.problems.problem import Problem
from maxpo_cli.studies.grid import MAX_CELLS
from maxpo_cli.studies.refusals import Notes, Refusals, is_binary, require_range
from maxpo_cli.studies.spec import StudySpec

BATCH_WORK = 2_000_000
"""Work, for all K and estimators, from which policies are no longer put together."""

MOST_JOBS = 256
"""Policies that are measured together at most, so that a batch is a matter of seconds."""


@dataclass(frozen=True)
class Point:
    """One cell of the grid: its place in it, the values of the swept names except N and K, N, K."""

    index: int
    values: tuple[str, ...]
    n: int
    k: int


@dataclass(frozen=True)
class Job:
    """One policy at one N: its cells, and what is measured in them.

    Attributes:
        spec: the policy's spec.
        policy: the policy; None where there is none, as the notes explain.
        points: its cells, one for each K.
        parts: what is measured, by the engines that do; none where nothing is.
        notes: why estimators have no metrics at each K.
    """

    spec: str
    policy: Policy | None
    points: tuple[Point, ...]
    parts: tuple[Part, ...]
    notes: Mapping[int, Notes]

    @property
    def n(self) -> int:
        """The group size."""
        return self.points[0].n

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems of the policy; none where there is no policy."""
        return self.policy.problems if self.policy is not None else ()


@dataclass(frozen=True)
class Batch:
    """Jobs of one N that are measured together, so that they share what they can.

    The same spec gives the same batches, whichever of them are measured already. `amount` is the
    work that engines will report, for each K and estimator.
    """

    jobs: tuple[Job, ...]
    amount: float

    @property
    def n(self) -> int:
        """The group size."""
        return self.jobs[0].n

    @property
    def rows(self) -> int:
        """Estimators measured for each job, over all K."""
        return _rows(self.jobs[0])

    @property
    def work(self) -> float:
        """Rewards that estimators look at: the unit of progress."""
        return self.amount * self.rows * self.n

    @property
    def points(self) -> tuple[Point, ...]:
        """All cells, those of a job together."""
        return tuple(point for job in self.jobs for point in job.points)

    def title(self, swept: Sequence[str]) -> str:
        """The cells in a few words, by the names of the swept values."""
        if not swept and len(self.points) == 1:
            return self.jobs[0].spec
        chosen = zip(*(job.points[0].values for job in self.jobs), strict=True)
        values = [f"{name}={_span(texts)}" for name, texts in zip(swept, chosen, strict=True)]
        ks = _span([str(point.k) for point in self.points])
        return " ".join([*values, f"n={self.n}", f"k={ks}"])


def _span(texts: Sequence[str]) -> str:
    """The first and the last of several texts."""
    return texts[0] if texts[0] == texts[-1] else f"{texts[0]}–{texts[-1]}"


class Plan:
    """The batches of a spec. Raises `InputError`, when it is made, for what cannot be measured.

    With `strict`, as in a comparison, it does so for what would otherwise be rows with a note: K
    above N, a reference or a named estimator that is not defined, an engine that cannot measure it.
    """

    def __init__(self, spec: StudySpec, strict: bool = False) -> None:
        spec.check()
        self.spec = spec
        self.strict = strict
        self._refusals = Refusals(spec, strict)
        self.batches = tuple(self._batches())

    @cached_property
    def cells(self) -> int:
        """How many cells there are."""
        return sum(len(batch.points) for batch in self.batches)

    @property
    def policies(self) -> list[Policy]:
        """The policies of all cells, each once."""
        every = {job.spec: job.policy for batch in self.batches for job in batch.jobs}
        return [policy for policy in every.values() if policy is not None]

    @property
    def has_prompts(self) -> bool:
        """Whether there are rows of each prompt too: in a comparison on logged rewards."""
        return self.strict and any(isinstance(policy, Logged) for policy in self.policies)

    def places(self, rows: pd.DataFrame) -> list[int]:
        """The place in the grid of the cell of each row, −1 for one of another grid.

        `rows` has the columns of `StudySpec.swept`, n and k as texts.
        """
        place = {(*p.values, str(p.n), str(p.k)): p.index for b in self.batches for p in b.points}
        named = rows[[*self.spec.swept, "n", "k"]].itertuples(index=False, name=None)
        return [place.get(tuple(cell), -1) for cell in named]

    def left(self, places: Sequence[int]) -> tuple[list[Batch], int]:
        """The batches that rows in these places lack, and how many of the first rows to keep.

        All rows up to the first one of a batch that is not whole are kept.
        """
        batch_of = {p.index: i for i, batch in enumerate(self.batches) for p in batch.points}
        sizes = [len(batch.points) * len(self.spec.asked) for batch in self.batches]
        owners = [batch_of.get(place, -1) for place in places]
        while True:
            there = Counter(owners)
            broken = (o < 0 or there[o] != sizes[o] for o in owners)
            first = next((i for i, is_broken in enumerate(broken) if is_broken), None)
            if first is None:
                left = [batch for i, batch in enumerate(self.batches) if not there[i]]
                return left, len(owners)
            owners = owners[:first]

    def _batches(self) -> Iterator[Batch]:
        """The batches. Jobs go together where one enumeration is for all of their policies."""
        points: dict[tuple[int, tuple[str, ...]], list[Point]] = {}
        for point in _points(self.spec):
            points.setdefault((point.n, point.values), []).append(point)
        policies = self._policies(list(dict.fromkeys(values for _, values in points)))
        groups: dict[object, list[Job]] = {}
        for (n, values), cells in points.items():
            job = self._job(policies[values], n, tuple(cells))
            groups.setdefault((n, _kinship(job)), []).append(job)
        for jobs in groups.values():
            yield from self._split(jobs)

    def _policies(
        self, cells: Sequence[tuple[str, ...]]
    ) -> dict[tuple[str, ...], "Policy | InputError"]:
        """The policy of each choice of swept values.

        Where several columns of a file are swept, it need not have rows for all combinations.
        """
        spec = self.spec
        found: dict[tuple[str, ...], Policy | InputError] = {}
        for values in cells:
            try:
                policy = spec.template.at(dict(zip(spec.swept, values, strict=True)))
            except InputError as error:
                if isinstance(spec.template, PolicyTemplate) or len(spec.swept) < 2:
                    raise InputError(f"--grid: {error}" if spec.swept else str(error)) from None
                found[values] = error
            else:
                require_range(policy, spec.settings.dtype)
                found[values] = policy
        absent = [error for error in found.values() if isinstance(error, InputError)]
        if len(absent) == len(found):
            raise InputError(f"--grid: {absent[0]}")
        return found

    def _job(self, policy: "Policy | InputError", n: int, points: tuple[Point, ...]) -> Job:
        names = [estimator.name for estimator in self.spec.asked]
        if isinstance(policy, InputError):
            absent = dict.fromkeys(names, str(policy))
            return Job(self.spec.template.spec, None, points, (), {p.k: absent for p in points})
        ks = [point.k for point in points]
        above = [k for k in ks if k > n]
        if above and self.strict:
            raise InputError(f"-k must be at most the group size -n; got k={above[0]} with n={n}")
        notes: dict[int, Notes] = {
            k: dict.fromkeys(names, f"k={k} is above the group size n={n}") for k in above
        }
        possible = [k for k in ks if k <= n]
        if not possible:
            return Job(policy.spec, policy, points, (), notes)
        try:
            choice = choose(self.spec.settings.engine, policy.problems, n)
        except InputError as error:  # an engine that cannot measure these cells: rows that say so
            if self.strict:
                raise
            binary = is_binary(policy)
            for k in possible:
                undefined = self._refusals.by_definition(n, k, binary)
                notes[k] = {**dict.fromkeys(names, str(error)), **undefined}
            return Job(policy.spec, policy, points, (), notes)
        estimators = {}
        for k in possible:
            notes[k], chosen = self._refusals.at(choice, n, k, is_binary(policy))
            if chosen:
                estimators[k] = chosen
        parts = choice.parts(estimators, self.spec.unit)
        return Job(policy.spec, policy, points, parts, notes)

    def _split(self, jobs: Sequence[Job]) -> Iterator[Batch]:
        """Batches of these jobs, none of much more than `BATCH_WORK` unless one job is more."""
        rows = _rows(jobs[0])
        part: list[Job] = []
        amount = 0.0
        for job in jobs:
            each = self._amount(job)
            is_full = (amount + each) * rows > BATCH_WORK or len(part) == MOST_JOBS
            if part and is_full:
                yield Batch(tuple(part), amount)
                part, amount = [], 0.0
            part.append(job)
            amount += each
        yield Batch(tuple(part), amount)

    def _amount(self, job: Job) -> float:
        """The work that engines will report: equal problems that are not sampled count once."""
        works: dict[tuple[str, int], float] = {}
        for part in job.parts:
            for i, (name, problem) in enumerate(zip(part.engines, job.problems, strict=True)):
                key = (name, i if BY_NAME[name].samples else id(problem))
                if key not in works:
                    works[key] = BY_NAME[name].work(problem, job.n, self.spec.settings.groups)
        return sum(works.values())


def _rows(job: Job) -> int:
    return sum(len(several) for part in job.parts for several in part.measured.values())


def _kinship(job: Job) -> object:
    """Equal for jobs that are enumerated together; otherwise each has its own."""
    ks = tuple(point.k for point in job.points)
    if not job.parts:
        return ks
    first, *others = job.problems
    engines = tuple(part.engines for part in job.parts)
    if (
        isinstance(first, FiniteProblem)
        and not others
        and any(BY_NAME[name].shares for names in engines for name in names)
    ):
        return ks, engines, first.family
    return id(job)


def _points(spec: StudySpec) -> Iterator[Point]:
    names = [axis.name for axis in spec.axes]
    count = prod(len(axis.values) for axis in spec.axes)
    if count > MAX_CELLS:
        raise InputError(f"--grid: {count:,} cells are too many; at most {MAX_CELLS:,}")
    for index, chosen in enumerate(product(*(axis.values for axis in spec.axes))):
        values = dict(zip(names, chosen, strict=True))
        n, k = int(values.pop("n", spec.settings.n)), int(values.pop("k", spec.settings.k))
        yield Point(index, tuple(values.values()), n, k)
