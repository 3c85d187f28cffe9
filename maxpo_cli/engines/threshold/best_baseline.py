"""The least variance that a baseline can give: a quadratic problem in what it does on 0/1 groups.

A baseline of the other N − 1 rewards of a group, any weights on them in ascending order, leaves an
estimator unbiased. On a 0/1 group it is a number g_j for each number j = 1..N−1 of successes among
the others, and any such numbers are a choice of weights; so the variance of the gradient estimate
is a quadratic form in g, whose matrix holds the covariances of N − 1 estimators
(engines/README.md, *best baseline*).
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from maxpo_cli.engines.threshold.covariance import Profiles, covariances
from maxpo_cli.engines.threshold.thresholds import Thresholds
from maxpo_cli.estimators.kinds import BaselineFamily
from maxpo_cli.estimators.profiles import (
    Profile,
    canonical_profile,
    expected_improvement_profile,
    inclusive_profile,
    leave_one_out_profile,
)

Wanted = tuple[int, BaselineFamily]
"""A K, and the family of the baseline."""

NEARLY_DEPENDENT = 1e-6
"""Share of a variance that other estimators leave of it, below which they are nearly dependent."""

NUMBERS = 1 << 22
"""Numbers in a tensor of covariances that is worked on at once."""


def best_profiles(
    thresholds: Thresholds, n: int, wanted: Sequence[Wanted], device: torch.device
) -> Profiles:
    """The estimators with the best baselines for groups of n, one for each (K, family) wanted."""
    # A constant is one for the rewards less the lowest too, so that their base is 0.
    bases = [
        0.0 if family is BaselineFamily.CONSTANT else thresholds.lowest for _, family in wanted
    ]
    found, order = Profiles.of([], n, [], device), []
    for base in dict.fromkeys(bases):
        places = [place for place, other in enumerate(bases) if other == base]
        part = [wanted[place] for place in places]
        found = found.joined(_with_base(thresholds, n, part, base, device))
        order += places
    return found.of_places([order.index(place) for place in range(len(wanted))])


def _with_base(
    thresholds: Thresholds, n: int, wanted: Sequence[Wanted], base: float, device: torch.device
) -> Profiles:
    """The same for those whose rewards have one base.

    Each begins with the quieter one of two members of its family, so that little is left to cancel.
    """
    exact: list[Profile] = []
    chosen: list[tuple[list[int], list[int]]] = []  # the places of baselines and of members
    units = (
        _place_of(exact, _units(n)) if any(f is BaselineFamily.LINEAR for _, f in wanted) else []
    )
    for k, family in wanted:
        known = units if family is BaselineFamily.LINEAR else _place_of(exact, _known(n, k, family))
        chosen.append((known, _place_of(exact, _members(n, k, family))))
    profiles = Profiles.of(exact, n, [base] * len(exact), device)
    matrix = _covariances(thresholds, profiles)
    starts = [min(members, key=lambda place: float(matrix[place, place])) for _, members in chosen]
    weights = matrix.new_zeros(len(exact), len(wanted))
    for column, ((known, _), start) in enumerate(zip(chosen, starts, strict=True)):
        weights[known, column] = _minimum(matrix[known][:, known], matrix[known, start])
    return profiles.of_places(starts).less(profiles, weights)


def _place_of(profiles: list[Profile], more: Sequence[Profile]) -> list[int]:
    """Appends profiles, and says where they are."""
    profiles += more
    return list(range(len(profiles) - len(more), len(profiles)))


def _units(n: int) -> list[Profile]:
    """The baselines that are 1 where j others are successes and else 0, j = 1..N−1."""
    ones = [tuple(int(j == place) for j in range(n)) for place in range(1, n)]
    return [Profile((0, *row), (*row, 0), 1) for row in ones]


def _known(n: int, k: int, family: BaselineFamily) -> list[Profile]:
    """The baselines that a family of few mixes.

    v_K^(−i) and v_{K−1}^(−i), where both exist, are v_{K−1}^(−i) and their difference: where the
    max is nearly certain both are nearly 1 and parallel, and their difference is not.
    """
    if family is BaselineFamily.CONSTANT:
        return [_ones(n)]
    known = [leave_one_out_profile(n, level) for level in (k, k - 1) if 1 <= level < n]
    return known if len(known) < 2 else [known[0] - known[1], known[1]]


def _members(n: int, k: int, family: BaselineFamily) -> list[Profile]:
    """Members of a family: one is quiet where the max is rare, the other where it is sure."""
    if family is BaselineFamily.CONSTANT:
        inclusive = inclusive_profile(n, k)
        return [inclusive, inclusive - _ones(n)]
    improvement = expected_improvement_profile(n, k)
    return [improvement, canonical_profile(n, k)] if k < n else [improvement]


def _ones(n: int) -> Profile:
    return Profile((1,) * (n + 1), (1,) * (n + 1), 1)


def _covariances(thresholds: Thresholds, profiles: Profiles) -> Tensor:
    """tr Cov between every two estimators, `[E, E]`."""
    size = len(profiles.base)
    total = profiles.base.new_zeros(size, size)
    for pairs in thresholds.pairs():
        for part in pairs.split(max(1, NUMBERS // (size * max(1, pairs.means.shape[-1])))):
            total += covariances(part, profiles)
    return total


def _minimum(matrix: Tensor, products: Tensor) -> Tensor:
    """The x that makes xᵀ matrix x − 2 products·x least, the matrix a covariance.

    It is scaled to correlations. By elimination what is large does not blur what is small; where it
    finds directions that are nearly dependent, x is the smallest one, and those whose correlations
    float64 cannot tell from dependent ones are left out.
    """
    sizes = matrix.diagonal().clamp(min=0).sqrt()
    scale = torch.where(sizes > 0, 1 / torch.where(sizes > 0, sizes, 1), 0)
    correlations = scale[:, None] * matrix * scale
    correlations.fill_diagonal_(1.0)
    scaled = scale * products
    factor, failed = torch.linalg.cholesky_ex(correlations)
    if not failed and factor.diagonal().square().min() > NEARLY_DEPENDENT:
        return scale * torch.cholesky_solve(scaled[:, None], factor)[:, 0]
    values, vectors = torch.linalg.eigh(correlations)
    kept = values > len(values) * torch.finfo(values.dtype).eps * values.amax()
    steps = torch.where(kept, (vectors.T @ scaled) / torch.where(kept, values, 1), 0)
    least: Tensor = scale * (vectors @ steps)
    return least
