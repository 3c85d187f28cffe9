"""Gaussian policies: a reward of the first coordinate, exact by quadrature over thresholds."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.special import ndtr
from torch import Tensor

from maxpo_cli.errors import InputError, unknown
from maxpo_cli.policies.finite import LARGEST_COUNT, LARGEST_REWARD, FiniteProblem, FloatArray
from maxpo_cli.policies.rewards import REWARD_KEYS, REWARDS, Reward
from maxpo_cli.policies.text import number

LEARN = ("mean", "mean+log_std")
REACH = 38.0
"""Standard deviations beyond which a Gaussian has no mass in float64."""

RTOL, ROUNDING = 1e-10, 1e-14
"""Tolerance of the quadrature relative to an integral (ten times finer than what is promised), and
relative to the sum of its parts' absolute values, for integrals that cancel."""

NODES, MAX_HALVINGS = 16, 40
"""Gauss–Legendre nodes a band of thresholds, and how often one is halved at the most."""

TABLE_CELLS, TABLE_NODES = 256, 8
"""Cells a band in the table of Q_K that the oracle estimator interpolates, and nodes a cell."""


@dataclass(frozen=True)
class Gaussian:
    """x ~ N(mean, std² I) in `dim` coordinates; the reward is a function of the first.

    What is learned is the mean, or the mean and the logarithm of the standard deviation, one of
    each a coordinate: s = (x − mean)/std² and ((x − mean)/std)² − 1. The coordinates after the
    first have no part in the reward and only add score.
    """

    mean: float = 0.0
    std: float = 1.0
    reward: str = "identity"
    learn: str = "mean"
    dim: int = 1
    c: float = 0.0
    a: float = 1.0
    f: float = 5.0

    def __post_init__(self) -> None:
        if self.reward not in REWARDS:
            raise unknown("reward of gaussian", self.reward, REWARDS)
        if self.learn not in LEARN:
            raise unknown("value of learn in gaussian", self.learn, LEARN)
        if not self.std > 0:
            raise InputError(f"gaussian: std must be above 0; got {number(self.std)}")
        if not 1e-50 <= self.std <= 1e50:
            raise InputError(f"gaussian: std must be from 1e-50 to 1e50; got {number(self.std)}")
        if not 1 <= self.dim <= LARGEST_COUNT:
            raise InputError(f"gaussian: dim must be a whole number from 1 to 2^60; got {self.dim}")
        bands = GaussianProblem(self).bands
        if len(bands) < 2:
            raise InputError("gaussian: std is too small beside the mean to tell rewards apart")
        if not (np.abs(bands) <= LARGEST_REWARD).all():
            raise InputError(f"gaussian: reward={self.reward} overflows with this mean and std")

    @property
    def spec(self) -> str:
        """The policy as its spec string, with the keys that this reward reads."""
        keys = "".join(f",{key}={number(getattr(self, key))}" for key in REWARD_KEYS[self.reward])
        dim = f",dim={self.dim}" if self.dim > 1 else ""
        return (
            f"gaussian:mean={number(self.mean)},std={number(self.std)},"
            f"reward={self.reward}{keys},learn={self.learn}{dim}"
        )

    @cached_property
    def reward_function(self) -> Reward:
        """R, with its pieces."""
        return REWARDS[self.reward](c=self.c, a=self.a, f=self.f)

    @cached_property
    def problems(self) -> tuple["FiniteProblem | GaussianProblem", ...]:
        """Its one problem: a finite one where the reward takes two values."""
        problem = GaussianProblem(self)
        return (problem.as_finite() if self.reward == "threshold" else problem,)

    def sample(self, groups: int, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Rewards `[groups, n]` and scores `[groups, n, dim]` or `[groups, n, 2·dim]`, float64."""
        z = torch.randn(
            groups, n, self.dim, dtype=torch.float64, generator=generator, device=generator.device
        )
        rewards = self.reward_function.value(self.mean + self.std * z[..., 0])
        return rewards, self.scores(z)

    def scores(self, z: Tensor) -> Tensor:
        """The scores of standardised draws, `[..., dim]` in and one or two times as many out."""
        return torch.cat([z / self.std, z * z - 1], -1) if self.learn != "mean" else z / self.std


@dataclass(frozen=True, eq=False)
class GaussianProblem:
    """What is known exactly of a Gaussian policy: objective, gradient, Q_K.

    Scores are those of the first coordinate, `[1]` or `[2]`; the others are independent of the
    reward, so all that they add is `residual` to E‖s‖².
    """

    policy: Gaussian

    @property
    def is_binary(self) -> bool:
        """Whether every reward is 0 or 1; a continuous reward is not."""
        return False

    @property
    def residual(self) -> float:
        """E‖s‖² of the coordinates after the first."""
        each = 1 / self.policy.std**2 + (2 if self.policy.learn != "mean" else 0)
        return (self.policy.dim - 1) * each

    @cached_property
    def bands(self) -> FloatArray:
        """Thresholds, ascending: between neighbours the distribution of R is smooth.

        They are the rewards of points up to `REACH` deviations from the mean (farther for `exp`,
        whose mean sits there), the corners of the reward, and 0.
        """
        policy = self.policy
        steps = np.array([*range(-12, 13), -REACH, -24, -18, 18, 24, REACH], dtype=float)
        if policy.reward == "exp":
            steps = np.concatenate([steps, policy.std + steps])
        rewards = policy.reward_function.at(policy.mean + policy.std * steps)
        marks = [*rewards, *policy.reward_function.corners]
        return np.unique([*marks, np.clip(0.0, min(marks), max(marks))])

    def distribution(self, thresholds: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """P(R > t), P(R ≤ t), each `[...]`, and ∇P(R ≤ t), `[..., d]`."""
        policy = self.policy
        above = np.zeros_like(thresholds)
        below = np.zeros_like(thresholds)
        gradient = np.zeros((*thresholds.shape, 1 if policy.learn == "mean" else 2))
        for piece in policy.reward_function.pieces:
            over, under = piece.split(thresholds)
            above += _mass((over - policy.mean) / policy.std)
            ends = (under - policy.mean) / policy.std
            below += _mass(ends)
            gradient += self._score_mass(ends)
        return above, below, gradient

    def _score_mass(self, ends: FloatArray) -> FloatArray:
        """E[s 1{z in the interval}], `[..., 2]` in (standardised ends) and `[..., d]` out."""
        density = _density(ends)
        of_mean = (density[..., 0] - density[..., 1]) / self.policy.std
        if self.policy.learn == "mean":
            return of_mean[..., None]
        weighted = np.where(np.isfinite(ends), ends, 0.0) * density
        return np.stack([of_mean, weighted[..., 0] - weighted[..., 1]], -1)

    def _integrals(self, k: int, bands: FloatArray, nodes: int) -> FloatArray:
        """What each of the bands `[B, 2]` adds to (J_K − anchor, ∇J_K), `[B, 1 + d]`.

        J = r_0 + ∫_{r_0} P(max > t) dt − ∫^{r_0} P(max ≤ t) dt and ∇J = −K ∫ F^(K−1) ∇F dt.
        """
        thresholds, steps = _band_nodes(bands, nodes)
        above, below, slope = self.distribution(thresholds)
        value = np.where(thresholds > self._anchor, -_power_of_complement(above, k), -(below**k))
        gradient = -k * below[..., None] ** (k - 1) * slope
        parts = np.concatenate([value[..., None], gradient], -1) * steps[..., None]
        return np.asarray(parts.sum(1))

    @property
    def _anchor(self) -> float:
        """The r_0 of the integrals: 0, or the nearest reward to it."""
        return float(np.clip(0.0, self.bands[0], self.bands[-1]))

    @cached_property
    def _found(self) -> dict[int, FloatArray]:
        return {}

    def _exact(self, k: int) -> FloatArray:
        """(J_K, ∇J_K), worked out once for each K."""
        if k not in self._found:
            self._found[k] = self._integrate(k)
        return self._found[k]

    def _integrate(self, k: int) -> FloatArray:
        """(J_K, ∇J_K): bands are halved until none of them moves when its nodes are doubled."""
        bands = np.stack([self.bands[:-1], self.bands[1:]], -1)
        fine = self._integrals(k, bands, 2 * NODES)
        total = np.zeros(fine.shape[1])
        total[0] = self._anchor
        allowed = RTOL * abs(total + fine.sum(0)) + ROUNDING * abs(fine).sum(0)
        for _ in range(MAX_HALVINGS):
            coarse = self._integrals(k, bands, NODES)
            moved = (abs(fine - coarse) > allowed / len(self.bands)).any(1)
            total += fine[~moved].sum(0)
            if not moved.any():
                return total
            middle = bands[moved].mean(1)
            bands = np.concatenate(
                [np.stack([bands[moved, 0], middle], -1), np.stack([middle, bands[moved, 1]], -1)]
            )
            fine = self._integrals(k, bands, 2 * NODES)
        raise InputError(
            f"the quadrature of J_K for {self.policy.spec} did not settle to {RTOL:g} at k={k}"
        )

    def objective(self, k: int) -> float:
        """J_K = E[max of K draws], to a relative 1e-9."""
        return float(self._exact(k)[0])

    def gradient(self, k: int) -> FloatArray:
        """∇J_K with respect to the first coordinate's parameters, `[d]`, to a relative 1e-9."""
        return self._exact(k)[1:]

    def q_table(self, k: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Thresholds t, Q_K(t) and its slope F(t)^(K−1), for cubic Hermite interpolation.

        Q_K(t) = t + ∫_t^∞ P(max of K − 1 > u) du is the expected max of the reward t and K − 1
        draws.
        """
        share = np.sin(np.pi / 2 * np.linspace(0, 1, TABLE_CELLS + 1)) ** 2
        low, high = self.bands[:-1, None], self.bands[1:, None]
        table = np.unique(low + (high - low) * share)
        thresholds, steps = _band_nodes(np.stack([table[:-1], table[1:]], -1), TABLE_NODES)
        above, _, _ = self.distribution(thresholds)
        gains = -(_power_of_complement(above, k - 1) * steps).sum(1)
        _, below, _ = self.distribution(table)
        beyond = np.append(np.cumsum(gains[::-1])[::-1], 0.0)
        return table, table + beyond, below ** (k - 1)

    def as_finite(self) -> FiniteProblem:
        """The finite problem of a reward that is 1 above c and 0 up to it."""
        policy = self.policy
        cut = (policy.c - policy.mean) / policy.std
        ends = np.array([[-np.inf, cut], [cut, np.inf]])
        probs = _mass(ends)
        density = _density(ends)
        at = np.where(np.isfinite(ends), ends, 0.0)
        first, third = (-np.diff(at**power * density)[:, 0] for power in (1, 3))
        square = (probs + first) / policy.std**2
        if policy.learn != "mean":  # E (z² − 1)² = E z⁴ − 2 E z² + 1, E z⁴ = 3 E z² + edge term
            square = square + (2 * probs + first + third)
        with np.errstate(divide="ignore", invalid="ignore"):
            scores = np.nan_to_num(self._score_mass(ends) / probs[:, None])
            residual = np.nan_to_num(square / probs) - (scores**2).sum(1) + self.residual
        return FiniteProblem.of_classes(np.array([0.0, 1.0]), probs, scores, residual)


def _mass(ends: FloatArray) -> FloatArray:
    """P(a < z ≤ b) of standard normal intervals `[..., 2]`, exact in either tail."""
    flipped = ends[..., 0] > 0
    low = np.where(flipped, -ends[..., 1], ends[..., 0])
    high = np.where(flipped, -ends[..., 0], ends[..., 1])
    mass: FloatArray = ndtr(high) - ndtr(low)
    return mass


def _density(z: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi))


def _power_of_complement(above: FloatArray, k: int) -> FloatArray:
    """(1 − above)^k − 1, without cancellation when above is small."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.expm1(k * np.log1p(-np.minimum(above, 1.0)))) if k else 0 * above


def _band_nodes(bands: FloatArray, nodes: int) -> tuple[FloatArray, FloatArray]:
    """Gauss–Legendre thresholds and weights dt in each of the bands `[B, 2]`, `[B, nodes]`.

    The substitution t = low + (high − low) sin²(πs/2) takes the square-root kinks out of the ends.
    """
    points, weights = np.polynomial.legendre.leggauss(nodes)
    s, ds = (points + 1) / 2, weights / 2
    low, width = bands[:, :1], np.diff(bands)
    thresholds = low + width * np.sin(np.pi / 2 * s) ** 2
    steps = width * (np.pi / 2) * np.sin(np.pi * s) * ds
    return thresholds, steps
