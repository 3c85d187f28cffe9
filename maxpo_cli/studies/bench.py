"""How long advantages and Monte Carlo take on this machine, by N, and over their lower bounds.

Everything runs in one thread, on the same groups. A row is one thing at one N: the median and the
interquartile range of the time per group, its ratio to the lower bound, and the exponent of N that
the times from N = 64 on grow with.
"""

import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from maxpo_cli.engines.device import find_device
from maxpo_cli.engines.monte_carlo.sampler import Sampler
from maxpo_cli.errors import InputError
from maxpo_cli.estimators.api import advantages
from maxpo_cli.estimators.kinds import Estimator
from maxpo_cli.estimators.lookup import DEFAULT_ESTIMATORS, find_all
from maxpo_cli.estimators.pairwise import l2o_pairwise
from maxpo_cli.estimators.sorted_groups import SortedGroups
from maxpo_cli.estimators.subsets import l2o_subsets
from maxpo_cli.policies.spec import parse_policy
from maxpo_cli.studies.memory import require_memory
from maxpo_cli.studies.peers import Peer, find_peer
from maxpo_cli.studies.settings import BenchOptions
from maxpo_cli.studies.spec import DTYPES

NUMBERS = {"cpu": 1 << 18, "cuda": 1 << 24}
"""Rewards per call: what a CPU's cache holds, what fills a GPU."""

SAMPLED = {"cpu": 1 << 23, "cuda": 1 << 27}
"""Rewards per run of Monte Carlo."""

MOST_PAIRS, MOST_SUBSETS = 1 << 28, 1 << 22
"""Pairs, and members of subsets, that a group may have where they are gone through."""

EIGHT_LEVELS = "rewards=0/1/2/3/4/5/6/7,probs=0.3/0.2/0.15/0.1/0.1/0.05/0.05/0.05"
POLICIES = {
    "gaussian": ("gaussian:reward=identity", torch.randn),
    "8 levels": (f"categorical:{EIGHT_LEVELS},outcomes=1", torch.rand),
}
"""What Monte Carlo is timed on, a continuous and a finite policy, and the draws that each takes."""

SORT, FLOOR = "torch.sort", "draws + sort"
PAIRS, SUBSETS = "l2o by pairs", "l2o by subsets"
FIT_FROM = 64

COLUMNS = (
    "device", "study", "what", "n", "k", "groups", "seconds_per_group", "iqr_per_group",
    "groups_per_second", "floor", "floor_ratio", "exponent", "note",
)  # fmt: skip


@dataclass(frozen=True)
class BenchSpec:
    """What to time, and on what. Raises `InputError` for what cannot be timed."""

    options: BenchOptions

    def __post_init__(self) -> None:
        if not self.sizes or min(self.sizes) < 2:
            raise InputError("-n takes group sizes of at least 2, separated by commas")
        if self.k < 1:
            raise InputError(f"K must be at least 1; got k={self.k}")
        if self.options.dtype not in DTYPES:
            raise InputError(f"--dtype must be float64 or float32; got '{self.options.dtype}'")
        if not self.options.seconds > 0:
            raise InputError(f"--seconds must be above 0; got {self.options.seconds:g}")
        for estimator in self.asked:
            if not estimator.trainable:
                raise InputError(
                    f"{estimator.name} needs the true distribution: there is nothing to time"
                )
        if self.k > max(self.sizes):
            raise InputError(
                f"-k must be at most the group size -n; got k={self.k} with n={max(self.sizes)}"
            )
        require_memory(self.sizes, [self.k])
        refusals = [
            estimator.refusal(n, self.k, estimator.claims.binary_only)
            for n in self.sizes
            for estimator in self.asked
        ]
        if all(refusals) and not self.options.peers:
            raise InputError(f"--estimators: {refusals[-1]}")

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """The group sizes, ascending."""
        sizes = self.options.sizes
        if isinstance(sizes, str):
            if not all(size.strip().isdecimal() for size in sizes.split(",")):
                raise InputError(f"-n takes group sizes separated by commas; got '{sizes}'")
            sizes = [int(size) for size in sizes.split(",")]
        return tuple(sorted(set(sizes)))

    @property
    def k(self) -> int:
        """K of max@K."""
        return self.options.k

    @cached_property
    def asked(self) -> tuple[Estimator, ...]:
        """The estimators by their names."""
        return find_all(self.options.names)

    @cached_property
    def device(self) -> torch.device:
        """Where things are timed."""
        return find_device(self.options.device)

    @property
    def dtype(self) -> torch.dtype:
        """What advantages are computed in."""
        return DTYPES[self.options.dtype]


@dataclass(frozen=True)
class _Task:
    """One thing to time at one N: `work` on so many groups, or a note why there is none."""

    study: str
    what: str
    n: int
    floor: str = ""
    groups: int = 0
    work: Callable[[], object] | None = None
    note: str = ""


def bench(spec: BenchSpec, advance: Callable[[float], None] = lambda _: None) -> pd.DataFrame:
    """The table of all times; `advance` is told of the shares of the work as they are done."""
    device = spec.device
    n = min((n for n in spec.sizes if n > spec.k), default=max(spec.sizes))
    few = torch.rand(3, n, device=device, dtype=torch.float64)
    peers = {
        peer: peer.fitted(few, spec.k).resemblance(n, spec.k, spec.options.seed)
        for peer in map(find_peer, spec.options.peers)
    }
    rows = []
    for n in spec.sizes:
        tasks = list(_tasks(spec, peers, device, n))
        for task in tasks:
            rows.append(_row(task, spec))
            advance(1 / (len(tasks) * len(spec.sizes)))
    table = pd.DataFrame(rows).assign(device=f"{device.type} ({device_name(device)})")
    floors = table.set_index(["what", "n"])["seconds_per_group"]
    table["floor_ratio"] = [
        seconds / floors[floor, n] if floor else np.nan
        for seconds, floor, n in table[["seconds_per_group", "floor", "n"]].itertuples(index=False)
    ]
    exponents = {what: _exponent(rows) for what, rows in table.groupby("what")}
    table["exponent"] = table["what"].map(exponents)
    return table.reindex(columns=list(COLUMNS))


def _row(task: _Task, spec: BenchSpec) -> dict[str, object]:
    row: dict[str, object] = {
        "study": task.study, "what": task.what, "n": task.n, "k": spec.k, "floor": task.floor,
        "groups": pd.NA, "note": task.note,
    }  # fmt: skip
    if task.work is None:
        return row
    from torch.utils.benchmark import Timer  # slow to load, and records of other studies come by

    timer = Timer("work()", globals={"work": task.work}, num_threads=1)
    found = timer.blocked_autorange(min_run_time=spec.options.seconds)
    return row | {
        "groups": task.groups,
        "seconds_per_group": found.median / task.groups,
        "iqr_per_group": found.iqr / task.groups,
        "groups_per_second": task.groups / found.median,
    }


def _exponent(rows: pd.DataFrame) -> float:
    """The slope of log time in log N from N = 64 on; NaN with fewer than two such sizes."""
    timed = rows[(rows["n"] >= FIT_FROM) & rows["seconds_per_group"].notna()]
    if timed["n"].nunique() < 2:
        return np.nan
    slope, _ = np.polyfit(np.log(timed["n"]), np.log(timed["seconds_per_group"].astype(float)), 1)
    return float(slope)


def _tasks(
    spec: BenchSpec, peers: Mapping[Peer, str], device: torch.device, n: int
) -> Iterator[_Task]:
    """All that is timed for groups of n, lower bounds first."""
    yield from _of_advantages(spec, peers, device, n)
    for label in POLICIES:
        yield from _of_monte_carlo(spec, label, device, n)


def _of_advantages(
    spec: BenchSpec, peers: Mapping[Peer, str], device: torch.device, n: int
) -> Iterator[_Task]:
    k, dtype = spec.k, spec.dtype
    generator = torch.Generator(device).manual_seed(spec.options.seed)

    def groups_of(size: int) -> Tensor:
        count = max(1, NUMBERS[device.type] // size)
        return torch.randn(count, n, generator=generator, dtype=dtype, device=device)

    rewards = groups_of(n)

    def task(what: str, work: Callable[[], object], groups: Tensor = rewards) -> _Task:
        return _Task("advantages", what, n, SORT if what != SORT else "", len(groups), work)

    def none(what: str, note: str) -> _Task:
        return _Task("advantages", what, n, SORT, note=note)

    yield task(SORT, lambda: torch.sort(rewards, -1))
    for estimator in spec.asked:
        if refusal := estimator.refusal(n, k, estimator.claims.binary_only):
            yield none(estimator.name, refusal)
            continue
        given = (rewards > 0).to(dtype) if estimator.claims.binary_only else rewards
        yield task(estimator.name, partial(advantages, estimator.name, given, k))
    (l2o,) = find_all(["l2o"])
    refusal = l2o.refusal(n, k, binary=False)
    if refusal or n * n > MOST_PAIRS:
        yield none(PAIRS, refusal or f"{PAIRS}: too large above N = {MOST_PAIRS**0.5:,.0f}")
    else:
        few = SortedGroups(groups_of(n * n).sort(-1).values)
        yield task(PAIRS, lambda: l2o_pairwise(few, k), few.rewards)
    if refusal or comb(n, k) * k > MOST_SUBSETS:
        yield none(SUBSETS, refusal or f"{SUBSETS}: C({n}, {k}) = {comb(n, k):,} subsets a group")
    else:
        fewer = groups_of(comb(n, k) * k)
        yield task(SUBSETS, lambda: l2o_subsets(fewer, k), fewer)
    for peer, likeness in peers.items():
        if k > n:
            yield none(peer.name, f"{peer.name}: K = {k} is above N = {n}")
            continue
        fitted = peer.fitted(rewards[:3], k)
        note = f"{peer.name} {likeness}" + (", one group at a time" if fitted.by_group else "")
        yield _Task(
            "advantages", peer.name, n, SORT, len(rewards),
            partial(fitted, rewards, k), note,
        )  # fmt: skip


def _of_monte_carlo(spec: BenchSpec, label: str, device: torch.device, n: int) -> Iterator[_Task]:
    policy, draw = POLICIES[label]
    (problem,) = parse_policy(policy).problems
    block = max(1, NUMBERS[device.type] // n)
    blocks = SAMPLED[device.type] // NUMBERS[device.type]
    groups = block * blocks
    generator = torch.Generator(device)

    def floor() -> None:
        for _ in range(blocks):
            draw(block, n, generator=generator, dtype=torch.float64, device=device).sort(-1)

    def sample(chosen: tuple[Estimator, ...]) -> None:
        generator.manual_seed(spec.options.seed)
        plan = {spec.k: chosen}
        sampler = Sampler(problem, n, plan, groups, generator, spec.dtype, lambda _: None)
        sampler.sample(groups)
        sampler.moments(spec.k)

    floor_name = f"{label}: {FLOOR}"
    yield _Task("monte-carlo", floor_name, n, "", groups, floor)
    several = find_all(DEFAULT_ESTIMATORS)
    for what, asked in (
        *((estimator.name, (estimator,)) for estimator in spec.asked),
        (f"{len(several)} estimators", several),
    ):
        chosen = tuple(e for e in asked if not e.refusal(n, spec.k, problem.is_binary))
        name = f"{label}: {what}"
        if len(chosen) < len(asked):
            note = next(filter(None, (e.refusal(n, spec.k, problem.is_binary) for e in asked)))
            yield _Task("monte-carlo", name, n, floor_name, note=note)
        else:
            yield _Task("monte-carlo", name, n, floor_name, groups, partial(sample, chosen))


def device_name(device: torch.device) -> str:
    """The processor or the GPU that a device is."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text(encoding="utf-8").splitlines() if cpus.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
