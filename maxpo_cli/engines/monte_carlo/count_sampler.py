"""Counts of a finite problem, drawn without drawing the rewards where that is less work."""

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.arrays import FloatArray, IntArray
from maxpo_cli.engines.binomials import binomials
from maxpo_cli.engines.monte_carlo.rare_groups import RareCounts
from maxpo_cli.problems.finite import FiniteProblem

TABLE_NUMBERS = 1 << 19
"""Numbers in the table of binomials of one problem, at most: 8 MiB with their aliases."""


class CountSampler:
    """How many of a group's n rewards are at each level or higher, from uniforms.

    With few levels: how many of the rewards at a level or higher are at that level is binomial, and
    is looked up with one uniform. With many, there is one uniform per reward. `uniforms` says how
    many of them a group takes, the first of which says whether it is one of the `RareCounts`.
    """

    def __init__(self, problem: FiniteProblem, n: int, device: torch.device) -> None:
        m, probs = problem.m, problem.probs
        self._n, self._m = n, m
        self._few = 2 * (m - 1) <= n and 2 * (m - 2) * (n + 1) ** 2 <= TABLE_NUMBERS
        self.uniforms = 1 + (m - 1 if self._few else n)
        self._rare = RareCounts(problem, n, device) if m > 1 else None
        higher, lower = np.cumsum(probs[::-1])[::-1], np.cumsum(probs)
        if self._few:
            first = binomials(probs[:-1][:1], higher[1:2], n, n)
            up = binomials(probs[1:-1], higher[2:], n, 0)
            down = binomials(probs[1:-1], lower[:-2], n, 0)
            laws = np.concatenate([part.reshape(-1, n + 1) for part in (first, up, down)])
            self._tables = _Alias(laws, device)
        else:
            self._lower = torch.as_tensor(lower[:-1], device=device)
            self._higher = torch.as_tensor(higher[1:].copy(), device=device)

    def __call__(self, uniforms: Tensor) -> tuple[Tensor, Tensor | None]:
        """Counts `[b, m, B]` from `[b, uniforms, B]`; weights `[b, B]`, None where all are 1."""
        first, others = uniforms[:, 0], uniforms[:, 1:]
        above = self._above_by_level(others) if self._few else self._above_by_reward(others)
        if self._rare is None:
            return above, None
        places, splits, counts = self._rare.choose(first)
        give = self._given_by_level if self._few else self._given_by_reward
        block, group = places // first.shape[1], places % first.shape[1]
        chosen = others[block, :, group].T[None]
        above[block, :, group] = give(chosen, splits, counts)[0].T
        return above, self._rare.weights(above)

    def _above_by_level(self, uniforms: Tensor) -> Tensor:
        batch, _, size = uniforms.shape
        above = torch.full((batch, self._m, size), self._n, device=uniforms.device)
        for level in range(self._m - 1):
            above[:, level + 1] = self._up(level, above[:, level], uniforms)
        return above

    def _up(self, level: int, left: Tensor, uniforms: Tensor) -> Tensor:
        """How many of the `left` rewards at a level or higher are higher."""
        law = left + ((level - 1) * (self._n + 1) + 1) if level else left - self._n
        return left - self._tables(law, uniforms[:, level])

    def _down(self, level: int, left: Tensor, uniforms: Tensor) -> Tensor:
        """How many of the `left` rewards at a level or lower are lower."""
        law = left + ((self._m - 2 + level - 1) * (self._n + 1) + 1)
        return left - self._tables(law, uniforms[:, level - 1])

    def _given_by_level(self, uniforms: Tensor, splits: Tensor, counts: Tensor) -> Tensor:
        """Counts of groups with so many rewards at the level of their split or higher."""
        above = torch.full((1, self._m, uniforms.shape[2]), self._n, device=uniforms.device)
        for level in range(self._m - 1):
            up = self._up(level, above[:, level], uniforms)
            above[:, level + 1] = torch.where(splits == level + 1, counts, up)
        for level in range(self._m - 2, 0, -1):
            below = self._n - above[:, level + 1]
            down = self._n - self._down(level, below, uniforms)
            above[:, level] = torch.where(splits > level, down, above[:, level])
        return above

    def _above_by_reward(self, uniforms: Tensor) -> Tensor:
        return self._counted(torch.bucketize(uniforms.contiguous(), self._lower, right=True))

    def _given_by_reward(self, uniforms: Tensor, splits: Tensor, counts: Tensor) -> Tensor:
        """As `_given_by_level`: the first rewards of a group are those at the split or higher.

        Their level is sought from the highest down, so that rare ones keep every digit.
        """
        uniforms = uniforms.contiguous()
        low, high = uniforms * self._lower[splits - 1], uniforms * self._higher[splits - 1]
        lower = torch.bucketize(low, self._lower, right=True).minimum(splits - 1)
        higher = self._m - 1 - torch.bucketize(high, self._higher.flip(0), right=True)
        is_high = torch.arange(self._n, device=uniforms.device)[:, None] < counts
        return self._counted(torch.where(is_high, higher.maximum(splits), lower))

    def _counted(self, levels: Tensor) -> Tensor:
        """How many rewards are at each level or higher, `[b, m, B]`, from their levels."""
        batch, _, size = levels.shape
        counts = torch.zeros((batch, self._m, size), dtype=torch.int64, device=levels.device)
        counts.scatter_add_(1, levels, torch.ones_like(levels))
        return self._n - counts.cumsum(1) + counts


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
