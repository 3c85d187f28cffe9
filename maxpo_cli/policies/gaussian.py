"""Gaussian policies: a reward of the first coordinate, exact by quadrature over thresholds."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.interpolate import CubicHermiteSpline
from scipy.special import ndtr
from torch import Tensor

from maxpo_cli.arrays import FloatArray
from maxpo_cli.errors import InputError, unknown
from maxpo_cli.problems.finite import LARGEST_COUNT, LARGEST_REWARD, FiniteProblem
from maxpo_cli.policies.reward_functions import REWARD_KEYS, REWARDS, Reward
from maxpo_cli.policies.text import number

LEARN = ("mean", "mean+log_std")
REACH = 38.0
"""Standard deviations beyond which a Gaussian has no mass in float64."""

RTOL, ROUNDING = 1e-10, 1e-14
"""Tolerance of the quadrature relative to an integral (ten times finer than what is promised), and
relative to the sum of its parts' absolute values, for integrals that cancel."""

NODES, MAX_HALVINGS = 16, 40
"""Gauss–Legendre nodes a band of thresholds, and how often one is halved at the most."""

MARKS = (0.0, 1.5, 3.0, 5.0, 8.0, 12.0, 18.0, 26.0, REACH)
"""Deviations from the mean at which wide bands end."""

NEAR, NEGLIGIBLE = 1e-9, 1e-13
"""Marks so near relative to their size are one, and a share of the whole that is not missed."""

SMOOTH_NODES, SMOOTH = 10, 1e-9
"""A wide band is one where so many nodes give the distribution to this share of the whole."""

WIDE = 2.0
"""How many times one end of a band is the other where its nodes go by the logarithm."""

TABLE_CELLS, TABLE_NODES = 256, 8
"""Cells a band that Q_K is interpolated in, and nodes a cell."""


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

    @property
    def dimension(self) -> int:
        """d, the parameters of the first coordinate."""
        return 1 if self.policy.learn == "mean" else 2

    @cached_property
    def wide_bands(self) -> FloatArray:
        """Fewer and wider bands, as far as rewards count: what integrals over pairs are cut into.

        Beyond the outermost ones, √P of the rewards there adds nothing to the whole of it.
        """
        policy = self.policy
        steps = np.array([sign * step for step in MARKS for sign in (-1, 1)])
        if policy.reward == "exp":  # what counts of a power of the reward sits that much higher
            steps = np.concatenate([steps + j * policy.std for j in range(3)])
        corners = policy.reward_function.corners
        marks = np.sort(policy.reward_function.at(policy.mean + policy.std * np.unique(steps)))
        marks = np.array([*marks, *corners])
        order = np.argsort(marks, kind="stable")
        is_corner = order >= len(marks) - len(corners)
        marks = marks[order]
        # A mark that is next to another one but for rounding makes no band; corners all stay.
        near = np.isclose(marks[1:], marks[:-1], rtol=NEAR, atol=0)
        dropped = np.zeros(len(marks), dtype=bool)
        dropped[1:] |= near & ~is_corner[1:]
        dropped[:-1] |= near & is_corner[1:] & ~is_corner[:-1]
        marks = np.unique(marks[~dropped])
        above, below = (side[:, 0] for side in self.sides(marks))
        size = np.diff(marks) * np.sqrt(np.minimum(above[:-1], below[1:]))
        kept = np.flatnonzero(size > NEGLIGIBLE * size.sum())
        return self._smooth(marks[kept[0] : kept[-1] + 2])

    def _smooth(self, marks: FloatArray) -> FloatArray:
        """Marks and the middles of bands, until `SMOOTH_NODES` tell the distribution in each."""
        for _ in range(MAX_HALVINGS):
            bands = np.stack([marks[:-1], marks[1:]], -1)
            coarse, fine = (
                (self.sides(t)[1] * steps[..., None]).sum(1)
                for t, steps in (_band_nodes(bands, j * SMOOTH_NODES) for j in (1, 2))
            )
            moved = (abs(fine - coarse) > SMOOTH * abs(fine).sum(0)).any(1)
            if not moved.any():
                break
            marks = np.sort(np.append(marks, bands[moved].mean(1)))
        return marks

    def sides(self, thresholds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(P, E s, E‖s‖²) of {R > t} and of {R ≤ t}, not divided by P: `[..., 1 + d + 1]` each."""
        policy = self.policy
        sides = np.zeros((2, *thresholds.shape, self.dimension + 2))
        for piece in policy.reward_function.pieces:
            for side, ends in zip(sides, piece.split(thresholds), strict=True):
                side += self._moments((ends - policy.mean) / policy.std)
        return sides[0], sides[1]

    def distribution(self, thresholds: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """P(R > t), P(R ≤ t), each `[...]`, and ∇P(R ≤ t), `[..., d]`."""
        above, below = self.sides(thresholds)
        return above[..., 0], below[..., 0], below[..., 1:-1]

    def _moments(self, ends: FloatArray) -> FloatArray:
        """(P, E s, E‖s‖²) on standardised intervals, not divided by P: `[..., 2]` in.

        The integral of z^(j+1) φ over an interval is j times that of z^(j−1) φ, plus z^j φ at its
        left end less that at its right.
        """
        mass = _mass(ends)
        density = _density(ends)
        at = np.where(np.isfinite(ends), ends, 0.0)
        edge, first, third = (-np.diff(at**power * density)[..., 0] for power in (0, 1, 3))
        scores = [edge / self.policy.std]
        square = (mass + first) / self.policy.std**2
        if self.policy.learn != "mean":  # (z² − 1)² = z⁴ − 2 z² + 1
            scores.append(first)
            square = square + (2 * mass + first + third)
        square = square + mass * self.residual
        return np.stack([mass, *scores, square], -1)

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

    def expected_max(self, rewards: FloatArray, k: int) -> FloatArray:
        """Q_K(r), the expected max of each of these rewards and K − 1 draws.

        Q_K(t) = t + ∫_t^∞ P(max of K − 1 > u) du and its slope F(t)^(K−1), interpolated.
        """
        share = np.sin(np.pi / 2 * np.linspace(0, 1, TABLE_CELLS + 1)) ** 2
        low, high = self.bands[:-1, None], self.bands[1:, None]
        table = np.unique(low + (high - low) * share)
        thresholds, steps = _band_nodes(np.stack([table[:-1], table[1:]], -1), TABLE_NODES)
        above, _, _ = self.distribution(thresholds)
        gains = -(_power_of_complement(above, k - 1) * steps).sum(1)
        _, below, _ = self.distribution(table)
        beyond = np.append(np.cumsum(gains[::-1])[::-1], 0.0)
        return np.asarray(CubicHermiteSpline(table, table + beyond, below ** (k - 1))(rewards))

    def as_finite(self) -> FiniteProblem:
        """The finite problem of a reward that is 1 above c and 0 up to it."""
        policy = self.policy
        cut = (policy.c - policy.mean) / policy.std
        moments = self._moments(np.array([[-np.inf, cut], [cut, np.inf]]))
        probs = moments[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            given = np.nan_to_num(moments[:, 1:] / probs[:, None])
        scores = given[:, :-1]
        residual = given[:, -1] - (scores**2).sum(1)
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


def unit_nodes(nodes: int) -> tuple[FloatArray, FloatArray]:
    """Gauss–Legendre nodes and weights on [0, 1]."""
    points, weights = np.polynomial.legendre.leggauss(nodes)
    return (points + 1) / 2, weights / 2


def in_bands(bands: FloatArray, s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Thresholds at the share s of each band `[B, 2]`, and their slopes dt/ds: `[B, len(s)]`.

    The way through a band is sin²(πs/2), which takes the square-root kinks out of its ends; and
    where rewards are many times larger at one end than at the other, their logarithm goes it.
    """
    low, high = bands[:, :1], bands[:, 1:]
    way, speed = np.sin(np.pi / 2 * s) ** 2, (np.pi / 2) * np.sin(np.pi * s)
    with np.errstate(divide="ignore", invalid="ignore"):
        wide = (low > 0) & (high > WIDE * low)
        times = np.log(np.where(wide, high / low, 1.0))
    geometric = low * np.exp(times * way)
    thresholds = np.where(wide, geometric, low + (high - low) * way)
    slopes = np.where(wide, geometric * times, high - low) * speed
    return thresholds, slopes


def _band_nodes(bands: FloatArray, nodes: int) -> tuple[FloatArray, FloatArray]:
    """Gauss–Legendre thresholds and weights dt in each of the bands `[B, 2]`, `[B, nodes]`."""
    s, ds = unit_nodes(nodes)
    thresholds, slopes = in_bands(bands, s)
    return thresholds, slopes * ds
