"""J_K and ∇J_K of Gaussian policies by integrals over x, and derivatives by a complex step.

The density of the best of K draws is K φ(x) F(x)^(K−1), with F(x) the probability of a reward of at
most R(x), so J_K = K ∫ R φ F^(K−1) dx where R takes no value with positive probability (but 0,
which adds nothing). Neither R nor the points of equal reward depend on the policy's parameters:
only φ and the normal distribution function do, which take complex arguments.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.optimize import brentq
from scipy.special import erf

from maxpo_cli.arrays import FloatArray
from maxpo_cli.policies.kinds.gaussian import Gaussian

STEP = 1e-40
NODES = 80

Ends = list[tuple[int, FloatArray]]
"""{y: R(y) ≤ R(x)} for nodes x: P = constant + Σ sign · Φ(end), an end of NaN counting for 0."""


def reward_at(name: str, x: FloatArray, c: float, a: float, f: float) -> FloatArray:
    """The formula of a reward function, at each x."""
    match name:
        case "identity":
            return x
        case "exp":
            return np.exp(x)
        case "quadratic":
            return -((x - c) ** 2)
        case "clipped-square":
            return np.where((x >= 0) & (x <= 1), x * x, 0.0)
        case "threshold":
            return np.where(x > c, 1.0, 0.0)
        case "quad-sin":
            return -((x - c) ** 2) + a * np.sin(f * x)
    raise AssertionError(f"no formula of {name}")


@dataclass(frozen=True)
class OnTheLine:
    """A policy's reward as a function of x, with all that its integrals need."""

    policy: Gaussian

    def reward(self, x: FloatArray) -> FloatArray:
        """R(x)."""
        return reward_at(self.policy.reward, x, self.policy.c, self.policy.a, self.policy.f)

    def _roots(self, function: Callable[[FloatArray], FloatArray]) -> list[float]:
        """Where a derivative of `quad-sin` changes sign, from a scan in steps of 1/2000."""
        reach = abs(self.policy.a * self.policy.f) / 2 + 1
        scan = self.policy.c + np.linspace(-reach, reach, int(4000 * reach))
        signs = np.sign(function(scan))
        places = np.flatnonzero(signs[:-1] != signs[1:])
        return [brentq(function, scan[i], scan[i + 1], xtol=1e-15) for i in places]

    @cached_property
    def turns(self) -> list[float]:
        """The local extrema of `quad-sin`."""
        c, a, f = self.policy.c, self.policy.a, self.policy.f
        return self._roots(lambda x: -2 * (x - c) + a * f * np.cos(f * x))

    @cached_property
    def bends(self) -> list[float]:
        """The inflections of `quad-sin`: the density of the reward peaks where it is flat there."""
        a, f = self.policy.a, self.policy.f
        return self._roots(lambda x: -2 - a * f * f * np.sin(f * x))

    def crossings(self, levels: FloatArray) -> Ends:
        """Where `quad-sin` crosses these levels, an array a monotone stretch, +1 where it rises."""
        far = 60 * (1 + self.policy.std + abs(self.policy.mean - self.policy.c))
        edges = [self.policy.c - far, *self.turns, self.policy.c + far]
        found = []
        for left, right in pairwise(edges):
            heights = self.reward(np.array([left, right]))
            sign = 1 if heights[1] > heights[0] else -1
            low, high = np.full_like(levels, left), np.full_like(levels, right)
            for _ in range(70):
                middle = (low + high) / 2
                beyond = (self.reward(middle) - levels) * sign > 0
                low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
            inside = (levels > heights.min()) & (levels < heights.max())
            found.append((sign, np.where(inside, (low + high) / 2, np.nan)))
        return found

    def at_most(self, x: FloatArray) -> tuple[float, Ends]:
        """{y: R(y) ≤ R(x)} as a constant and signed ends."""
        c = self.policy.c
        match self.policy.reward:
            case "identity" | "exp":
                return 0.0, [(1, x)]
            case "quadratic":
                return 1.0, [(1, c - abs(x - c)), (-1, c + abs(x - c))]
            case "clipped-square":
                return 1.0, [(1, x), (-1, np.ones_like(x))]
            case _:
                return 1.0, self.crossings(self.reward(x))

    def nodes(self, levels: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Quadrature nodes and weights; cut at every kink of F and where R crosses `levels`."""
        policy = self.policy
        spread = [-16, -12, -9, -7, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 7, 9, 12, 16]
        cuts = [policy.mean + policy.std * z for z in spread]
        match policy.reward:
            case "clipped-square":
                cuts = [x for x in (*cuts, *np.sqrt(levels)) if 0 < x < 1] + [0.0, 1.0]
            case "quadratic":
                cuts += [policy.c, *(policy.c - np.sqrt(-levels)), *(policy.c + np.sqrt(-levels))]
            case "quad-sin":
                marks = [*self.turns, *self.bends]
                heights = np.concatenate([self.reward(np.array(marks)), levels])
                cuts += marks
                for _, ends in self.crossings(heights):
                    cuts += ends[np.isfinite(ends)].tolist()
            case "identity":
                cuts += levels.tolist()
            case "exp":
                cuts += [*np.log(levels), *(x + policy.std**2 for x in cuts)]
        edges = np.unique(cuts)
        points, weights = np.polynomial.legendre.leggauss(NODES)
        share, width = (points + 1) / 2, np.diff(edges)[:, None]
        x = edges[:-1, None] + width * np.sin(np.pi / 2 * share) ** 2
        dx = width * (np.pi / 2) * np.sin(np.pi * share) * weights / 2
        return x.ravel(), dx.ravel()

    @cached_property
    def _grid(self) -> tuple[FloatArray, FloatArray, float, Ends]:
        x, dx = self.nodes(np.array([]))
        return x, dx, *self.at_most(x)

    def objective(self, k: int, mean: complex, log_std: complex) -> complex:
        """J_K at any, also complex, parameters near the policy's own."""
        x, dx, constant, ends = self._grid
        std = np.exp(log_std)
        z = (x - mean) / std
        density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) / std
        below = _law(constant, ends, mean, std)
        return complex(k * (dx * self.reward(x) * density * below ** (k - 1)).sum())

    def value_and_gradient(self, k: int) -> tuple[float, FloatArray]:
        """J_K and its derivatives by mean and (where it is learned) log_std."""
        mean, log_std = self.policy.mean, np.log(self.policy.std)
        slopes = [self.objective(k, mean + STEP * 1j, log_std).imag / STEP]
        if self.policy.learn != "mean":
            slopes.append(self.objective(k, mean, log_std + STEP * 1j).imag / STEP)
        return self.objective(k, mean, log_std).real, np.array(slopes)

    def q_values(self, ks: tuple[int, ...], reward: float) -> list[float]:
        """Q_K(r) = E max(r, best of K − 1 draws), K ≥ 2: r F(r)^(K−1) and the part above r."""
        x, dx = self.nodes(np.array([reward]))
        z = (x - self.policy.mean) / self.policy.std
        density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) / self.policy.std
        above = density * dx * (self.reward(x) > reward)
        below = _law(*self.at_most(x), self.policy.mean, self.policy.std).real
        tails = [(k - 1) * above * below ** (k - 2) for k in ks]
        return [reward * (1 - tail.sum()) + tail @ self.reward(x) for tail in tails]


def _law(constant: float, ends: Ends, mean: complex, std: complex) -> FloatArray:
    total: FloatArray = np.full(ends[0][1].shape, constant, dtype=complex)
    for sign, end in ends:
        z = (np.where(np.isnan(end), 0.0, end) - mean) / std
        # Φ − 1 in the upper tail, where the sum of a rising end and a constant would round.
        total += np.where(np.isnan(end), 0.0, sign * (1 + erf(z / np.sqrt(2))) / 2)
    return total
