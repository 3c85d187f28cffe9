"""The protocol of engines: what one can measure, what it would cost, and the moments."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from maxpo_cli.engines.moments import Moments
from maxpo_cli.estimators.kinds import BestBaseline, Estimator
from maxpo_cli.problems.problem import Problem

Advance = Callable[[float], None]
"""Told how much work was done since it was last told, in the unit of `Engine.work`."""

Stop = Callable[[int, Sequence[Moments]], bool]
"""Whether the moments found so far at a K, one of each problem, are known well enough."""

EstimatorsAt = Mapping[int, tuple[Estimator, ...]]
"""The estimators to measure at each K."""


@dataclass(frozen=True)
class Precision:
    """How precise moments are to be, and on which device they are computed.

    Attributes:
        groups: groups that are sampled for a problem, at most.
        rtol: share of itself by which no metric may move any more when an integral is refined.
        seed: that of the random draws.
        device: where torch computes.
        dtype: what advantages are computed in.
    """

    groups: int
    rtol: float
    seed: int
    device: torch.device
    dtype: torch.dtype


class Engine(Protocol):
    """An engine. `name` is how the command line and the table call it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def samples(self) -> bool:
        """Whether its moments are estimates."""

    @property
    def shares(self) -> bool:
        """Whether problems of one family are measured together for little more than one."""

    @property
    def budget(self) -> float:
        """The cost up to which `auto` takes it, for all problems of a policy together."""

    def refusal(self, problem: Problem, n: int) -> str | None:
        """Why it cannot measure this problem in groups of n; None when it can."""

    def refuses(self, estimator: Estimator) -> str | None:
        """Why it cannot measure estimators of this kind; None when it can."""

    def cost(self, problem: Problem, n: int) -> float:
        """The numbers that it would go through for one estimator and K."""

    def work(self, problem: Problem, n: int, groups: int) -> float:
        """The work that `advance` is told of a problem in all, with so many sampled groups."""

    def measure(
        self,
        problems: Sequence[Problem],
        n: int,
        estimators: EstimatorsAt,
        precision: Precision,
        advance: Advance,
        stop: Stop | None = None,
    ) -> list[dict[int, Moments]]:
        """The moments of each problem at each K of `estimators`.

        No problem comes twice, except for an engine that samples: there problems are drawn one
        after the other from one seed, until `stop` says that a K is known well enough.
        """


def refuses_best_baselines(estimator: Estimator) -> str | None:
    """`Engine.refuses` of an engine that measures all estimators except the best baselines."""
    if isinstance(estimator, BestBaseline):
        return f"{estimator.name} needs --engine threshold or auto, which find it"
    return None
