"""The thresholds of a continuous problem: nodes of the quadrature of *threshold integral*.

Between the corners of the reward the integrand is smooth in both thresholds, except on the
diagonal. So bands of thresholds have Gauss–Legendre nodes: their products for two bands, and for a
band with itself those of the triangle t ≤ u, as t = s v and u = s in the unit square of (s, v)
(engines/README.md, *threshold integral*).
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.arrays import FloatArray
from maxpo_cli.engines.threshold.covariance import Pairs, Profiles, binomial
from maxpo_cli.engines.threshold.thresholds import PAIRS_AT_ONCE, Row
from maxpo_cli.problems.continuous import ContinuousProblem
from maxpo_cli.problems.quadrature import in_bands, unit_nodes


class ContinuousThresholds:
    """The thresholds of a continuous problem: the base, and `nodes` in each of its bands."""

    def __init__(self, problem: ContinuousProblem, nodes: int, device: torch.device) -> None:
        self.problem = problem
        self.device = device
        bands = problem.wide_bands
        self.lowest, self.highest = float(bands[0]), float(bands[-1])
        self._bands = np.stack([bands[:-1], bands[1:]], -1)
        self._nodes, self._shares = unit_nodes(nodes)
        self._thresholds, slopes = in_bands(self._bands, self._nodes)
        self._steps = slopes * self._shares

    @property
    def count(self) -> int:
        """How many pairs there are: with the base, and of nodes of two bands or of one."""
        bands, nodes = self._thresholds.shape
        return int(bands * (bands + 1) // 2 * nodes**2 + bands * nodes + 1)

    def pairs(self) -> Iterator[Pairs]:
        """All pairs t ≤ u, a pair and its mirror as one: the base's, those of two bands, of one."""
        for sides_t, sides_u, weight, bases in self._products():
            for start in range(0, len(weight), PAIRS_AT_ONCE):
                part = slice(start, start + PAIRS_AT_ONCE)
                yield self._of_sides(sides_t[:, part], sides_u[:, part], weight[part], bases)

    @cached_property
    def _sides(self) -> FloatArray:
        """(P, E s, E‖s‖²) above and below every node, `[2, bands, nodes, 2 + d]`."""
        return np.stack(self.problem.sides(self._thresholds))

    @cached_property
    def _base(self) -> FloatArray:
        """The same of the base, `[2, 1, 2 + d]`."""
        return np.stack(self.problem.sides(np.array([-np.inf])))

    def _products(self) -> Iterator[tuple[FloatArray, FloatArray, FloatArray, int]]:
        """The sides of t and of u and the weight of pairs, and how many of the two are the base."""
        bands, nodes = self._thresholds.shape
        flat, steps = self._sides.reshape(2, bands * nodes, -1), self._steps.ravel()
        yield self._base, self._base, np.ones(1), 2
        yield np.broadcast_to(self._base, flat.shape), flat, 2 * steps, 1
        for band in range(bands):
            first = band * nodes
            t = np.repeat(np.arange(first, first + nodes), (bands - band - 1) * nodes)
            u = np.tile(np.arange(first + nodes, bands * nodes), nodes)
            yield flat[:, t], flat[:, u], 2 * steps[t] * steps[u], 0
        sides_t, weights = self._triangles
        for band in range(bands):
            sides_u = np.repeat(self._sides[:, band], nodes, 1)
            yield sides_t[:, band], sides_u, weights[band], 0

    @cached_property
    def _triangles(self) -> tuple[FloatArray, FloatArray]:
        """What is above and below the t of every band's triangle, and the weights of its pairs."""
        s, v = (part.ravel() for part in np.meshgrid(self._nodes, self._nodes, indexing="ij"))
        area = s * np.outer(self._shares, self._shares).ravel()
        t, slope_t = in_bands(self._bands, s * v)
        _, slope_u = in_bands(self._bands, s)
        return np.stack(self.problem.sides(t)), 2 * area * slope_t * slope_u

    def _of_sides(
        self, sides_t: FloatArray, sides_u: FloatArray, weight: FloatArray, bases: int
    ) -> Pairs:
        """Pairs from what is above and below their thresholds, `[2, P, 2 + d]` each."""
        high, low = sides_u[0], sides_t[1]
        # The smaller side has the more exact difference.
        by_below = sides_u[1] - sides_t[1]
        by_above = sides_t[0] - sides_u[0]
        middle = np.where(sides_u[1][:, :1] < sides_t[0][:, :1], by_below, by_above)
        segments = torch.from_numpy(np.stack([low, middle, high], 1)).to(self.device)
        probs = segments[..., 0].clamp(min=0)
        whole = torch.where(probs > 0, probs, 1)[..., None]
        given = torch.where(probs[..., None] > 0, segments[..., 1:] / whole, 0)
        means = given[..., :-1]
        residual = (given[..., -1] - means.square().sum(-1)).clamp(min=0)
        weights = torch.from_numpy(weight).to(self.device)
        return Pairs(weights, torch.full_like(weights, bases), probs, means, residual)

    def _tensor(self, values: FloatArray) -> Tensor:
        return torch.as_tensor(values, device=self.device)

    def first_moments(self, profiles: Profiles) -> tuple[Tensor, Tensor]:
        """E Σ_i A_i s_i, `[E, d]`, and the mean advantage of a group, `[E]`."""
        above, below = (self._tensor(side.reshape(-1, side.shape[-1])) for side in self._sides)
        steps = self._tensor(self._steps.ravel())
        law = binomial(profiles.n, above[:, 0], below[:, 0])
        of_success, of_failure = profiles.first_moments(law)
        mean = _given(above, of_success * steps[:, None])
        mean = mean + _given(below, of_failure * steps[:, None])
        centering = steps @ (law @ profiles.centering) + profiles.base * profiles.centering[-1]
        return mean, centering

    def largest_centering(self, profiles: Profiles) -> Tensor:
        """The largest |mean advantage| of any group, `[E]`: of rewards at either end of bounds.

        NaN where there is none, since rewards have no bounds; 0 where every group's is 0.
        """
        low, high = self.problem.bounds
        if np.isfinite(high - low):
            ends = profiles.base * profiles.centering[-1] + (high - low) * profiles.centering
            return ends.abs().amax(0)
        zero = (profiles.centering == 0).all(0)
        return torch.where(zero, 0.0, torch.nan)

    def oracle(self, n: int, k: int) -> Row:
        """The oracle's moments: of a threshold, a success has F^K, a failure −F^(K−1) (1 − F)."""
        square, centering_square = 0.0, 0.0
        for pairs in self.pairs():
            (success_t, failure_t), (success_u, failure_u) = (
                _oracle_profile(pairs.probs[:, :below].sum(1), pairs.probs[:, below:].sum(1), k)
                for below in (1, 2)
            )
            weight = pairs.weight * (pairs.bases == 0)
            of_segments = torch.stack(
                [failure_t * failure_u, success_t * failure_u, success_t * success_u], 1
            )
            of_segments = of_segments * pairs.probs * weight[:, None]
            scores = pairs.residual + pairs.means.square().sum(-1)
            square += float((of_segments * scores).sum())
            centering_square += float(of_segments.sum())
        gradient = self.problem.gradient(k)
        return Row(
            mean=gradient,
            variance=(k * k * square - float(gradient @ gradient)) / n,
            centering_mean=0.0,
            centering_square=centering_square / n,
            centering_max=self._largest_oracle(k),
        )

    def _largest_oracle(self, k: int) -> float:
        """The oracle's larger |advantage|, of the highest or lowest reward; NaN without bounds."""
        if not np.isfinite(self.problem.bounds).all():
            return float("nan")
        above, below = (self._tensor(side[..., 0]) for side in self._sides)
        ends = _oracle_profile(below, above, k)
        return max(float((self._tensor(self._steps) * end).sum().abs()) for end in ends)


def _given(side: Tensor, weights: Tensor) -> Tensor:
    """Σ_t weights_t[e] E[s | side of t], `[T, E]` in and `[E, d]` out."""
    probs = side[:, :1]
    scores = torch.where(probs > 0, side[:, 1:-1] / torch.where(probs > 0, probs, 1), 0)
    return weights.T @ scores


def _oracle_profile(below: Tensor, above: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The oracle's advantages of a success and a failure at thresholds of these probabilities."""
    log_below = torch.where(above < below, torch.log1p(-above.clamp(max=0.5)), below.log())
    power = ((k - 1) * log_below).exp() if k > 1 else torch.ones_like(below)
    return power * below, -power * above
