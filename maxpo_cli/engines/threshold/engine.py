"""Exact measures of rank-linear estimators, the oracle and the best baselines, by thresholds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from maxpo_cli.engines.threshold.best_baseline import best_profiles
from maxpo_cli.engines.threshold.thresholds import CutRow, Cuts
from maxpo_cli.engines.threshold.finite import FiniteCuts
from maxpo_cli.engines.threshold.continuous import GaussianCuts
from maxpo_cli.engines.moments import Measures, Problem
from maxpo_cli.engines.threshold.covariance import Profiles, Seconds, second_moments
from maxpo_cli.estimators.catalogue import Estimator
from maxpo_cli.problems.finite import FiniteProblem

NODES = (8, 12, 16, 20, 26, 34)
"""Nodes a band of thresholds, until the figures settle."""

ROUNDING = 1e-13
"""A change this much smaller than ĝ, or than the advantages that make it, is rounding."""

TINY = 1e-300

Plan = Mapping[int, tuple[Estimator, ...]]
Advance = Callable[[float], None]


def pairs_of(problem: Problem) -> float:
    """How many pairs of thresholds a problem usually has."""
    if isinstance(problem, FiniteProblem):
        return problem.m * (problem.m + 1) / 2
    return sum(GaussianCuts(problem, nodes, torch.device("cpu")).count for nodes in NODES[:3])


def measure_exactly(
    problem: Problem, n: int, plan: Plan, device: torch.device, rtol: float, advance: Advance
) -> dict[int, Measures]:
    """Exact measures of estimators that are `is_linear`, for each K of `plan`.

    In O(m² n²) for a finite problem of m levels. A continuous one has its nodes refined until no
    figure moves by more than `rtol`; `rtol` of the measures is how much they moved at last. All in
    all `advance` is told of `pairs_of` pairs of thresholds.
    """
    best = [(k, e.best) for k, several in plan.items() for e in several if e.best is not None]
    if isinstance(problem, FiniteProblem):
        finite = FiniteCuts(problem, device)
        return _measure(finite, n, plan, best_profiles(finite, n, best, device), device, advance)
    coarse: dict[int, Measures] = {}
    before = GaussianCuts(problem, NODES[0], device)
    left = pairs_of(problem)
    for nodes in NODES:
        cuts = GaussianCuts(problem, nodes, device)
        # Near its minimum a variance hardly moves, so that coarser nodes give the best baseline.
        profiles = best_profiles(before, n, best, device)
        told = advance if cuts.count <= left else _nobody
        fine = _measure(cuts, n, plan, profiles, device, told)
        left -= cuts.count
        before = cuts
        if coarse:
            moved = {k: _moved(coarse[k], fine[k], n / k) for k in plan}
            fine = {k: replace(each, rtol=moved[k]) for k, each in fine.items()}
            if max(moved.values()) <= rtol:
                break
        coarse = fine
    if left > 0:
        advance(left)
    return fine


def _nobody(_done: float) -> None:
    """Who is told of work that was not foreseen."""


def _measure(
    cuts: Cuts, n: int, plan: Plan, best: Profiles, device: torch.device, advance: Advance
) -> dict[int, Measures]:
    """The measures that these thresholds give; `best` are the best baselines, in their order."""
    linear = [(k, e) for k, several in plan.items() for e in several if e.profile is not None]
    with_best = [(k, e) for k, several in plan.items() for e in several if e.best is not None]
    exact = [e.profile(n, k) for k, e in linear if e.profile is not None]
    profiles = Profiles.of(exact, n, [cuts.lowest] * len(linear), device).joined(best)
    total = Seconds(torch.zeros_like(profiles.base), torch.zeros_like(profiles.base))
    for pairs in cuts.pairs():
        total = total + second_moments(pairs, profiles)
        advance(len(pairs.weight))
    columns = [
        part.cpu().numpy()
        for part in (
            *cuts.firsts(profiles),
            total.variance.clamp(min=0),
            total.centering_square,
            cuts.largest_centering(profiles),
        )
    ]
    place = {(k, e.name): i for i, (k, e) in enumerate((*linear, *with_best))}
    found = {}
    for k, several in plan.items():
        rows = []
        for estimator in several:
            if (i := place.get((k, estimator.name))) is None:
                rows.append(cuts.oracle(n, k))
                continue
            mean, centering, variance, square, largest = (column[i] for column in columns)
            rows.append(CutRow(mean * (k / n), variance * (k / n) ** 2, centering, square, largest))
        found[k] = _as_measures(cuts.problem, k, several, rows)
    return found


def _as_measures(
    problem: Problem, k: int, estimators: tuple[Estimator, ...], rows: Sequence[CutRow]
) -> Measures:
    return Measures(
        estimators=estimators,
        objective=problem.objective(k),
        gradient=problem.gradient(k),
        mean=np.array([row.mean for row in rows]),
        variance=np.array([row.variance for row in rows]),
        centering_mean=np.array([row.centering_mean for row in rows]),
        centering_square=np.array([row.centering_square for row in rows]),
        centering_max=np.array([row.centering_max for row in rows]),
    )


def _moved(coarse: Measures, fine: Measures, to_advantage: float) -> float:
    """The largest change of a variance, a mean of ĝ or a centering, as a share of it.

    That of a mean is a share of it or of ∇J, whichever is longer. `to_advantage` times the length
    of ĝ is the size of an advantage.
    """
    length = np.linalg.norm(fine.mean, axis=1)
    size = np.sqrt(length**2 + fine.variance)
    whole_mean = np.maximum(length, np.linalg.norm(fine.gradient))
    changes = (
        (np.linalg.norm(fine.mean - coarse.mean, axis=1), whole_mean, size),
        (abs(fine.variance - coarse.variance), fine.variance, size**2),
        (
            abs(fine.centering_square - coarse.centering_square),
            fine.centering_square,
            (size * to_advantage) ** 2,
        ),
    )
    return max(
        float(np.max(np.where(change > ROUNDING * whole, change / np.maximum(value, TINY), 0.0)))
        for change, value, whole in changes
    )
