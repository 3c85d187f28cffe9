"""Measuring a batch: engines give moments, of which each cell makes records."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from maxpo_cli.engines.choice import BY_NAME, Part
from maxpo_cli.engines.device import one_thread
from maxpo_cli.engines.engine import Advance
from maxpo_cli.engines.moments import Moments
from maxpo_cli.estimators.kinds import Estimator
from maxpo_cli.problems.problem import Problem
from maxpo_cli.studies.plan import Batch, Job
from maxpo_cli.studies.spec import StudySpec
from maxpo_cli.studies.stopping import stopping_rule

At = Mapping[int, Moments]
"""Moments of one problem at each K."""

Run = tuple[str, int]
"""One problem measured by one engine: the engine's name, and the problem's identity. An engine that
samples measures equal problems one by one, so that there it is the place in the job."""


@dataclass(frozen=True, eq=False)
class Record:
    """What was found of some estimators of a policy at one N and K.

    Attributes:
        policy: the policy's spec.
        n, k: the group size and K.
        engine: the engine, the least exact one where problems have different ones.
        estimators: the estimators that it is about.
        moments: one per problem; the reference is among them where it is defined.
        seconds: the share of each engine's time that it took.
    """

    policy: str
    n: int
    k: int
    engine: str
    estimators: tuple[Estimator, ...]
    moments: tuple[Moments, ...]
    seconds: Mapping[str, float]


def measure_batch(batch: Batch, spec: StudySpec, advance: Advance) -> list[list[Record]]:
    """The records of each job of a batch.

    An exact answer is worked out once for equal problems, and problems of one family are measured
    together; every policy that is sampled draws from the same seed. `advance` is told of
    `Batch.work`.
    """

    def done(amount: float) -> None:
        advance(amount * batch.rows * batch.n)

    with one_thread():
        exact = _Runs()
        _measure_exactly(exact, batch, spec, done)
        uses = Counter(
            _run(part, i, job)
            for job in batch.jobs
            for part in job.parts
            for i in range(len(part.engines))
            for _ in part.estimators
        )
        return [list(_records(job, exact, uses, spec, done)) for job in batch.jobs]


class _Runs:
    """The moments that engines found, and how long each run took."""

    def __init__(self) -> None:
        self.moments: dict[Run, At] = {}
        self.seconds: dict[Run, float] = {}

    def add(self, runs: Sequence[Run], moments: Sequence[At], seconds: float) -> None:
        """Runs that were measured together."""
        self.moments |= dict(zip(runs, moments, strict=True))
        self.seconds |= dict.fromkeys(runs, seconds / len(runs))

    def joined(self, other: "_Runs") -> "_Runs":
        """The runs of both."""
        both = _Runs()
        both.moments = self.moments | other.moments
        both.seconds = self.seconds | other.seconds
        return both


def _run(part: Part, place: int, job: Job) -> Run:
    """The run that measures a part on the problem at a place."""
    name = part.engines[place]
    return name, place if BY_NAME[name].samples else id(job.problems[place])


def _measure_exactly(runs: _Runs, batch: Batch, spec: StudySpec, advance: Advance) -> None:
    """Adds the runs of all engines that do not sample."""
    wanted: dict[Run, dict[int, dict[Estimator, None]]] = {}
    problems: dict[int, Problem] = {}
    for job in batch.jobs:
        for part in job.parts:
            for i, name in enumerate(part.engines):
                if BY_NAME[name].samples:
                    continue
                problems[id(job.problems[i])] = job.problems[i]
                _want(wanted.setdefault(_run(part, i, job), {}), part)
    alike: dict[object, list[Run]] = {}
    for (name, key), at in wanted.items():
        plan = tuple((k, tuple(several)) for k, several in at.items())
        alike.setdefault((name, plan), []).append((name, key))
    for members in alike.values():
        estimators = {k: tuple(several) for k, several in wanted[members[0]].items()}
        engine = BY_NAME[members[0][0]]
        chosen = [problems[key] for _, key in members]
        started = time.perf_counter()
        moments = engine.measure(chosen, batch.n, estimators, spec.precision, advance)
        runs.add(members, moments, time.perf_counter() - started)


def _want(at: dict[int, dict[Estimator, None]], part: Part) -> None:
    """Adds what a part measures to what is wanted at each K."""
    for k, several in part.measured.items():
        at.setdefault(k, {}).update(dict.fromkeys(several))


def _sample(job: Job, exact: _Runs, spec: StudySpec, advance: Advance) -> _Runs:
    """The runs of the engine that samples; all its problems have the same estimators."""
    runs = _Runs()
    places: dict[str, set[int]] = {}
    wanted: dict[str, dict[int, dict[Estimator, None]]] = {}
    for part in job.parts:
        for i, name in enumerate(part.engines):
            if BY_NAME[name].samples:
                places.setdefault(name, set()).add(i)
                _want(wanted.setdefault(name, {}), part)
    for name, several in places.items():
        order = sorted(several)
        members = [(name, i) for i in order]

        def moments_of(
            part: Part, k: int, drawn: Sequence[Moments], members: list[Run] = members
        ) -> tuple[Moments, ...]:
            draws = _Runs()
            draws.add(members, [{k: moments} for moments in drawn], 0.0)
            return _moments(job, part, k, exact.joined(draws), spec.unit)

        estimators = {k: tuple(chosen) for k, chosen in wanted[name].items()}
        stop = stopping_rule(job, spec, moments_of)
        started = time.perf_counter()
        moments = BY_NAME[name].measure(
            [job.problems[i] for i in order], job.n, estimators, spec.precision, advance, stop
        )
        runs.add(members, moments, time.perf_counter() - started)
    return runs


def _records(
    job: Job, exact: _Runs, uses: Counter[Run], spec: StudySpec, advance: Advance
) -> Iterator[Record]:
    """The records of a job, part by part and K by K."""
    runs = exact.joined(_sample(job, exact, spec, advance))
    for part in job.parts:
        for k, estimators in part.estimators.items():
            seconds: dict[str, float] = {}
            for run in (_run(part, i, job) for i in range(len(part.engines))):
                share = runs.seconds[run] / _count(uses, run, job)
                seconds[run[0]] = seconds.get(run[0], 0.0) + share
            yield Record(
                policy=job.spec,
                n=job.n,
                k=k,
                engine=max(part.engines, key=list(BY_NAME).index),
                estimators=estimators,
                moments=_moments(job, part, k, runs, spec.unit),
                seconds=seconds,
            )


def _count(uses: Counter[Run], run: Run, job: Job) -> int:
    """How many records share a run: those of its job where it was sampled for that job alone."""
    if not BY_NAME[run[0]].samples:
        return uses[run]
    return sum(
        len(part.estimators)
        for part in job.parts
        for i in range(len(part.engines))
        if _run(part, i, job) == run
    )


def _moments(
    job: Job, part: Part, k: int, runs: _Runs, reference: Estimator
) -> tuple[Moments, ...]:
    """The moments of a part's estimators and of the reference, one per problem."""
    own = part.measured[k]
    others = [p for p in job.parts if reference in p.estimators.get(k, ())]
    found = []
    for i in range(len(part.engines)):
        run = _run(part, i, job)
        if reference in own or not others:
            found.append(runs.moments[run][k].only(own))
            continue
        unit_run = _run(others[0], i, job)
        if unit_run == run:  # one run has both, with what their errors have in common
            found.append(runs.moments[run][k].only((*own, reference)))
        else:
            unit = runs.moments[unit_run][k].only((reference,))
            found.append(runs.moments[run][k].only(own).joined(unit))
    return tuple(found)
