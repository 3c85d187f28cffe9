"""Every metric of a finite problem in multiple-precision arithmetic, from definitions.

A group is a count per reward level; an advantage is a mean over subsets of the group, and the
variance is E‖ĝ‖² − ‖E ĝ‖² by the Gram matrix of the scores. Nothing is taken off before it cancels:
the working precision is `DIGITS` more than what cancels. No code of `maxpo_cli` is used.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import pairwise
from math import comb, inf, log10
from typing import Any

import mpmath
from mpmath import mp, mpf

DIGITS = 60
"""Digits that are left of every metric."""

Counts = tuple[int, ...]
Value = Any  # mpmath has no types
Row = tuple[Value, ...]
Metrics = dict[str, Value]


@dataclass(frozen=True)
class Finite:
    """Reward levels, ascending, with probabilities that sum to 1 exactly.

    `outcomes` is the number of outcomes of each level: inf for the orthogonal limit, 0 for one
    logit, whose score is r − p.
    """

    levels: tuple[Fraction, ...]
    probs: tuple[Fraction, ...]
    outcomes: float = inf

    @property
    def limit(self) -> bool:
        """Whether it is the orthogonal limit, in which squared means vanish."""
        return self.outcomes == inf


@dataclass(frozen=True)
class Group:
    """A group as counts per level, and the K of max@K."""

    levels: tuple[Value, ...]
    counts: Counts
    k: int

    @property
    def n(self) -> int:
        """The group size."""
        return sum(self.counts)

    def without(self, level: int) -> "Group":
        """The group without one reward of a level."""
        return Group(self.levels, _less(self.counts, level), self.k)

    def mean_max(self, k: int) -> Value:
        """The mean of the max over all k-subsets; 0 where there is none, k = 0."""
        return sum(w * r for w, r in zip(top_of_subsets(self.counts, k), self.levels, strict=True))

    def inclusive(self, level: int) -> Value:
        """q_i of a reward of a level."""
        shares = top_of_subsets(_less(self.counts, level), self.k - 1)
        if self.k == 1:
            return self.levels[level]
        return sum(w * max(r, self.levels[level]) for w, r in zip(shares, self.levels, strict=True))

    def leave_one_out(self, level: int, k: int) -> Value:
        """v_k without a reward of the level."""
        return self.without(level).mean_max(k)

    def improvement(self, level: int) -> Value:
        """EI_i of a reward of a level; the reward itself at K = 1."""
        own = self.levels[level]
        if self.k == 1:
            return own
        shares = top_of_subsets(_less(self.counts, level), self.k - 1)
        return sum(w * (own - r) for w, r in zip(shares, self.levels, strict=True) if r < own)

    def leave_two_out(self, level: int) -> Value:
        """EI_i less the mean of EI_j^(−i) over the others."""
        rest = self.without(level)
        others = sum(c * rest.improvement(j) for j, c in enumerate(rest.counts) if c)
        return self.improvement(level) - others / rest.n

    def spacing(self, place: int) -> Value:
        """The reward at a place in ascending order, less the one before it, 0 before the first."""
        if place and self._at(place) == self._at(place - 1):
            return mpf(0)
        return self.levels[self._at(place)] - (self.levels[self._at(place - 1)] if place else 0)

    def _at(self, place: int) -> int:
        """The level of the reward at a place in ascending order."""
        return next(b for b in range(len(self.counts)) if sum(self.counts[: b + 1]) > place)

    def mean(self) -> Value:
        """The mean reward."""
        return sum(c * r for c, r in zip(self.counts, self.levels, strict=True)) / self.n

    def std_and_offset(self) -> Value:
        """Sample standard deviation + 1e-6, the double that frameworks add."""
        off = ((r - self.mean()) ** 2 for r in self.levels)
        square = sum(c * o for c, o in zip(self.counts, off, strict=True))
        return mpmath.sqrt(square / (self.n - 1)) + mpf(1e-6)

    def lead(self, level: int) -> Value:
        """max(r) − max(r without one of this level)."""
        best = max(b for b, c in enumerate(self.counts) if c)
        rest = max((b for b, c in enumerate(_less(self.counts, level)) if c), default=best)
        return self.levels[best] - self.levels[rest]

    def passk_training(self, level: int) -> Value:
        """(q_i − v_K) over the standard deviation of pass@K, 0 where that is 0."""
        passk = self.mean_max(self.k)
        if passk in (0, 1):
            return mpf(0)
        return (self.inclusive(level) - passk) / mpmath.sqrt(passk * (1 - passk))


Formula = Callable[[Group, int], Value]

FORMULAS: dict[str, Formula] = {
    "l2o": Group.leave_two_out,
    "canonical": lambda g, b: g.inclusive(b) - g.leave_one_out(b, g.k),
    "canonical-plugin": lambda g, b: g.inclusive(b) - g.mean_max(g.k),
    "ei": Group.improvement,
    "pkpo": Group.inclusive,
    "pkpo-loo": lambda g, b: g.inclusive(b) - g.leave_one_out(b, g.k) * g.n / (g.n - 1),
    "passk-training": Group.passk_training,
    "grpo-passk": lambda g, b: g.lead(b) / g.std_and_offset(),
    "rloo": lambda g, b: g.levels[b] - g.without(b).mean(),
    "grpo": lambda g, b: (g.levels[b] - g.mean()) / g.std_and_offset(),
    "dr-grpo": lambda g, b: g.levels[b] - g.mean(),
}
BEST = ("best-linear", "best-mix", "best-constant")
NAMES = (*FORMULAS, "oracle", *BEST)


class HighPrecision:
    """The metrics of estimators on one problem, for groups of n and one K."""

    def __init__(self, problem: Finite, n: int, k: int) -> None:
        self.problem, self.n, self.k = problem, n, k
        rarest = max(float(log10(p.denominator) - log10(p.numerator)) for p in problem.probs)
        # A squared mean of P^(2K) is to be told from one that is P^N of it.
        self.digits = DIGITS + n + int((2 * k + n) * rarest)

    def metrics(self, names: Sequence[str], reference: str) -> dict[str, Metrics]:
        """The metrics by estimator; one that does not exist is None."""
        with mp.workdps(self.digits):
            unit = self._metrics(self._advantages(reference), None)["matched_variance"]
            return {name: self._metrics(self._advantages(name), unit) for name in names}

    @cached_property
    def _levels(self) -> tuple[Value, ...]:
        return tuple(_mpf(r) for r in self.problem.levels)

    @cached_property
    def _probs(self) -> tuple[Value, ...]:
        return tuple(_mpf(p) for p in self.problem.probs)

    @cached_property
    def _vectors(self) -> list[tuple[Counts, Value]]:
        """Every count vector with its probability."""
        return [(c, _probability(c, self._probs)) for c in count_vectors(self.n, len(self._probs))]

    @cached_property
    def _gram(self) -> tuple[list[list[Value]], list[Value]]:
        """<s̄_b, s̄_c> (times M in the limit), and what a level leaves of E‖s‖²."""
        p, m, of = self._probs, len(self._probs), self.problem.outcomes
        if of == 0:
            scores = [r - p[1] for r in self._levels]
            return [[a * b for b in scores] for a in scores], [mpf(0)] * m
        each = mpf(1) if of == inf else mpf(1) / int(of)
        square = sum(q * q for q in p)
        gram = [[each * (int(b == c) - p[b] - p[c] + square) for c in range(m)] for b in range(m)]
        return gram, [mpf(1) if of == inf else 1 - each] * m

    def _inner(self, left: Sequence[Value], right: Sequence[Value]) -> Value:
        """<Σ left_b s̄_b, Σ right_b s̄_b>."""
        gram, _ = self._gram
        return sum(
            a * b * gram[i][j] for i, a in enumerate(left) for j, b in enumerate(right) if a and b
        )

    @cached_property
    def _q(self) -> list[Value]:
        """Q_K of each level."""
        above = [sum(self._probs[b:]) for b in range(len(self._probs))]
        below = [1 - a for a in above] + [mpf(1)]
        power = [f ** (self.k - 1) for f in below]  # P(all others are lower than level b)
        shares = [power[b + 1] - power[b] for b in range(len(self._probs))]
        if self.k == 1:
            return list(self._levels)
        return [
            sum(w * max(r, own) for w, r in zip(shares, self._levels, strict=True))
            for own in self._levels
        ]

    @cached_property
    def _gradient(self) -> list[Value]:
        """The weights c*_b of ∇J_K = Σ c*_b s̄_b."""
        return [self.k * p * q for p, q in zip(self._probs, self._q, strict=True)]

    @cached_property
    def _objective(self) -> Value:
        return sum(p * q for p, q in zip(self._probs, self._q, strict=True))

    def _advantages(self, name: str) -> list[Row]:
        """The advantage of each level in every count vector; 0 for a level that is absent."""
        if name == "oracle":
            gains = tuple(q - self._objective for q in self._q)
            return [gains] * len(self._vectors)
        if name in BEST:
            return self._best(name)
        return self._by_formula(FORMULAS[name])

    def _by_formula(self, formula: Formula) -> list[Row]:
        found = []
        for counts, _ in self._vectors:
            group = Group(self._levels, counts, self.k)
            found.append(tuple(formula(group, b) if c else mpf(0) for b, c in enumerate(counts)))
        return found

    def _best(self, name: str) -> list[Row]:
        """q_i less the baseline of least variance, from the normal equations."""
        start = self._by_formula(Group.inclusive)
        baselines = self._family(name)
        size = len(baselines)
        matrix: list[dict[int, Value]] = [{} for _ in range(size)]
        products = [mpf(0)] * size
        gram, residual = self._gram
        for v, (counts, p) in enumerate(self._vectors):
            present = [b for b, c in enumerate(counts) if c]
            used = {b: [j for j in range(size) if baselines[j][v][b]] for b in present}
            for b in present:
                for c in present:
                    weight = p * counts[b] * counts[c] * gram[b][c] * (not self.problem.limit)
                    weight += p * counts[b] * residual[b] * (b == c)
                    for i in used[b] if weight else ():
                        of_b = weight * baselines[i][v][b]
                        products[i] += of_b * start[v][c]
                        for j in used[c]:
                            matrix[i][j] = matrix[i].get(j, 0) + of_b * baselines[j][v][c]
        weights = _solve(matrix, products)
        return [
            tuple(
                a
                - sum(
                    w * each[v][b] for w, each in zip(weights, baselines, strict=True) if each[v][b]
                )
                for b, a in enumerate(row)
            )
            for v, row in enumerate(start)
        ]

    def _family(self, name: str) -> list[list[Row]]:
        """The baselines that a yardstick mixes, as advantages."""
        if name == "best-constant":
            return [[tuple(mpf(int(c > 0)) for c in counts) for counts, _ in self._vectors]]
        if name == "best-mix":
            ks = [k for k in (self.k, self.k - 1) if 1 <= k < self.n]
            return [self._by_formula(lambda g, b, k=k: g.leave_one_out(b, k)) for k in ks]
        # The highest first: the lowest of the others, if it is not 0, overlaps with all.
        return [
            self._by_formula(lambda g, b, place=place: g.without(b).spacing(place))
            for place in reversed(range(self.n - 1))
        ]

    def _metrics(self, advantages: Sequence[Row], unit: Value) -> Metrics:
        """The metrics, `unit` being the matched variance of the reference; None without a value."""
        share = mpf(self.k) / self.n
        mean = [mpf(0)] * len(self._probs)
        square = centering = centering_square = mpf(0)
        largest = mpf(0)
        for (counts, p), row in zip(self._vectors, advantages, strict=True):
            weighted = [c * a for c, a in zip(counts, row, strict=True)]
            mean = [m + p * share * w for m, w in zip(mean, weighted, strict=True)]
            middle = sum(weighted) / self.n
            centering += p * middle
            centering_square += p * middle**2
            largest = max(largest, abs(middle))
            square += p * share**2 * self._square(weighted, row)
        gradient = self._gradient
        whole = 0 if self.problem.limit else 1
        norm2, length2 = self._inner(gradient, gradient), self._inner(mean, mean)
        off = [m - g for m, g in zip(mean, gradient, strict=True)]
        bias2, product = self._inner(off, off), self._inner(mean, gradient)
        variance = square - whole * length2
        scale = product / norm2
        across = [m - scale * g for m, g in zip(mean, gradient, strict=True)]
        matched = variance / scale**2 if scale else None
        found: Metrics = {
            "objective": self._objective,
            "gradient_norm": _root(norm2),
            "bias": _root(bias2),
            "relative_bias": _root(bias2 / norm2),
            "scale": scale,
            "misalignment": _root(self._inner(across, across) / length2) if length2 else None,
            "centering_mean": centering,
            "centering_rms": _root(centering_square),
            "centering_max": largest,
            "variance": variance,
            "matched_variance": matched,
            "variance_ratio": matched / unit if unit and scale else None,
            "snr": length2 / variance if variance else None,
            "mse": whole * bias2 + variance,
        }
        if self.problem.limit:
            found |= dict.fromkeys(("gradient_norm", "bias", "snr"))
        return found

    def _square(self, weighted: Sequence[Value], row: Row) -> Value:
        """E[(Σ A_i s_i)² | counts], in the limit without the squared means."""
        _, residual = self._gram
        own = sum(w * a * r for w, a, r in zip(weighted, row, residual, strict=True))
        return own if self.problem.limit else own + self._inner(weighted, weighted)


def _solve(matrix: list[dict[int, Value]], values: list[Value]) -> list[Value]:
    """The solution of a symmetric positive system, `matrix` as rows without their zeros."""
    size = len(values)
    for i in range(size):
        row = matrix[i]
        for j in [j for j in row if j > i]:
            factor = row[j] / row[i]
            for c in [c for c in row if c > i]:
                matrix[j][c] = matrix[j].get(c, 0) - factor * row[c]
            values[j] -= factor * values[i]
    for i in reversed(range(size)):
        row = matrix[i]
        values[i] = (values[i] - sum(row[j] * values[j] for j in row if j > i)) / row[i]
    return values


def count_vectors(n: int, levels: int) -> Iterator[Counts]:
    """Every way in which n rewards are at so many levels."""
    if levels == 1:
        yield (n,)
        return
    for first in range(n + 1):
        for rest in count_vectors(n - first, levels - 1):
            yield (first, *rest)


def top_of_subsets(counts: Counts, k: int) -> list[Value]:
    """The share of k-subsets whose max is at each level; none for k = 0."""
    highest, total = _subsets(counts, k)
    return [mpf(number) / total for number in highest]


@lru_cache(maxsize=1 << 16)
def _subsets(counts: Counts, k: int) -> tuple[tuple[int, ...], int]:
    """How many k-subsets have their max at each level, and how many there are."""
    if k == 0:
        return (0,) * len(counts), 1
    up_to = [comb(sum(counts[:b]), k) for b in range(len(counts) + 1)]
    return tuple(high - low for low, high in pairwise(up_to)), up_to[-1]


def _probability(counts: Counts, probs: Sequence[Value]) -> Value:
    ways, left = 1, sum(counts)
    for c in counts:
        ways *= comb(left, c)
        left -= c
    return mpmath.fprod([ways, *(p**c for p, c in zip(probs, counts, strict=True))])


def _less(counts: Counts, level: int) -> Counts:
    return (*counts[:level], counts[level] - 1, *counts[level + 1 :])


def _root(square: Value) -> Value:
    return mpmath.sqrt(max(square, mpf(0)))


def _mpf(value: Fraction) -> Value:
    return mpf(value.numerator) / value.denominator
