"""Integrals over intervals of the standard normal law, exact in the tails and over short ones."""

import numpy as np
from scipy.special import ndtr

from maxpo_cli.arrays import FloatArray
from maxpo_cli.problems.quadrature import unit_nodes

NARROW, NARROW_NODES = 1e-2, 8
"""Width of an interval below which its moments are integrals over nodes, and how many of them."""


def normal_integrals(ends: FloatArray) -> FloatArray:
    """The integrals of 1, z, z² − 1 and z⁴ − 3z² times φ over intervals, `[..., 2]` to `[4, ...]`.

    They are differences of antiderivatives at the two ends; those of a narrow interval would
    cancel, and are taken over nodes.
    """
    density = _density(ends)
    at = np.where(np.isfinite(ends), ends, 0.0)
    edges = (-np.diff(at**power * density)[..., 0] for power in (0, 1, 3))
    found = np.stack([_mass(ends), *edges])
    narrow = (np.diff(at)[..., 0] < NARROW) & np.isfinite(ends).all(-1)
    if narrow.any():
        s, ds = unit_nodes(NARROW_NODES)
        low, width = ends[narrow, :1], np.diff(ends[narrow])
        z = low + width * s
        weight = _density(z) * (width * ds)
        square = z * z
        parts = (np.ones_like(z), z, square - 1, square * (square - 3))
        found[:, narrow] = np.stack([(part * weight).sum(-1) for part in parts])
    return found


def _mass(ends: FloatArray) -> FloatArray:
    """P(a < z ≤ b) of standard normal intervals `[..., 2]`, exact in either tail."""
    flipped = ends[..., 0] > 0
    low = np.where(flipped, -ends[..., 1], ends[..., 0])
    high = np.where(flipped, -ends[..., 0], ends[..., 1])
    mass: FloatArray = ndtr(high) - ndtr(low)
    return mass


def _density(z: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi))
