"""Measuring a batch: engines give moments, and each cell has records of them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from maxpo_cli.engines.choice import BY_NAME, SAMPLING, Part
from maxpo_cli.engines.device import one_thread
from maxpo_cli.engines.engine import Advance
from maxpo_cli.engines.moments import Moments
from maxpo_cli.estimators.kinds import Estimator
from maxpo_cli.metrics.summary import summaries
from maxpo_cli.problems.problem import Problem
from maxpo_cli.studies.plan import Batch, Job
from maxpo_cli.studies.spec import StudySpec

DOUBTFUL = 3.0
"""The z-score of a bias from which sampling goes on."""


@dataclass(frozen=True, eq=False)
class Record:
    """The moments of some estimators on a policy at one N and K.

    Attributes:
        policy: the policy's spec.
        n, k: the group size and K.
        engine: the engine, the least exact one where problems have different ones.
        estimators: the estimators that it is about.
        moments: those of each problem; the reference is among the estimators where it is defined.
        seconds: the time that engines took for it.
    """

    policy: str
    n: int
    k: int
    engine: str
    estimators: tuple[Estimator, ...]
    moments: tuple[Moments, ...]
    seconds: float


At = dict[int, Moments]
"""Moments of one problem at each K."""


def measure_batch(batch: Batch, spec: StudySpec, advance: Advance) -> list[list[Record]]:
    """The records of each job of a batch.

    Exact moments are computed once for equal problems, and problems of one family are enumerated
    together; every policy that is sampled draws from the same seed. In all `advance` is told of
    `Batch.work`.
    """

    def done(amount: float) -> None:
        advance(amount * batch.rows * batch.n)

    with one_thread():
        exact = _Exact(batch, spec, done)
        return [list(_records(job, exact, spec, done)) for job in batch.jobs]


class _Exact:
    """The exact moments of all problems of a batch, by engine and problem, and their seconds."""

    def __init__(self, batch: Batch, spec: StudySpec, advance: Advance) -> None:
        wanted: dict[tuple[str, int], dict[int, dict[Estimator, None]]] = {}
        problems: dict[int, Problem] = {}
        for job in batch.jobs:
            for part in job.parts:
                for name, problem in zip(part.engines, job.problems, strict=True):
                    if name == SAMPLING:
                        continue
                    problems[id(problem)] = problem
                    at = wanted.setdefault((name, id(problem)), {})
                    for k, several in part.measured.items():
                        at.setdefault(k, {}).update(dict.fromkeys(several))
        alike: dict[object, list[tuple[str, int]]] = {}
        for (name, key), at in wanted.items():
            plan = tuple((k, tuple(several)) for k, several in at.items())
            alike.setdefault((name, plan), []).append((name, key))
        self._found: dict[tuple[str, int], At] = {}
        self._seconds: dict[tuple[str, int], float] = {}
        for keys in alike.values():
            name = keys[0][0]
            estimators = {k: tuple(several) for k, several in wanted[keys[0]].items()}
            started = time.perf_counter()
            members = [problems[key] for _, key in keys]
            moments = BY_NAME[name].measure(members, batch.n, estimators, spec.precision, advance)
            each = (time.perf_counter() - started) / len(keys)
            self._found |= dict(zip(keys, moments, strict=True))
            self._seconds |= dict.fromkeys(keys, each)

    def of(self, engine: str, problem: Problem) -> At:
        """The moments of a problem."""
        return self._found[engine, id(problem)]

    def seconds(self, engine: str, problem: Problem) -> float:
        """How long its moments took, all K and estimators together."""
        return self._seconds[engine, id(problem)]


def _records(job: Job, exact: _Exact, spec: StudySpec, advance: Advance) -> Iterator[Record]:
    """The records of a job, part by part and K by K."""
    sampled, seconds = _sample(job, exact, spec, advance)
    found = _Found(job, exact, sampled)
    rows = sum(len(several) for part in job.parts for several in part.estimators.values())
    for part in job.parts:
        for k, estimators in part.estimators.items():
            yield Record(
                policy=job.spec,
                n=job.n,
                k=k,
                engine=max(part.engines, key=list(BY_NAME).index),
                estimators=estimators,
                moments=found.moments(part, k, spec.unit),
                seconds=seconds * len(estimators) / rows,
            )


@dataclass(frozen=True)
class _Found:
    """All moments of a job: the exact ones, and those sampled by the place of their problem."""

    job: Job
    exact: _Exact
    sampled: Mapping[int, At]

    def moments(
        self, part: Part, k: int, reference: Estimator, sampled: Mapping[int, Moments] | None = None
    ) -> tuple[Moments, ...]:
        """The moments of a part's estimators and of the reference, for each problem.

        `sampled` takes the place of the sampled moments at this K.
        """
        draws = {i: at[k] for i, at in self.sampled.items()} if sampled is None else sampled
        own = tuple(self._at(part, i, k, draws) for i in range(len(self.job.problems)))
        if reference in part.measured[k]:
            return own
        for other in self.job.parts:
            if reference in other.estimators.get(k, ()):
                units = (self._at(other, i, k, draws) for i in range(len(own)))
                return tuple(
                    mine.joined(unit.only((reference,)))
                    for mine, unit in zip(own, units, strict=True)
                )
        return own

    def _at(self, part: Part, place: int, k: int, draws: Mapping[int, Moments]) -> Moments:
        name, problem = part.engines[place], self.job.problems[place]
        moments = draws[place] if name == SAMPLING else self.exact.of(name, problem)[k]
        return moments.only(part.measured[k])


def _sample(
    job: Job, exact: _Exact, spec: StudySpec, advance: Advance
) -> tuple[dict[int, At], float]:
    """The moments of the problems that are sampled, by their place, and the seconds it took."""
    estimators: dict[int, dict[Estimator, None]] = {}
    places: dict[int, None] = {}
    sampled_parts = [part for part in job.parts if SAMPLING in part.engines]
    for part in sampled_parts:
        places |= {i: None for i, name in enumerate(part.engines) if name == SAMPLING}
        for k, several in part.measured.items():
            estimators.setdefault(k, {}).update(dict.fromkeys(several))
    if not places:
        seconds = {
            (name, id(problem)): exact.seconds(name, problem)
            for part in job.parts
            for name, problem in zip(part.engines, job.problems, strict=True)
        }
        return {}, sum(seconds.values())
    order = sorted(places)
    started = time.perf_counter()
    wanted = {k: tuple(several) for k, several in estimators.items()}
    stop = _stop(job, exact, spec, sampled_parts, order)
    moments = BY_NAME[SAMPLING].measure(
        [job.problems[i] for i in order], job.n, wanted, spec.precision, advance, stop
    )
    return dict(zip(order, moments, strict=True)), time.perf_counter() - started


def _stop(
    job: Job, exact: _Exact, spec: StudySpec, parts: Sequence[Part], order: Sequence[int]
) -> Callable[[int, Sequence[Moments]], bool] | None:
    """Whether the ratios at a K are known well enough; None where sampling goes on to its end."""
    if spec.settings.until_rel_error is None:
        return None
    aim = spec.settings.until_rel_error

    def stop(k: int, moments: Sequence[Moments]) -> bool:
        draws = dict(zip(order, moments, strict=True))
        found = _Found(job, exact, {})
        return all(
            _is_known(found.moments(part, k, spec.unit, draws), job.n, k, spec, aim)
            for part in parts
            if k in part.estimators
        )

    return stop


def _is_known(moments: Sequence[Moments], n: int, k: int, spec: StudySpec, aim: float) -> bool:
    """Whether every variance ratio has a standard error that is small compared with it.

    Not while an estimator that is known to be unbiased looks biased: rare groups that matter are
    then still to be drawn.
    """
    metrics = summaries(moments, spec.settings.reference)
    known = [m for m in metrics.values() if m.variance_ratio == m.variance_ratio]
    unbiased = [e.name for e in moments[0].estimators if e.claims.is_unbiased(n, k)]
    return (
        bool(known)
        and all(m.variance_ratio_stderr <= aim * m.variance_ratio for m in known)
        and not any(metrics[name].bias_z > DOUBTFUL for name in unbiased)
    )
