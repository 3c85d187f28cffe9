"""A sweep against `compare` of each of its cells, and against what its grid says."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.groups import FIXED
from oracles.short_calls import defined, enumerate_all
from oracles.studies import COLUMNS, OnePolicy, sweep_of
from oracles.studies import table_of as sweep

from maxpo_cli.engines import choice
from maxpo_cli.engines.enumeration import Enumeration
from maxpo_cli.engines.threshold.engine import ThresholdEngine
from maxpo_cli.errors import InputError
from maxpo_cli.policies.files import RewardsFile, RewardsTemplate, read_logged
from maxpo_cli.policies.kinds.categorical import Categorical
from maxpo_cli.policies.policy import Policy
from maxpo_cli.policies.spec import parse_policy, read_template
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.runners.processes import runner
from maxpo_cli.studies import plan
from maxpo_cli.studies.plan import Plan
from maxpo_cli.studies.settings import Settings
from maxpo_cli.studies.spec import StudySpec
from maxpo_cli.studies.study import run_batches, run_study


def spec_of(policy: str, *grid: str, **changes: object) -> StudySpec:
    return sweep_of(policy, *grid, **{"groups": 1500} | changes)


def sweep_of_log(file: RewardsFile, *grid: str, **changes: object) -> StudySpec:
    options = {"device": "cpu"} | changes
    return StudySpec(RewardsTemplate(file), Settings(**options), grid)  # type: ignore[arg-type]


def alone(spec: StudySpec, policy: Policy, n: int, k: int) -> pd.DataFrame:
    """The table of `compare` for one cell."""
    one = StudySpec(OnePolicy(policy), replace(spec.settings, n=n, k=k))  # type: ignore[arg-type]
    return run_study(Plan(one, strict=True)).table


def is_continuous(policy: Policy) -> bool:
    """Whether its figures are integrals, which several K together refine as far as any needs."""
    return any(not isinstance(problem, FiniteProblem) for problem in policy.problems)


def check_cells(spec: StudySpec, file: RewardsFile | None = None) -> int:
    """Every measurable cell of a sweep against `compare`; how many there were."""
    table = sweep(spec)
    checked = 0
    for cell, rows in table.groupby([*spec.swept, "n", "k"], sort=False):
        n, k = int(cell[-2]), int(cell[-1])
        if k > n or spec.unit.refusal(n, k, binary=True):
            continue
        if file is None:
            policy: Policy = parse_policy(rows["policy"].iloc[0])
        else:
            where = tuple(zip(spec.swept, map(str, cell[:-2]), strict=True))
            policy = read_logged(RewardsFile(file.path, where=where))
        expected = alone(spec, policy, n, k).drop(columns="rtol")
        found = rows[list(expected.columns)].reset_index(drop=True)
        exact = set(expected["engine"]) != {"monte-carlo"}
        near = {"rtol": 2 * spec.settings.rtol, "atol": spec.settings.rtol}
        if not is_continuous(policy):
            near = {"rtol": 1e-11, "atol": 1e-14}
        pd.testing.assert_frame_equal(
            found,
            expected,
            check_exact=not exact,
            check_dtype=False,
            **(near if exact else {}),
        )
        checked += 1
    return checked


@pytest.fixture
def logged(tmp_path: Path) -> RewardsFile:
    rng = np.random.default_rng(5)
    rows = [
        {"prompt": prompt, "reward": reward, "model": model}
        for model, p in (("small", 0.3), ("large 2", 0.7))
        for prompt in ("a", "b", "c")
        for reward in rng.binomial(2, p, 6) / 2
    ]
    path = tmp_path / "log.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return RewardsFile(path)


class TestEveryRowIsThatOfCompare:
    def test_over_p_k_and_n_of_one_logit(self) -> None:
        spec = spec_of(
            "bernoulli:p=0.5,outcomes=1",
            "p=0,0.01,0.3,0.999,1",
            "k=1,2,5,6",
            "n=2,6",
            estimators=("all",),
        )
        assert check_cells(spec) == 5 * (2 + 4)

    def test_over_outcomes_and_p_of_a_categorical(self) -> None:
        spec = spec_of(
            "categorical", "outcomes=1,7/2,1000", "p=0:1:4", "k=1,3", n=5, estimators=("all",)
        )
        assert check_cells(spec) == 3 * 4 * 2

    def test_over_outcomes_of_a_graded_reward(self) -> None:
        spec = spec_of(
            "categorical:rewards=-1/0/0.5/2,probs=0.4/0.3/0.2/0.1,outcomes=1",
            "outcomes=1:10000:4:log", "k=2,4", n=6, estimators=("all",), reference="canonical",
        )  # fmt: skip
        assert check_cells(spec) == 8

    def test_over_rewards_and_probs_of_different_families(self) -> None:
        spec = spec_of(
            "categorical:outcomes=1",
            "rewards=0/1/2,2/1/0,0/0/1",
            "probs=0.2/0.3/0.5,0/0.5/0.5",
            n=4,
            k=2,
        )
        assert check_cells(spec) == 6

    @pytest.mark.parametrize("dtype", ["float64", "float32"])
    def test_bit_for_bit_when_sampled(self, dtype: str) -> None:
        spec = spec_of(
            "bernoulli:outcomes=1", "p=0.01,0.5", "k=1,2,5", "n=4,6",
            engine="monte-carlo", estimators=("all",), seed=3, dtype=dtype,
        )  # fmt: skip
        assert check_cells(spec) == 2 * (2 + 3)

    def test_over_std_and_reward_of_a_gaussian(self) -> None:
        spec = spec_of(
            "gaussian", "std=0.5:1:2", "reward=identity,threshold", "k=1,3", n=4,
            estimators=("all",), rtol=1e-3,
        )  # fmt: skip
        assert check_cells(spec) == 8

    def test_when_auto_mixes_engines(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Enumeration, "budget", 400)
        monkeypatch.setattr(ThresholdEngine, "budget", 0)
        spec = spec_of(
            "categorical:rewards=0/1/2,probs=0.4/0.3/0.3,outcomes=1", "n=4,9,20", "k=2,4"
        )
        assert set(sweep(spec)["engine"]) == {"enumeration", "monte-carlo"}
        assert check_cells(spec) == 6

    def test_over_n_and_k_of_logged_rewards(self, logged: RewardsFile) -> None:
        spec = sweep_of_log(logged, "n=2,4,8", "k=2,4", estimators=("all",))
        assert check_cells(spec, logged) == 5

    @pytest.mark.parametrize("engine", ["auto", "monte-carlo"])
    def test_over_a_column_of_logged_rewards(self, logged: RewardsFile, engine: str) -> None:
        spec = sweep_of_log(logged, "model=small,large 2", "k=1,2", n=4, engine=engine, groups=700)
        assert check_cells(spec, logged) == 4

    def test_over_single_prompts_of_logged_rewards(self, logged: RewardsFile) -> None:
        spec = sweep_of_log(logged, "prompt=a,b,c", n=4, k=2)
        assert check_cells(spec, logged) == 3

    def test_when_stopped_early(self) -> None:
        spec = spec_of(
            "gaussian", "std=1,2", "k=1,3",
            n=4, groups=60_000, until_rel_error=0.05, engine="monte-carlo",
        )  # fmt: skip
        assert check_cells(spec) == 4

    @settings(FIXED, max_examples=12)
    @given(
        st.lists(st.floats(0, 1), min_size=1, max_size=4),
        st.lists(st.integers(1, 6), min_size=1, max_size=3),
        st.lists(st.integers(1, 6), min_size=1, max_size=2),
        st.integers(1, 50),
        st.sampled_from(["ei", "canonical-plugin", "oracle"]),
    )
    def test_on_random_grids(
        self, ps: list[float], ks: list[int], ns: list[int], outcomes: int, reference: str
    ) -> None:
        grid = [
            f"{name}={','.join(map(repr, items))}"
            for name, items in (("p", ps), ("k", ks), ("n", ns))
        ]
        spec = spec_of(f"categorical:outcomes={outcomes}", *grid, reference=reference)
        below = sum(k <= n for k in set(ks) for n in set(ns))
        assert check_cells(spec) == len(spec.axes[0].values) * below


class TestTable:
    def test_rows_come_in_grid_order_the_first_axis_slowest(self) -> None:
        axes = {"k": (2, 1), "p": (0.5, 0.1, 0.3), "n": (4, 3)}
        grid = [f"{name}={','.join(map(str, axis))}" for name, axis in axes.items()]
        table = sweep(spec_of("bernoulli:outcomes=1", *grid, estimators=("ei", "rloo")))
        expected = [
            (name, float(p), n, k) for k, p, n in product(*axes.values()) for name in ("ei", "rloo")
        ]
        cells = zip(
            table["estimator"], table["p"].astype(float), table["n"], table["k"], strict=True
        )
        assert list(cells) == expected

    def test_swept_columns_follow_the_policy_in_grid_order(self) -> None:
        table = sweep(spec_of("gaussian", "std=1", "n=3", "mean=0", "k=1", groups=10))
        expected = (*COLUMNS[:2], "std", "mean", *COLUMNS[2:])
        assert tuple(table.columns) == expected

    @pytest.mark.parametrize("column", ["policy", "estimator", "engine", "note", "variance"])
    def test_a_column_of_the_file_never_hides_one_of_the_table(
        self, column: str, tmp_path: Path
    ) -> None:
        path = tmp_path / "log.csv"
        rewards = pd.DataFrame({"prompt": 1, "reward": [0, 1, 0, 1], column: ["x", "x", "y", "y"]})
        rewards.to_csv(path, index=False)
        spec = sweep_of_log(RewardsFile(path), f"{column}=x,y", n=3, k=2)
        said = f"--grid {column}: every table has a column '{column}' of its own"
        with pytest.raises(InputError, match=said):
            sweep(spec)

    def test_ties_of_work_do_not_change_the_table(self, monkeypatch: pytest.MonkeyPatch) -> None:
        spec = spec_of("categorical:outcomes=3", "k=1,2", "p=0.05:0.95:7", n=6)
        whole = sweep(spec)
        monkeypatch.setattr(plan, "BATCH_WORK", 1)
        assert len(Plan(spec).batches) == 7
        pd.testing.assert_frame_equal(sweep(spec), whole, rtol=1e-12)


class TestCellsThatCannotBe:
    def test_k_above_n_is_rows_that_say_so(self) -> None:
        table = sweep(spec_of("bernoulli:outcomes=1", "p=0.2,0.7", "k=1,9", "n=4,8"))
        assert len(table) == 8 * 7
        above = table[table["k"] > table["n"]]
        assert len(above) == 4 * 7
        expected = [
            f"k={k} is above the group size n={n}"
            for n, k in zip(above["n"], above["k"], strict=True)
        ]
        assert above["note"].tolist() == expected
        assert above["variance"].isna().all()
        assert (above["engine"] == "").all()

    @pytest.mark.parametrize("policy", ["gaussian", "bernoulli:p=0.5,outcomes=1"])
    def test_k_above_n_everywhere_draws_and_enumerates_nothing(
        self, policy: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def work(*_: object, **__: object) -> None:
            raise AssertionError("there is nothing to measure")

        for engine in choice.BY_NAME.values():
            monkeypatch.setattr(type(engine), "measure", work)
        table = sweep(spec_of(policy, "k=33,34", n=32))
        assert table["variance"].isna().all()
        with pytest.raises(AssertionError, match="there is nothing to measure"):
            sweep(spec_of(policy, "k=32,33", n=32))

    def test_an_undefined_estimator_is_a_row_that_says_so_even_when_named(self) -> None:
        table = sweep(spec_of("bernoulli:p=0.3,outcomes=1", "k=1,4", n=4, estimators=("l2o", "ei")))
        row = table[(table["estimator"] == "l2o")]
        assert row["variance"].isna().all()
        assert row["note"].str.contains("l2o is defined for K in 2..N-1").all()
        assert table[table["estimator"] == "ei"]["variance"].notna().all()

    def test_without_its_reference_a_cell_has_all_but_ratios(self) -> None:
        spec = spec_of(
            "bernoulli:p=0.3,outcomes=1", "k=1,2", n=4, reference="l2o", estimators=("all",)
        )
        table = sweep(spec).set_index(["k", "estimator"])
        lonely = table.loc[1]
        assert lonely["variance_ratio"].isna().all()
        assert "no variance ratio: l2o is defined" in lonely.loc["ei", "note"]
        assert lonely.loc["l2o", "note"].startswith("l2o is defined")
        assert table.loc[2]["variance_ratio"].notna().sum() >= 10
        # The other figures do not depend on the reference.
        other = alone(
            spec_of("bernoulli:outcomes=1", "k=1"), parse_policy("bernoulli:p=0.3,outcomes=1"), 4, 1
        )
        for name in ("ei", "canonical"):
            expected = other.set_index("estimator").loc[name]
            for column in ("variance", "bias", "snr", "centering_rms", "matched_variance"):
                assert lonely.loc[name, column] == pytest.approx(expected[column], rel=1e-11)

    def test_an_engine_that_cannot_do_a_cell_is_rows_that_say_so(self) -> None:
        table = sweep(spec_of("gaussian", "std=1,2", "k=1,9", n=4, engine="enumeration"))
        assert len(table) == 4 * 7
        assert table["variance"].isna().all()
        possible = table[(table["k"] == 1) & (table["estimator"] != "l2o")]
        assert possible["note"].str.contains("needs finitely many reward levels").all()
        assert table[table["k"] == 9]["note"].str.contains("above the group size").all()

    def test_too_many_states_at_one_n_leave_the_other_cells_whole(self) -> None:
        policy = "categorical:rewards=0/1/2/3/4/5,probs=0.2/0.2/0.2/0.2/0.1/0.1,outcomes=1"
        table = sweep(spec_of(policy, "n=4,300", "k=2", engine="enumeration"))
        few, many = table[table["n"] == 4], table[table["n"] == 300]
        assert few["variance"].notna().all()
        assert many["variance"].isna().all()
        assert many["note"].str.contains("above the limit of 5,000,000").all()

    def test_continuous_and_finite_rewards_mix_under_enumeration(self) -> None:
        table = sweep(
            spec_of("gaussian", "reward=identity,threshold", "k=2", n=4, engine="enumeration")
        ).set_index(["reward", "estimator"])
        assert table.loc["identity"]["variance"].isna().all()
        assert table.loc["threshold"]["variance"].notna().all()


class TestRefusals:
    @pytest.mark.parametrize(
        ("policy", "grid", "said"),
        [
            ("bernoulli", ("p=0.5,1.5",), "p must be between 0 and 1; got 1.5"),
            ("bernoulli", ("k=1,2",), "policy 'bernoulli' needs p"),
            ("bernoulli", ("p=0.5", "p=0.6"), "p is given twice"),
            ("bernoulli", ("q=0.5",), "unknown --grid name for bernoulli 'q'"),
            ("categorical:probs=0.5/0.5,outcomes=1", ("p=0.5",), "give p or probs, not both"),
            ("categorical", ("p=0.5", "probs=0.5/0.5"), "give p or probs, not both"),
            ("categorical:rewards=0/1/2", ("p=0.5",), "p is the probability of the second"),
            ("categorical", ("p=0.5", "outcomes=0,1"), "outcomes must be whole numbers from 1"),
            ("categorical", ("probs=0.5/0.6",), "needs rewards"),
            ("gaussian", ("reward=identity,cube",), "unknown reward of gaussian 'cube'"),
            ("gaussian", ("std=0,1",), "std must be above 0; got 0"),
            ("bernoulli", ("p=0:1:1001", "n=1:1000:1000"), "1,001,000 cells are too many"),
        ],
    )
    def test_what_a_grid_cannot_mean_is_one_sentence(
        self, policy: str, grid: tuple[str, ...], said: str
    ) -> None:
        with pytest.raises(InputError) as caught:
            Plan(
                spec_of(policy, *grid)
                if "probs=0.5/0.5" not in policy
                else StudySpec(read_template(policy), Settings(device="cpu"), grid)
            )
        assert said in str(caught.value)

    def test_a_value_that_no_row_of_the_file_has_is_named(self, logged: RewardsFile) -> None:
        with pytest.raises(InputError, match="no row has model=huge"):
            Plan(sweep_of_log(logged, "model=small,huge"))
        with pytest.raises(InputError, match="no column 'modell'"):
            Plan(sweep_of_log(logged, "modell=small"))


class TestBatches:
    def test_every_cell_is_in_one_batch(self) -> None:
        for policy, grid in (
            ("bernoulli", ("p=0:1:30", "n=2,40", "k=1:8:8")),
            ("gaussian", ("k=1,2", "std=1:3:5", "n=4,2")),
        ):
            planned = Plan(spec_of(policy, *grid))
            places = [point.index for batch in planned.batches for point in batch.points]
            assert sorted(places) == list(range(planned.cells))

    def test_batches_of_a_spec_are_always_the_same(self) -> None:
        spec = spec_of("categorical", "outcomes=1:100:9:log", "p=0:1:9", "n=4,8", "k=1,2")
        one, two = Plan(spec), Plan(spec)
        assert [b.points for b in one.batches] == [b.points for b in two.batches]

    def test_workers_give_the_rows_of_one_process(self) -> None:
        planned = Plan(
            spec_of("gaussian", "std=1,2,3", "k=1,2", n=4, engine="monte-carlo", groups=3000)
        )
        tables = [
            pd.concat(
                [
                    measured.rows
                    for _, measured in run_batches(
                        planned, planned.batches, runner(workers), lambda _: None, lambda _: None
                    )
                ]
            )
            .sort_values(["std", "k", "estimator"])
            .reset_index(drop=True)
            for workers in (1, 2)
        ]
        pd.testing.assert_frame_equal(*tables, check_exact=True)

    @settings(FIXED, max_examples=10)
    @given(st.data())
    def test_a_family_enumerated_together_equals_its_problems_one_by_one(
        self, data: st.DataObject
    ) -> None:
        levels = data.draw(st.integers(2, 4))
        n = data.draw(st.integers(2, 6))
        rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
        rewards = tuple(np.sort(rng.normal(size=levels)))
        problems = []
        for _ in range(data.draw(st.integers(2, 20))):
            probs = rng.dirichlet(np.ones(levels) * rng.choice([0.05, 1.0]))
            probs = np.maximum(probs, 1e-300)
            outcomes = tuple(int(m) for m in rng.integers(1, 30, levels))
            (problem,) = Categorical(rewards, tuple(probs), outcomes).problems
            assert isinstance(problem, FiniteProblem)
            problems.append(problem)
        assert len({problem.family for problem in problems}) == 1
        estimators = {k: defined(problems[0], n, k) for k in {1, n}}
        together = enumerate_all(problems, n, estimators)
        for problem, found in zip(problems, together, strict=True):
            (one,) = enumerate_all([problem], n, estimators)
            for k in estimators:
                for name in ("variance", "mean", "centering_mean", "centering_square"):
                    np.testing.assert_allclose(
                        getattr(found[k], name), getattr(one[k], name), rtol=1e-10, atol=1e-15
                    )
                assert found[k].states == one[k].states
