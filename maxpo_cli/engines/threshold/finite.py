"""The thresholds of a finite problem: the steps between its reward levels."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.arrays import FloatArray
from maxpo_cli.engines.threshold.covariance import Pairs, Profiles, binomial
from maxpo_cli.engines.threshold.thresholds import PAIRS_AT_ONCE, Row
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.problems.scores import TabularScores


class FiniteThresholds:
    """The m thresholds of a finite problem: the base, below all levels, and one in every gap."""

    def __init__(self, problem: FiniteProblem, device: torch.device) -> None:
        self.problem = problem
        self.device = device
        self.lowest, self.highest = float(problem.levels[0]), float(problem.levels[-1])
        self._gaps = torch.from_numpy(np.diff(problem.levels)).to(device)

    @property
    def count(self) -> int:
        """How many pairs there are."""
        return self.problem.m * (self.problem.m + 1) // 2

    def pairs(self) -> Iterator[Pairs]:
        """All pairs t ≤ u, step t being below level t; a pair and its mirror are one."""
        m = self.problem.m
        steps = torch.cat([self._gaps.new_ones(1), self._gaps])
        level = torch.arange(m, device=self.device)
        at_once = max(1, PAIRS_AT_ONCE // m)
        for start in range(0, m, at_once):
            lower = level[start : start + at_once]
            kept = lower[:, None] <= level
            t, u = (index.expand(kept.shape)[kept] for index in (lower[:, None], level))
            mirrored = torch.where(t == u, 1.0, 2.0)
            bases = (t == 0).double() + (u == 0)
            segments = _Segments(t, u, lower, kept)
            parts = _of_segments(self.problem, segments)
            yield Pairs(steps[t] * steps[u] * mirrored, bases, *parts)

    def first_moments(self, profiles: Profiles) -> tuple[Tensor, Tensor]:
        """E Σ_i A_i s_i, `[E, d]`, and the mean advantage of a group, `[E]`."""
        probs = torch.as_tensor(self.problem.probs, device=self.device)[:, None]
        above = probs.flip(0).cumsum(0).flip(0)
        below = torch.cat([torch.zeros_like(probs[:1]), probs.cumsum(0)[:-1]])
        law = binomial(profiles.n, above[:, 0], below[:, 0])
        steps = self._steps(profiles)
        success, failure = profiles.first_moments(law)
        of_success = steps * success / above
        of_failure = steps * failure / torch.where(below > 0, below, 1)
        # Level b is a success of the steps up to b, and a failure of those beyond.
        up_to = of_success.cumsum(0)
        beyond = of_failure.flip(0).cumsum(0).flip(0) - of_failure
        mean = self.problem.scores.combine(((up_to + beyond) * probs).T)
        return mean, (steps * (law @ profiles.centering)).sum(0)

    def largest_centering(self, profiles: Profiles) -> Tensor:
        """The largest |mean advantage| of any group, `[E]`: that of a falling path of counts."""
        extremes = []
        for sign in (1, -1):
            best = torch.full_like(profiles.centering, -torch.inf)
            best[-1] = 0.0
            for step in self._steps(profiles):
                best = best + sign * step * profiles.centering
                best = best.flip(0).cummax(0).values.flip(0)
            extremes.append(best[0])
        return torch.maximum(*extremes).clamp(min=0)

    def _steps(self, profiles: Profiles) -> Tensor:
        """The reward as steps, `[m, E]`: the base of each estimator, and the gaps."""
        gaps = self._gaps[:, None].expand(-1, len(profiles.base))
        return torch.cat([profiles.base[None], gaps])

    def oracle(self, n: int, k: int) -> Row:
        """The moments of the oracle, whose advantage is a function of the reward alone."""
        problem = self.problem
        advantages, probs = problem.oracle_advantages(k), problem.probs
        weights = torch.from_numpy(probs * advantages)
        mean = problem.scores.combine(weights).numpy()
        levels = problem.scores.combine(torch.diag(torch.from_numpy(advantages))).numpy()
        around = problem.mean_weight * ((levels - mean) ** 2).sum(1)
        around = around + advantages**2 * problem.residual
        centre = float(probs @ advantages)
        return Row(
            mean=k * mean,
            variance=k * k / n * float(probs @ around),
            centering_mean=centre,
            centering_square=float(probs @ (advantages - centre) ** 2) / n + centre**2,
            centering_max=float(np.abs(advantages).max()),
        )


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

    def residual(self, problem: FiniteProblem, spread: Tensor) -> Tensor:
        """The residuals, `spread` where it is not rounding: a single level has its own."""
        size = torch.stack([self.t, self.u - self.t, problem.m - self.u], 1)
        own = self.sums(torch.as_tensor(problem.residual, device=self.t.device).expand(problem.m))
        return torch.where(size == 1, own, spread.clamp(min=0))


def _of_segments(problem: FiniteProblem, segments: _Segments) -> tuple[Tensor, Tensor, Tensor]:
    """Probabilities, mean scores and residuals of segments, as `Pairs` has them."""

    def tensor(values: FloatArray) -> Tensor:
        return torch.as_tensor(values, device=segments.t.device)

    p = tensor(problem.probs)
    probs = segments.sums(p)
    whole = torch.where(probs > 0, probs, 1)
    if not problem.mean_weight:  # mean scores vanish compared with residuals
        none = probs[..., None].new_zeros(*probs.shape, 0)
        return probs, none, segments.sums(p * tensor(problem.residual)) / whole
    if isinstance(problem.scores, TabularScores):
        # Coordinates along Σ_b p_b u_b/√M_b of each segment, whose lengths are a.
        a = segments.sums(tensor(problem.scores.shared).square()).sqrt()
        rest = probs[:, [1, 0, 0]] + probs[:, [2, 2, 1]]
        means = torch.where(probs > 0, -1, 0)[..., None] * a[:, None]
        means.diagonal(dim1=1, dim2=2).copy_(a * rest / whole)  # a/P − a
        square = tensor(problem.residual) + tensor(problem.scores.diagonal).square()
        spread = segments.sums(p * square) / whole - (a / whole).square()
        return probs, means, segments.residual(problem, spread)
    scores = tensor(problem.scores.matrix)
    means = segments.sums(p[:, None] * scores) / whole[..., None]
    square = tensor(problem.residual) + scores.square().sum(-1)
    spread = segments.sums(p * square) / whole - means.square().sum(-1)
    if means.shape[-1] > 3:  # three vectors span three dimensions at most
        means = torch.linalg.qr(means.transpose(1, 2), mode="r").R.transpose(1, 2)
    return probs, means, segments.residual(problem, spread)
