"""Covariances of gradient estimates over pairs of thresholds, in polynomial time.

A rank-linear estimator is the sum over thresholds t of its values on the 0/1 groups 1[r > t], its
profile: α_c for a success and β_c for a failure in a group with c successes. Two thresholds t ≤ u
cut the rewards into three segments, L (r ≤ t), M and H (r > u), within which scores are i.i.d.
Given c rewards above t, the number c′ above u is binomial, and the gradient estimate of t is linear
in c′. One pass over c, with one matrix product in c′ for all estimators, therefore gives the
covariance of the two gradient estimates about their means, without a difference of large numbers
(engines/README.md, *threshold pairs* and *conditional binomial*).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from maxpo_cli.estimators.profiles import Profile
from maxpo_cli.estimators.weights import rounded


@dataclass(frozen=True, eq=False)
class Profiles:
    """Rank-linear estimators for groups of n, E of them, as tensors.

    Attributes:
        n: the group size.
        base: the lowest reward there is, less what an estimator takes off all rewards, `[E]`.
        success: α, the advantage of a success in a 0/1 group with c successes, `[n + 1, E]`.
        failure: β, that of a failure, `[n + 1, E]`.
        centering: (c α + (n − c) β) / n, rounded once, `[n + 1, E]`.
        mean_success, mean_failure: α and β without baselines and less `top`, for E ĝ.
        top: the advantage where all succeed, baselines left out, `[E]`.
    """

    n: int
    base: Tensor
    success: Tensor
    failure: Tensor
    centering: Tensor
    mean_success: Tensor
    mean_failure: Tensor
    top: Tensor

    @classmethod
    def of(
        cls, profiles: Sequence[Profile], n: int, base: Sequence[float], device: torch.device
    ) -> "Profiles":
        """The tensors of exact profiles, each rounded once."""
        none = torch.zeros(4, n + 1, dtype=torch.float64)  # for the shape, where there are none
        whole, for_mean = (
            torch.stack([none, *several], 2)[..., 1:].to(device)
            for several in (
                [rounded(profile) for profile in profiles],
                [rounded(profile.less_top()) for profile in profiles],
            )
        )
        success, failure, _, centering = whole
        return cls(
            n, torch.tensor(base, dtype=torch.float64, device=device), success, failure, centering,
            for_mean[0], for_mean[1], success[-1],
        )  # fmt: skip

    def joined(self, other: "Profiles") -> "Profiles":
        """The estimators of both."""
        both = (torch.cat([getattr(self, part), getattr(other, part)], -1) for part in PARTS)
        return Profiles(self.n, *both)

    def of_places(self, places: Sequence[int]) -> "Profiles":
        """The estimators at these places."""
        return Profiles(self.n, *(getattr(self, part)[..., places] for part in PARTS))

    def less(self, directions: "Profiles", weights: Tensor) -> "Profiles":
        """The estimators less `weights` `[E′, E]` of E′ others, which have no part in E ĝ."""
        return replace(
            self,
            success=self.success - directions.success @ weights,
            failure=self.failure - directions.failure @ weights,
            centering=self.centering - directions.centering @ weights,
        )

    def parts(self) -> "Profiles":
        """Estimators for successes alone, then for failures alone, in place of each.

        The sum of both variances is the size of what a variance of the whole is made of.
        """
        none = torch.zeros_like(self.success)
        return replace(self, failure=none).joined(replace(self, success=none))

    def first_moments(self, law: Tensor) -> tuple[Tensor, Tensor]:
        """E[c α] and E[(n − c) β] under laws of c, `[T, n + 1]` in and two of `[T, E]` out.

        They are for E ĝ only: baselines are left out, and a constant per law and estimator. Neither
        has a part in E ĝ, and what is small compared with them keeps its digits
        (engines/README.md, *mean less a constant*). The constant is `top` or 0, whichever leaves
        less on average.
        """
        successes = torch.arange(self.n + 1, dtype=torch.float64, device=law.device)[:, None]
        failures = self.n - successes
        found = []
        for add in (torch.zeros_like(self.top), self.top):
            of_success = law @ (successes * (self.mean_success + add))
            found.append((of_success, law @ (failures * (self.mean_failure + add))))
        (success, failure), (whole_success, whole_failure) = found
        smaller = (whole_success + whole_failure).abs() < (success + failure).abs()
        return (
            torch.where(smaller, whole_success, success),
            torch.where(smaller, whole_failure, failure),
        )


PARTS = tuple(field.name for field in fields(Profiles) if field.name != "n")
"""The tensors of `Profiles`; their last dimension is the estimator."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """P pairs of thresholds t ≤ u and the three segments that they make.

    The base is a threshold that all rewards are above, and counts as a step of the base reward.

    Attributes:
        weight: what the covariance of the pair counts for, the base reward left out, `[P]`.
        bases: how many of the two are the base, `[P]`.
        probs: probabilities of L, M and H, `[P, 3]`.
        means: their mean scores in d coordinates, `[P, 3, d]`; 0 for an empty segment.
        residual: E‖s‖² − ‖mean‖² within each, `[P, 3]`.
    """

    weight: Tensor
    bases: Tensor
    probs: Tensor
    means: Tensor
    residual: Tensor

    def split(self, size: int) -> Iterator["Pairs"]:
        """The same pairs, at most `size` of them at a time."""
        for start in range(0, len(self.weight), size):
            yield Pairs(*(part[start : start + size] for part in vars(self).values()))


@dataclass(frozen=True, eq=False)
class Seconds:
    """Sums over pairs for E estimators: tr Cov Σ A_i s_i, and E[(mean advantage)²], `[E]`."""

    variance: Tensor
    centering_square: Tensor

    def __add__(self, other: "Seconds") -> "Seconds":
        return Seconds(
            self.variance + other.variance, self.centering_square + other.centering_square
        )


@dataclass(frozen=True, eq=False)
class _Given:
    """Pairs with c rewards above t: the covariance of estimator e at t and f at u, in parts.

    It is <at_t[e], at_u[f]> + successes[e] of_success[f] + failures[e] of_failure[f].
    """

    probability: Tensor  # [P]
    at_t: Tensor  # [P, E, d], the expected gradient estimates about their means
    at_u: Tensor  # [P, E, d]
    successes: Tensor  # [E]
    of_success: Tensor  # [P, E]
    failures: Tensor  # [E]
    of_failure: Tensor  # [P, E]
    law: Tensor  # [P, c + 1], of the number above u


def _conditionals(pairs: Pairs, profiles: Profiles) -> Iterator[_Given]:
    """The pairs given c rewards above t, for c = 0..n."""
    low, middle, high = (pairs.probs[:, s, None] for s in range(3))
    above = middle + high
    whole = torch.where(above > 0, above, 1)
    share, other = high / whole, torch.where(above > 0, middle / whole, 1)
    s_low, s_middle, s_high = (pairs.means[:, s, None] for s in range(3))  # [P, 1, d]
    s_above = s_middle * other[..., None] + s_high * share[..., None]
    of_t, of_u = _first_moments(pairs, profiles)
    counts = torch.arange(profiles.n + 1, dtype=torch.float64, device=low.device)
    by_count = counts[:, None]
    features = torch.cat(
        [profiles.failure, by_count * profiles.failure, by_count * profiles.success], 1
    )
    weights = binomial(profiles.n, above[:, 0], low[:, 0])
    row = torch.ones_like(low)
    for c in range(profiles.n + 1):
        if c:
            row = _next_row(row, share, other)
        alpha, beta = profiles.success[c], profiles.failure[c]
        n_low = profiles.n - c
        b, cb, ca = (row @ features[: c + 1]).chunk(3, 1)
        around = row * (counts[: c + 1] - c * share)
        db, dcb, dca = (around @ features[: c + 1]).chunk(3, 1)
        along = (
            (n_low * db)[..., None] * s_low
            + (c * db - dcb)[..., None] * s_middle
            + dca[..., None] * s_high
        )
        yield _Given(
            probability=weights[:, c],
            at_t=(n_low * beta)[:, None] * s_low + (c * alpha)[:, None] * s_above - of_t,
            at_u=(n_low * b)[..., None] * s_low
            + (c * b - cb)[..., None] * s_middle
            + ca[..., None] * s_high
            - of_u,
            successes=alpha,
            of_success=((s_high - s_middle) * along).sum(-1)
            + (c * b - cb) * pairs.residual[:, 1:2]
            + ca * pairs.residual[:, 2:],
            failures=n_low * beta,
            of_failure=b * pairs.residual[:, :1],
            law=row,
        )


def second_moments(pairs: Pairs, profiles: Profiles) -> Seconds:
    """What these pairs add to the second moments of Σ_i A_i s_i and of the mean advantage."""
    variance = torch.zeros_like(profiles.base)
    centering = torch.zeros_like(variance)
    counted = pairs.weight[:, None] * profiles.base ** pairs.bases[:, None]
    for c, given in enumerate(_conditionals(pairs, profiles)):
        weight = counted * given.probability[:, None]
        covariance = (
            (given.at_t * given.at_u).sum(-1)
            + given.successes * given.of_success
            + given.failures * given.of_failure
        )
        variance += (weight * covariance).sum(0)
        square = profiles.centering[c] * (given.law @ profiles.centering[: c + 1])
        centering += (weight * square).sum(0)
    return Seconds(variance, centering)


def covariances(pairs: Pairs, profiles: Profiles) -> Tensor:
    """What these pairs add to tr Cov(Σ_i A_i s_i, Σ_i A′_i s_i) of every two estimators, `[E, E]`.

    The estimators have one base.
    """
    total = torch.zeros(2 * profiles.base.shape, dtype=torch.float64, device=profiles.base.device)
    counted = pairs.weight * profiles.base[0] ** pairs.bases
    for given in _conditionals(pairs, profiles):
        weight = (counted * given.probability)[:, None]
        at_t, at_u = (part.movedim(1, 2).flatten(0, 1) for part in (given.at_t, given.at_u))
        total += (at_t * weight.repeat_interleave(given.at_t.shape[-1], 0)).T @ at_u
        total += torch.outer(given.successes, (weight * given.of_success).sum(0))
        total += torch.outer(given.failures, (weight * given.of_failure).sum(0))
    return (total + total.T) / 2


def _first_moments(pairs: Pairs, profiles: Profiles) -> tuple[Tensor, Tensor]:
    """E Σ_i A_i s_i under the lower and the upper threshold of each pair, `[P, E, d]`."""
    counts = torch.arange(profiles.n + 1, dtype=torch.float64, device=pairs.probs.device)[:, None]
    successes = counts * profiles.success
    failures = (profiles.n - counts) * profiles.failure
    found = []
    for segments in ((0,), (0, 1)):  # those below the threshold
        others = tuple(s for s in range(3) if s not in segments)
        law = binomial(profiles.n, *(pairs.probs[:, part].sum(1) for part in (others, segments)))
        below, above = (_mean(pairs, chosen)[:, None] for chosen in (segments, others))
        found.append((law @ failures)[..., None] * below + (law @ successes)[..., None] * above)
    return found[0], found[1]


def _mean(pairs: Pairs, segments: Sequence[int]) -> Tensor:
    """The mean score of several segments together, `[P, d]`."""
    probs = pairs.probs[:, segments]
    total = probs.sum(1, keepdim=True)
    share = torch.where(total > 0, probs / torch.where(total > 0, total, 1), 0)
    return (share[..., None] * pairs.means[:, segments]).sum(1)


def binomial(n: int, here: Tensor, rest: Tensor) -> Tensor:
    """Binomial(n, p) probabilities of 0..n, p = here / (here + rest): `[P]` in, `[P, n + 1]` out.

    Both are given, since the rounding of 1 − p would be that of a small probability.
    """
    p, q = (part[:, None] / (here + rest)[:, None] for part in (here, rest))
    row = torch.ones_like(p)
    for _ in range(n):
        row = _next_row(row, p, q)
    return row


def _next_row(row: Tensor, p: Tensor, q: Tensor) -> Tensor:
    """Binomial(c, p) from Binomial(c − 1, p), by sums of positive terms only; q = 1 − p."""
    out = torch.zeros(len(row), row.shape[1] + 1, dtype=row.dtype, device=row.device)
    out[:, :-1] = row * q
    out[:, 1:] += row * p
    return out / out.sum(1, keepdim=True)
