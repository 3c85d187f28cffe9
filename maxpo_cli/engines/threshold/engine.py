"""The threshold engine: exact moments of rank-linear estimators, the oracle and best baselines."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from maxpo_cli.engines.engine import Advance, EstimatorsAt, Precision, Stop
from maxpo_cli.engines.moments import Moments
from maxpo_cli.engines.threshold.best_baseline import best_profiles
from maxpo_cli.engines.threshold.continuous import ContinuousThresholds
from maxpo_cli.engines.threshold.covariance import Profiles, Seconds, second_moments
from maxpo_cli.engines.threshold.finite import FiniteThresholds
from maxpo_cli.engines.threshold.thresholds import Row, Thresholds
from maxpo_cli.estimators.kinds import BestBaseline, ByKind, Estimator, Oracle, RankLinear
from maxpo_cli.problems.continuous import ContinuousProblem
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.problems.problem import Problem

NODES = (8, 12, 16, 20, 26, 34)
"""Nodes per band of thresholds, until the metrics settle."""

ROUNDING = 1e-13
"""A change this much smaller than ĝ, or than the advantages that make it, is rounding."""

TINY = 1e-300


class ThresholdEngine:
    """Exact moments in O(m² N²) for m reward levels, and by quadrature for continuous rewards."""

    name = "threshold"
    samples = False
    shares = False
    budget = 2e9  # a minute

    def refusal(self, problem: Problem, n: int) -> str | None:  # noqa: ARG002
        """See `Engine`: it can measure every problem."""
        return None

    def refuses(self, estimator: Estimator) -> str | None:
        """See `Engine`: it measures what the gradient estimates of single thresholds add up to."""
        if isinstance(estimator, RankLinear | Oracle | BestBaseline):
            return None
        return f"{estimator.name} is not rank-linear, so --engine threshold cannot measure it"

    def cost(self, problem: Problem, n: int) -> float:
        """See `Engine`."""
        return pairs_of(problem) * n**2

    def work(self, problem: Problem, n: int, groups: int) -> float:  # noqa: ARG002
        """See `Engine`: pairs of thresholds."""
        return pairs_of(problem)

    def measure(
        self,
        problems: Sequence[Problem],
        n: int,
        estimators: EstimatorsAt,
        precision: Precision,
        advance: Advance,
        stop: Stop | None = None,  # noqa: ARG002
    ) -> list[dict[int, Moments]]:
        """See `Engine`."""
        return [_measure(problem, n, estimators, precision, advance) for problem in problems]


def pairs_of(problem: Problem) -> float:
    """How many pairs of thresholds a problem usually has."""
    if isinstance(problem, ContinuousProblem):
        cpu = torch.device("cpu")
        return sum(ContinuousThresholds(problem, nodes, cpu).count for nodes in NODES[:3])
    return FiniteThresholds(_finite(problem), torch.device("cpu")).count


def _finite(problem: Problem) -> FiniteProblem:
    if not isinstance(problem, FiniteProblem):
        raise TypeError("the threshold engine takes finite and continuous problems")
    return problem


def _measure(
    problem: Problem, n: int, estimators: EstimatorsAt, precision: Precision, advance: Advance
) -> dict[int, Moments]:
    """Exact moments of one problem.

    The nodes of a continuous one are refined until no metric moves by more than `rtol`; `rtol` of
    the moments is how much the last refinement moved one. In all `advance` is told of `pairs_of`
    pairs.
    """
    device = precision.device
    best = [
        (k, e.family) for k, several in estimators.items() for e in ByKind.of(several).best_baseline
    ]
    if not isinstance(problem, ContinuousProblem):
        finite = FiniteThresholds(_finite(problem), device)
        profiles = best_profiles(finite, n, best, device)
        return _with_profiles(finite, n, estimators, profiles, device, advance)
    coarse: dict[int, Moments] = {}
    before = ContinuousThresholds(problem, NODES[0], device)
    left = pairs_of(problem)
    for nodes in NODES:
        thresholds = ContinuousThresholds(problem, nodes, device)
        # Near its minimum a variance hardly moves, so that coarser nodes will do for the baseline.
        profiles = best_profiles(before, n, best, device)
        told = advance if thresholds.count <= left else _nobody
        fine = _with_profiles(thresholds, n, estimators, profiles, device, told)
        left -= thresholds.count
        before = thresholds
        if coarse:
            moved = {k: _moved(coarse[k], fine[k], n / k) for k in estimators}
            fine = {k: replace(each, rtol=moved[k]) for k, each in fine.items()}
            if max(moved.values()) <= precision.rtol:
                break
        coarse = fine
    if left > 0:
        advance(left)
    return fine


def _nobody(_done: float) -> None:
    """Takes the place of `advance` for work that was not foreseen."""


def _with_profiles(
    thresholds: Thresholds,
    n: int,
    estimators: EstimatorsAt,
    best: Profiles,
    device: torch.device,
    advance: Advance,
) -> dict[int, Moments]:
    """The moments that these thresholds give; `best` are the best baselines, in their order."""
    kinds = {k: ByKind.of(several) for k, several in estimators.items()}
    linear = [(k, e) for k, each in kinds.items() for e in each.rank_linear]
    with_best = [(k, e) for k, each in kinds.items() for e in each.best_baseline]
    exact = [e.profile(n, k) for k, e in linear]
    bases = [thresholds.lowest] * len(linear)
    profiles = Profiles.of(exact, n, bases, device).joined(best)
    total = Seconds(torch.zeros_like(profiles.base), torch.zeros_like(profiles.base))
    for pairs in thresholds.pairs():
        total = total + second_moments(pairs, profiles)
        advance(len(pairs.weight))
    columns = [
        part.cpu().numpy()
        for part in (
            *thresholds.first_moments(profiles),
            total.variance.clamp(min=0),
            total.centering_square,
            thresholds.largest_centering(profiles),
        )
    ]
    rows: dict[tuple[int, str], Row] = {}
    for (k, name), values in zip(
        [(k, e.name) for k, e in (*linear, *with_best)], zip(*columns, strict=True), strict=True
    ):
        mean, centering, variance, square, largest = values
        rows[k, name] = Row(mean * (k / n), variance * (k / n) ** 2, centering, square, largest)
    rows |= {(k, e.name): thresholds.oracle(n, k) for k, each in kinds.items() for e in each.oracle}
    return {
        k: _moments(thresholds.problem, k, several, [rows[k, e.name] for e in several])
        for k, several in estimators.items()
    }


def _moments(
    problem: Problem, k: int, estimators: tuple[Estimator, ...], rows: Sequence[Row]
) -> Moments:
    return Moments(
        engine=ThresholdEngine.name,
        estimators=estimators,
        objective=problem.objective(k),
        gradient=problem.gradient(k),
        mean=np.array([row.mean for row in rows]),
        variance=np.array([row.variance for row in rows]),
        centering_mean=np.array([row.centering_mean for row in rows]),
        centering_square=np.array([row.centering_square for row in rows]),
        centering_max=np.array([row.centering_max for row in rows]),
        mean_weight=problem.mean_weight,
    )


def _moved(coarse: Moments, fine: Moments, to_advantage: float) -> float:
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
