"""Drawn groups, and what vectors of advantages make of their scores.

For one group, ĝ = (K/N) Σ_i A_i s_i. Draws give its mean over all that the reward does not tell of
the score, in orthonormal coordinates, and the second moment that is left around that mean, so that
no more than the rewards' part of the score is ever sampled. Groups are the last dimension of every
tensor here: what is done to a level or a coordinate is then done to a run of memory.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from maxpo_cli.estimators.catalogue import Estimator
from maxpo_cli.estimators.formulas import STD_OFFSET
from maxpo_cli.estimators.profiles import ProfileOf


@dataclass(frozen=True)
class Estimates:
    """What E estimators at one K make of B groups.

    Attributes:
        mean: E[ĝ | rewards], `[..., E, d, B]`.
        residual: E[‖ĝ‖² | rewards] − ‖mean‖², `[..., E, B]`.
        centering: (1/N) Σ_i A_i, `[..., E, B]`.
    """

    mean: Tensor
    residual: Tensor
    centering: Tensor

    def divide(self, start: int, size: Tensor) -> None:
        """Divides the advantages from the estimator `start` on by a size of the group, `[..., B]`,
        in place."""
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


class Draws(ABC):
    """A batch of groups that estimators can be evaluated on."""

    def estimate(self, estimators: tuple[Estimator, ...], k: int) -> Estimates:
        """ĝ of every group under each estimator at one K."""
        linear = [e for e in estimators if e.profile is not None]
        standard = [e for e in estimators if e.profile is None and e.standardised is not None]
        others = [e for e in estimators if e.profile is None and e.standardised is None]
        profiles = [e.profile for e in linear] + [e.standardised for e in standard]
        parts = []
        if profiles:
            parts.append(self._linear(tuple(profile for profile in profiles if profile), k))
        if standard:
            parts[0].divide(len(linear), self._std + STD_OFFSET)
        parts += [self._explicit(estimator, k) for estimator in others]
        places = [(linear + standard + others).index(estimator) for estimator in estimators]
        return _joined(parts).of(places)

    @property
    @abstractmethod
    def _std(self) -> Tensor:
        """The sample standard deviation of every group, `[..., B]`."""

    @abstractmethod
    def _linear(self, profiles: tuple[ProfileOf, ...], k: int) -> Estimates:
        """The estimates of rank-linear advantages."""

    @abstractmethod
    def _explicit(self, estimator: Estimator, k: int) -> Estimates:
        """The estimates of one estimator by its own advantages."""


def _joined(parts: list[Estimates]) -> Estimates:
    """The estimates of several lots of estimators as one."""
    if len(parts) == 1:
        return parts[0]
    return Estimates(
        torch.cat([part.mean for part in parts], -3),
        torch.cat([part.residual for part in parts], -2),
        torch.cat([part.centering for part in parts], -2),
    )
