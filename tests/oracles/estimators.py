"""Every estimator of the catalogue from its definition, by listing the subsets of a group.

The definitions (engines/README.md, *subset terms*) take groups `[..., N]` in any order: arrays of
floats, or arrays of `Fraction` objects, on which they are exact. Square roots of fractions are
taken to 60 digits. Exponential in N, so for groups of 8 or so.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np

Groups = np.ndarray[Any, Any]
Definition = Callable[[Groups, int], Groups]


def oracle(name: str, rewards: Iterable[float | Fraction], k: int) -> list[Fraction]:
    """The exact advantages of one group, in the order of its rewards."""
    exact: list[Fraction] = advantages(name, fractions(rewards), k).tolist()
    return exact


def advantages(name: str, rewards: Groups, k: int) -> Groups:
    """The advantages of groups `[..., N]`."""
    return DEFINITIONS[name](rewards, k)


def fractions(rewards: Iterable[float | Fraction]) -> Groups:
    """One group in rational arithmetic."""
    return np.array([Fraction(reward) for reward in rewards], dtype=object)


def defined(name: str, n: int, k: int) -> bool:
    """Whether the estimator has a value at this N and K, as its paper says."""
    if name in TAKE_NO_K:
        return k >= 1 and n >= (1 if name == "dr-grpo" else 2)
    lowest = 2 if name == "l2o" else 1
    highest = n - 1 if name in ("l2o", "canonical", "pkpo-loo") else n
    return lowest <= k <= highest


def ks(name: str, n: int) -> list[int]:
    """Every K at which the estimator has a value on groups of n; 1 alone where it takes no K."""
    every = range(1, 2 if name in TAKE_NO_K else n + 1)
    return [k for k in every if defined(name, n, k)]


def shift_invariant(name: str, k: int) -> bool:
    """Whether a constant added to all rewards leaves the advantages as they are."""
    return name not in ("pkpo", "pkpo-loo") and not (name == "ei" and k == 1)


def relative_error(found: Iterable[float], name: str, rewards: Iterable[float], k: int) -> float:
    """The largest distance from the oracle, relative to the size of the group; 0 if all is exact.

    The size is the largest |A| where the estimator is shift-invariant: those advantages are sums
    of reward differences that do not cancel below it. For the others, which contain a multiple of
    the rewards' own level, it is the largest |r|.
    """
    group = tuple(map(Fraction, rewards))
    exact = oracle(name, group, k)
    pairs = zip(map(Fraction, found), exact, strict=True)
    error = max(abs(value - true) for value, true in pairs)
    size = max(map(abs, exact if shift_invariant(name, k) else group))
    return float(error / size) if error else 0.0


# The terms of one group ---------------------------------------------------------------------------


def mean(values: Groups) -> Groups:
    """The mean over the last dimension, which is kept."""
    return values.sum(-1, keepdims=True) / values.shape[-1]


def others(rewards: Groups, i: int) -> Groups:
    """The group without its reward i."""
    return np.delete(rewards, i, axis=-1)


def each(rewards: Groups, value: Callable[[int], Groups]) -> Groups:
    """`value(i)`, `[..., 1]`, of every reward i."""
    return np.concatenate([value(i) for i in range(rewards.shape[-1])], -1)


def best_of_subsets(rewards: Groups, k: int) -> tuple[Groups, np.ndarray]:
    """The maximum of every K-subset `[..., C]`, and whether the subset holds i `[C, N]`."""
    n = rewards.shape[-1]
    members = np.array(list(combinations(range(n), k)))
    holds = (members[..., None] == np.arange(n)).any(1)
    return rewards[..., members].max(-1), holds


def mean_max(rewards: Groups, k: int) -> Groups:
    """v_K, the mean over all K-subsets, `[..., 1]`."""
    return mean(best_of_subsets(rewards, k)[0])


def inclusive(rewards: Groups, k: int) -> Groups:
    """q_i, the mean over the K-subsets that hold i."""
    best, holds = best_of_subsets(rewards, k)
    return each(rewards, lambda i: mean(best[..., holds[:, i]]))


def leave_one_out(rewards: Groups, k: int) -> Groups:
    """v_K^(−i), the mean over the K-subsets that leave i out."""
    best, holds = best_of_subsets(rewards, k)
    return each(rewards, lambda i: mean(best[..., ~holds[:, i]]))


def improvement(rewards: Groups, k: int) -> Groups:
    """EI_i, what i adds on average to the maximum of K − 1 others; r_i at K = 1."""
    if k == 1:
        return rewards
    best, holds = best_of_subsets(rewards, k - 1)

    def gain(i: int) -> Groups:
        gap = rewards[..., i : i + 1] - best[..., ~holds[:, i]]
        return mean(gap * (gap > 0))

    return each(rewards, gain)


def lead(rewards: Groups) -> Groups:
    """max(r) − max(r without i)."""
    whole = rewards.max(-1, keepdims=True)
    return whole - each(rewards, lambda i: others(rewards, i).max(-1, keepdims=True))


def std_and_offset(rewards: Groups) -> Groups:
    """Sample standard deviation + 1e-6."""
    squares = (rewards - mean(rewards)) ** 2
    offset = Fraction(1, 10**6) if rewards.dtype == object else 1e-6
    return root(squares.sum(-1, keepdims=True) / (rewards.shape[-1] - 1)) + offset


def root(values: Groups) -> Groups:
    """Square roots; of fractions to 60 digits."""
    return np.frompyfunc(_root, 1, 1)(values) if values.dtype == object else np.sqrt(values)


def _root(value: Fraction) -> Fraction:
    with localcontext() as context:
        context.prec = 60
        return Fraction((Decimal(value.numerator) / Decimal(value.denominator)).sqrt())


def leave_two_out(rewards: Groups, k: int) -> Groups:
    """EI_i less the mean over the others j of EI_j in the group without i."""
    baseline = each(rewards, lambda i: mean(improvement(others(rewards, i), k)))
    return improvement(rewards, k) - baseline


def passk_training(rewards: Groups, k: int) -> Groups:
    """(q_i − v_K) over the standard deviation of pass@K, 0 where that is 0."""
    passk = mean_max(rewards, k)
    std = root(passk * (1 - passk))
    gap = inclusive(rewards, k) - passk
    return np.where(std > 0, gap / np.where(std > 0, std, 1), gap * 0)


DEFINITIONS: dict[str, Definition] = {
    "l2o": leave_two_out,
    "canonical": lambda r, k: inclusive(r, k) - leave_one_out(r, k),
    "canonical-plugin": lambda r, k: inclusive(r, k) - mean_max(r, k),
    "ei": improvement,
    "pkpo": inclusive,
    "pkpo-loo": lambda r, k: (
        inclusive(r, k) - r.shape[-1] * leave_one_out(r, k) / (r.shape[-1] - 1)
    ),
    "passk-training": passk_training,
    "grpo-passk": lambda r, _k: lead(r) / std_and_offset(r),
    "rloo": lambda r, _k: r - each(r, lambda i: mean(others(r, i))),
    "grpo": lambda r, _k: (r - mean(r)) / std_and_offset(r),
    "dr-grpo": lambda r, _k: r - mean(r),
}
NAMES: Sequence[str] = tuple(DEFINITIONS)
TAKE_NO_K = ("grpo-passk", "rloo", "grpo", "dr-grpo")
