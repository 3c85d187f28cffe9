"""Groups of rewards, and the gradient estimates that vectors of advantages give on them.

For one group, ĝ = (K/N) Σ_i A_i s_i. It is Rao–Blackwellised: what is kept of it is its mean given
the rewards, in orthonormal coordinates, and the second moment that is left around that mean, so
that no more than the rewards' part of the score is ever enumerated or sampled. Groups are the last
dimension of every tensor here: what is done to a level or a coordinate is then done to a contiguous
run of memory.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from maxpo_cli.estimators.kinds import STD_OFFSET, ByKind, Estimator, Oracle, OwnFormula
from maxpo_cli.estimators.profiles import ProfileOf


@dataclass(frozen=True)
class Estimates:
    """The gradient estimates of E estimators at one K on B groups, given their rewards.

    Attributes:
        mean: E[ĝ | rewards], `[..., E, d, B]`.
        residual: E[‖ĝ‖² | rewards] − ‖mean‖², `[..., E, B]`.
        centering: (1/N) Σ_i A_i, `[..., E, B]`.
    """

    mean: Tensor
    residual: Tensor
    centering: Tensor

    def divide(self, start: int, size: Tensor) -> None:
        """Divides the advantages from the estimator `start` on by `size`, `[..., B]`, in place."""
        size = size[..., None, :]
        self.mean[..., start:, :, :] /= size[..., None, :]
        self.residual[..., start:, :] /= size.square()
        self.centering[..., start:, :] /= size

    def of(self, places: list[int]) -> "Estimates":
        """The estimates of the estimators at these places."""
        if places == list(range(self.mean.shape[-3])):
            return self
        return Estimates(
            self.mean[..., places, :, :],
            self.residual[..., places, :],
            self.centering[..., places, :],
        )


class Groups(ABC):
    """A batch of groups that estimators can be evaluated on."""

    def estimate(self, estimators: tuple[Estimator, ...], k: int) -> Estimates:
        """ĝ of every group under each estimator at one K."""
        kinds = ByKind.of(estimators)
        profiles = [e.profile for e in kinds.rank_linear]
        profiles += [e.profile for e in kinds.standardised]
        parts = []
        if profiles:
            parts.append(self._rank_linear(tuple(profiles), k))
        if kinds.standardised:
            parts[0].divide(len(kinds.rank_linear), self._std + STD_OFFSET)
        parts += [self._own_formula(estimator, k) for estimator in kinds.own_formula]
        parts += [self._oracle(estimator, k) for estimator in kinds.oracle]
        order = (*kinds.rank_linear, *kinds.standardised, *kinds.own_formula, *kinds.oracle)
        return _joined(parts).of([order.index(estimator) for estimator in estimators])

    @property
    @abstractmethod
    def _std(self) -> Tensor:
        """The sample standard deviation of every group, `[..., B]`."""

    @abstractmethod
    def _rank_linear(self, profiles: tuple[ProfileOf, ...], k: int) -> Estimates:
        """The estimates of rank-linear advantages."""

    @abstractmethod
    def _own_formula(self, estimator: OwnFormula, k: int) -> Estimates:
        """The estimates of advantages by a formula of their own."""

    @abstractmethod
    def _oracle(self, estimator: Oracle, k: int) -> Estimates:
        """The estimates of the population advantage."""


def _joined(parts: list[Estimates]) -> Estimates:
    """The estimates of several sets of estimators as one."""
    if len(parts) == 1:
        return parts[0]
    return Estimates(
        torch.cat([part.mean for part in parts], -3),
        torch.cat([part.residual for part in parts], -2),
        torch.cat([part.centering for part in parts], -2),
    )
