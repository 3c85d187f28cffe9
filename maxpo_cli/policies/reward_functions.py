"""Reward functions on the real line, as pieces on which they are monotone or constant.

The pieces make exact answers possible: {x: R(x) > t} is then a union of intervals, one per piece,
whose probability and mean score under a Gaussian are known in closed form.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.arrays import FloatArray
from maxpo_cli.errors import InputError

INFINITY = float("inf")
MAX_TURNING_POINTS = 200
"""Largest number of local extrema of a reward; each adds a band of thresholds."""


@dataclass(frozen=True)
class Piece:
    """An interval of the line on which the reward rises, falls or (inverse None) is constant.

    `start` and `end` are the rewards at (or their limits towards) its two ends; `inverse` gives the
    point of the piece where the reward is t, for t between them.
    """

    left: float
    right: float
    start: float
    end: float
    inverse: Callable[[FloatArray], FloatArray] | None = None

    def crossing(self, thresholds: FloatArray) -> FloatArray:
        """Where {R > t} and {R ≤ t} meet in this piece; one of its ends where they do not."""
        low, high = sorted((self.start, self.end))
        low_end, high_end = (
            (self.right, self.left) if self.end < self.start else (self.left, self.right)
        )
        if self.inverse is None:
            return np.where(thresholds < self.start, self.left, self.right)
        inside = (thresholds > low) & (thresholds < high)
        out = np.where(thresholds <= low, low_end, high_end)
        out[inside] = self.inverse(thresholds[inside])
        return out

    def split(self, thresholds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The intervals of {R > t} and of {R ≤ t} in this piece, each `[..., 2]`."""
        at = self.crossing(thresholds)
        left, right = np.full_like(at, self.left), np.full_like(at, self.right)
        below, above = np.stack([left, at], -1), np.stack([at, right], -1)
        return (below, above) if self.end < self.start else (above, below)


@dataclass(frozen=True)
class Reward:
    """A reward function R(x): its values, its pieces, and the points where it turns or jumps.

    `within` is an interval that all rewards are in, where the pieces are not the whole line.
    """

    value: Callable[[Tensor], Tensor]
    pieces: tuple[Piece, ...]
    within: tuple[float, float] | None = None

    @property
    def corners(self) -> tuple[float, ...]:
        """The rewards at the ends of pieces, where the distribution of R may have a kink."""
        ends = {end for piece in self.pieces for end in (piece.start, piece.end)}
        return tuple(sorted(end for end in ends if np.isfinite(end)))

    @property
    def jumps(self) -> tuple[float, ...]:
        """The points where R jumps."""
        return tuple(b.left for a, b in pairwise(self.pieces) if a.end != b.start)

    @property
    def bounds(self) -> tuple[float, float]:
        """The infimum and the supremum of the rewards."""
        ends = [end for piece in self.pieces for end in (piece.start, piece.end)]
        return self.within or (min(ends), max(ends))

    def at(self, points: FloatArray) -> FloatArray:
        """The rewards of these points."""
        values: FloatArray = self.value(torch.from_numpy(points)).numpy()
        return values


def identity(**_keys: float) -> Reward:
    """R(x) = x."""
    piece = Piece(-INFINITY, INFINITY, -INFINITY, INFINITY, lambda t: t)
    return Reward(lambda x: x, (piece,))


def exponential(**_keys: float) -> Reward:
    """R(x) = e^x: heavy-tailed (log-normal)."""
    return Reward(torch.exp, (Piece(-INFINITY, INFINITY, 0.0, INFINITY, np.log),))


def quadratic(c: float, **_keys: float) -> Reward:
    """R(x) = −(x − c)²."""
    rising = Piece(-INFINITY, c, -INFINITY, 0.0, lambda t: c - np.sqrt(-t))
    falling = Piece(c, INFINITY, 0.0, -INFINITY, lambda t: c + np.sqrt(-t))
    return Reward(lambda x: -((x - c) ** 2), (rising, falling))


def clipped_square(**_keys: float) -> Reward:
    """R(x) = x² on [0, 1] and 0 elsewhere: an atom at 0."""
    pieces = (
        Piece(-INFINITY, 0.0, 0.0, 0.0),
        Piece(0.0, 1.0, 0.0, 1.0, np.sqrt),
        Piece(1.0, INFINITY, 0.0, 0.0),
    )
    return Reward(lambda x: torch.where((x >= 0) & (x <= 1), x * x, 0.0), pieces)


def threshold(c: float, **_keys: float) -> Reward:
    """R(x) = 1[x > c]."""
    pieces = (Piece(-INFINITY, c, 0.0, 0.0), Piece(c, INFINITY, 1.0, 1.0))
    return Reward(lambda x: (x > c).to(x.dtype), pieces)


def quad_sin(
    c: float, a: float, f: float, low: float = -INFINITY, high: float = INFINITY
) -> Reward:
    """R(x) = −(x − c)² + a sin(f x): many local optima when a f² > 2.

    Where it turns too often to have a piece for each, it has those from `low` to `high`.
    """

    def value(x: FloatArray) -> FloatArray:
        return -((x - c) ** 2) + a * np.sin(f * x)

    def inner(edges: FloatArray) -> tuple[Piece, ...]:
        return tuple(
            Piece(
                left,
                right,
                float(value(left)),
                float(value(right)),
                lambda t, left=left, right=right: _solve(  # type: ignore[misc]
                    value, t, np.full_like(t, left), np.full_like(t, right)
                ),
            )
            for left, right in pairwise(edges)
        )

    def outer(t: FloatArray) -> FloatArray:
        return np.sqrt(np.maximum(abs(a) - t, 0.0)) + 1.0

    def whole(x: Tensor) -> Tensor:
        return -((x - c) ** 2) + a * torch.sin(f * x)

    turns = _turning_points(c, a, f, -INFINITY, INFINITY)
    if len(turns) > MAX_TURNING_POINTS:
        turns = _turning_points(c, a, f, low, high)
        if len(turns) > MAX_TURNING_POINTS:
            raise _too_many_turns()
        return Reward(whole, inner(np.array([low, *turns, high])), (-INFINITY, abs(a)))
    first, last = turns[0], turns[-1]
    rising = Piece(
        -INFINITY,
        first,
        -INFINITY,
        float(value(first)),
        lambda t: _solve(value, t, np.minimum(first, c) - outer(t), np.full_like(t, first)),
    )
    falling = Piece(
        last,
        INFINITY,
        float(value(last)),
        -INFINITY,
        lambda t: _solve(value, t, np.full_like(t, last), np.maximum(last, c) + outer(t)),
    )
    return Reward(whole, (rising, *inner(turns), falling))


REWARDS: dict[str, Callable[..., Reward]] = {
    "identity": identity,
    "quadratic": quadratic,
    "clipped-square": clipped_square,
    "quad-sin": quad_sin,
    "exp": exponential,
    "threshold": threshold,
}
REWARD_KEYS: dict[str, tuple[str, ...]] = {
    "identity": (),
    "quadratic": ("c",),
    "clipped-square": (),
    "quad-sin": ("c", "a", "f"),
    "exp": (),
    "threshold": ("c",),
}
"""Which of the keys c, a and f each reward reads."""


def _turning_points(c: float, a: float, f: float, low: float, high: float) -> FloatArray:
    """Where −2(x − c) + a f cos(f x) = 0: one root for each change of sign between its bends.

    More than `MAX_TURNING_POINTS` numbers where there are too many to look for them.
    """

    def slope(x: FloatArray) -> FloatArray:
        return -2 * (x - c) + a * f * np.cos(f * x)

    reach = abs(a * f) / 2 + 1.0
    ends = [max(c - reach, low), min(c + reach, high)]
    marks = list(ends) if ends[0] < ends[1] else []
    if marks and abs(a) * f * f > 2:
        if (ends[1] - ends[0]) * abs(f) > 8 * MAX_TURNING_POINTS:
            return np.full(MAX_TURNING_POINTS + 1, c)
        angle = np.arcsin(-2 / (a * f * f))
        middle, span = sum(ends) / 2, (ends[1] - ends[0]) * abs(f) / (4 * np.pi)
        offsets = np.arange(-np.ceil(span) - 2, np.ceil(span) + 3)
        turns = 2 * np.pi * (np.round(f * middle / (2 * np.pi)) + offsets)
        bends = np.concatenate([turns + angle, turns + np.pi - angle]) / f
        marks += [x for x in bends if ends[0] < x < ends[1]]
    edges = np.sort(np.array(marks))
    signs = np.sign(slope(edges))
    change = np.flatnonzero(signs[:-1] * signs[1:] < 0)
    if not len(change) and np.isinf(low):
        raise InputError("gaussian: c, a or f of reward=quad-sin is too large")
    if len(change) > MAX_TURNING_POINTS:
        return edges[change]
    return _solve(slope, np.zeros(len(change)), edges[change], edges[change + 1])


def _too_many_turns() -> InputError:
    return InputError(
        f"gaussian: reward=quad-sin turns more than {MAX_TURNING_POINTS} times with these a and f "
        "within reach of the policy; take a smaller a, f or std"
    )


def _solve(
    function: Callable[[FloatArray], FloatArray],
    target: FloatArray,
    left: FloatArray,
    right: FloatArray,
) -> FloatArray:
    """The x between left and right, elementwise, where function(x) = target."""
    from scipy.optimize import elementwise  # a third of a second to load, for one reward only

    found = elementwise.find_root(lambda x, t: function(x) - t, (left, right), args=(target,))
    root: FloatArray = found.x
    return root
