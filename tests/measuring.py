"""Short calls of the engines for tests: every estimator that is defined, on the CPU."""

from collections.abc import Callable, Mapping

import torch

from maxpo_cli.arrays import FloatArray
from maxpo_cli.engines.enumeration import enumerate_family
from maxpo_cli.engines.moments import Measures, Problem
from maxpo_cli.engines.monte_carlo.sampler import sample_problem
from maxpo_cli.estimators.catalogue import CATALOGUE, Estimator
from maxpo_cli.problems.finite import FiniteProblem

CPU = torch.device("cpu")


def defined(problem: Problem, n: int, k: int) -> tuple[Estimator, ...]:
    """The estimators of the catalogue that are defined here, without the best baselines."""
    return tuple(
        e for e in CATALOGUE.values() if e.best is None and not e.refusal(n, k, problem.is_binary)
    )


def named(*names: str) -> tuple[Estimator, ...]:
    """The catalogue entries of these names."""
    return tuple(CATALOGUE[name] for name in names)


def level_scores(problem: FiniteProblem) -> FloatArray:
    """The mean scores of its levels as rows of a matrix."""
    return problem.scores.combine(torch.eye(problem.m, dtype=torch.float64)).numpy()


def enumerate_problem(
    problem: FiniteProblem,
    n: int,
    estimators: Mapping[int, tuple[Estimator, ...]],
    device: torch.device,
    dtype: torch.dtype,
    advance: Callable[[int], None],
) -> dict[int, Measures]:
    """What `enumerate_family` gives for a problem alone."""
    (found,) = enumerate_family([problem], n, estimators, device, dtype, advance)
    return found


def enumerated(
    problem: FiniteProblem,
    n: int,
    k: int,
    estimators: tuple[Estimator, ...] | None = None,
    dtype: torch.dtype = torch.float64,
) -> Measures:
    """Exact measures at one K."""
    chosen = {k: defined(problem, n, k) if estimators is None else estimators}
    return enumerate_problem(problem, n, chosen, CPU, dtype, lambda _: None)[k]


def sampled(
    problem: Problem,
    n: int,
    k: int,
    groups: int,
    estimators: tuple[Estimator, ...] | None = None,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    blocks_at_once: int | None = None,
) -> Measures:
    """Monte Carlo measures at one K."""
    chosen = {k: defined(problem, n, k) if estimators is None else estimators}
    generator = torch.Generator().manual_seed(seed)
    return sample_problem(
        problem, n, chosen, groups, generator, dtype, lambda _: None, blocks_at_once
    )[k]
