"""Gaussian policies: the reward is a function of the first coordinate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from maxpo_cli.arrays import FloatArray
from maxpo_cli.errors import InputError, unknown
from maxpo_cli.policies.normal import normal_integrals
from maxpo_cli.policies.policy import REAL, TEXT, WHOLE, PolicyKind
from maxpo_cli.policies.reward_functions import REWARD_KEYS, REWARDS, Reward
from maxpo_cli.policies.text import number
from maxpo_cli.problems.continuous import ContinuousProblem
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.problems.limits import LARGEST_COUNT, LARGEST_REWARD

LEARN = ("mean", "mean+log_std")
REACH = 38.0
"""Standard deviations beyond which a Gaussian has no mass in float64."""

STEPS = np.array([*range(-12, 13), -REACH, -24, -18, 18, 24, REACH], dtype=float)
"""Deviations from the mean of the points whose rewards are marks."""

WIDE_STEPS = np.array([0.0, 1.5, 3.0, 5.0, 8.0, 12.0, 18.0, 26.0, REACH])
"""The same, on either side, of the marks that are farther apart."""

RESOLUTION = 1e-8
"""Smallest spread of draws, and of their rewards, as a share of their size: float64 then tells one
hundred-millionth of the spread from 0."""

SPAN = 9.0
"""Deviations from the mean that hardly any draw is beyond."""


@dataclass(frozen=True)
class Gaussian:
    """x ~ N(mean, std² I) in `dim` coordinates; the reward is a function of the first.

    What is learned is the mean of each coordinate, or the mean and the logarithm of the standard
    deviation: s = (x − mean)/std² and ((x − mean)/std)² − 1. The reward does not depend on the
    coordinates after the first, which only add to the length of the score.
    """

    mean: float = 0.0
    std: float = 1.0
    reward: str = "identity"
    learn: str = "mean"
    dim: int = 1
    c: float = 0.0
    a: float = 1.0
    f: float = 5.0

    def __post_init__(self) -> None:
        if self.reward not in REWARDS:
            raise unknown("reward of gaussian", self.reward, REWARDS)
        if self.learn not in LEARN:
            raise unknown("value of learn in gaussian", self.learn, LEARN)
        if not self.std > 0:
            raise InputError(f"gaussian: std must be above 0; got {number(self.std)}")
        if not 1e-50 <= self.std <= 1e50:
            raise InputError(f"gaussian: std must be from 1e-50 to 1e50; got {number(self.std)}")
        if not 1 <= self.dim <= LARGEST_COUNT:
            raise InputError(f"gaussian: dim must be a whole number from 1 to 2^60; got {self.dim}")
        problem = ContinuousProblem(GaussianLaw(self))
        if not (np.abs(problem.bands) <= LARGEST_REWARD).all():
            raise InputError(f"gaussian: reward={self.reward} overflows with this mean and std")
        if len(problem.bands) < 2 or not self._is_resolved:
            raise InputError(
                "gaussian: std is too small compared with the mean to tell rewards apart"
            )
        if self.reward != "threshold" and problem.is_constant:
            raise InputError(
                f"gaussian: with this mean and std reward={self.reward} is one number, except for "
                "draws too rare for float64"
            )

    @property
    def _is_resolved(self) -> bool:
        """Whether draws and their rewards have `RESOLUTION` left of what float64 has of them."""
        if self.reward == "threshold":  # it is known at one point only
            return True
        largest = max(abs(self.mean), abs(self.c) if "c" in REWARD_KEYS[self.reward] else 0.0)
        rewards = self.reward_function.at(self.mean + self.std * np.linspace(-3, 3, 13))
        return bool(
            self.std >= RESOLUTION * largest
            and np.ptp(rewards) >= RESOLUTION * np.abs(rewards).max()
        )

    @property
    def spec(self) -> str:
        """See `Policy`; with those of the keys c, a and f that this reward reads."""
        keys = "".join(f",{key}={number(getattr(self, key))}" for key in REWARD_KEYS[self.reward])
        dim = f",dim={self.dim}" if self.dim > 1 else ""
        return (
            f"gaussian:mean={number(self.mean)},std={number(self.std)},"
            f"reward={self.reward}{keys},learn={self.learn}{dim}"
        )

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: the reward function holds closures, which cannot be pickled."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def learns_std(self) -> bool:
        """Whether the standard deviation is learned too."""
        return self.learn != "mean"

    @cached_property
    def reward_function(self) -> Reward:
        """R, with the pieces on which it is monotone."""
        reach = REACH * self.std
        return REWARDS[self.reward](
            c=self.c, a=self.a, f=self.f, low=self.mean - reach, high=self.mean + reach
        )

    @property
    def note(self) -> str:
        """See `Policy`: there is none."""
        return ""

    @cached_property
    def problems(self) -> tuple[ContinuousProblem | FiniteProblem, ...]:
        """See `Policy`: one problem, a finite one where the reward takes two values."""
        law = GaussianLaw(self)
        return (_two_levels(law) if self.reward == "threshold" else ContinuousProblem(law),)


@dataclass(frozen=True)
class GaussianLaw:
    """The law of a Gaussian policy's reward; z is the standardised first coordinate.

    See `ContinuousLaw` for its members. Scores are those of the first coordinate, `[1]` or `[2]`;
    the other coordinates are independent of the reward, so all that they add is `residual`.
    """

    policy: Gaussian

    @property
    def spec(self) -> str:
        """The policy's spec."""
        return self.policy.spec

    @property
    def dimension(self) -> int:
        """1, or 2 where the standard deviation is learned too."""
        return 2 if self.policy.learns_std else 1

    @property
    def residual(self) -> float:
        """E‖s‖² of the coordinates after the first."""
        each = 1 / self.policy.std**2 + (2 if self.policy.learns_std else 0)
        return (self.policy.dim - 1) * each

    @property
    def bounds(self) -> tuple[float, float]:
        """The infimum and supremum of the reward."""
        return self.policy.reward_function.bounds

    @property
    def corners(self) -> tuple[float, ...]:
        """The rewards where the reward function turns, jumps or is constant."""
        return self.policy.reward_function.corners

    @property
    def jumps(self) -> tuple[float, ...]:
        """The jumps of the reward function, standardised."""
        policy = self.policy
        return tuple((x - policy.mean) / policy.std for x in policy.reward_function.jumps)

    @property
    def span(self) -> tuple[float, float]:
        """`SPAN` deviations on either side."""
        return -SPAN, SPAN

    @property
    def marks(self) -> FloatArray:
        """The rewards of points up to `REACH` deviations from the mean.

        They go farther for `exp`, whose mean is that much farther out.
        """
        steps = STEPS
        if self.policy.reward == "exp":
            steps = np.concatenate([steps, self.policy.std + steps])
        return self._rewards_at(steps)

    @property
    def wide_marks(self) -> FloatArray:
        """The rewards of fewer points; see `marks`."""
        steps = np.concatenate([-WIDE_STEPS, WIDE_STEPS])
        if self.policy.reward == "exp":  # the powers of the reward have their mass that much higher
            steps = np.concatenate([steps + j * self.policy.std for j in range(3)])
        return self._rewards_at(np.unique(steps))

    def _rewards_at(self, steps: FloatArray) -> FloatArray:
        return self.policy.reward_function.at(self.policy.mean + self.policy.std * steps)

    def sides(self, thresholds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(P, E s, E‖s‖²) of {R > t} and of {R ≤ t}: sums over the pieces of the reward.

        The scores of both sides cancel, and those of the rarer one keep more digits.
        """
        policy = self.policy
        sides = np.zeros((2, *thresholds.shape, self.dimension + 2))
        for piece in policy.reward_function.pieces:
            for side, ends in zip(sides, piece.split(thresholds), strict=True):
                side += self.moments((ends - policy.mean) / policy.std)
        above, below = sides
        scores = np.where(above[..., :1] < below[..., :1], above[..., 1:-1], -below[..., 1:-1])
        above[..., 1:-1], below[..., 1:-1] = scores, -scores
        return above, below

    def moments(self, ends: FloatArray) -> FloatArray:
        """(P, E s, E‖s‖²) on intervals of z, not divided by P: `[..., 2]` in, `[..., 2 + d]` out.

        The integral of z^(j+1) φ over an interval is j times that of z^(j−1) φ, plus z^j φ at its
        left end less that at its right.
        """
        mass, edge, first, third = normal_integrals(ends)
        scores = [edge / self.policy.std]
        square = (mass + first) / self.policy.std**2
        if self.policy.learns_std:  # (z² − 1)² = z⁴ − 2 z² + 1
            scores.append(first)
            square = square + (2 * mass + first + third)
        square = square + mass * self.residual
        return np.stack([mass, *scores, square], -1)

    def draw(self, shape: Sequence[int], generator: torch.Generator) -> Tensor:
        """Standard normal draws."""
        return torch.randn(
            tuple(shape), dtype=torch.float64, generator=generator, device=generator.device
        )

    def log_density(self, z: Tensor) -> Tensor:
        """−z²/2."""
        return z.square().mul_(-0.5)

    def rewards(self, z: Tensor) -> Tensor:
        """R(mean + std z)."""
        return self.policy.reward_function.value(self.policy.mean + self.policy.std * z)

    def scores(self, z: Tensor) -> Tensor:
        """z/std, and z² − 1 where the standard deviation is learned."""
        scores = (z / self.policy.std)[..., None]
        return torch.cat([scores, (z * z - 1)[..., None]], -1) if self.policy.learns_std else scores


def _two_levels(law: GaussianLaw) -> FiniteProblem:
    """The finite problem of a reward that is 1 above c and 0 up to it."""
    policy = law.policy
    cut = (policy.c - policy.mean) / policy.std
    moments = law.moments(np.array([[-np.inf, cut], [cut, np.inf]]))
    probs = moments[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        given = np.nan_to_num(moments[:, 1:] / probs[:, None])
    scores = given[:, :-1]
    residual = given[:, -1] - (scores**2).sum(1)
    return FiniteProblem.of_classes(np.array([0.0, 1.0]), probs, scores, residual)


def _build(values: Mapping[str, Any]) -> Gaussian:
    return Gaussian(**values)


KIND = PolicyKind(
    name="gaussian",
    keys={
        "mean": replace(REAL, meaning="the mean of each coordinate (default 0)"),
        "std": replace(REAL, meaning="the standard deviation of each coordinate (default 1)"),
        "reward": replace(
            TEXT, meaning=f"the reward of the first coordinate: {', '.join(REWARDS)}"
        ),
        "learn": replace(TEXT, meaning="what is learned: mean (default) or mean+log_std"),
        "dim": replace(WHOLE, meaning="the number of coordinates (default 1)"),
        "c": replace(REAL, meaning="the center of quadratic and quad-sin, or the threshold"),
        "a": replace(REAL, meaning="the amplitude of the sine of quad-sin (default 1)"),
        "f": replace(REAL, meaning="the frequency of the sine of quad-sin (default 5)"),
    },
    build=_build,
    example="gaussian:mean=0,std=1,reward=identity,learn=mean",
    summary="normal coordinates, the first of which has a continuous reward",
)
