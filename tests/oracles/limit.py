"""The orthogonal limit by brute force: sums over every sequence of draws, in rational arithmetic.

Answers never repeat, so scores of two draws are orthogonal and tr Cov ĝ is (K/N)² E Σ_i A_i² e_i,
with e_i = E‖s‖² of the class of draw i. E ĝ and ∇J_K are compared in the geometry of a softmax over
one outcome per reward: M times the Gram matrix of the mean scores is the same for every number M of
outcomes.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import nan, sqrt

import numpy as np

from maxpo_cli.policies.kinds.categorical import Categorical
from oracles.estimators import Groups, advantages, fractions
from oracles.problems import Cases


@dataclass(frozen=True, eq=False)
class InTheLimit:
    """The metrics of one estimator on one categorical policy, for groups of n."""

    policy: Categorical
    n: int
    k: int
    name: str

    @cached_property
    def _classes(self) -> Cases:
        """The classes of the policy; their probabilities are those of their decimals."""
        rewards, probs = fractions(self.policy.rewards), fractions(map(str, self.policy.probs))
        return Cases(rewards, probs, np.zeros((len(rewards), 0)), fractions(self.policy.norms))

    @cached_property
    def _levels(self) -> Cases:
        """The classes of equal reward as one, with the score vectors of one outcome each."""
        classes = self._classes
        levels = sorted({r for r, p in zip(classes.rewards, classes.probs, strict=True) if p > 0})
        probs = np.array([classes.probs[classes.rewards == r].sum() for r in levels])
        one_hot = np.array([[Fraction(int(a == b)) for a in levels] for b in levels])
        return Cases(np.array(levels), probs, one_hot - probs, np.zeros(len(levels)))

    @cached_property
    def _walk(self) -> tuple[np.ndarray, Groups, Groups]:
        """Class numbers of every sequence, its probability, and the advantages of its draws."""
        drawn, probs = self._classes.sequences(self.n)
        rewards = self._classes.rewards[drawn]
        if self.name != "oracle":
            return drawn, probs, advantages(self.name, rewards, self.k)
        q = self._levels.q_values(self.k)
        gains = dict(zip(self._levels.rewards, q - self._levels.probs @ q, strict=True))
        return drawn, probs, np.vectorize(lambda r: gains.get(r, Fraction(0)), [object])(rewards)

    @cached_property
    def variance(self) -> Fraction:
        """tr Cov ĝ."""
        drawn, probs, values = self._walk
        squares = (values**2 * self._classes.squares[drawn]).sum(1)
        return Fraction(self.k, self.n) ** 2 * (probs @ squares)

    @cached_property
    def _mean(self) -> Groups:
        """E ĝ as a score vector."""
        drawn, probs, values = self._walk
        rewards, levels = self._classes.rewards[drawn], self._levels.rewards
        weights = [probs @ (values * (rewards == level)).sum(1) for level in levels]
        return Fraction(self.k, self.n) * (np.array(weights) @ self._levels.means)

    def metrics(self) -> dict[str, float]:
        """Those that exist in the limit and need no other estimator; NaN for a ratio to 0."""
        mean, gradient = self._mean, self._levels.gradient(self.k)
        off, square = mean - gradient, gradient @ gradient
        across = mean @ mean - (mean @ gradient) ** 2 / square if square else 0
        scale = mean @ gradient / square if square else nan
        return {
            "objective": self._levels.objective(self.k),
            "variance": float(self.variance),
            "mse": float(self.variance),
            "relative_bias": sqrt(off @ off / square) if square else nan,
            "scale": float(scale),
            "misalignment": sqrt(across / (mean @ mean)) if square and mean @ mean else nan,
            "matched_variance": float(self.variance / scale**2) if square and scale else nan,
        }
