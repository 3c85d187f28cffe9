"""`compare`: every estimator side by side at one policy, N and K."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd
import torch

from maxpo_cli.engines.diagnostics import diagnose
from maxpo_cli.engines.enumeration import MAX_STATES, count_states, enumerate_problem
from maxpo_cli.engines.measures import Measures, Problem
from maxpo_cli.engines.monte_carlo import sample_problem
from maxpo_cli.errors import InputError, unknown
from maxpo_cli.estimators.catalogue import CATALOGUE, DEFAULT_ESTIMATORS, Estimator, find_all
from maxpo_cli.policies.finite import FiniteProblem
from maxpo_cli.policies.logged import Logged
from maxpo_cli.policies.spec import Policy
from maxpo_cli.studies.tables import Cell, cell_rows

ENGINES = ("auto", "enumeration", "monte-carlo")
DTYPES = {"float64": torch.float64, "float32": torch.float32}
AUTO_NUMBERS = 200_000_000
"""Count vectors times the larger of N and levels that `auto` enumerates: a few minutes' work."""

Progress = Callable[[float], None]
"""Told how much of the whole work, from 0 to 1, was done since it was last told."""


@dataclass(frozen=True)
class CompareSpec:
    """What to compare. `estimators` are names, or one group name: `default` or `all`."""

    policy: Policy
    n: int
    k: int
    estimators: tuple[str, ...] = ("default",)
    engine: str = "auto"
    groups: int = 100_000
    seed: int = 0
    device: str = "auto"
    dtype: str = "float64"
    reference: str = "ei"


@dataclass(frozen=True)
class Comparison:
    """The table over all prompts together, the rows of each prompt, and the device used."""

    table: pd.DataFrame
    prompts: pd.DataFrame | None
    device: str


def compare(spec: CompareSpec, progress: Progress = lambda _: None) -> Comparison:
    """Measures every estimator of `spec` on its policy.

    Rows come in the order of the estimators. An estimator that is not defined here is a row with a
    note when it came with a group name. The reference is measured too when it is not asked for.

    Raises `InputError` for what the spec cannot mean: an unknown name, K above N, an estimator that
    was named and is not defined, an engine that cannot do it, a device that is not there.
    """
    _check_sizes(spec)
    device = find_device(spec.device)
    problems = spec.policy.problems
    binary = all(problem.is_binary for problem in problems)
    asked, notes = _choose(spec, binary)
    measured = [e for e in asked if e.name not in notes]
    reference = _named("--reference", (spec.reference,))[0]
    if refusal := reference.refusal(spec.n, spec.k, binary):
        raise InputError(f"--reference {refusal}")
    started = time.perf_counter()
    everyone = tuple(dict.fromkeys([*measured, reference]))
    with _one_thread():
        measures = _measure(spec, everyone, device, progress)
    seconds = (time.perf_counter() - started) / len(everyone)
    names = [estimator.name for estimator in asked]

    def rows(chosen: list[Measures], policy: str, each: float) -> pd.DataFrame:
        cell = Cell(
            policy=policy,
            n=spec.n,
            k=spec.k,
            engine="monte-carlo" if any(m.groups for m in chosen) else "enumeration",
            states=sum(m.states for m in chosen),
            groups=sum(m.groups for m in chosen),
            seconds=each,
        )
        return cell_rows(cell, names, diagnose(chosen, reference.name), notes)

    prompts = None
    if isinstance(spec.policy, Logged):
        each = seconds / len(measures)
        tables = [rows([m], spec.policy.spec, each) for m in measures]
        prompts = pd.concat(tables, ignore_index=True)
        labels = [label for label in spec.policy.labels for _ in names]
        prompts.insert(0, "prompt", labels)
    return Comparison(rows(measures, spec.policy.spec, seconds), prompts, str(device))


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


@contextmanager
def _one_thread() -> Iterator[None]:
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


def _check_sizes(spec: CompareSpec) -> None:
    if spec.n < 1:
        raise InputError(f"-n must be at least 1; got {spec.n}")
    if spec.k < 1:
        raise InputError(f"-k must be at least 1; got {spec.k}")
    if spec.k > spec.n:
        raise InputError(f"-k must be at most the group size -n; got k={spec.k} with n={spec.n}")
    if spec.groups < 2:
        raise InputError(f"--groups must be at least 2; got {spec.groups}")
    if not 0 <= spec.seed < 2**63:
        raise InputError(f"--seed must be from 0 to 2^63 − 1; got {spec.seed}")
    if spec.engine not in ENGINES:
        raise unknown("--engine", spec.engine, ENGINES)
    if spec.dtype not in DTYPES:
        raise unknown("--dtype", spec.dtype, DTYPES)


def _named(option: str, names: Iterable[str]) -> tuple[Estimator, ...]:
    try:
        return find_all(names)
    except InputError as error:
        raise InputError(f"{option}: {error}") from None


def _choose(spec: CompareSpec, binary: bool) -> tuple[tuple[Estimator, ...], dict[str, str]]:
    """The estimators asked for, and for those that are not defined here, why."""
    sets = {"default": DEFAULT_ESTIMATORS, "all": tuple(CATALOGUE)}
    grouped = {name for chosen in spec.estimators for name in sets.get(chosen, ())}
    asked = _named(
        "--estimators", (n for chosen in spec.estimators for n in sets.get(chosen, (chosen,)))
    )
    notes = {}
    for estimator in asked:
        refusal = estimator.refusal(spec.n, spec.k, binary)
        if refusal and (estimator.name not in grouped or estimator.name in spec.estimators):
            raise InputError(f"--estimators: {refusal}")
        if refusal:
            notes[estimator.name] = refusal
    return asked, notes


def _measure(
    spec: CompareSpec, estimators: tuple[Estimator, ...], device: torch.device, progress: Progress
) -> list[Measures]:
    """The measures of every problem; an exact answer is worked out once for equal problems."""
    problems = spec.policy.problems
    chosen = {spec.k: estimators}
    dtype = DTYPES[spec.dtype]
    generator = torch.Generator(device).manual_seed(spec.seed)
    exact: dict[int, Measures] = {}

    def told_of(whole: int) -> Callable[[int], None]:
        return lambda done: progress(done / whole / len(problems))

    def measure(problem: Problem) -> Measures:
        if id(problem) in exact:
            progress(1 / len(problems))
            return exact[id(problem)]
        finite = _enumerable(spec, problem)
        if finite is None:
            advance = told_of(spec.groups)
            found = sample_problem(problem, spec.n, chosen, spec.groups, generator, dtype, advance)
            return found[spec.k]
        advance = told_of(count_states(finite, spec.n))
        found = enumerate_problem(finite, spec.n, chosen, device, dtype, advance)
        exact[id(problem)] = found[spec.k]
        return exact[id(problem)]

    return [measure(problem) for problem in problems]


def _enumerable(spec: CompareSpec, problem: Problem) -> FiniteProblem | None:
    """The problem as one to enumerate; None where it is to be sampled."""
    if spec.engine == "monte-carlo":
        return None
    if not isinstance(problem, FiniteProblem):
        if spec.engine == "enumeration":
            raise InputError(
                "--engine enumeration needs finitely many reward levels, and this reward is "
                "continuous; use --engine monte-carlo"
            )
        return None
    states = count_states(problem, spec.n)
    if spec.engine == "auto" and states * max(spec.n, problem.m) > AUTO_NUMBERS:
        return None
    if states <= MAX_STATES:
        return problem
    if spec.engine == "enumeration":
        raise InputError(
            f"--engine enumeration: n={spec.n} with {problem.m} reward levels has {states:,} count "
            f"vectors, above the limit of {MAX_STATES:,}; use --engine monte-carlo or a smaller n"
        )
    return None
