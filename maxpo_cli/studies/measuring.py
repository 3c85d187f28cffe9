"""What every study does: choose engine and estimators, and measure policies at one group size."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Protocol

import torch

from maxpo_cli.engines.diagnostics import diagnose
from maxpo_cli.engines.enumeration import MAX_STATES, count_states, enumerate_family
from maxpo_cli.engines.measures import Measures, Problem
from maxpo_cli.engines.monte_carlo import BLOCK, Sampler, sample_problem
from maxpo_cli.errors import InputError, unknown
from maxpo_cli.estimators.catalogue import CATALOGUE, DEFAULT_ESTIMATORS, Estimator, find_all
from maxpo_cli.policies.finite import Family, FiniteProblem

ENGINES = ("auto", "enumeration", "monte-carlo")
DTYPES = {"float64": torch.float64, "float32": torch.float32}
SETS = {"default": DEFAULT_ESTIMATORS, "all": tuple(CATALOGUE)}

AUTO_NUMBERS = 200_000_000
"""Count vectors times the larger of N and levels that `auto` enumerates: a few minutes' work."""

FIRST_LOOK, LOOK_EVERY = 16 * BLOCK, 1.2
"""Groups after which `until_rel_error` first looks at the errors, and the growth between looks."""

Advance = Callable[[float], None]
"""Told how much work was done since it was last told, in the unit of `work_of`."""

Plan = Mapping[int, tuple[Estimator, ...]]
"""The estimators to measure at each K."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What studies ask alike. `estimators` are names, or names of sets: `default`, `all`.

    With `until_rel_error`, sampling of a cell stops before `groups` once the standard error of
    every variance ratio is at most this share of it.
    """

    estimators: tuple[str, ...] = ("default",)
    engine: str = "auto"
    groups: int = 100_000
    until_rel_error: float | None = None
    seed: int = 0
    device: str = "auto"
    dtype: str = "float64"
    reference: str = "ei"

    def check(self) -> None:
        """Raises `InputError` for a value that no study can take."""
        if self.groups < 2:
            raise InputError(f"--groups must be at least 2; got {self.groups}")
        if self.until_rel_error is not None and not 0 < self.until_rel_error < 1:
            raise InputError(
                f"--until-rel-error must be above 0 and below 1; got {self.until_rel_error:g}"
            )
        if not 0 <= self.seed < 2**63:
            raise InputError(f"--seed must be from 0 to 2^63 − 1; got {self.seed}")
        if self.engine not in ENGINES:
            raise unknown("--engine", self.engine, ENGINES)
        if self.dtype not in DTYPES:
            raise unknown("--dtype", self.dtype, DTYPES)

    @property
    def asked(self) -> tuple[Estimator, ...]:
        """The estimators asked for, each once; `InputError` for an unknown name."""
        names = (name for chosen in self.estimators for name in SETS.get(chosen, (chosen,)))
        return _named("--estimators", names)

    @property
    def unit(self) -> Estimator:
        """The reference estimator; `InputError` for an unknown name."""
        return _named("--reference", (self.reference,))[0]


def _named(option: str, names: Iterable[str]) -> tuple[Estimator, ...]:
    try:
        return find_all(names)
    except InputError as error:
        raise InputError(f"{option}: {error}") from None


class Measurable(Protocol):
    """A policy, as far as it is measured."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Its problems; none where there is nothing to measure."""


def is_binary(policy: Measurable) -> bool:
    """Whether every reward of a policy is 0 or 1."""
    return all(problem.is_binary for problem in policy.problems)


def find_device(name: str) -> torch.device:
    """The torch device of `auto`, `cpu`, `cuda` or `cuda:i`; `InputError` where it is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdigit()) or name == "cpu:":
        raise InputError(f"--device must be auto, cpu, cuda or cuda:i; got '{name}'")
    if kind == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise InputError("--device cuda: torch finds no CUDA device here; use --device cpu")
    if index and int(index) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise InputError(f"--device {name}: there are {count} CUDA devices, numbered from 0")
    return torch.device(name)


def enumerable(settings: Settings, problem: Problem, n: int) -> FiniteProblem | None:
    """The problem as one to enumerate; None where it is to be sampled.

    Raises `InputError` when enumeration was asked for and is not possible.
    """
    if settings.engine == "monte-carlo":
        return None
    if not isinstance(problem, FiniteProblem):
        if settings.engine == "enumeration":
            raise InputError(
                "--engine enumeration needs finitely many reward levels, and this reward is "
                "continuous; use --engine monte-carlo"
            )
        return None
    states = count_states(problem, n)
    if settings.engine == "auto" and states * max(n, problem.m) > AUTO_NUMBERS:
        return None
    if states <= MAX_STATES:
        return problem
    if settings.engine == "enumeration":
        raise InputError(
            f"--engine enumeration: n={n} with {problem.m} reward levels has {states:,} count "
            f"vectors, above the limit of {MAX_STATES:,}; use --engine monte-carlo or a smaller n"
        )
    return None


def work_of(settings: Settings, policy: Measurable, n: int) -> float:
    """The work of one policy, in groups looked at: each count vector, or each group sampled."""
    exact = {}
    sampled = 0
    for problem in policy.problems:
        if finite := enumerable(settings, problem, n):
            exact[id(finite)] = count_states(finite, n)
        else:
            sampled += settings.groups
    return sum(exact.values()) + sampled


def measure(
    policies: Sequence[Measurable],
    n: int,
    plan: Plan,
    settings: Settings,
    device: torch.device,
    advance: Advance,
) -> list[dict[int, list[Measures]]]:
    """For each policy and K, the measures of its problems in their order.

    An exact answer is worked out once for equal problems, and together for those of one family;
    every policy that is sampled draws from the same seed.
    """
    exact: dict[int, dict[int, Measures]] = {}
    for family in _families(policies, n, settings).values():
        found = enumerate_family(family, n, plan, device, DTYPES[settings.dtype], advance)
        exact |= {id(problem): measured for problem, measured in zip(family, found, strict=True)}
    return [_measure(policy, n, plan, settings, device, exact, advance) for policy in policies]


def _families(
    policies: Sequence[Measurable], n: int, settings: Settings
) -> dict[Family, list[FiniteProblem]]:
    families: dict[Family, dict[int, FiniteProblem]] = {}
    for policy in policies:
        for problem in policy.problems:
            if finite := enumerable(settings, problem, n):
                families.setdefault(finite.family, {})[id(finite)] = finite
    return {family: list(members.values()) for family, members in families.items()}


def _measure(
    policy: Measurable,
    n: int,
    plan: Plan,
    settings: Settings,
    device: torch.device,
    exact: Mapping[int, dict[int, Measures]],
    advance: Advance,
) -> dict[int, list[Measures]]:
    """One policy: the exact answers of its problems, and the others sampled."""
    problems = policy.problems
    sampled = [problem for problem in problems if id(problem) not in exact]
    known = [exact[id(problem)] for problem in problems if id(problem) in exact]
    generator = torch.Generator(device).manual_seed(settings.seed)
    dtype = DTYPES[settings.dtype]
    if settings.until_rel_error is None:
        groups = settings.groups
        drawn = iter(
            [sample_problem(p, n, plan, groups, generator, dtype, advance) for p in sampled]
        )
    else:
        samplers = [
            Sampler(problem, n, plan, settings.groups, generator, dtype, advance)
            for problem in sampled
        ]
        drawn = iter(_sample_until_sure(samplers, known, plan, settings))
    both = [exact[id(p)] if id(p) in exact else next(drawn) for p in problems]
    return {k: [measured[k] for measured in both] for k in plan}


def _sample_until_sure(
    samplers: Sequence[Sampler],
    known: Sequence[dict[int, Measures]],
    plan: Plan,
    settings: Settings,
) -> list[dict[int, Measures]]:
    """Draws from each sampler until the ratios at every K are known well enough."""
    wanted, groups = set(plan), min(FIRST_LOOK, settings.groups)
    while samplers and wanted:
        for sampler in samplers:
            sampler.sample(groups, wanted)
        if groups >= settings.groups:
            break
        for k in tuple(wanted):
            measured = [sampler.measures(k) for sampler in samplers]
            if _is_sure([*measured, *(each[k] for each in known)], settings):
                wanted.remove(k)
        groups = min(ceil(groups * LOOK_EVERY), settings.groups)
    return [{k: sampler.measures(k) for k in plan} for sampler in samplers]


def _is_sure(measured: Sequence[Measures], settings: Settings) -> bool:
    """Whether every variance ratio has a standard error that is small beside it."""
    assert settings.until_rel_error is not None
    figures = diagnose(measured, settings.reference).values()
    ratios = [
        (f.variance_ratio_stderr, f.variance_ratio)
        for f in figures
        if f.variance_ratio == f.variance_ratio
    ]
    return bool(ratios) and all(
        stderr <= settings.until_rel_error * ratio for stderr, ratio in ratios
    )


@contextmanager
def one_thread() -> Iterator[None]:
    """One CPU thread for torch: the engines work on tensors that stay in a core's cache.

    Threads that meet after every such operation gain little, and where another process wants a
    core too, waiting for each other made them ten to a hundred times slower.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
