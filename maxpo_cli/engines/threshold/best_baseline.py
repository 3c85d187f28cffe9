"""The least variance that a baseline can give: a quadratic problem in what it does on 0/1 groups.

A baseline of the other N − 1 rewards of a group, any weights on them in ascending order, leaves an
estimator unbiased. On a 0/1 group it is a number g_j for each number j = 1..N−1 of successes among
the others, and any such numbers are a choice of weights; so the variance of the gradient estimate
is a quadratic form in g, whose matrix holds the covariances of N − 1 estimators
(engines/README.md, *best baseline*).
"""

from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor

from maxpo_cli.engines.threshold.covariance import Profiles, covariances, second_moments
from maxpo_cli.engines.threshold.thresholds import Thresholds
from maxpo_cli.estimators.kinds import BaselineFamily
from maxpo_cli.estimators.profiles import (
    Profile,
    canonical_profile,
    expected_improvement_profile,
    inclusive_profile,
    leave_one_out_profile,
)

ROUNDING = 1e-13
"""Share of the largest eigenvalue of correlations below which one is rounding."""

NUMBERS = 1 << 22
"""Numbers in a tensor of covariances that is worked on at once."""


def best_profiles(
    thresholds: Thresholds,
    n: int,
    wanted: Sequence[tuple[int, BaselineFamily]],
    device: torch.device,
) -> Profiles:
    """The estimators with the best baselines for groups of n, one for each (K, family) wanted."""
    constant = BaselineFamily.CONSTANT
    by_baseline = tuple(dict.fromkeys(k for k, family in wanted if family is not constant))
    by_constant = tuple(dict.fromkeys(k for k, family in wanted if family is constant))
    matrix, products = _covariances(thresholds, n, by_baseline, device)
    less_constant = _less_constants(thresholds, n, by_constant, device)
    found = [Profiles.of([], n, [], device)]
    for k, family in wanted:
        if family is constant:
            found.append(less_constant[by_constant.index(k)])
            continue
        directions = torch.eye(n - 1, dtype=torch.float64, device=device)
        if family is BaselineFamily.MIX:
            directions = _known_baselines(n, k, device)
        change = directions @ _minimum(
            directions.T @ matrix @ directions, directions.T @ products[:, by_baseline.index(k)]
        )
        begin = Profiles.of([_start(n, k)], n, [thresholds.lowest], device)
        found.append(begin.less_baseline(change))
    return reduce(Profiles.joined, found)


def _start(n: int, k: int) -> Profile:
    """The unbiased estimator from whose baseline on the best one is sought."""
    return canonical_profile(n, k) if k < n else expected_improvement_profile(n, k)


def _known_baselines(n: int, k: int, device: torch.device) -> Tensor:
    """v_K^(−i) and v_{K−1}^(−i), where they exist, for j = 1..N−1: `[N−1, 1 or 2]`."""
    known = [leave_one_out_profile(n, level) for level in (k, k - 1) if 1 <= level < n]
    columns = [[v / each.denominator for v in each.failure[1:n]] for each in known]
    return torch.tensor(columns, dtype=torch.float64, device=device).T


def _covariances(
    thresholds: Thresholds, n: int, ks: Sequence[int], device: torch.device
) -> tuple[Tensor, Tensor]:
    """tr Cov between the baselines that are 1 at one j, and of these with the start of each K.

    `[N−1, N−1]` and `[N−1, #K]`.
    """
    starts = Profiles.of([_start(n, k) for k in ks], n, [thresholds.lowest] * len(ks), device)
    profiles = _unit_baselines(n, thresholds.lowest, device).joined(starts)
    total = torch.zeros(2 * profiles.base.shape, dtype=torch.float64, device=device)
    for pairs in thresholds.pairs() if ks else ():
        width = len(total) * max(1, pairs.means.shape[-1])
        for part in pairs.split(max(1, NUMBERS // width)):
            total += covariances(part, profiles)
    return total[: n - 1, : n - 1], total[: n - 1, n - 1 :]


def _unit_baselines(n: int, base: float, device: torch.device) -> Profiles:
    """The baselines that are 1 where j others are successes and else 0, j = 1..N−1."""
    none = torch.zeros(n + 1, n - 1, dtype=torch.float64, device=device)
    success, failure = none.clone(), none.clone()
    success[2:] = failure[1:n] = torch.eye(n - 1, dtype=torch.float64, device=device)
    base_of_each = none.new_full((n - 1,), base)
    return Profiles(n, base_of_each, success, failure, none, none, none, none[0])


def _less_constants(
    thresholds: Thresholds, n: int, ks: Sequence[int], device: torch.device
) -> list[Profiles]:
    """q_i less the best constant, for each K.

    Its variance is a parabola in the constant, here through three points. The constant is counted
    up from the lowest reward or down from the highest, whichever leaves less variance: where the
    max is nearly certain, its distance from the highest is far below the rounding of the constant.
    """
    all_of_it = Profile((1,) * (n + 1), (1,) * (n + 1), 1)
    inclusive = [inclusive_profile(n, k) for k in ks]
    starts = [start for each in inclusive for start in (each, each - all_of_it)]
    # The points are as far apart as the constant is from 0: in a long tail rounding would hide it.
    ends = [(thresholds.lowest, thresholds.problem.objective(k), thresholds.highest) for k in ks]
    apart = torch.tensor(ends, dtype=torch.float64, device=device).reshape(-1, 3).diff().flatten()
    apart = torch.where(apart > 0, apart / (thresholds.highest - thresholds.lowest or 1.0), 1.0)
    places = apart[:, None] * torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64, device=device)
    trials = Profiles.of(
        [start for start in starts for _ in range(3)], n, [0.0] * places.numel(), device
    )
    trials = trials.less_constant(places.flatten())
    variance = torch.zeros_like(trials.base)
    for pairs in thresholds.pairs() if ks else ():
        variance += second_moments(pairs, trials).variance
    low, middle, high = variance.reshape(-1, 3).T
    bend = low + high - 2 * middle
    constants = torch.where(bend > 0, (low - high) / (2 * bend), 0) * apart
    nearer = torch.arange(0, len(starts), 2) + middle.cpu().reshape(-1, 2).argmin(1)
    return [
        Profiles.of([starts[i]], n, [0.0], device).less_constant(constants[i : i + 1])
        for i in nearer.tolist()
    ]


def _minimum(matrix: Tensor, products: Tensor) -> Tensor:
    """The smallest x that makes xᵀ matrix x − 2 products·x least, the matrix a covariance."""
    sizes = matrix.diagonal().clamp(min=0).sqrt()
    scale = torch.where(sizes > 0, 1 / torch.where(sizes > 0, sizes, 1), 0)
    values, vectors = torch.linalg.eigh(scale[:, None] * matrix * scale)
    kept = values > ROUNDING * values.amax().clamp(min=0)
    along = vectors.T @ (scale * products)
    steps = torch.where(kept, along / torch.where(kept, values, 1), 0)
    least: Tensor = scale * (vectors @ steps)
    return least
