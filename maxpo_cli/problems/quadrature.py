"""Gauss–Legendre nodes in bands of thresholds."""

import numpy as np

from maxpo_cli.arrays import FloatArray

WIDE = 2.0
"""Ratio of a band's two ends from which its nodes are spaced by the logarithm."""


def unit_nodes(nodes: int) -> tuple[FloatArray, FloatArray]:
    """Gauss–Legendre nodes and weights on [0, 1], `[nodes]` each."""
    points, weights = np.polynomial.legendre.leggauss(nodes)
    return (points + 1) / 2, weights / 2


def in_bands(bands: FloatArray, s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Thresholds at the share s of each band `[B, 2]`, and their slopes dt/ds: `[B, len(s)]`.

    A band is traversed as sin²(πs/2), which removes the square-root kinks at its ends. Where
    rewards are many times larger at one end than at the other, their logarithm is traversed
    in this way.
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


def band_nodes(bands: FloatArray, nodes: int) -> tuple[FloatArray, FloatArray]:
    """Gauss–Legendre thresholds and weights dt in each of the bands `[B, 2]`, `[B, nodes]` each."""
    s, ds = unit_nodes(nodes)
    thresholds, slopes = in_bands(bands, s)
    return thresholds, slopes * ds


def power_of_complement(above: FloatArray, k: int) -> FloatArray:
    """(1 − above)^k − 1, without cancellation where `above` is small."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.expm1(k * np.log1p(-np.minimum(above, 1.0)))) if k else 0 * above
