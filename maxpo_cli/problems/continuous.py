"""Continuous problems: J_K, ∇J_K and Q_K by quadrature over thresholds of the reward."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.arrays import FloatArray
from maxpo_cli.errors import InputError
from maxpo_cli.problems.quadrature import band_nodes, power_of_complement

RTOL, CANCELLATION = 1e-10, 1e-14
"""Tolerance of the quadrature relative to an integral (ten times finer than promised), and relative
to the sum of the absolute values of its parts, for integrals that cancel."""

NODES, MAX_HALVINGS, MAX_BANDS = 16, 40, 1000
"""Gauss–Legendre nodes per band of thresholds; at most so many halvings of a band, and bands."""

NEAR, NEGLIGIBLE = 1e-9, 1e-13
"""Relative distance below which two marks are one, and the share of a whole that can be dropped."""

SMOOTH_NODES, SMOOTH = 10, 1e-9
"""A wide band is one in which so many nodes give the distribution to this share of the whole."""

TABLE_CELLS, TABLE_NODES = 256, 8
"""Cells per band in which Q_K is interpolated, and nodes per cell."""


class ContinuousLaw(Protocol):
    """The law of a continuous reward R(z) of one latent draw z, and of the scores s(z).

    This is what a policy supplies; everything else about it is worked out by `ContinuousProblem`.
    """

    @property
    def spec(self) -> str:
        """The policy as its spec string, for messages."""

    @property
    def dimension(self) -> int:
        """The number d of parameters whose scores depend on z."""

    @property
    def residual(self) -> float:
        """E‖s‖² of all other parameters; their scores are independent of z."""

    @property
    def bounds(self) -> tuple[float, float]:
        """An interval that all rewards are in; its ends may be infinite."""

    @property
    def corners(self) -> tuple[float, ...]:
        """The rewards at which the distribution of R may have a kink or an atom."""

    @property
    def jumps(self) -> tuple[float, ...]:
        """The z at which R jumps."""

    @property
    def span(self) -> tuple[float, float]:
        """An interval that z hardly ever leaves, over which functions of z are tabulated."""

    @property
    def marks(self) -> FloatArray:
        """Rewards spread over the whole law, out to where float64 sees no mass, in any order.

        Between two neighbouring marks or corners the distribution of R is smooth.
        """

    @property
    def wide_marks(self) -> FloatArray:
        """Fewer rewards, farther apart, for integrals over pairs of thresholds."""

    def sides(self, thresholds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(P, E s, E‖s‖²) of {R > t} and of {R ≤ t}, not divided by P: `[..., 1 + d + 1]` each.

        E‖s‖² includes the `residual`.
        """

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Tensor:
        """Draws of z of this shape, float64, on the generator's device."""

    def log_density(self, z: Tensor) -> Tensor:
        """The logarithm of the density of z, up to a constant, of the shape of z."""

    def rewards(self, z: Tensor) -> Tensor:
        """The rewards R(z), of the shape of z."""

    def scores(self, z: Tensor) -> Tensor:
        """The scores s(z), `[...]` in and `[..., d]` out."""


@dataclass(frozen=True, eq=False)
class ContinuousProblem:
    """Exact objective, gradient and Q_K of a continuous law, by quadrature.

    Scores and gradients are those of the `law`'s d parameters; the others have no part in the
    gradient, and add only `residual` to E‖s‖².
    """

    law: ContinuousLaw

    @property
    def is_binary(self) -> bool:
        """See `Problem`: a continuous reward is not."""
        return False

    @property
    def dimension(self) -> int:
        """See `Problem`."""
        return self.law.dimension

    @property
    def mean_weight(self) -> float:
        """See `Problem`."""
        return 1.0

    @property
    def residual(self) -> float:
        """See `ContinuousLaw`."""
        return self.law.residual

    @property
    def bounds(self) -> tuple[float, float]:
        """See `ContinuousLaw`."""
        return self.law.bounds

    @property
    def jumps(self) -> tuple[float, ...]:
        """See `ContinuousLaw`."""
        return self.law.jumps

    @property
    def span(self) -> tuple[float, float]:
        """See `ContinuousLaw`."""
        return self.law.span

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Tensor:
        """See `ContinuousLaw`."""
        return self.law.draw(shape, generator)

    def log_density(self, z: Tensor) -> Tensor:
        """See `ContinuousLaw`."""
        return self.law.log_density(z)

    def rewards(self, z: Tensor) -> Tensor:
        """See `ContinuousLaw`."""
        return self.law.rewards(z)

    def scores(self, z: Tensor) -> Tensor:
        """See `ContinuousLaw`."""
        return self.law.scores(z)

    def sides(self, thresholds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """See `ContinuousLaw`."""
        return self.law.sides(thresholds)

    def distribution(self, thresholds: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """P(R > t), P(R ≤ t), each `[...]`, and ∇P(R ≤ t), `[..., d]`."""
        above, below = self.sides(thresholds)
        return above[..., 0], below[..., 0], below[..., 1:-1]

    @cached_property
    def bands(self) -> FloatArray:
        """Thresholds, ascending: the law's marks and corners, and 0 or what is nearest to it."""
        marks = [*self.law.marks, *self.law.corners]
        return np.unique([*marks, np.clip(0.0, min(marks), max(marks))])

    @property
    def is_constant(self) -> bool:
        """Whether float64 sees no reward on one side of any threshold."""
        above, below, _ = self.distribution(self.bands)
        return not (np.minimum(above[:-1], below[1:]) > 0).any()

    @cached_property
    def wide_bands(self) -> FloatArray:
        """Fewer and wider bands, ascending, for integrals over pairs of thresholds.

        Beyond the outermost ones, the integral of √P over the rewards is negligible.
        """
        corners = self.law.corners
        marks = np.array([*np.sort(self.law.wide_marks), *corners])
        order = np.argsort(marks, kind="stable")
        is_corner = order >= len(marks) - len(corners)
        marks = marks[order]
        # A mark that equals another one up to rounding does not make a band; all corners stay.
        near = np.isclose(marks[1:], marks[:-1], rtol=NEAR, atol=0)
        dropped = np.zeros(len(marks), dtype=bool)
        dropped[1:] |= near & ~is_corner[1:]
        dropped[:-1] |= near & is_corner[1:] & ~is_corner[:-1]
        marks = np.unique(marks[~dropped])
        above, below = (side[:, 0] for side in self.sides(marks))
        size = np.diff(marks) * np.sqrt(np.minimum(above[:-1], below[1:]))
        kept = np.flatnonzero(size > NEGLIGIBLE * size.sum())
        return self._halved_until_smooth(marks[kept[0] : kept[-1] + 2])

    def _halved_until_smooth(self, marks: FloatArray) -> FloatArray:
        """The marks and middles of bands, until `SMOOTH_NODES` resolve the distribution in each."""
        for _ in range(MAX_HALVINGS):
            bands = np.stack([marks[:-1], marks[1:]], -1)
            coarse, fine = (
                (self.sides(t)[1] * steps[..., None]).sum(1)
                for t, steps in (band_nodes(bands, j * SMOOTH_NODES) for j in (1, 2))
            )
            moved = (abs(fine - coarse) > SMOOTH * abs(fine).sum(0)).any(1)
            if not moved.any():
                break
            marks = np.sort(np.append(marks, bands[moved].mean(1)))
            self._check_count(len(marks))
        return marks

    def _check_count(self, bands: int) -> None:
        """Raises `InputError` where so many bands would take minutes."""
        if bands > MAX_BANDS:
            raise InputError(
                f"the reward of {self.law.spec} rises and falls too often within reach"
            )

    def _integrals(self, k: int, bands: FloatArray, nodes: int) -> FloatArray:
        """The contributions of bands `[B, 2]` to (J_K − anchor, ∇J_K), `[B, 1 + d]`.

        J = r_0 + ∫_{r_0} P(max > t) dt − ∫^{r_0} P(max ≤ t) dt and ∇J = −K ∫ F^(K−1) ∇F dt.
        """
        thresholds, steps = band_nodes(bands, nodes)
        above, below, slope = self.distribution(thresholds)
        value = np.where(thresholds > self._anchor, -power_of_complement(above, k), -(below**k))
        gradient = -k * below[..., None] ** (k - 1) * slope
        parts = np.concatenate([value[..., None], gradient], -1) * steps[..., None]
        return np.asarray(parts.sum(1))

    @property
    def _anchor(self) -> float:
        """The r_0 of the integrals: 0, or the reward nearest to it."""
        return float(np.clip(0.0, self.bands[0], self.bands[-1]))

    @cached_property
    def _integrated(self) -> dict[int, FloatArray]:
        return {}

    def _exact(self, k: int) -> FloatArray:
        """(J_K, ∇J_K), `[1 + d]`, integrated once for each K."""
        if k not in self._integrated:
            self._integrated[k] = self._integrate(k)
        return self._integrated[k]

    def _integrate(self, k: int) -> FloatArray:
        """(J_K, ∇J_K), `[1 + d]`.

        Bands are halved until none of them moves when its nodes are doubled; raises `InputError`
        where they do not settle.
        """
        bands = np.stack([self.bands[:-1], self.bands[1:]], -1)
        fine = self._integrals(k, bands, 2 * NODES)
        total = np.zeros(fine.shape[1])
        total[0] = self._anchor
        allowed = RTOL * abs(total + fine.sum(0)) + CANCELLATION * abs(fine).sum(0)
        for _ in range(MAX_HALVINGS):
            coarse = self._integrals(k, bands, NODES)
            moved = (abs(fine - coarse) > allowed / len(self.bands)).any(1)
            total += fine[~moved].sum(0)
            if not moved.any():
                return total
            middle = bands[moved].mean(1)
            self._check_count(2 * len(middle))
            bands = np.concatenate(
                [np.stack([bands[moved, 0], middle], -1), np.stack([middle, bands[moved, 1]], -1)]
            )
            fine = self._integrals(k, bands, 2 * NODES)
        raise InputError(
            f"the quadrature of J_K for {self.law.spec} did not settle to {RTOL:g} at k={k}"
        )

    def objective(self, k: int) -> float:
        """J_K = E[max of K draws], to a relative 1e-9 (engines/README.md, *layer cake*)."""
        return float(self._exact(k)[0])

    def gradient(self, k: int) -> FloatArray:
        """∇J_K, `[d]`, to a relative 1e-9."""
        return self._exact(k)[1:]

    def expected_max(self, rewards: FloatArray, k: int) -> FloatArray:
        """Q_K(r), the expected max of each of these rewards and K − 1 draws.

        Q_K(t) = t + ∫_t^∞ P(max of K − 1 > u) du and its slope F(t)^(K−1), interpolated.
        """
        from scipy.interpolate import CubicHermiteSpline  # slow to load, and for this method only

        share = np.sin(np.pi / 2 * np.linspace(0, 1, TABLE_CELLS + 1)) ** 2
        low, high = self.bands[:-1, None], self.bands[1:, None]
        table = np.unique(low + (high - low) * share)
        thresholds, steps = band_nodes(np.stack([table[:-1], table[1:]], -1), TABLE_NODES)
        above, _, _ = self.distribution(thresholds)
        gains = -(power_of_complement(above, k - 1) * steps).sum(1)
        _, below, _ = self.distribution(table)
        beyond = np.append(np.cumsum(gains[::-1])[::-1], 0.0)
        return np.asarray(CubicHermiteSpline(table, table + beyond, below ** (k - 1))(rewards))
