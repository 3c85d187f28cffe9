"""What every study does: choose engine and estimators, and measure policies at one group size."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from typing import Protocol

import torch

from maxpo_cli.metrics.summary import diagnose
from maxpo_cli.engines.enumeration import MAX_STATES, count_states, enumerate_family
from maxpo_cli.engines.threshold.engine import measure_exactly, pairs_of
from maxpo_cli.engines.moments import Measures, Problem
from maxpo_cli.engines.monte_carlo.sampler import BLOCK, Sampler, sample_problem
from maxpo_cli.errors import InputError, unknown
from maxpo_cli.estimators.catalogue import CATALOGUE, DEFAULT_ESTIMATORS, Estimator, find_all
from maxpo_cli.problems.finite import Family, FiniteProblem

ENGINES = ("auto", "enumeration", "threshold", "monte-carlo")
DTYPES = {"float64": torch.float64, "float32": torch.float32}
SETS = {"default": DEFAULT_ESTIMATORS, "all": tuple(CATALOGUE)}

AUTO_NUMBERS = 200_000_000
"""Count vectors times the larger of N and levels that `auto` enumerates: a few minutes' work."""

AUTO_PAIRS = 2_000_000_000
"""Pairs of thresholds times N² that `auto` leaves to the threshold engine: a minute's work."""

FIRST_LOOK, LOOK_EVERY = 16 * BLOCK, 1.2
"""Groups after which `until_rel_error` first looks at the errors, and the growth between looks."""

SEEN, DOUBTFUL = 100, 3.0
"""Rewards of the rarest level that must be expected before sampling can stop early, and the
standard score of a bias from which it goes on."""

Advance = Callable[[float], None]
"""Told how much work was done since it was last told, in the unit of `work_of`."""

Plan = Mapping[int, tuple[Estimator, ...]]
"""The estimators to measure at each K."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What studies ask alike. `estimators` are names, or names of sets: `default`, `all`.

    With `until_rel_error`, sampling of a cell stops before `groups` once the standard error of
    every variance ratio is at most this share of it. Integrals over the thresholds of a continuous
    reward are refined until no figure moves by more than `rtol`.
    """

    estimators: tuple[str, ...] = ("default",)
    engine: str = "auto"
    groups: int = 100_000
    until_rel_error: float | None = None
    rtol: float = 1e-8
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
        if not 0 < self.rtol < 1:
            raise InputError(f"--rtol must be above 0 and below 1; got {self.rtol:g}")
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

    def refusal(self, estimator: Estimator, policy: "Measurable", n: int, k: int) -> str | None:
        """Why an estimator cannot be measured here; None when it can."""
        if self.engine == "threshold" and not estimator.is_linear:
            return f"{estimator.name} is not rank-linear, so --engine threshold cannot measure it"
        if estimator.best is not None:
            if self.engine in ("enumeration", "monte-carlo"):
                return f"{estimator.name} needs --engine threshold or auto, which find it"
            if any(engine_of(self, problem, n) == "monte-carlo" for problem in policy.problems):
                return f"{estimator.name} needs --engine threshold, which takes long at this size"
        return estimator.refusal(n, k, is_binary(policy))

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


def engine_of(settings: Settings, problem: Problem, n: int) -> str:
    """How a problem is measured: `threshold` is for what `is_linear`, the rest is then sampled.

    Raises `InputError` when an engine was asked for that cannot do it.
    """
    engine = settings.engine
    if engine == "monte-carlo":
        return engine
    if isinstance(problem, FiniteProblem):
        states, m = count_states(problem, n), problem.m
        if engine == "enumeration" and states > MAX_STATES:
            raise InputError(
                f"--engine enumeration: n={n} with {m} reward levels has {states:,} count "
                f"vectors, above the limit of {MAX_STATES:,}; use --engine auto or a smaller n"
            )
        if engine == "auto" and states <= MAX_STATES and states * max(n, m) <= AUTO_NUMBERS:
            return "enumeration"
    elif engine == "enumeration":
        raise InputError(
            "--engine enumeration needs finitely many reward levels, and this reward is "
            "continuous; use --engine auto"
        )
    if engine != "auto":
        return engine
    return "threshold" if pairs_of(problem) * n**2 <= AUTO_PAIRS else "monte-carlo"


def work_of(settings: Settings, policy: Measurable, n: int, plan: Plan) -> float:
    """The work of one policy: count vectors and pairs of levels to look at, groups to sample."""
    return sum(
        work
        for problem in _distinct(settings, policy, n)
        for work in _works(settings, problem, n, plan)
    )


def _distinct(settings: Settings, policy: Measurable, n: int) -> list[Problem]:
    """The problems of a policy, equal ones that are measured exactly but once."""
    exact: dict[int, Problem] = {}
    sampled = []
    for problem in policy.problems:
        if engine_of(settings, problem, n) == "monte-carlo":
            sampled.append(problem)
        else:
            exact[id(problem)] = problem
    return [*exact.values(), *sampled]


def _works(settings: Settings, problem: Problem, n: int, plan: Plan) -> Iterator[float]:
    engine = engine_of(settings, problem, n)
    if engine == "monte-carlo" or (engine == "threshold" and not _all_linear(plan)):
        yield settings.groups
    if engine == "enumeration" and isinstance(problem, FiniteProblem):
        yield count_states(problem, n)
    if engine == "threshold" or (engine == "enumeration" and _best_of(plan)):
        yield pairs_of(problem)


def measure(
    policies: Sequence[Measurable],
    n: int,
    plan: Plan,
    settings: Settings,
    device: torch.device,
    advance: Advance,
) -> list[list[dict[int, list[Measures]]]]:
    """For each policy its parts, and of each part, for each K, the measures of its problems.

    A policy has two parts where the threshold engine takes some of its problems: the estimators
    which that engine can measure, and the others with the reference. Where problems are enumerated
    that engine adds the best baselines alone. An exact answer is worked out once for equal
    problems, and together for those of one family; every policy that is sampled draws from the same
    seed.
    """
    best = _best_of(plan)
    enumerated = {k: tuple(e for e in several if e.best is None) for k, several in plan.items()}
    exact: dict[int, dict[int, Measures]] = {}
    for family in _families(policies, n, settings).values():
        found = enumerate_family(family, n, enumerated, device, DTYPES[settings.dtype], advance)
        for problem, measured in zip(family, found, strict=True):
            more = measure_exactly(problem, n, best, device, settings.rtol, advance) if best else {}
            exact[id(problem)] = {
                k: measured[k].joined(more[k]) if k in more else measured[k] for k in plan
            }
    parts = []
    for policy in policies:
        cut = [p for p in policy.problems if engine_of(settings, p, n) == "threshold"]
        if not cut:
            there = _restricted(exact, plan)
            parts.append([_measure(policy, n, plan, settings, device, there, advance)])
            continue
        linear = {k: tuple(e for e in several if e.is_linear) for k, several in plan.items()}
        others = {k: _with_unit(several, settings) for k, several in plan.items()}
        known = {
            key: measure_exactly(problem, n, linear, device, settings.rtol, advance)
            for key, problem in {id(problem): problem for problem in cut}.items()
        }
        both = []
        for chosen, more_exact in ((linear, known), (others, {})):
            if wanted := _chosen(chosen):
                there = _restricted(exact, wanted) | _restricted(more_exact, wanted)
                both.append(_measure(policy, n, wanted, settings, device, there, advance))
        parts.append(both)
    return parts


def _all_linear(plan: Plan) -> bool:
    return all(estimator.is_linear for several in plan.values() for estimator in several)


def _best_of(plan: Plan) -> Plan:
    """The best baselines of a plan, at each K that has any."""
    return _chosen({k: tuple(e for e in s if e.best is not None) for k, s in plan.items()})


def _chosen(plan: Plan) -> Plan:
    """A plan without the K at which there is no estimator."""
    return {k: several for k, several in plan.items() if several}


def _with_unit(several: Sequence[Estimator], settings: Settings) -> tuple[Estimator, ...]:
    """The estimators that are not rank-linear, with the reference where there are any."""
    others = [e for e in several if not e.is_linear]
    unit = [e for e in several if others and e.is_linear and e.name == settings.reference]
    return (*others, *unit)


def _restricted(
    exact: Mapping[int, dict[int, Measures]], plan: Plan
) -> dict[int, dict[int, Measures]]:
    return {
        key: {k: measured[k].only(chosen) for k, chosen in plan.items()}
        for key, measured in exact.items()
    }


def _families(
    policies: Sequence[Measurable], n: int, settings: Settings
) -> dict[Family, list[FiniteProblem]]:
    families: dict[Family, dict[int, FiniteProblem]] = {}
    for policy in policies:
        for problem in policy.problems:
            enumerated = engine_of(settings, problem, n) == "enumeration"
            if enumerated and isinstance(problem, FiniteProblem):
                families.setdefault(problem.family, {})[id(problem)] = problem
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
    rarest = min((sampler.rarest for sampler in samplers), default=1.0)
    while samplers and wanted:
        for sampler in samplers:
            sampler.sample(groups, wanted)
        if groups >= settings.groups:
            break
        for k in tuple(wanted) if groups * rarest >= SEEN else ():
            measured = [sampler.measures(k) for sampler in samplers]
            if _is_sure([*measured, *(each[k] for each in known)], settings):
                wanted.remove(k)
        groups = min(ceil(groups * LOOK_EVERY), settings.groups)
    return [{k: sampler.measures(k) for k in plan} for sampler in samplers]


def _is_sure(measured: Sequence[Measures], settings: Settings) -> bool:
    """Whether every variance ratio has a standard error that is small beside it.

    Not while an estimator that is known to be unbiased looks biased: what matters is then still
    to be drawn.
    """
    assert settings.until_rel_error is not None
    figures = diagnose(measured, settings.reference)
    known = [f for f in figures.values() if f.variance_ratio == f.variance_ratio]
    unbiased = [e.name for e in measured[0].estimators if e.unbiased == "yes"]
    return (
        bool(known)
        and all(
            f.variance_ratio_stderr <= settings.until_rel_error * f.variance_ratio for f in known
        )
        and not any(figures[name].bias_z > DOUBTFUL for name in unbiased)
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
