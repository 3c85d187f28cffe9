"""Which engine measures what: by the cost of all problems of a policy together."""

from math import comb

import numpy as np
import pytest
from oracles.short_calls import named

from maxpo_cli import InputError
from maxpo_cli.engines.choice import BY_NAME, Choice, Part, choose
from maxpo_cli.engines.engine import EstimatorsAt
from maxpo_cli.engines.enumeration import Enumeration
from maxpo_cli.engines.threshold.engine import ThresholdEngine
from maxpo_cli.policies.spec import parse_policy
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.problems.problem import Problem

EXACT = ("enumeration", "threshold", "monte-carlo")
AGREED = ("threshold", "monte-carlo")
DRAWN = ("monte-carlo",)
"""Engines by preference: of what is enumerated, of what thresholds measure, of what is left."""

BUDGET = {name: engine.budget for name, engine in BY_NAME.items()}


def problem_of(m: int) -> FiniteProblem:
    """A problem of m levels, whose scores nobody asks for."""
    levels = np.arange(m, dtype=float)
    return FiniteProblem.in_the_limit(levels, np.full(m, 1 / m), np.ones(m))


def enumeration_cost(m: int, n: int) -> int:
    """Count vectors times the rewards or levels of each."""
    return comb(n + m - 1, m - 1) * max(n, m)


def threshold_cost(m: int, n: int) -> int:
    """Pairs of thresholds times the counts of each."""
    return m * (m + 1) // 2 * n * n


def count(choice: Choice, names: tuple[str, ...]) -> int:
    return sum(each == names for each in choice.names)


class TestBudgets:
    def test_a_problem_alone_is_enumerated_up_to_the_budget(self) -> None:
        for m, n in ((2, 4096), (4, 64), (8, 16)):
            assert enumeration_cost(m, n) <= Enumeration.budget
            assert choose("auto", [problem_of(m)], n).names == (EXACT,)
        assert enumeration_cost(8, 32) > Enumeration.budget
        assert choose("auto", [problem_of(8)], 32).names == (AGREED,)
        assert threshold_cost(300, 256) > ThresholdEngine.budget
        assert choose("auto", [problem_of(300)], 256).names == (DRAWN,)

    def test_of_a_thousand_problems_the_dearest_go_on_to_the_next_engine(self) -> None:
        """Each of them alone would be enumerated."""
        n, sizes = 64, [4, 3] * 500
        found = choose("auto", [problem_of(m) for m in sizes], n)
        left = Enumeration.budget - 500 * enumeration_cost(3, n)
        fitting = int(left // enumeration_cost(4, n))
        assert 0 < fitting < 500
        assert [names for m, names in zip(sizes, found.names, strict=True) if m == 3] == [
            EXACT
        ] * 500
        assert count(found, EXACT) == 500 + fitting
        assert count(found, AGREED) == 500 - fitting

    def test_what_the_threshold_engine_has_no_budget_for_is_sampled(self) -> None:
        n, m = 64, 40
        found = choose("auto", [problem_of(m) for _ in range(1000)], n)
        fitting = int(ThresholdEngine.budget // threshold_cost(m, n))
        assert 0 < fitting < 1000
        assert count(found, AGREED) == fitting
        assert count(found, DRAWN) == 1000 - fitting

    def test_the_budget_of_one_engine_is_not_spent_by_problems_of_another(self) -> None:
        n, m = 64, 40
        alike = [problem_of(m) for _ in range(1000)]
        many = choose("auto", [*alike, *(problem_of(2) for _ in range(1000))], n)
        assert many.names[:1000] == choose("auto", alike, n).names
        assert many.names[1000:] == (EXACT,) * 1000

    def test_equal_problems_count_once(self) -> None:
        n, one = 64, problem_of(4)
        assert 1000 * enumeration_cost(4, n) > Enumeration.budget
        assert choose("auto", [one] * 1000, n).names == (EXACT,) * 1000

    def test_the_order_of_the_problems_does_not_matter(self) -> None:
        sizes = [2, 40, 4, 300, 8, 40, 3]
        problems = {m: problem_of(m) for m in sizes}
        found = choose("auto", [problems[m] for m in sizes], 64).names
        back = choose("auto", [problems[m] for m in sizes[::-1]], 64).names
        assert found == back[::-1]
        assert [names[0] for names in found] == [
            "enumeration", "threshold", "enumeration", "threshold", "threshold", "threshold",
            "enumeration",
        ]  # fmt: skip

    def test_a_budget_is_reached_exactly(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for spare, names in ((0, EXACT), (-1, AGREED)):
            monkeypatch.setattr(Enumeration, "budget", 2 * enumeration_cost(3, 5) + spare)
            found = choose("auto", [problem_of(3), problem_of(3)], 5)
            assert sorted(found.names) == sorted([EXACT, names])

    def test_continuous_rewards_are_never_enumerated(self) -> None:
        (problem,) = parse_policy("gaussian").problems
        assert choose("auto", [problem], 2).names == (AGREED,)
        assert choose("auto", [problem, problem_of(2)], 2).names == (AGREED, EXACT)


class TestAskedFor:
    @pytest.mark.parametrize("engine", ["enumeration", "threshold", "monte-carlo"])
    def test_an_engine_that_is_asked_for_measures_all_whatever_the_cost(self, engine: str) -> None:
        problems = [problem_of(4) for _ in range(1000)]
        assert choose(engine, problems, 64).names == ((engine,),) * 1000

    def test_enumeration_refuses_what_it_cannot_do(self) -> None:
        with pytest.raises(InputError, match=r"n=64 with 8 reward levels has 1,329,890,705 count"):
            choose("enumeration", [problem_of(2), problem_of(8)], 64)
        (problem,) = parse_policy("gaussian").problems
        with pytest.raises(InputError, match="needs finitely many reward levels"):
            choose("enumeration", [problem], 4)

    def test_an_estimator_that_the_engine_cannot_measure_is_refused(self) -> None:
        (grpo, best) = named("grpo", "best-mix")
        by_thresholds = choose("threshold", [problem_of(2)], 4)
        assert "grpo is not rank-linear" in (by_thresholds.refusal(grpo) or "")
        assert by_thresholds.refusal(best) is None
        for engine in ("enumeration", "monte-carlo"):
            refusal = choose(engine, [problem_of(2)], 4).refusal(best)
            assert "best-mix needs --engine threshold" in (refusal or "")
            assert choose(engine, [problem_of(2)], 4).refusal(grpo) is None

    def test_a_best_baseline_is_refused_where_auto_can_only_sample(self) -> None:
        (best,) = named("best-linear")
        assert choose("auto", [problem_of(2), problem_of(40)], 64).refusal(best) is None
        refusal = choose("auto", [problem_of(2), problem_of(300)], 256).refusal(best)
        assert "best-linear needs --engine threshold, which takes long" in (refusal or "")


def names_of(estimators: EstimatorsAt) -> dict[int, list[str]]:
    return {k: [estimator.name for estimator in several] for k, several in estimators.items()}


class TestParts:
    """Three problems: one enumerated, one for the threshold engine, one sampled."""

    N = 256
    PROBLEMS: tuple[Problem, ...] = (problem_of(2), problem_of(40), problem_of(300))

    def parts(
        self, estimators: dict[int, tuple[str, ...]], reference: str, asked: str = "auto"
    ) -> list[tuple[tuple[str, ...], dict[int, list[str]], dict[int, list[str]]]]:
        """Of each part the engines, the estimators and the reference beside them, by name."""
        chosen = {k: named(*names) for k, names in estimators.items()}
        found = choose(asked, self.PROBLEMS, self.N).parts(chosen, *named(reference))
        return [(part.engines, names_of(part.estimators), names_of(part.beside)) for part in found]

    BY_LAYERS = ("enumeration", "threshold", "monte-carlo")
    BY_GROUPS = ("enumeration", "monte-carlo", "monte-carlo")

    def test_the_choice_is_as_the_class_says(self) -> None:
        assert choose("auto", self.PROBLEMS, self.N).names == (EXACT, AGREED, DRAWN)

    def test_each_estimator_is_measured_by_the_most_exact_engine_of_each_problem(self) -> None:
        choice = choose("auto", self.PROBLEMS, self.N)
        for name in ("ei", "canonical", "oracle", "rloo"):
            assert choice.engines_for(*named(name)) == self.BY_LAYERS
        for name in ("grpo", "grpo-passk", "passk-training"):
            assert choice.engines_for(*named(name)) == self.BY_GROUPS
        exact = choose("auto", self.PROBLEMS[:2], self.N)
        assert exact.engines_for(*named("best-mix")) == ("threshold", "threshold")

    def test_the_reference_is_sampled_once_more_with_those_that_have_to_be(self) -> None:
        found = self.parts({2: ("grpo", "ei", "l2o"), 3: ("ei", "grpo-passk")}, "ei")
        assert found == [
            (self.BY_GROUPS, {2: ["grpo"], 3: ["grpo-passk"]}, {2: ["ei"], 3: ["ei"]}),
            (self.BY_LAYERS, {2: ["ei", "l2o"], 3: ["ei"]}, {}),
        ]

    def test_a_reference_that_an_engine_of_a_part_cannot_measure_is_not_beside_it(self) -> None:
        """The threshold engine, which measures ei on the second problem, refuses grpo."""
        found = self.parts({2: ("grpo", "grpo-passk", "ei")}, "grpo")
        assert found == [
            (self.BY_GROUPS, {2: ["grpo", "grpo-passk"]}, {}),
            (self.BY_LAYERS, {2: ["ei"]}, {}),
        ]

    def test_a_reference_that_is_not_measured_at_a_k_is_beside_nothing_there(self) -> None:
        found = self.parts({1: ("ei", "grpo"), 2: ("l2o", "ei", "grpo")}, "l2o")
        assert found == [
            (self.BY_LAYERS, {1: ["ei"], 2: ["l2o", "ei"]}, {}),
            (self.BY_GROUPS, {1: ["grpo"], 2: ["grpo"]}, {2: ["l2o"]}),
        ]

    def test_beside_exact_estimators_the_reference_is_not_measured_again(self) -> None:
        choice = choose("auto", self.PROBLEMS[:1], self.N)
        grpo, best = named("grpo", "best-constant")
        parts = choice.parts({2: (grpo, best)}, best)
        assert [(p.engines, p.estimators, p.beside) for p in parts] == [
            (("enumeration",), {2: (grpo,)}, {}),
            (("threshold",), {2: (best,)}, {}),
        ]
        assert [part.measured for part in parts] == [{2: (grpo,)}, {2: (best,)}]
        (ei,) = named("ei")  # which the threshold engine could measure once more beside the best
        parts = choice.parts({2: (ei, best)}, ei)
        assert [(p.engines, p.estimators, p.beside) for p in parts] == [
            (("enumeration",), {2: (ei,)}, {}),
            (("threshold",), {2: (best,)}, {}),
        ]

    def test_a_best_baseline_cannot_be_sampled_beside_others(self) -> None:
        choice = choose("auto", self.PROBLEMS[:2], self.N)
        grpo, best = named("grpo", "best-mix")
        assert choice.engines_for(grpo) == ("enumeration", "monte-carlo")
        parts = choice.parts({2: (grpo, best)}, best)
        assert [(part.estimators, part.beside) for part in parts] == [
            ({2: (grpo,)}, {}),
            ({2: (best,)}, {}),
        ]

    def test_what_is_measured_is_the_estimators_and_then_the_reference(self) -> None:
        grpo, ei = named("grpo", "ei")
        part = Part(self.BY_GROUPS, {2: (grpo,), 3: (grpo,)}, {3: (ei,)})
        assert part.measured == {2: (grpo,), 3: (grpo, ei)}

    def test_one_engine_for_all_makes_one_part(self) -> None:
        found = self.parts({2: ("grpo", "ei")}, "ei", "monte-carlo")
        assert found == [(("monte-carlo",) * 3, {2: ["grpo", "ei"]}, {})]
