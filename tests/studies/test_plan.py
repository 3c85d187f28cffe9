"""A plan: what it asks engines and estimators, once; its batches, which can be pickled."""

import pickle
import random
from collections import Counter
from functools import partial
from math import comb

import numpy as np
import pandas as pd
import pytest
from oracles.studies import comparison, comparison_spec, sweep_of

import maxpo_cli
from maxpo_cli.engines import choice
from maxpo_cli.engines.enumeration import Enumeration
from maxpo_cli.engines.threshold.engine import ThresholdEngine
from maxpo_cli.estimators.kinds import Estimator
from maxpo_cli.estimators.lookup import DEFAULT_ESTIMATORS
from maxpo_cli.policies.kinds.categorical import Categorical
from maxpo_cli.policies.logged import Logged, prompt_of_counts
from maxpo_cli.runners.in_process import InProcess
from maxpo_cli.studies import plan as planning
from maxpo_cli.studies.plan import Plan
from maxpo_cli.studies.spec import StudySpec
from maxpo_cli.studies.study import run_batches, run_study

PROMPTS = Logged(
    "log.csv",
    ("easy", "graded", "twin"),
    (
        prompt_of_counts((0.0, 1.0), (2, 8)),
        prompt_of_counts((0.0, 0.25, 0.5, 1.0), (3, 3, 2, 2)),
        prompt_of_counts((0.0, 1.0), (2, 8)),
    ),
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often engines are chosen and estimators asked whether they are defined."""
    counts: Counter[str] = Counter()

    def counted(name: str, function: object) -> object:
        def wrapper(*arguments: object, **words: object) -> object:
            counts[name] += 1
            return function(*arguments, **words)  # type: ignore[operator]

        return wrapper

    monkeypatch.setattr(planning, "choose", counted("engines", planning.choose))
    monkeypatch.setattr(Estimator, "refusal", counted("defined", Estimator.refusal))
    monkeypatch.setattr(choice.Choice, "refusal", counted("measurable", choice.Choice.refusal))
    return counts


class TestAskedOnce:
    def test_a_comparison_chooses_engines_once(self, asked: Counter[str]) -> None:
        maxpo_cli.compare()
        assert asked["engines"] == 1
        assert 0 < asked["defined"] <= len(DEFAULT_ESTIMATORS) + 1  # and the reference

    def test_a_comparison_of_many_prompts_chooses_engines_once(self, asked: Counter[str]) -> None:
        run_study(Plan(comparison_spec(PROMPTS, 4, 2), strict=True))
        assert asked["engines"] == 1

    def test_a_sweep_chooses_engines_once_per_policy_and_n_whatever_its_ks(
        self, asked: Counter[str]
    ) -> None:
        run_study(Plan(sweep_of("bernoulli", "p=0.1,0.2,0.3", "n=4,8", "k=1,2,3,4")))
        assert asked["engines"] == 3 * 2

    def test_the_default_sweep_of_60_cells_asks_each_estimator_once_per_k(
        self, asked: Counter[str]
    ) -> None:
        found = maxpo_cli.sweep()
        assert found.study.cells == 60
        ks, estimators = 3, len(DEFAULT_ESTIMATORS) + 1  # and the reference
        for question in ("defined", "measurable"):
            assert 0 < asked[question] <= ks * estimators, question
        assert asked["engines"] == 20


MIXED = sweep_of(
    "categorical:rewards=0/1/2,probs=0.4/0.3/0.3", "n=3,4", "k=2,3,9", "outcomes=2,inf",
    estimators=("all",), groups=500,
)  # fmt: skip
"""Two N, enumerated and by thresholds (the best baselines), cells with notes."""

SAMPLED = sweep_of(
    "gaussian", "reward=identity,exp", "k=1,2", n=4, engine="monte-carlo", groups=800, seed=3
)


class TestPickled:
    @pytest.mark.parametrize("spec", [MIXED, SAMPLED], ids=["exact", "sampled"])
    def test_a_batch_measured_from_its_copy_gives_the_same_rows(self, spec: StudySpec) -> None:
        plan = Plan(spec)
        copies = [pickle.loads(pickle.dumps(batch)) for batch in plan.batches]
        other = pickle.loads(pickle.dumps(plan))
        assert len(plan.batches) > 1
        for batch, copy in zip(plan.batches, copies, strict=True):
            assert copy.points == batch.points
            assert copy.work == batch.work
            one, two = (
                pd.concat([measured.rows for _, measured in measure(of, [each])])
                for of, each in ((plan, batch), (other, copy))
            )
            pd.testing.assert_frame_equal(one, two, check_exact=True)

    def test_prompts_travel_with_a_batch(self) -> None:
        plan = Plan(comparison_spec(PROMPTS, 4, 2, engine="monte-carlo", groups=300), strict=True)
        copy = pickle.loads(pickle.dumps(plan))
        found = [run_study(each).prompts for each in (plan, copy)]
        assert found[0] is not None
        pd.testing.assert_frame_equal(found[0], found[1], check_exact=True)

    def test_equal_prompts_are_still_one_problem_in_a_copy(self) -> None:
        plan = Plan(comparison_spec(PROMPTS, 4, 2), strict=True)
        (batch,) = pickle.loads(pickle.dumps(plan.batches))
        easy, graded, twin = batch.jobs[0].problems
        assert easy is twin
        assert easy is not graded


measure = partial(run_batches, runner=InProcess(), begin=lambda _: None, advance=lambda _: None)


def dozens(prompts: int, seed: int = 0) -> tuple[Categorical, ...]:
    """Prompts with 6 to 13 different rewards, each of them given to up to 4 samples."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(prompts):
        levels = int(rng.integers(6, 14))
        counts = rng.integers(1, 5, levels).tolist()
        found.append(prompt_of_counts(np.sort(rng.random(levels)).tolist(), counts))
    return tuple(found)


def engines_of(policy: Logged, n: int, k: int = 2) -> list[str]:
    """The engine that `l2o` is measured by on each prompt."""
    plan = Plan(comparison_spec(policy, n, k, estimators=("l2o",)), strict=True)
    ((job,),) = (batch.jobs for batch in plan.batches)
    (part,) = {part.engines for part in job.parts}
    return list(part)


def logged(prompts: tuple[Categorical, ...]) -> Logged:
    return Logged("log.csv", tuple(map(str, range(len(prompts)))), prompts)


def numbers(prompt: Categorical, n: int) -> int:
    """Count vectors of a prompt times the numbers that each is made of."""
    m = len(prompt.rewards)
    return comb(n + m - 1, m - 1) * max(n, m)


class TestBudgetOfManyPrompts:
    """`auto` has one budget for all problems of a policy together."""

    N = 8

    def test_a_thousand_prompts_of_12_rewards_are_not_all_enumerated(self) -> None:
        """One of them is 75,582 count vectors: well within the budget alone, not a thousand."""
        rng = np.random.default_rng(0)
        twelve = [prompt_of_counts(np.sort(rng.random(12)).tolist(), [2] * 12) for _ in range(1000)]
        assert engines_of(logged(tuple(twelve[:1])), self.N) == ["enumeration"]
        engines = Counter(engines_of(logged(tuple(twelve)), self.N))
        each = numbers(twelve[0], self.N)
        assert engines == {
            "enumeration": int(Enumeration.budget // each),
            "threshold": 1000 - int(Enumeration.budget // each),
        }

    def test_the_dearest_go_to_thresholds_whatever_their_order(self) -> None:
        prompts = list(dozens(1000))
        for seed in (0, 1):
            random.Random(seed).shuffle(prompts)
            engines = engines_of(logged(tuple(prompts)), self.N)
            costs = [numbers(prompt, self.N) for prompt in prompts]
            enumerated = [c for c, e in zip(costs, engines, strict=True) if e == "enumeration"]
            rest = [c for c, e in zip(costs, engines, strict=True) if e == "threshold"]
            assert len(enumerated) + len(rest) == 1000
            assert max(enumerated) <= min(rest)
            assert sum(enumerated) <= Enumeration.budget
            assert sum(enumerated) + min(rest) > Enumeration.budget

    def test_a_thousand_equal_prompts_cost_as_much_as_one(self) -> None:
        (prompt,) = dozens(1, seed=4)
        assert set(engines_of(logged((prompt,) * 1000), self.N)) == {"enumeration"}

    def test_what_no_exact_budget_is_left_for_is_sampled(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prompts = dozens(30)
        by_threshold = [ThresholdEngine().cost(p.problems[0], self.N) for p in prompts]
        monkeypatch.setattr(Enumeration, "budget", 0)
        monkeypatch.setattr(ThresholdEngine, "budget", sum(sorted(by_threshold)[:10]))
        engines = Counter(engines_of(logged(prompts), self.N))
        assert engines == {"threshold": 10, "monte-carlo": 20}

    def test_the_table_does_not_depend_on_where_the_budget_ends(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        policy = logged(dozens(12, seed=7))
        costs = sorted(Enumeration().cost(problem, 4) for problem in policy.problems)
        whole = run_study(Plan(comparison_spec(policy, 4, 2), strict=True)).table
        assert set(whole["engine"]) == {"enumeration"}
        monkeypatch.setattr(Enumeration, "budget", sum(costs[:6]))
        assert Counter(engines_of(policy, 4)) == {"enumeration": 6, "threshold": 6}
        mixed = run_study(Plan(comparison_spec(policy, 4, 2), strict=True)).table
        same = ["engine", "states"]
        pd.testing.assert_frame_equal(
            mixed.drop(columns=same), whole.drop(columns=same), rtol=1e-9, atol=1e-13
        )


def test_a_policy_object_of_these_tests_is_measured_as_its_spec_is() -> None:
    (policy,) = Plan(comparison_spec("bernoulli:p=0.3", 4, 2), strict=True).policies
    one, two = (comparison(each, 4, 2).table for each in (policy, "bernoulli:p=0.3"))
    pd.testing.assert_frame_equal(one, two, check_exact=True)
