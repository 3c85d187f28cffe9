"""`variance-sweep`: every estimator over a grid of policy parameters, N and K."""

import gc
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from multiprocessing import active_children, get_context, parent_process, resource_tracker

import pandas as pd
import torch

from maxpo_cli.engines.moments import Measures, Problem
from maxpo_cli.errors import InputError, unknown
from maxpo_cli.estimators.catalogue import Estimator, find_all
from maxpo_cli.policies.files import RewardsTemplate
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.policies.spec import TEXT, Key, Policy, PolicyTemplate
from maxpo_cli.studies.grid import MAX_CELLS, Axis, parse_grid
from maxpo_cli.studies.measuring import (
    Advance,
    Settings,
    engine_of,
    find_device,
    measure,
    one_thread,
    work_of,
)
from maxpo_cli.studies.tables import COLUMNS, Cell, as_table, cell_rows

BATCH_WORK = 2_000_000
"""Groups looked at, for all K and estimators, from which policies are no longer put together."""

Template = PolicyTemplate | RewardsTemplate
Cells = tuple["Policy | NoRows", "list[Point]"]
"""A policy and its cells at one N."""


@dataclass(frozen=True)
class SweepSpec(Settings):
    """What to sweep, and how: a template whose open keys, N and K the `grid` items give.

    `n` and `k` are those of every cell unless they are on the grid. Two sweeps of the same spec
    have the same table.
    """

    template: Template
    grid: tuple[str, ...]
    n: int = 16
    k: int = 4

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The swept names and values; raises `InputError` as `parse_grid` does."""
        return parse_grid(self.grid, self._key)

    @cached_property
    def swept(self) -> tuple[str, ...]:
        """The swept names but N and K, which are columns of the table anyway."""
        return tuple(axis.name for axis in self.axes if axis.name not in ("n", "k"))

    def _key(self, name: str) -> Key:
        if name in COLUMNS:
            raise InputError(f"--grid {name}: every table has a column '{name}' of its own")
        if isinstance(self.template, RewardsTemplate):
            return TEXT  # a column of the file, whose rows are asked for by their value
        keys = self.template.keys
        if name not in keys:
            raise unknown(f"--grid name for {self.template.name}", name, ["n", "k", *keys])
        return keys[name]


@dataclass(frozen=True)
class NoRows:
    """What stands for a policy where the rewards file has no rows with the values of a cell."""

    spec: str
    why: str
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Point:
    """One cell of the grid: its place in it, the values of the swept names but N and K, N and K."""

    index: int
    values: tuple[str, ...]
    n: int
    k: int


def _span(texts: Sequence[str]) -> str:
    """The first and the last of several texts."""
    return texts[0] if texts[0] == texts[-1] else f"{texts[0]}–{texts[-1]}"


@dataclass(frozen=True)
class Batch:
    """Cells that are measured together: one N, all K, and policies that share their draws.

    `points` has the cells of each of `policies`; `plan` the estimators at each K of these cells
    at which there are any; `groups` are those to be looked at for each of them. The same spec gives
    the same batches, whatever is done of them already.
    """

    n: int
    policies: tuple[Policy | NoRows, ...]
    points: tuple[tuple[Point, ...], ...]
    plan: Mapping[int, tuple[str, ...]]
    groups: float

    @property
    def rows(self) -> int:
        """Estimators measured for each policy, over all K."""
        return sum(len(names) for names in self.plan.values())

    @property
    def work(self) -> float:
        """Rewards that estimators look at, by which progress is told."""
        return self.groups * self.rows * self.n

    @property
    def cells(self) -> tuple[Point, ...]:
        """All cells, those of a policy together."""
        return tuple(point for points in self.points for point in points)

    def title(self, swept: Sequence[str]) -> str:
        """The cells in a few words, by the names of the swept values."""
        chosen = zip(*(points[0].values for points in self.points), strict=True)
        values = [f"{name}={_span(texts)}" for name, texts in zip(swept, chosen, strict=True)]
        ks = _span([str(point.k) for point in self.cells])
        return " ".join([*values, f"n={self.n}", f"k={ks}"])


class Sweep:
    """A spec worked out: its cells in the order of the table, and the batches they come in.

    Raises `InputError` when it is made, for anything that the spec cannot mean.
    """

    def __init__(self, spec: SweepSpec) -> None:
        spec.check()
        self.spec = spec
        self.device = find_device(spec.device)
        self.batches = tuple(_batches(spec))

    def run(
        self,
        batches: Sequence[Batch],
        workers: int,
        begin: Callable[[Batch], None],
        advance: Advance,
    ) -> Iterator[tuple[Batch, pd.DataFrame]]:
        """Measures these batches and gives the rows of each as soon as it is done.

        `begin` is told of a batch when it is (about to be) worked on, `advance` of the work done.
        With several workers batches come in any order; their rows are the same.
        """
        if workers == 1 or len(batches) < 2:
            for batch in batches:
                begin(batch)
                yield batch, measure_batch(self.spec, self.device, batch, advance)
            return
        others = set(active_children())
        resource_tracker.ensure_running()  # which would let interrupts through where it is started
        pool = ProcessPoolExecutor(workers, get_context("spawn"), _start_worker, (self.spec,))
        number = {id(batch): i for i, batch in enumerate(self.batches)}
        wait = True
        try:
            with _interrupts_held():  # and so they are in the workers, which leave Ctrl-C to us
                tasks = {pool.submit(_in_worker, number[id(batch)]): batch for batch in batches}
            begin(batches[0])
            for done, task in enumerate(as_completed(tasks), workers):
                advance(tasks[task].work)
                begin(batches[min(done, len(batches) - 1)])
                yield tasks[task], task.result()
        except BrokenExecutor:
            wait = False  # for a pool that lost a process while it was started
            raise InputError(
                "a worker process was killed, for lack of memory perhaps; the same command, with "
                "fewer --workers, continues"
            ) from None
        except BaseException:
            for worker in set(active_children()) - others:
                worker.terminate()
            raise
        finally:
            pool.shutdown(wait=wait, cancel_futures=True)
            del pool
            gc.collect()  # which gives the semaphores back: the process may end without

    @cached_property
    def cells(self) -> int:
        """How many cells there are."""
        return sum(len(batch.cells) for batch in self.batches)

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that tell cells apart."""
        return (*self.spec.swept, "n", "k")

    def places(self, rows: pd.DataFrame) -> list[int]:
        """The place in the grid of the cell of each row, from its `identity` columns as texts."""
        place = {(*p.values, str(p.n), str(p.k)): p.index for b in self.batches for p in b.cells}
        named = rows[list(self.identity)].itertuples(index=False, name=None)
        return [place.get(cell, -1) for cell in named]

    def left(self, places: Sequence[int]) -> tuple[list[Batch], int]:
        """The batches that rows in these places lack, and how many of the first rows to keep.

        All rows up to the first one of a batch that is not whole are kept.
        """
        batch_of = {p.index: i for i, batch in enumerate(self.batches) for p in batch.cells}
        sizes = [len(batch.cells) * len(self.spec.asked) for batch in self.batches]
        owners = [batch_of.get(place, -1) for place in places]
        while True:
            there = Counter(owners)
            broken = (o < 0 or there[o] != sizes[o] for o in owners)
            first = next((i for i, is_broken in enumerate(broken) if is_broken), None)
            if first is None:
                left = [batch for i, batch in enumerate(self.batches) if not there[i]]
                return left, len(owners)
            owners = owners[:first]


def measure_batch(
    spec: SweepSpec, device: torch.device, batch: Batch, advance: Advance = lambda _: None
) -> pd.DataFrame:
    """The rows of a batch: its cells in their order, a row an estimator in each."""
    plan = _estimators(batch.plan)
    started = time.perf_counter()
    found: list[list[dict[int, list[Measures]]]] = [[] for _ in batch.policies]
    failure = ""

    def done(groups: float) -> None:
        advance(groups * batch.rows * batch.n)

    try:
        if plan:
            with one_thread():
                found = measure(batch.policies, batch.n, plan, spec, device, done)
    except InputError as error:  # an engine that cannot do these cells: they are rows that say so
        failure = str(error)
    seconds = (time.perf_counter() - started) / max(1, batch.rows * len(batch.policies))
    rows = (
        row
        for policy, points, measured in zip(batch.policies, batch.points, found, strict=True)
        for point in points
        for row in _rows(spec, policy, point, measured, seconds, failure)
    )
    return as_table(rows, spec.swept)


def _rows(
    spec: SweepSpec,
    policy: Policy | NoRows,
    point: Point,
    measured: Sequence[Mapping[int, list[Measures]]],
    seconds: float,
    failure: str,
) -> list[dict[str, object]]:
    notes = _notes(spec, policy, point)
    names = [estimator.name for estimator in spec.asked]
    if failure:
        notes = dict.fromkeys(names, failure) | notes
    elif refusal := spec.refusal(spec.unit, policy, point.n, point.k):
        notes = dict.fromkeys(names, f"no variance ratio: {refusal}") | notes
    parts = [part[point.k] for part in measured if point.k in part]
    cell = Cell(policy.spec, point.n, point.k, seconds if parts else None)
    swept = dict(zip(spec.swept, point.values, strict=True))
    return [row | swept for row in cell_rows(cell, names, spec, notes, parts)]


def sweep(spec: SweepSpec) -> pd.DataFrame:
    """The table of a sweep, in grid order: the first axis slowest, a row an estimator in each cell.

    Raises `InputError` for what the spec cannot mean. A cell that cannot be measured is rows with a
    note: K above N, an estimator that is not defined, an engine that cannot do it.
    """
    planned = Sweep(spec)
    tables = [measure_batch(spec, planned.device, batch) for batch in planned.batches]
    table = pd.concat(tables, ignore_index=True)
    return table.iloc[row_order(planned.places(table.astype(str)))].reset_index(drop=True)


def row_order(places: Sequence[int]) -> list[int]:
    """In which order to take rows, those of a cell together, for the order of the grid."""
    return sorted(range(len(places)), key=places.__getitem__)


def _notes(spec: SweepSpec, policy: Policy | NoRows, point: Point) -> dict[str, str]:
    """Why estimators have no figures in a cell."""
    names = [estimator.name for estimator in spec.asked]
    if isinstance(policy, NoRows):
        return dict.fromkeys(names, policy.why)
    if point.k > point.n:
        return dict.fromkeys(names, f"k={point.k} is above the group size n={point.n}")
    refusals = {e.name: spec.refusal(e, policy, point.n, point.k) for e in spec.asked}
    return {name: refusal for name, refusal in refusals.items() if refusal}


def _points(spec: SweepSpec) -> Iterator[Point]:
    names = [axis.name for axis in spec.axes]
    count = prod(len(axis.values) for axis in spec.axes)
    if count > MAX_CELLS:
        raise InputError(f"--grid: {count:,} cells are too many; at most {MAX_CELLS:,}")
    for index, chosen in enumerate(product(*(axis.values for axis in spec.axes))):
        values = dict(zip(names, chosen, strict=True))
        n, k = int(values.pop("n", spec.n)), int(values.pop("k", spec.k))
        yield Point(index, tuple(values.values()), n, k)


def _batches(spec: SweepSpec) -> Iterator[Batch]:
    """The batches of a spec. Policies go together where one enumeration is for all of them."""
    if min(spec.n, spec.k) < 1:
        raise InputError(f"-n and -k must be at least 1; got n={spec.n} and k={spec.k}")
    points: dict[tuple[int, tuple[str, ...]], list[Point]] = {}
    for point in _points(spec):
        points.setdefault((point.n, point.values), []).append(point)
    known = _policies(spec, list(dict.fromkeys(values for _, values in points)))
    groups: dict[object, list[Cells]] = {}
    for (n, values), cells in points.items():
        policy = known[values]
        ks = tuple(point.k for point in cells)
        groups.setdefault((n, ks, _kinship(spec, policy, n, values)), []).append((policy, cells))
    for members in groups.values():
        yield from _split(spec, members)


def _policies(
    spec: SweepSpec, cells: Sequence[tuple[str, ...]]
) -> dict[tuple[str, ...], Policy | NoRows]:
    """The policy of each choice of swept values.

    Where several columns of a file are swept, it need not have rows for all combinations.
    """
    found: dict[tuple[str, ...], Policy | NoRows] = {}
    for values in cells:
        try:
            found[values] = spec.template.at(dict(zip(spec.swept, values, strict=True)))
        except InputError as error:
            if isinstance(spec.template, PolicyTemplate) or len(spec.swept) < 2:
                raise InputError(f"--grid: {error}" if spec.swept else str(error)) from None
            found[values] = NoRows(spec.template.spec, str(error))
    absent = [policy.why for policy in found.values() if isinstance(policy, NoRows)]
    if len(absent) == len(found):
        raise InputError(f"--grid: {absent[0]}")
    return found


def _kinship(spec: SweepSpec, policy: Policy | NoRows, n: int, values: tuple[str, ...]) -> object:
    """Equal for policies that are enumerated together; otherwise each has its own."""
    try:
        engines = {engine_of(spec, problem, n) for problem in policy.problems}
    except InputError:
        return values
    first = policy.problems[0] if policy.problems else None
    alone = len(policy.problems) == 1 and engines == {"enumeration"}
    return first.family if alone and isinstance(first, FiniteProblem) else values


def _split(spec: SweepSpec, members: Sequence[Cells]) -> Iterator[Batch]:
    """Batches of these policies, none of much more than `BATCH_WORK` unless one policy is."""
    plan = _plan(spec, *members[0])
    rows = sum(len(names) for names in plan.values())
    part: list[Cells] = []
    groups = 0.0
    for policy, cells in members:
        each = _groups(spec, policy, cells[0].n, plan) if plan else 0.0
        if part and (groups + each) * rows > BATCH_WORK:
            yield _batch(part, plan, groups)
            part, groups = [], 0.0
        part.append((policy, cells))
        groups += each
    yield _batch(part, plan, groups)


def _groups(
    spec: SweepSpec, policy: Policy | NoRows, n: int, plan: Mapping[int, tuple[str, ...]]
) -> float:
    try:
        return work_of(spec, policy, n, _estimators(plan))
    except InputError:  # an engine that cannot do it, which the rows will say
        return 0.0


def _estimators(plan: Mapping[int, tuple[str, ...]]) -> dict[int, tuple[Estimator, ...]]:
    """The catalogue entries of a plan."""
    return {k: find_all(names) for k, names in plan.items()}


def _batch(part: Sequence[Cells], plan: Mapping[int, tuple[str, ...]], groups: float) -> Batch:
    policies, cells = zip(*part, strict=True)
    return Batch(cells[0][0].n, policies, tuple(map(tuple, cells)), plan, groups)


def _plan(
    spec: SweepSpec, policy: Policy | NoRows, cells: Sequence[Point]
) -> dict[int, tuple[str, ...]]:
    """The estimators to measure at each K, the reference among them where it is defined."""
    plan = {}
    for point in cells:
        notes = _notes(spec, policy, point)
        asked = [e for e in spec.asked if e.name not in notes]
        if asked and not spec.refusal(spec.unit, policy, point.n, point.k):
            asked.append(spec.unit)
        if asked:
            plan[point.k] = tuple(dict.fromkeys(estimator.name for estimator in asked))
    return plan


_of_worker: list[Sweep] = []
"""In a worker process, its own plan of the sweep, so that tasks are no more than numbers."""


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C waits until the block is over; processes that it starts do not hear of it at all."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker(spec: SweepSpec) -> None:
    """A worker goes when its parent is gone."""
    parent = parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    _of_worker.append(Sweep(spec))


def _in_worker(number: int) -> pd.DataFrame:
    (sweep,) = _of_worker
    return measure_batch(sweep.spec, sweep.device, sweep.batches[number])
