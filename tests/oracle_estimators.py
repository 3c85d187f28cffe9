"""Every estimator of the catalogue from its definition, by listing subsets in rational arithmetic.

design.md sections 1 and 2 in words: means of maxima over the K-subsets of a group that hold a
reward, leave it out, or may do either. Square roots are taken of exact variances, in 60 digits.
Exponential in N, so for groups of 8 or so.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import combinations

Group = tuple[Fraction, ...]
Definition = Callable[[Group, int, int], Fraction]


def oracle(name: str, rewards: Iterable[float | Fraction], k: int) -> list[Fraction]:
    """The advantages of one group, in the order of its rewards."""
    group = tuple(Fraction(reward) for reward in rewards)
    return [DEFINITIONS[name](group, k, i) for i in range(len(group))]


def defined(name: str, n: int, k: int) -> bool:
    """Whether the table of design.md section 2 gives the estimator a value at this N and K."""
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


def mean(values: Iterable[Fraction]) -> Fraction:
    listed = list(values)
    return sum(listed, Fraction(0)) / len(listed)


def without(group: Group, i: int) -> Group:
    return (*group[:i], *group[i + 1 :])


def max_of_any(group: Group, k: int) -> Fraction:
    """v_K"""
    return mean(max(subset) for subset in combinations(group, k))


def max_holding(group: Group, k: int, i: int) -> Fraction:
    """q_i"""
    subsets = combinations(range(len(group)), k)
    return mean(max(group[j] for j in subset) for subset in subsets if i in subset)


def max_leaving_out(group: Group, k: int, i: int) -> Fraction:
    """v_K^(−i)"""
    return max_of_any(without(group, i), k)


def expected_improvement(group: Group, k: int, i: int) -> Fraction:
    """EI_i: what i adds, on average, to the best of K − 1 others."""
    if k == 1:
        return group[i]
    rivals = combinations(without(group, i), k - 1)
    return mean(max(group[i] - max(subset), Fraction(0)) for subset in rivals)


def leave_two_out(group: Group, k: int, i: int) -> Fraction:
    rest = without(group, i)
    baseline = mean(expected_improvement(rest, k, j) for j in range(len(rest)))
    return expected_improvement(group, k, i) - baseline


def passk_training(group: Group, k: int, i: int) -> Fraction:
    passk = max_of_any(group, k)
    std = root(passk * (1 - passk))
    return (max_holding(group, k, i) - passk) / std if std else Fraction(0)


def std_and_offset(group: Group) -> Fraction:
    """Sample standard deviation + 1e-6."""
    center = mean(group)
    squares = [(reward - center) ** 2 for reward in group]
    return root(sum(squares) / Fraction(len(group) - 1)) + Fraction(1, 10**6)


def root(value: Fraction) -> Fraction:
    """The square root to 60 digits."""
    with localcontext() as context:
        context.prec = 60
        return Fraction((Decimal(value.numerator) / Decimal(value.denominator)).sqrt())


DEFINITIONS: dict[str, Definition] = {
    "l2o": leave_two_out,
    "canonical": lambda r, k, i: max_holding(r, k, i) - max_leaving_out(r, k, i),
    "canonical-plugin": lambda r, k, i: max_holding(r, k, i) - max_of_any(r, k),
    "ei": expected_improvement,
    "pkpo": max_holding,
    "pkpo-loo": lambda r, k, i: (
        max_holding(r, k, i) - Fraction(len(r), len(r) - 1) * max_leaving_out(r, k, i)
    ),
    "passk-training": passk_training,
    "grpo-passk": lambda r, _k, i: (max(r) - max(without(r, i))) / std_and_offset(r),
    "rloo": lambda r, _k, i: r[i] - mean(without(r, i)),
    "grpo": lambda r, _k, i: (r[i] - mean(r)) / std_and_offset(r),
    "dr-grpo": lambda r, _k, i: r[i] - mean(r),
}
NAMES: Sequence[str] = tuple(DEFINITIONS)
TAKE_NO_K = ("grpo-passk", "rloo", "grpo", "dr-grpo")
