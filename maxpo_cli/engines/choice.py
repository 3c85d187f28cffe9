"""The choice of engines, made once for a policy by what all of its problems cost together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maxpo_cli.engines.engine import Engine, EstimatorsAt
from maxpo_cli.engines.enumeration import Enumeration
from maxpo_cli.engines.monte_carlo.engine import MonteCarlo
from maxpo_cli.engines.threshold.engine import ThresholdEngine
from maxpo_cli.errors import InputError
from maxpo_cli.estimators.kinds import Estimator
from maxpo_cli.problems.problem import Problem

BY_NAME: Mapping[str, Engine] = {
    engine.name: engine for engine in (Enumeration(), ThresholdEngine(), MonteCarlo())
}
"""The engines by name. A record of several is named after the last of them in this order."""

AUTO = "auto"
NAMES = (AUTO, *BY_NAME)


@dataclass(frozen=True)
class Part:
    """Estimators that the same engines measure, one engine for each problem of a policy.

    Attributes:
        engines: the engine for each problem.
        estimators: the estimators at each K.
        beside: at each K the reference, where it has to be sampled with them once more, since a
            ratio of variances is most certain on the same draws.
    """

    engines: tuple[str, ...]
    estimators: EstimatorsAt
    beside: EstimatorsAt

    @property
    def measured(self) -> dict[int, tuple[Estimator, ...]]:
        """What engines measure for this part at each K."""
        return {k: (*own, *self.beside.get(k, ())) for k, own in self.estimators.items()}


@dataclass(frozen=True)
class Choice:
    """The engines for the problems of a policy.

    `names` has for each problem the engines that measure it, the preferred one first: an estimator
    is measured by the first that can. `asked` is the engine that was asked for, or `auto`.
    """

    asked: str
    names: tuple[tuple[str, ...], ...]

    def engines_for(self, estimator: Estimator) -> tuple[str, ...]:
        """The engine for each problem; for estimators without a `refusal`."""
        return tuple(
            next(name for name in names if not BY_NAME[name].refuses(estimator))
            for names in self.names
        )

    def parts(self, estimators: EstimatorsAt, reference: Estimator) -> tuple[Part, ...]:
        """These estimators by the engines that measure them, in the order of the first of each."""
        found: dict[tuple[str, ...], dict[int, list[Estimator]]] = {}
        for k, several in estimators.items():
            for estimator in several:
                engines = self.engines_for(estimator)
                found.setdefault(engines, {}).setdefault(k, []).append(estimator)
        parts = []
        for engines, at in found.items():
            sampled = any(BY_NAME[name].samples for name in engines)
            able = not any(BY_NAME[name].refuses(reference) for name in engines)
            beside = {
                k: (reference,)
                for k, several in at.items()
                if sampled and able and reference in estimators[k] and reference not in several
            }
            parts.append(Part(engines, {k: tuple(own) for k, own in at.items()}, beside))
        return tuple(parts)

    def refusal(self, estimator: Estimator) -> str | None:
        """Why an estimator cannot be measured on all of the problems; None when it can."""
        for names in dict.fromkeys(self.names):
            refusals = [BY_NAME[name].refuses(estimator) for name in names]
            if all(refusals):
                if self.asked == AUTO:
                    return (
                        f"{estimator.name} needs --engine threshold, which takes long at this size"
                    )
                return refusals[0]
        return None


def choose(asked: str, problems: Sequence[Problem], n: int) -> Choice:
    """The engines for these problems in groups of n; `asked` is `auto` or an engine's name.

    `auto` takes each engine in turn, for the problems that cost it least, until its budget for all
    of them is spent; what is left goes to the next, and at last is sampled. Equal problems, which
    are one object, count once. Raises `InputError` where the engine that was asked for cannot
    measure a problem.
    """
    if asked != AUTO:
        for problem in problems:
            if refusal := BY_NAME[asked].refusal(problem, n):
                raise InputError(refusal)
        return Choice(asked, ((asked,),) * len(problems))
    left = {id(problem): problem for problem in problems}
    names: dict[int, tuple[str, ...]] = {}
    for place, engine in enumerate(BY_NAME.values()):
        chosen = _within_budget(engine, left, n)
        names |= dict.fromkeys(chosen, tuple(BY_NAME)[place:])
        left = {key: problem for key, problem in left.items() if key not in chosen}
    return Choice(asked, tuple(names[id(problem)] for problem in problems))


def _within_budget(engine: Engine, problems: Mapping[int, Problem], n: int) -> set[int]:
    """The cheapest of the problems, as many as the budget of an engine allows."""
    able = [key for key, problem in problems.items() if engine.refusal(problem, n) is None]
    costs = {key: engine.cost(problems[key], n) for key in able}
    left, chosen = engine.budget, set()
    for key in sorted(costs, key=lambda key: costs[key]):
        left -= costs[key]
        if left < 0:
            break
        chosen.add(key)
    return chosen
