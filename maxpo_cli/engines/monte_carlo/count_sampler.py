"""Counts of a finite problem, drawn without drawing the rewards where that is less work."""

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.arrays import FloatArray, IntArray
from maxpo_cli.engines.binomials import binomials
from maxpo_cli.problems.finite import FiniteProblem

TABLE_NUMBERS = 1 << 19
"""Numbers in the table of binomials of one problem, at most: 8 MiB with their aliases."""


class CountSampler:
    """How many of a group's n rewards are at each level or higher, from uniforms.

    With few levels: how many of the rewards at a level or higher are at that level is binomial, and
    is looked up with one uniform. With many, there is one uniform per reward. `uniforms` says how
    many of them a group takes.
    """

    def __init__(self, problem: FiniteProblem, n: int, device: torch.device) -> None:
        m = problem.m
        self._n, self._m = n, m
        self._few = 2 * (m - 1) <= n and (m - 2) * (n + 1) ** 2 <= TABLE_NUMBERS
        self.uniforms = m - 1 if self._few else n
        if self._few:
            higher = np.cumsum(problem.probs[::-1])[::-1]
            first = binomials(problem.probs[:-1][:1], higher[1:2], n, n)
            others = binomials(problem.probs[1:-1], higher[2:], n, 0)
            laws = np.concatenate([part.reshape(-1, n + 1) for part in (first, others)])
            self._tables = _Alias(laws, device)
        else:
            self._edges = torch.as_tensor(np.cumsum(problem.probs)[:-1], device=device)

    def __call__(self, uniforms: Tensor) -> Tensor:
        """`[b, uniforms, B]` in, `[b, m, B]` out."""
        batch, _, size = uniforms.shape
        above = torch.full((batch, self._m, size), self._n, device=uniforms.device)
        if self._few:
            for level in range(self._m - 1):
                left = above[:, level]
                law = left + ((level - 1) * (self._n + 1) + 1) if level else left - self._n
                above[:, level + 1] = left - self._tables(law, uniforms[:, level])
            return above
        levels = torch.bucketize(uniforms, self._edges, right=True)
        counts = torch.zeros_like(above).scatter_add_(1, levels, torch.ones_like(levels))
        above[:, 1:] -= counts.cumsum(1)[:, :-1]
        return above


class _Alias:
    """Draws of several laws of the same values, `[R, S]`, by Walker's aliases: one lookup each.

    Every value keeps the share of its own cell that its probability says, however small it is,
    where a cumulative sum would lose those that come after large ones.
    """

    def __init__(self, laws: FloatArray, device: torch.device) -> None:
        share, alias = _aliases(laws)
        self._size = laws.shape[1]
        self._share = torch.from_numpy(share).to(device).reshape(-1)
        self._alias = torch.from_numpy(alias).to(device).reshape(-1)

    def __call__(self, law: Tensor, uniforms: Tensor) -> Tensor:
        """A value of each law, for as many uniforms."""
        place = uniforms * self._size
        cell = place.floor()
        own = cell.long()
        entry = law * self._size + own
        return torch.where(place - cell < self._share[entry], own, self._alias[entry])


def _aliases(laws: FloatArray) -> tuple[FloatArray, IntArray]:
    """How much of its cell each value keeps, and the value that has the rest, `[R, S]` each.

    Light values, of less than a cell, are filled up in turn by the heavy ones, and a heavy one that
    has become light by the next (Vose's sweep), in all rows at once.
    """
    rows, size = np.arange(len(laws)), laws.shape[1]
    shares = laws * size
    order = np.argsort(shares > 1, 1, kind="stable")
    lights = (shares <= 1).sum(1)
    share = np.ones_like(shares)
    alias = np.broadcast_to(np.arange(size), shares.shape).copy()
    light, heavy = np.zeros_like(lights), np.minimum(lights, size - 1)
    left = shares[rows, order[rows, heavy]]
    for _ in range(size):
        last = heavy == size - 1
        fills = (light < lights) & ((left > 1) | last)
        giver = order[rows, heavy]
        follower = order[rows, np.minimum(heavy + 1, size - 1)]
        filled = np.where(fills, order[rows, np.minimum(light, size - 1)], giver)
        keeps = np.where(fills, shares[rows, filled], np.where(last, 1.0, np.minimum(left, 1.0)))
        share[rows, filled] = keeps
        alias[rows, filled] = np.where(fills, giver, follower)
        left = left - 1 + np.where(fills, keeps, np.where(last, 0, shares[rows, follower]))
        light, heavy = light + fills, np.where(fills | last, heavy, heavy + 1)
    return share, alias
