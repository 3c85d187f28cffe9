"""Rare groups, drawn on purpose, since a few of them may carry a whole variance.

Of the groups, `SHARE` are drawn so that rare ones are common, and the others as the policy draws
them. A group's weight is how likely it is under the policy over how likely it is here, which is
never above 1/(1 − SHARE) (engines/README.md, *rare groups*).
"""

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.engines.binomials import binomials
from maxpo_cli.problems.continuous import ContinuousProblem
from maxpo_cli.problems.finite import FiniteProblem

SHARE = 0.25
"""Share of groups that are drawn as rare ones."""

SPLITS = 8
"""Levels that groups are split at, at most: more would leave few draws for each number."""


FAR = 2.0
"""How many times as far out the far draw of a group is."""


class RareCounts:
    """Groups of a finite problem that are given a number of rewards at some level or higher.

    That number is uniform on 0..N, and the level one of `splits`, `[R]`.
    """

    def __init__(self, problem: FiniteProblem, n: int, device: torch.device) -> None:
        self._n = n
        upper = np.cumsum(problem.probs[::-1])[::-1][1:]
        lower = np.cumsum(problem.probs)[:-1]
        chosen = _spread(np.log(upper) - np.log(lower))
        laws = binomials(upper[chosen], lower[chosen], n, n)[:, 0]
        # The weight of a count that cannot be told from an impossible one is 0.
        with np.errstate(divide="ignore", over="ignore"):
            times = 1 / ((n + 1) * laws)
        self.splits = torch.as_tensor(chosen + 1, device=device)
        self._times = torch.as_tensor(times, device=device)

    def choose(self, uniforms: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The places of groups that are given a count, their levels and their counts.

        `uniforms` is `[b, B]`; the places are indices of its elements in a row.
        """
        flat = uniforms.reshape(-1)
        places = (flat < SHARE).nonzero()[:, 0]
        which = flat[places] * (len(self.splits) / SHARE)
        split = which.long()
        counts = ((which - split) * (self._n + 1)).long()
        return places, self.splits[split], counts

    def weights(self, above: Tensor) -> Tensor:
        """How likely counts `[b, m, B]` are under the policy over how likely here, `[b, B]`."""
        times = torch.zeros_like(above[:, 0], dtype=torch.float64)
        for split, table in zip(self.splits.tolist(), self._times, strict=True):
            times += table[above[:, split]]
        return _weights(times / len(self.splits))


def far_groups(problem: ContinuousProblem, z: Tensor, uniforms: Tensor) -> tuple[Tensor, Tensor]:
    """Draws `[b, B, N]` one of which is `FAR` times as far out in some groups; weights `[b, B]`.

    The groups are those whose `uniforms`, `[b, B]`, are below `SHARE`. It is the first draw that is
    moved; since nothing depends on the order in a group, it counts as any of them.
    """
    z[..., 0] = torch.where(uniforms < SHARE, FAR * z[..., 0], z[..., 0])
    apart = problem.log_density(z / FAR).sub_(problem.log_density(z))
    return z, _weights(apart.exp_().mean(-1) / FAR)


def _weights(times: Tensor) -> Tensor:
    """The weights of groups that rare draws give so many times as often as the policy does."""
    return 1 / ((1 - SHARE) + SHARE * times)


def _spread(logits: np.ndarray) -> np.ndarray:
    """The places of at most `SPLITS` of these, spread evenly from the least to the largest."""
    aims = np.linspace(logits.min(), logits.max(), SPLITS)
    return np.unique(abs(logits - aims[:, None]).argmin(1))
