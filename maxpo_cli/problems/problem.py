"""The protocol of problems: dimension, objective and gradient, which every engine needs."""

from typing import Protocol

from maxpo_cli.arrays import FloatArray


class Problem(Protocol):
    """A reward distribution with scores: a `FiniteProblem` or a `ContinuousProblem`."""

    @property
    def is_binary(self) -> bool:
        """Whether every reward is 0 or 1."""

    @property
    def dimension(self) -> int:
        """The length d of the gradient."""

    @property
    def mean_weight(self) -> float:
        """The weight of squared mean scores in second moments: 0 in the orthogonal limit, else 1.

        See engines/README.md, *orthogonal limit*.
        """

    def objective(self, k: int) -> float:
        """J_K = E[max of K draws]."""

    def gradient(self, k: int) -> FloatArray:
        """∇J_K, `[d]`."""
