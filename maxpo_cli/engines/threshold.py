"""The polynomial exact engine: rewards cut at pairs of thresholds (section 4 of the design).

A rank-linear estimator is the sum over thresholds t of its answers on the 0/1 groups 1[r > t], its
profile: α_c for a success and β_c for a failure in a group with c successes. Two thresholds t ≤ u
cut the rewards into three segments, L (r ≤ t), M and H (r > u), within which scores are i.i.d.
Given c rewards above t, the number c′ above u is binomial, and the gradient estimate of t is linear
in c′; so that one pass over c, with one matrix product in c′ for all estimators, gives the
covariance of the two gradient estimates about their means, without a difference of large numbers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.engines.measures import Measures
from maxpo_cli.estimators.catalogue import Estimator
from maxpo_cli.estimators.profiles import Profile
from maxpo_cli.policies.finite import DenseScores, FiniteProblem, FloatArray, TabularScores

PAIRS_AT_ONCE = 1 << 12
"""Pairs of thresholds that are worked on at once."""


@dataclass(frozen=True, eq=False)
class Profiles:
    """Profiles of E estimators for groups of n as tensors `[n + 1, E]`.

    `success` and `failure` are α and β; `centering` is (c α + (n − c) β) / n, rounded once.
    """

    n: int
    success: Tensor
    failure: Tensor
    centering: Tensor

    @classmethod
    def of(cls, profiles: Sequence[Profile], n: int, device: torch.device) -> "Profiles":
        """The tensors of exact profiles; entries that no group reads are 0."""

        def column(values: Sequence[int], scale: int) -> list[float]:
            return [value / scale for value in values]

        success = [column((0, *p.success[1:]), p.denominator) for p in profiles]
        failure = [column((*p.failure[:-1], 0), p.denominator) for p in profiles]
        centering = [
            column(
                [
                    (c * p.success[c] if c else 0) + ((n - c) * p.failure[c] if c < n else 0)
                    for c in range(n + 1)
                ],
                n * p.denominator,
            )
            for p in profiles
        ]
        tensors = (
            torch.tensor(part, dtype=torch.float64, device=device).T.contiguous()
            for part in (success, failure, centering)
        )
        return cls(n, *tensors)


@dataclass(frozen=True, eq=False)
class Pairs:
    """P pairs of thresholds t ≤ u and the three segments that they make.

    Attributes:
        weight: what the covariance of the pair counts for, `[P]`.
        probs: probabilities of L, M and H, `[P, 3]`.
        means: their mean scores in d coordinates, `[P, 3, d]`; 0 for an empty segment.
        residual: E‖s‖² − ‖mean‖² within each, `[P, 3]`.
    """

    weight: Tensor
    probs: Tensor
    means: Tensor
    residual: Tensor


@dataclass(frozen=True, eq=False)
class Seconds:
    """Sums over pairs for E estimators: tr Cov Σ A_i s_i, and E[(mean advantage)²], `[E]`."""

    variance: Tensor
    centering_square: Tensor


def second_moments(pairs: Pairs, profiles: Profiles) -> Seconds:
    """What these pairs add to the second moments of Σ_i A_i s_i and of the mean advantage."""
    low, middle, high = (pairs.probs[:, s, None] for s in range(3))
    above = middle + high
    share = torch.where(above > 0, high / torch.where(above > 0, above, 1), 0)
    s_low, s_middle, s_high = (pairs.means[:, s, None] for s in range(3))  # [P, 1, d]
    s_above = s_middle * (1 - share)[..., None] + s_high * share[..., None]
    of_t, of_u = _first_moments(pairs, profiles)
    features = torch.cat(
        [
            profiles.failure,
            torch.arange(profiles.n + 1, device=low.device)[:, None] * profiles.failure,
            torch.arange(profiles.n + 1, device=low.device)[:, None] * profiles.success,
        ],
        1,
    )
    counts = torch.arange(profiles.n + 1, dtype=torch.float64, device=low.device)
    weights = _binomial(profiles.n, above[:, 0])
    variance = torch.zeros_like(profiles.success[0])
    centering = torch.zeros_like(variance)
    row = torch.ones_like(low)
    for c in range(profiles.n + 1):
        if c:
            row = _next_row(row, share)
        weight = (weights[:, c] * pairs.weight)[:, None]
        alpha, beta = profiles.success[c], profiles.failure[c]
        n_low = profiles.n - c
        b, cb, ca = (row @ features[: c + 1]).chunk(3, 1)
        around = row * (counts[: c + 1] - c * share)
        db, dcb, dca = (around @ features[: c + 1]).chunk(3, 1)
        mean_t = (n_low * beta)[:, None] * s_low + (c * alpha)[:, None] * s_above - of_t
        mean_u = (
            (n_low * b)[..., None] * s_low
            + (c * b - cb)[..., None] * s_middle
            + ca[..., None] * s_high
            - of_u
        )
        along = (
            (n_low * db)[..., None] * s_low
            + (c * db - dcb)[..., None] * s_middle
            + dca[..., None] * s_high
        )
        within = alpha * ((s_high - s_middle) * along).sum(-1)
        spread = (
            n_low * beta * b * pairs.residual[:, :1]
            + alpha * (c * b - cb) * pairs.residual[:, 1:2]
            + alpha * ca * pairs.residual[:, 2:]
        )
        variance += (weight * ((mean_t * mean_u).sum(-1) + within + spread)).sum(0)
        centering += (weight * profiles.centering[c] * (row @ profiles.centering[: c + 1])).sum(0)
    return Seconds(variance, centering)


def _first_moments(pairs: Pairs, profiles: Profiles) -> tuple[Tensor, Tensor]:
    """E Σ_i A_i s_i under the lower and the upper threshold of each pair, `[P, E, d]`."""
    counts = torch.arange(profiles.n + 1, dtype=torch.float64, device=pairs.probs.device)[:, None]
    successes = counts * profiles.success
    failures = (profiles.n - counts) * profiles.failure
    found = []
    for segments in ((0,), (0, 1)):  # those below the threshold
        others = tuple(s for s in range(3) if s not in segments)
        law = _binomial(profiles.n, pairs.probs[:, others].sum(1))
        below, above = (_mean(pairs, chosen)[:, None] for chosen in (segments, others))
        found.append((law @ failures)[..., None] * below + (law @ successes)[..., None] * above)
    return found[0], found[1]


def _mean(pairs: Pairs, segments: Sequence[int]) -> Tensor:
    """The mean score of several segments together, `[P, d]`."""
    probs = pairs.probs[:, segments]
    total = probs.sum(1, keepdim=True)
    share = torch.where(total > 0, probs / torch.where(total > 0, total, 1), 0)
    return (share[..., None] * pairs.means[:, segments]).sum(1)


def _binomial(n: int, probs: Tensor) -> Tensor:
    """Binomial(n, p) probabilities of 0..n for each p, `[P, n + 1]`."""
    row = torch.ones_like(probs)[:, None]
    for _ in range(n):
        row = _next_row(row, probs[:, None])
    return row


def _next_row(row: Tensor, p: Tensor) -> Tensor:
    """Binomial(c, p) from Binomial(c − 1, p), by sums of positive terms only."""
    out = torch.zeros(len(row), row.shape[1] + 1, dtype=row.dtype, device=row.device)
    out[:, :-1] = row * (1 - p)
    out[:, 1:] += row * p
    return out / out.sum(1, keepdim=True)


def measure_finite(
    problem: FiniteProblem,
    n: int,
    estimators: Mapping[int, tuple[Estimator, ...]],
    device: torch.device,
    advance: Callable[[int], None],
) -> dict[int, Measures]:
    """Exact measures of rank-linear estimators and the oracle for each K of `estimators`.

    In O(m² n²) for all of them together. `advance` is called
    with the number of pairs of thresholds done since the last call.
    """
    chosen = [(k, e) for k, several in estimators.items() for e in several if e.profile is not None]
    profiles = Profiles.of([e.profile(n, k) for k, e in chosen if e.profile], n, device)
    total = Seconds(*torch.zeros(2, len(chosen), dtype=torch.float64, device=device))
    for pairs in _pairs(problem, device):
        more = second_moments(pairs, profiles)
        total = Seconds(
            total.variance + more.variance, total.centering_square + more.centering_square
        )
        advance(len(pairs.weight))
    mean, centering = _firsts(problem, profiles)
    extremes = _largest_centering(problem, profiles)
    variance, square = (part.cpu().numpy() for part in (total.variance, total.centering_square))
    place = {(k, e.name): i for i, (k, e) in enumerate(chosen)}
    found = {}
    for k, several in estimators.items():
        rows = [
            _oracle(problem, n, k)
            if e.profile is None
            else _Row(
                mean[i := place[k, e.name]] * (k / n),
                max(float(variance[i]), 0.0) * (k / n) ** 2,
                float(centering[i]),
                float(square[i]),
                float(extremes[i]),
            )
            for e in several
        ]
        found[k] = Measures(
            estimators=several,
            objective=problem.objective(k),
            gradient=problem.gradient(k),
            mean=np.array([row.mean for row in rows]),
            variance=np.array([row.variance for row in rows]),
            centering_mean=np.array([row.centering_mean for row in rows]),
            centering_square=np.array([row.centering_square for row in rows]),
            centering_max=np.array([row.centering_max for row in rows]),
        )
    return found


@dataclass(frozen=True)
class _Row:
    """The figures of one estimator at one K, as `Measures` has them."""

    mean: FloatArray
    variance: float
    centering_mean: float
    centering_square: float
    centering_max: float


def _steps(problem: FiniteProblem) -> FloatArray:
    """The reward as steps: the lowest level, which every reward is above, and the gaps, `[m]`."""
    return np.append(problem.levels[0], np.diff(problem.levels))


def _pairs(problem: FiniteProblem, device: torch.device) -> Iterator[Pairs]:
    """All pairs t ≤ u of the m steps, step t being below level t; a pair and its mirror are one."""
    m, steps = problem.m, torch.from_numpy(_steps(problem)).to(device)
    level = torch.arange(m, device=device)
    at_once = max(1, PAIRS_AT_ONCE // m)
    for start in range(0, m, at_once):
        lower = level[start : start + at_once]
        kept = lower[:, None] <= level
        t, u = (index.expand(kept.shape)[kept] for index in (lower[:, None], level))
        mirrored = torch.where(t == u, 1.0, 2.0)
        segments = _Segments(t, u, lower, kept)
        yield Pairs(steps[t] * steps[u] * mirrored, *_of_segments(problem, segments))


@dataclass(frozen=True, eq=False)
class _Segments:
    """The segments of levels [0, t), [t, u) and [u, m) of pairs: rows t of a block, all u ≥ t."""

    t: Tensor
    u: Tensor
    lower: Tensor
    kept: Tensor

    def sums(self, values: Tensor) -> Tensor:
        """Sums of `values` `[m, ...]` over each segment, `[P, 3, ...]`, of its own terms only."""
        m = len(values)
        nothing = torch.zeros_like(values[:1])
        low = torch.cat([nothing, values.cumsum(0)])[self.t]
        high = torch.cat([values.flip(0).cumsum(0).flip(0), nothing])[self.u]
        level = torch.arange(m, device=values.device)
        from_t = (level >= self.lower[:, None]).reshape(-1, m, *[1] * (values.ndim - 1))
        before = torch.where(from_t, values, 0).cumsum(1)
        middle = torch.cat([torch.zeros_like(before[:, :1]), before[:, :-1]], 1)[self.kept]
        return torch.stack([low, middle, high], 1)


def _of_segments(problem: FiniteProblem, segments: _Segments) -> tuple[Tensor, Tensor, Tensor]:
    """Probabilities, mean scores and residuals of segments, as `Pairs` has them."""

    def tensor(values: FloatArray) -> Tensor:
        return torch.as_tensor(values, device=segments.t.device)

    p = tensor(problem.probs)
    probs = segments.sums(p)
    whole = torch.where(probs > 0, probs, 1)
    if isinstance(problem.scores, TabularScores):
        # Coordinates along Σ_b p_b u_b/√M_b of each segment, whose lengths are a.
        a = segments.sums(tensor(problem.scores.shared).square()).sqrt()
        means = torch.diag_embed(a / whole) - torch.where(probs > 0, 1, 0)[..., None] * a[:, None]
        square = tensor(problem.residual) + tensor(problem.scores.diagonal).square()
        return probs, means, segments.sums(p * square) / whole - (a / whole).square()
    assert isinstance(problem.scores, DenseScores)
    scores = tensor(problem.scores.matrix)
    means = segments.sums(p[:, None] * scores) / whole[..., None]
    square = tensor(problem.residual) + scores.square().sum(-1)
    residual = segments.sums(p * square) / whole - means.square().sum(-1)
    if means.shape[-1] > 3:  # three vectors span three dimensions at the most
        means = torch.linalg.qr(means.transpose(1, 2), mode="r").R.transpose(1, 2)
    return probs, means, residual


def _firsts(problem: FiniteProblem, profiles: Profiles) -> tuple[FloatArray, FloatArray]:
    """E Σ_i A_i s_i, `[E, d]`, and the mean advantage of a group, `[E]`."""
    device = profiles.success.device
    above = torch.as_tensor(np.cumsum(problem.probs[::-1])[::-1].copy(), device=device)
    below = torch.as_tensor(np.append(0.0, np.cumsum(problem.probs)[:-1]), device=device)
    law = _binomial(profiles.n, (above / (above + below)))
    steps = torch.as_tensor(_steps(problem), device=device)[:, None]
    counts = torch.arange(profiles.n + 1, dtype=torch.float64, device=device)[:, None]
    of_success = steps * (law @ (counts * profiles.success)) / above[:, None]
    of_failure = steps * (law @ ((profiles.n - counts) * profiles.failure))
    of_failure = of_failure / torch.where(below > 0, below, 1)[:, None]
    # Level b is a success of the steps up to b, and a failure of those beyond.
    up_to = of_success.cumsum(0)
    beyond = of_failure.flip(0).cumsum(0).flip(0) - of_failure
    advantages = (up_to + beyond) * torch.as_tensor(problem.probs, device=device)[:, None]
    mean = problem.scores.combine(advantages.T)
    centering = (steps * (law @ profiles.centering)).sum(0)
    return mean.cpu().numpy(), centering.cpu().numpy()


def _largest_centering(problem: FiniteProblem, profiles: Profiles) -> FloatArray:
    """The largest |mean advantage| of any group, `[E]`: the best falling path through the steps."""
    extremes = []
    for sign in (1, -1):
        best = torch.full_like(profiles.centering, -torch.inf)
        best[-1] = 0.0
        for step in _steps(problem):
            best = best + sign * step * profiles.centering
            best = best.flip(0).cummax(0).values.flip(0)
        extremes.append(best[0])
    return torch.maximum(*extremes).clamp(min=0).cpu().numpy()


def _oracle(problem: FiniteProblem, n: int, k: int) -> _Row:
    """The oracle: its advantage is a function of the reward alone, so that samples just add up."""
    advantages, probs = problem.oracle_advantages(k), problem.probs
    weights = torch.from_numpy(probs * advantages)
    mean = problem.scores.combine(weights).numpy()
    levels = problem.scores.combine(torch.diag(torch.from_numpy(advantages))).numpy()
    around = ((levels - mean) ** 2).sum(1) + advantages**2 * problem.residual
    centre = float(probs @ advantages)
    return _Row(
        mean=k * mean,
        variance=k * k / n * float(probs @ around),
        centering_mean=centre,
        centering_square=float(probs @ (advantages - centre) ** 2) / n + centre**2,
        centering_max=float(np.abs(advantages).max()),
    )
