"""The threshold engine: exact moments of rank-linear estimators, the oracle and best baselines."""

from collections.abc import Sequence
from dataclasses import replace
from math import nan

import numpy as np
import torch

from maxpo_cli.engines.engine import Advance, EstimatorsAt, Precision, Stop
from maxpo_cli.engines.moments import Moments
from maxpo_cli.engines.threshold.best_baseline import best_profiles
from maxpo_cli.engines.threshold.continuous import ContinuousThresholds
from maxpo_cli.engines.threshold.covariance import Profiles, Seconds, second_moments
from maxpo_cli.engines.threshold.finite import FiniteThresholds
from maxpo_cli.engines.threshold.thresholds import Row, Thresholds
from maxpo_cli.estimators.kinds import (
    BaselineFamily,
    BestBaseline,
    ByKind,
    Estimator,
    Oracle,
    RankLinear,
)
from maxpo_cli.problems.continuous import ContinuousProblem
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.problems.problem import Problem

NODES = (8, 12, 16, 20, 26, 34)
"""Nodes per band of thresholds, until the metrics settle."""

ROUNDING = 1e-13
"""A change this much smaller than ĝ, or than the advantages that make it, is rounding."""

CARRIED = 4e-13
"""Share of the variances of its two parts from which a variance is good to 1e-9: beyond it, the
rounding of advantages that cancel shows."""

CARRIED_AT_LEAST = 1e10 * 2.0**-104
"""The same at a minimum over all advantages, which their rounding moves to second order only."""

BASE_CARRIED = 1e-6
"""Share of the variance that the lowest reward alone gives from which one is good to 1e-9."""

SEEN = 1e-12
"""Probability of the rarest group from which a best baseline is known on it."""

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
    profiles = Profiles.of(exact, n, bases, device).joined(best).joined(best.parts())
    total = Seconds(torch.zeros_like(profiles.base), torch.zeros_like(profiles.base))
    whole_square = 0.0  # E‖s‖²
    for pairs in thresholds.pairs():
        total = total + second_moments(pairs, profiles)
        whole_square += float(pairs.residual[pairs.bases == 2, 2].sum())
        advance(len(pairs.weight))
    mean, centering = thresholds.first_moments(profiles)
    largest = thresholds.largest_centering(profiles)
    variance = total.variance.clamp(min=0)
    of_best = slice(len(linear), len(linear) + len(with_best))
    of_parts = variance[of_best.stop :].reshape(2, -1).sum(0)
    share = [
        CARRIED_AT_LEAST if e.family is BaselineFamily.LINEAR else CARRIED for _, e in with_best
    ]
    # What the lowest reward adds is taken off again where nearly all rewards are higher.
    of_base = n * whole_square * (profiles.base * profiles.success[-1]).square()
    unknown = variance < BASE_CARRIED * of_base
    unknown[of_best] |= variance[of_best] < of_parts.new_tensor(share) * of_parts
    unknown[of_best] |= (variance[of_best] == 0) & (thresholds.highest > thresholds.lowest)
    for part in (centering, variance, total.centering_square, largest):
        part[unknown] = torch.nan
    columns = [part.cpu().numpy() for part in (mean, variance, centering, total.centering_square)]
    measured = [*linear, *with_best]
    rows: dict[tuple[int, str], Row] = {}
    for place, (k, estimator) in enumerate(measured):
        g, v, c, square = (column[place] for column in columns)
        highest = float(largest[place])
        if isinstance(estimator, BestBaseline) and _has_unseen_groups(thresholds.problem, n):
            highest = nan
        rows[k, estimator.name] = Row(g * (k / n), v * (k / n) ** 2, c, square, highest)
    rows |= {(k, e.name): thresholds.oracle(n, k) for k, each in kinds.items() for e in each.oracle}
    return {
        k: _moments(thresholds.problem, n, k, several, [rows[k, e.name] for e in several])
        for k, several in estimators.items()
    }


def _has_unseen_groups(problem: Problem, n: int) -> bool:
    """Whether groups are so rare that float64 does not see what a best baseline does to them.

    With one step of rewards it does as long as they have a probability.
    """
    if not isinstance(problem, FiniteProblem):
        return False
    return float(problem.probs.min()) ** n < (TINY if problem.m < 3 else SEEN)


def _moments(
    problem: Problem, n: int, k: int, estimators: tuple[Estimator, ...], rows: Sequence[Row]
) -> Moments:
    return Moments(
        engine=ThresholdEngine.name,
        n=n,
        k=k,
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
