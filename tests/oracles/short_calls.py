"""Short calls of the engines for tests: every estimator that is defined, on the CPU."""

from collections.abc import Callable, Sequence

import torch

from maxpo_cli.arrays import FloatArray
from maxpo_cli.engines.engine import Advance, EstimatorsAt, Precision
from maxpo_cli.engines.enumeration import Enumeration
from maxpo_cli.engines.moments import Moments
from maxpo_cli.engines.monte_carlo.sampler import Sampler
from maxpo_cli.engines.threshold.engine import ThresholdEngine
from maxpo_cli.estimators.kinds import Estimator
from maxpo_cli.estimators.lookup import CATALOGUE, find_all
from maxpo_cli.metrics.columns import METRICS
from maxpo_cli.metrics.summary import Summary
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.problems.problem import Problem

CPU = torch.device("cpu")


def nobody(_done: float) -> None:
    """Who is told of the progress of a test."""


def precision(
    groups: int = 1000, rtol: float = 1e-8, seed: int = 0, dtype: torch.dtype = torch.float64
) -> Precision:
    """How far an engine goes in a test."""
    return Precision(groups, rtol, seed, CPU, dtype)


def defined(problem: Problem, n: int, k: int) -> tuple[Estimator, ...]:
    """The estimators of the catalogue that are defined here, without the best baselines."""
    return tuple(
        e
        for e in CATALOGUE.values()
        if not Enumeration().refuses(e) and not e.refusal(n, k, problem.is_binary)
    )


def rank_linear(problem: Problem, n: int, k: int) -> tuple[Estimator, ...]:
    """Those among them that thresholds give: the rank-linear ones and the oracle."""
    return tuple(e for e in defined(problem, n, k) if not ThresholdEngine().refuses(e))


def named(*names: str) -> tuple[Estimator, ...]:
    """The catalogue entries of these names."""
    return find_all(names)


def level_scores(problem: FiniteProblem) -> FloatArray:
    """The mean scores of its levels as rows of a matrix."""
    return problem.scores.combine(torch.eye(problem.m, dtype=torch.float64)).numpy()


def enumerate_all(
    problems: Sequence[FiniteProblem],
    n: int,
    estimators: EstimatorsAt,
    dtype: torch.dtype = torch.float64,
    advance: Advance = nobody,
) -> list[dict[int, Moments]]:
    """Exact moments of several problems at each K."""
    return Enumeration().measure(problems, n, estimators, precision(dtype=dtype), advance)


def enumerated(
    problem: FiniteProblem,
    n: int,
    k: int,
    estimators: tuple[Estimator, ...] | None = None,
    dtype: torch.dtype = torch.float64,
) -> Moments:
    """Exact moments at one K, by enumeration."""
    chosen = {k: defined(problem, n, k) if estimators is None else estimators}
    (found,) = enumerate_all([problem], n, chosen, dtype)
    return found[k]


def by_thresholds(
    problem: Problem,
    n: int,
    k: int,
    estimators: tuple[Estimator, ...] | None = None,
    rtol: float = 1e-8,
    advance: Advance = nobody,
) -> Moments:
    """Exact moments at one K, by thresholds."""
    chosen = {k: rank_linear(problem, n, k) if estimators is None else estimators}
    (found,) = ThresholdEngine().measure([problem], n, chosen, precision(rtol=rtol), advance)
    return found[k]


def sample_problem(
    problem: Problem,
    n: int,
    estimators: EstimatorsAt,
    groups: int,
    generator: torch.Generator,
    dtype: torch.dtype,
    advance: Callable[[float], None],
    blocks_at_once: int | None = None,
) -> dict[int, Moments]:
    """Monte Carlo moments at each K, from the same groups for all of them."""
    sampler = Sampler(problem, n, estimators, groups, generator, dtype, advance, blocks_at_once)
    sampler.sample(groups)
    return {k: sampler.moments(k) for k in estimators}


def sampled(
    problem: Problem,
    n: int,
    k: int,
    groups: int,
    estimators: tuple[Estimator, ...] | None = None,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    blocks_at_once: int | None = None,
) -> Moments:
    """Monte Carlo moments at one K."""
    chosen = {k: defined(problem, n, k) if estimators is None else estimators}
    generator = torch.Generator().manual_seed(seed)
    return sample_problem(problem, n, chosen, groups, generator, dtype, nobody, blocks_at_once)[k]


def metrics_of(summary: Summary) -> dict[str, float]:
    """Every metric of a summary by name, as a table has them."""
    return {each.name: each.value(summary) for each in METRICS if each.value is not None}
