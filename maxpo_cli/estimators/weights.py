"""Profiles as floating-point weights: every number is one correctly rounded integer division."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from maxpo_cli.estimators.profiles import Profile, ProfileOf


@dataclass(frozen=True)
class Weights:
    """A profile rounded once, as the weights of the spacings d_t = r_(t+1) − r_(t), t = 1..N−1.

    With c = N − t rewards above spacing t:
    A_(1) = whole · r_(1) + Σ_t below[t] d_t  and  A_(t+1) = A_(t) + rise[t] d_t.
    """

    whole: float
    below: Tensor
    rise: Tensor


@lru_cache(maxsize=512)
def weights(profile_of: ProfileOf, n: int, k: int, dtype: torch.dtype, device: str) -> Weights:
    """The weights of `profile_of(n, k)`: one correctly rounded integer division each."""
    _, failure, rise, _ = _rounded(profile_of, n, k)
    below, above = (part[1:n].flip(0).to(device, dtype) for part in (failure, rise))
    return Weights(float(rise[n]), below, above)


@dataclass(frozen=True)
class Steps:
    """Profiles of E estimators rounded once, by the number c = 0..N of rewards above a step.

    Sorted rewards are a staircase: a step of height r_(1) that all N are above, then the spacings.
    A step of height d adds d · failure[c] to the advantage of the rewards below it, d · success[c]
    = d · (failure[c] + rise[c]) to that of those above it, and d · centering[c] to the mean
    advantage, which is 0 to the last bit for a centered estimator. All are `[E, N + 1]`.
    """

    success: Tensor
    failure: Tensor
    rise: Tensor
    centering: Tensor


@lru_cache(maxsize=256)
def steps(
    profiles: tuple[ProfileOf, ...], n: int, k: int, dtype: torch.dtype, device: str
) -> Steps:
    """The steps of these profiles at (n, K)."""
    each = torch.stack([_rounded(profile_of, n, k) for profile_of in profiles], 1)
    return Steps(*each.to(device, dtype))


@lru_cache(maxsize=512)
def _rounded(profile_of: ProfileOf, n: int, k: int) -> Tensor:
    return rounded(profile_of(n, k))


def rounded(profile: Profile) -> Tensor:
    """The numbers of `Steps`, rounded once, `[4, n + 1]`; 0 where no group reads them."""
    n, scale = len(profile.success) - 1, profile.denominator
    both = list(zip((0, *profile.success[1:]), (*profile.failure[:-1], 0), strict=True))
    rows = (
        [a / scale for a, _ in both],
        [b / scale for _, b in both],
        [(a - b) / scale for a, b in both],
        [(c * a + (n - c) * b) / (n * scale) for c, (a, b) in enumerate(both)],
    )
    return torch.tensor(rows, dtype=torch.float64)
