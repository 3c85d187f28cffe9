"""Brute force on tabular policies: explicit score vectors, every sequence of draws, definitions.

A group is walked through draw by draw and an advantage is a mean over subsets of it: no count
vectors, no sorted weights, no threshold sums, no orthonormal coordinates. Rewards and
probabilities may be arrays of `Fraction` objects, on which everything that takes no root is exact.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from maxpo_cli.arrays import FloatArray
from maxpo_cli.policies.kinds.bernoulli import Bernoulli
from maxpo_cli.policies.kinds.categorical import Categorical
from oracles.estimators import advantages

ROUNDING = 1e-14
"""Below this a length or a variance is the rounding of 0; rewards and scores are of order 1."""


def every_sequence(size: int, n: int) -> np.ndarray:
    """Every sequence of n numbers below `size`, `[size ** n, n]`."""
    return np.indices((size,) * n).reshape(n, size**n).T


@dataclass(frozen=True, eq=False)
class Cases:
    """What one draw can be: each case has a reward, a probability, E[s | case] and E[‖s‖² | case].

    The cases are the outcomes themselves (`of`), where both are those of the one score vector, or
    classes of outcomes (`by_reward`).
    """

    rewards: FloatArray
    probs: FloatArray
    means: FloatArray
    squares: FloatArray

    @classmethod
    def of(cls, policy: Bernoulli | Categorical) -> "Cases":
        """Every outcome of a policy, each with its score vector over all logits.

        That is one logit for a Bernoulli policy of one outcome per reward, else one per outcome.
        """
        if isinstance(policy, Bernoulli) and policy.outcomes == 1:
            rewards, probs = np.array([0.0, 1.0]), np.array([1 - policy.p, policy.p])
            scores = np.array([[-policy.p], [1 - policy.p]])
        else:
            if isinstance(policy, Bernoulli):
                both = (int(policy.outcomes),) * 2
                policy = Categorical((0.0, 1.0), (1 - policy.p, policy.p), both)
            rewards = np.repeat(policy.rewards, policy.outcomes)
            probs = np.repeat(np.divide(policy.probs, policy.outcomes), policy.outcomes)
            scores = np.eye(len(probs)) - probs
        return cls(rewards, probs, scores, (scores**2).sum(1))

    def by_reward(self) -> "Cases":
        """One case for each reward that has a positive probability."""
        levels = [r for r in sorted(set(self.rewards)) if self.probs[self.rewards == r].sum() > 0]
        members = [self.rewards == level for level in levels]
        probs = np.array([self.probs[of].sum() for of in members])
        means = [self.probs[of] @ self.means[of] / p for of, p in zip(members, probs, strict=True)]
        squares = [
            self.probs[of] @ self.squares[of] / p for of, p in zip(members, probs, strict=True)
        ]
        return Cases(np.array(levels), probs, np.array(means), np.array(squares))

    def sequences(self, n: int) -> tuple[np.ndarray, FloatArray]:
        """Every sequence of n draws as case numbers `[S, n]`, and its probability `[S]`."""
        cases = every_sequence(len(self.probs), n)
        return cases, self.probs[cases].prod(1)

    def q_values(self, k: int) -> FloatArray:
        """Q_K of each case: the mean over all K − 1 further draws of the largest reward."""
        cases, probs = self.sequences(k - 1)
        best = self.rewards[cases].max(1, initial=-np.inf)
        return np.array([probs @ np.maximum(reward, best) for reward in self.rewards])

    def objective(self, k: int) -> float:
        """J_K: the mean over all sequences of K draws of the largest reward."""
        cases, probs = self.sequences(k)
        return float(probs @ self.rewards[cases].max(1))

    def gradient(self, k: int) -> FloatArray:
        """∇J_K = K E[Q_K s]."""
        return k * (self.probs * self.q_values(k)) @ self.means


@dataclass(frozen=True, eq=False)
class BruteForce:
    """The metrics of one estimator on one problem, from every sequence of n draws."""

    cases: Cases
    n: int
    k: int
    name: str

    @cached_property
    def _walk(self) -> tuple[np.ndarray, FloatArray, FloatArray]:
        """Sequences, their probabilities and the advantages of their draws."""
        drawn, probs = self.cases.sequences(self.n)
        if self.name == "oracle":
            q = self.cases.q_values(self.k)
            return drawn, probs, q[drawn] - self.cases.probs @ q
        return drawn, probs, advantages(self.name, self.cases.rewards[drawn], self.k)

    @cached_property
    def mean(self) -> FloatArray:
        """E ĝ."""
        drawn, probs, values = self._walk
        each = np.einsum("sn,snd->sd", values, self.cases.means[drawn]) * (self.k / self.n)
        return probs @ each

    @cached_property
    def variance(self) -> float:
        """tr Cov ĝ, from E‖ĝ‖² as the sum over pairs of draws of A_i A_j E<s_i, s_j>."""
        drawn, probs, values = self._walk
        gram = self.cases.means @ self.cases.means.T
        pairs = gram[drawn[:, :, None], drawn[:, None, :]]
        own = np.arange(self.n)
        pairs[:, own, own] = self.cases.squares[drawn]
        square = np.einsum("si,sij,sj->s", values, pairs, values) * (self.k / self.n) ** 2
        return float(probs @ square - self.mean @ self.mean)

    @cached_property
    def centering(self) -> tuple[FloatArray, FloatArray]:
        """(1/N) Σ A_i of every sequence that can occur, and its probability."""
        _, probs, values = self._walk
        return values.mean(1)[probs > 0], probs[probs > 0]

    def metrics(self) -> dict[str, float]:
        """Every metric that needs no other estimator; NaN for a ratio to 0."""
        gradient, mean = _cleared(self.cases.gradient(self.k)), _cleared(self.mean)
        norm, length = np.linalg.norm(gradient), np.linalg.norm(mean)
        bias = np.linalg.norm(self.mean - gradient)
        scale = _ratio(mean @ gradient, norm**2)
        variance = self.variance if self.variance > ROUNDING else 0.0
        centering, probs = self.centering
        found = {
            "objective": self.cases.objective(self.k),
            "gradient_norm": norm,
            "bias": bias,
            "relative_bias": _ratio(bias, norm),
            "scale": scale,
            "misalignment": _ratio(np.linalg.norm(mean - scale * gradient), length),
            "centering_mean": probs @ centering,
            "centering_rms": np.sqrt(probs @ centering**2),
            "centering_max": abs(centering).max(),
            "variance": self.variance,
            "matched_variance": _ratio(variance, scale**2),
            "snr": _ratio(length**2, variance),
            "mse": bias**2 + self.variance,
        }
        return {name: float(value) for name, value in found.items()}


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else np.nan


def _cleared(vector: FloatArray) -> FloatArray:
    """The vector, or 0 where it is no more than rounding."""
    return vector if np.linalg.norm(vector) > ROUNDING else np.zeros_like(vector)
