"""The Monte Carlo engine: sampled groups of any problem, with the error of every moment."""

from collections.abc import Sequence
from math import ceil, inf

import torch

from maxpo_cli.engines.engine import (
    Advance,
    EstimatorsAt,
    Precision,
    Stop,
    refuses_best_baselines,
)
from maxpo_cli.engines.moments import Moments
from maxpo_cli.engines.monte_carlo import NAME
from maxpo_cli.engines.monte_carlo.sampler import BLOCK, Sampler
from maxpo_cli.estimators.kinds import Estimator
from maxpo_cli.problems.problem import Problem

FIRST_LOOK, LOOK_EVERY = 16 * BLOCK, 1.2
"""Groups after which `stop` is first asked, and the growth between two times."""


class MonteCarlo:
    """Estimates of the moments, from the same groups for every estimator and K."""

    name = NAME
    samples = True
    shares = False
    budget = inf  # it takes what is left

    def refusal(self, problem: Problem, n: int) -> str | None:  # noqa: ARG002
        """See `Engine`: it can measure every problem."""
        return None

    def refuses(self, estimator: Estimator) -> str | None:
        """See `Engine`: it measures all estimators except the best baselines."""
        return refuses_best_baselines(estimator)

    def cost(self, problem: Problem, n: int) -> float:  # noqa: ARG002
        """See `Engine`: as many rewards as are asked for, so that it has no limit of its own."""
        return n

    def work(self, problem: Problem, n: int, groups: int) -> float:  # noqa: ARG002
        """See `Engine`: groups."""
        return groups

    def measure(
        self,
        problems: Sequence[Problem],
        n: int,
        estimators: EstimatorsAt,
        precision: Precision,
        advance: Advance,
        stop: Stop | None = None,
    ) -> list[dict[int, Moments]]:
        """See `Engine`."""
        generator = torch.Generator(precision.device).manual_seed(precision.seed)

        def sampler(problem: Problem) -> Sampler:
            return Sampler(
                problem, n, estimators, precision.groups, generator, precision.dtype, advance
            )

        if stop is not None:
            return _until(stop, [sampler(problem) for problem in problems], precision, estimators)
        found = []
        for problem in problems:
            drawn = sampler(problem)
            drawn.sample(precision.groups)
            found.append({k: drawn.moments(k) for k in estimators})
        return found


def _until(
    stop: Stop, samplers: Sequence[Sampler], precision: Precision, estimators: EstimatorsAt
) -> list[dict[int, Moments]]:
    """Draws from each sampler until `stop` says so at every K, or there are all groups."""
    wanted, groups = set(estimators), min(FIRST_LOOK, precision.groups)
    while samplers and wanted:
        for sampler in samplers:
            sampler.sample(groups, wanted)
        if groups >= precision.groups:
            break
        for k in tuple(wanted):
            if stop(k, [sampler.moments(k) for sampler in samplers]):
                wanted.remove(k)
        groups = min(ceil(groups * LOOK_EVERY), precision.groups)
    return [{k: sampler.moments(k) for k in estimators} for sampler in samplers]
