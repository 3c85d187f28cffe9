"""A comparison: its table, its engines, what is refused, and the rows of each prompt."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from oracles.studies import COLUMNS, METRIC_NAMES, comparison, comparison_spec

from maxpo_cli.engines import enumeration
from maxpo_cli.engines.device import find_device
from maxpo_cli.engines.threshold.engine import ThresholdEngine
from maxpo_cli.errors import InputError
from maxpo_cli.estimators.lookup import CATALOGUE, DEFAULT_ESTIMATORS
from maxpo_cli.policies.logged import Logged, prompt_of_counts
from maxpo_cli.policies.spec import parse_policy
from maxpo_cli.studies.study import Outcome

COIN = parse_policy("bernoulli:p=0.25,outcomes=1")
LEVELS = parse_policy("categorical:rewards=0/0.5/1,probs=0.6/0.3/0.1,outcomes=1/2/3")
NORMAL = parse_policy("gaussian:reward=identity")
PROMPTS = Logged(
    "log.csv",
    ("easy", "graded", "hard", "twin"),
    (
        prompt_of_counts((0.0, 1.0), (2, 8)),
        prompt_of_counts((0.0, 0.25, 0.5, 1.0), (3, 3, 2, 2)),
        prompt_of_counts((0.0, 1.0), (9, 1)),
        prompt_of_counts((0.0, 1.0), (2, 8)),
    ),
)


def spec(**changes: object) -> dict[str, Any]:
    return {"policy": COIN, "n": 6, "k": 3, "groups": 2000} | changes


def compare(words: dict[str, Any], progress: Callable[[float], None] = lambda _: None) -> Outcome:
    return comparison(progress=progress, **words)


def device_of(**changes: object) -> str:
    return str(comparison_spec(**spec(**changes)).precision.device)


def refusal(**changes: object) -> str:
    with pytest.raises(InputError) as caught:
        compare(spec(**changes))
    return str(caught.value)


def by_name(found: Outcome) -> pd.DataFrame:
    return found.table.set_index("estimator")


class TestTable:
    def test_columns_come_in_the_order_that_readers_of_the_file_know(self) -> None:
        known = (
            "estimator policy n k engine states groups rtol objective gradient_norm bias "
            "bias_stderr relative_bias relative_bias_stderr bias_z scale misalignment "
            "centering_mean centering_rms centering_max variance variance_stderr "
            "matched_variance variance_ratio variance_ratio_stderr snr mse note"
        )
        assert compare(spec()).table.columns.tolist() == known.split()

    def test_rows_come_in_the_order_of_the_names(self) -> None:
        names = ("pkpo", "grpo", "ei", "pkpo")
        assert compare(spec(estimators=names)).table["estimator"].tolist() == ["pkpo", "grpo", "ei"]

    def test_default_and_all_are_the_catalogue_in_its_order(self) -> None:
        default = compare(spec()).table["estimator"].tolist()
        assert default == list(DEFAULT_ESTIMATORS)
        everyone = compare(spec(estimators=("all",))).table["estimator"].tolist()
        assert everyone == list(CATALOGUE)
        both = compare(spec(estimators=("grpo", "default"))).table["estimator"].tolist()
        assert both == ["grpo", *DEFAULT_ESTIMATORS]

    def test_a_row_says_what_was_measured_and_how(self) -> None:
        row = compare(spec(policy=LEVELS)).table.iloc[0]
        assert row["policy"] == "categorical:rewards=0/0.5/1,probs=0.6/0.3/0.1,outcomes=1/2/3"
        assert (row["n"], row["k"], row["engine"], row["states"]) == (6, 3, "enumeration", 28)
        assert row["groups"] is pd.NA
        assert row["note"] == ""

    def test_the_seconds_are_those_of_each_engine_and_no_column(self) -> None:
        found = compare(spec(policy=NORMAL, estimators=("ei", "grpo")))
        assert "seconds" not in found.table
        assert set(found.seconds) == {"threshold", "monte-carlo"}
        assert min(found.seconds.values()) > 0

    def test_sampled_rows_count_groups_and_no_states(self) -> None:
        table = compare(spec(engine="monte-carlo")).table
        assert (table["engine"] == "monte-carlo").all()
        assert (table["groups"] == 2000).all()
        assert table["states"].isna().all()
        assert table["bias_stderr"].notna().all()
        assert (
            compare(spec())
            .table[["bias_stderr", "variance_stderr", "bias_z"]]
            .isna()
            .all(axis=None)
        )


class TestEstimatorsThatAreNotDefinedHere:
    def test_those_of_a_group_name_are_rows_with_a_note(self) -> None:
        table = by_name(compare(spec(policy=LEVELS, n=4, k=4, estimators=("all",))))
        notes = table["note"]
        assert set(notes[notes != ""].index) == {"l2o", "canonical", "pkpo-loo", "passk-training"}
        assert notes["l2o"] == "l2o is defined for K in 2..N-1; got k=4 with n=4"
        assert notes["passk-training"] == "passk-training is defined for 0/1 rewards only"
        assert table.loc[notes != "", METRIC_NAMES].isna().all(axis=None)
        assert table.loc[notes == "", ["bias", "variance", "objective"]].notna().all(axis=None)

    @pytest.mark.parametrize("names", [("l2o",), ("ei", "l2o"), ("all", "l2o"), ("l2o", "default")])
    def test_those_that_were_named_are_errors(self, names: tuple[str, ...]) -> None:
        message = refusal(n=4, k=4, estimators=names)
        assert message == "--estimators: l2o is defined for K in 2..N-1; got k=4 with n=4"

    def test_0_1_estimators_ask_for_0_1_rewards(self) -> None:
        message = refusal(policy=NORMAL, estimators=("passk-training",))
        assert message == "--estimators: passk-training is defined for 0/1 rewards only"
        assert "passk-training is defined" in refusal(
            policy=PROMPTS, estimators=("passk-training",)
        )
        row = compare(spec(estimators=("passk-training",))).table.iloc[0]
        assert row["variance"] > 0

    def test_a_table_of_notes_alone_is_a_table(self) -> None:
        table = by_name(compare(spec(n=1, k=1, estimators=("all",))))
        defined = table.index[table["variance"].notna()].tolist()
        assert defined == [
            "canonical-plugin",
            "ei",
            "pkpo",
            "passk-training",
            "dr-grpo",
            "oracle",
        ]
        assert "lost in the rounding" in table.loc["best-constant", "note"]  # a variance of 0

    def test_unknown_names_come_with_the_nearest(self) -> None:
        message = refusal(estimators=("canonicl",))
        assert message == "--estimators: unknown estimator 'canonicl'; did you mean 'canonical'?"
        assert refusal(reference="oracel") == (
            "--reference: unknown estimator 'oracel'; did you mean 'oracle'?"
        )


class TestReference:
    def test_it_is_measured_but_not_shown_when_it_was_not_asked_for(self) -> None:
        alone = by_name(compare(spec(estimators=("canonical",), reference="grpo")))
        assert alone.index.tolist() == ["canonical"]
        both = by_name(compare(spec(estimators=("canonical", "grpo"), reference="grpo")))
        ratio = both["matched_variance"]["canonical"] / both["matched_variance"]["grpo"]
        assert alone["variance_ratio"]["canonical"] == pytest.approx(ratio, rel=1e-12)
        assert both["variance_ratio"]["grpo"] == pytest.approx(1, rel=1e-15)

    def test_ei_is_the_reference_when_none_is_named(self) -> None:
        assert by_name(compare(spec()))["variance_ratio"]["ei"] == pytest.approx(1, rel=1e-15)

    def test_a_reference_that_is_not_defined_here_is_an_error(self) -> None:
        message = refusal(n=4, k=4, reference="canonical")
        assert message == "--reference canonical is defined for K in 1..N-1; got k=4 with n=4"


class TestEngineChoice:
    def test_auto_enumerates_what_is_finite_and_small(self) -> None:
        assert compare(spec()).table["engine"].unique().tolist() == ["enumeration"]
        assert compare(spec(policy=NORMAL)).table["engine"].unique().tolist() == ["threshold"]

    def test_auto_goes_on_to_thresholds_and_then_samples(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(enumeration, "MAX_STATES", 27)
        found = compare(spec(policy=LEVELS))
        assert found.table["engine"].unique().tolist() == ["threshold"]
        monkeypatch.setattr(ThresholdEngine, "budget", 215)  # 6 pairs of thresholds × 6²
        found = compare(spec(policy=LEVELS))
        assert found.table["engine"].unique().tolist() == ["monte-carlo"]
        monkeypatch.setattr(enumeration, "MAX_STATES", 28)
        assert compare(spec(policy=LEVELS)).table["engine"].unique().tolist() == ["enumeration"]

    def test_enumeration_is_refused_where_it_cannot_be(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        message = refusal(policy=NORMAL, engine="enumeration")
        assert message.startswith("--engine enumeration needs finitely many reward levels")
        monkeypatch.setattr(enumeration, "MAX_STATES", 27)
        message = refusal(policy=LEVELS, engine="enumeration")
        assert "n=6 with 3 reward levels has 28 count vectors, above the limit of 27" in message
        assert "use --engine auto" in message
        message = refusal(engine="threshold", estimators=("grpo",))
        assert message.startswith("--estimators: grpo is not rank-linear")
        message = refusal(engine="threshold", reference="grpo")
        assert message.startswith("--reference grpo is not rank-linear")

    def test_thresholds_and_samples_share_a_table(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(enumeration, "MAX_STATES", 27)
        mixed = compare(spec(policy=LEVELS, estimators=("all",), groups=20_000)).table
        mixed = mixed.set_index("estimator")
        sampled = {"grpo", "grpo-passk"}
        assert set(mixed.index[mixed["engine"] == "monte-carlo"]) == sampled
        assert set(mixed.index[mixed["engine"] == "threshold"]) >= {"l2o", "ei", "oracle", "rloo"}
        monkeypatch.setattr(enumeration, "MAX_STATES", 28)
        exact = by_name(compare(spec(policy=LEVELS, estimators=("all",))))
        for name, row in mixed.iterrows():
            for figure in ("bias", "variance", "variance_ratio"):
                if np.isnan(exact.loc[name, figure]):
                    assert np.isnan(row[figure]), (name, figure)
                    continue
                error = np.nan_to_num(row[f"{figure}_stderr"])
                apart = abs(row[figure] - exact.loc[name, figure])
                assert apart <= 4 * error + 1e-11, (name, figure)

    def test_prompts_choose_one_by_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """7 states for the 0/1 prompts, 84 for the graded one: that one alone is sampled."""
        monkeypatch.setattr(enumeration, "MAX_STATES", 50)
        monkeypatch.setattr(ThresholdEngine, "budget", 0)
        found = compare(spec(policy=PROMPTS))
        assert found.prompts is not None
        engines = found.prompts.groupby("prompt", sort=False)["engine"].unique().str[0]
        assert engines.to_dict() == {
            "easy": "enumeration",
            "graded": "monte-carlo",
            "hard": "enumeration",
            "twin": "enumeration",
        }
        row = found.table.iloc[0]
        assert (row["engine"], row["states"], row["groups"]) == ("monte-carlo", 21, 2000)
        # 4 standard errors on 7 estimators × 3 figures, fixed seed: error rate 2e-3.
        monkeypatch.setattr(enumeration, "MAX_STATES", 84)
        exact = by_name(compare(spec(policy=PROMPTS)))
        mixed = by_name(found)
        for figure in ("bias", "variance", "variance_ratio"):
            apart = (mixed[figure] - exact[figure]).abs()
            assert (apart <= 4 * mixed[f"{figure}_stderr"] + 1e-11).all(), figure

    def test_sampling_and_enumeration_agree(self) -> None:
        """4 standard errors on 12 estimators × 3 figures, fixed seed: error rate 3e-3."""
        exact = by_name(compare(spec(estimators=("all",))))
        found = by_name(compare(spec(estimators=("all",), engine="monte-carlo", groups=20_000)))
        yardsticks = ["best-linear", "best-mix", "best-constant"]
        assert found.loc[yardsticks, "variance"].isna().all()
        exact, found = exact.drop(index=yardsticks), found.drop(index=yardsticks)
        for figure in ("bias", "variance", "variance_ratio"):
            apart = (found[figure] - exact[figure]).abs()
            assert (apart <= 4 * found[f"{figure}_stderr"] + 1e-11).all(), figure


class TestPrompts:
    def test_only_logged_rewards_have_rows_a_prompt(self) -> None:
        assert compare(spec()).prompts is None
        prompts = compare(spec(policy=PROMPTS, estimators=("ei", "oracle"))).prompts
        assert prompts is not None
        assert tuple(prompts.columns) == ("prompt", *COLUMNS)
        assert prompts["prompt"].tolist() == [label for label in PROMPTS.labels for _ in range(2)]
        assert prompts["estimator"].tolist() == ["ei", "oracle"] * 4
        assert (prompts["policy"] == "logged:log.csv").all()

    def test_a_prompt_has_the_figures_of_its_own_policy(self) -> None:
        prompts = compare(spec(policy=PROMPTS)).prompts
        assert prompts is not None
        own = by_name(compare(spec(policy=PROMPTS.prompts[1])))
        rows = prompts[prompts["prompt"] == "graded"].set_index("estimator")
        figures = ["objective", "gradient_norm", "variance", "variance_ratio", "states"]
        pd.testing.assert_frame_equal(rows[figures], own[figures])

    def test_equal_prompts_have_equal_rows(self) -> None:
        prompts = compare(spec(policy=PROMPTS)).prompts
        assert prompts is not None
        easy, twin = (prompts[prompts["prompt"] == name].iloc[:, 1:] for name in ("easy", "twin"))
        pd.testing.assert_frame_equal(easy.reset_index(drop=True), twin.reset_index(drop=True))

    def test_the_whole_is_the_sum_of_its_prompts(self) -> None:
        found = compare(spec(policy=PROMPTS))
        assert found.prompts is not None
        total = by_name(found)
        for name, rows in found.prompts.groupby("estimator"):
            for figure in ("objective", "variance", "states"):
                assert total[figure][name] == pytest.approx(rows[figure].sum())
            for figure in ("gradient_norm", "bias"):
                norm = np.sqrt((rows[figure] ** 2).sum())
                assert total[figure][name] == pytest.approx(norm, abs=1e-14)

    def test_equal_prompts_are_sampled_one_by_one(self) -> None:
        prompts = compare(spec(policy=PROMPTS, engine="monte-carlo")).prompts
        assert prompts is not None
        easy, twin = (prompts[prompts["prompt"] == name] for name in ("easy", "twin"))
        assert (easy["variance"].to_numpy() != twin["variance"].to_numpy()).all()


class TestRuns:
    @pytest.mark.parametrize("policy", [COIN, NORMAL, PROMPTS], ids=lambda policy: policy.spec)
    def test_a_spec_gives_the_same_table_again(self, policy: object) -> None:
        for engine in ("auto", "monte-carlo"):
            one, two = (compare(spec(policy=policy, engine=engine)).table for _ in range(2))
            pd.testing.assert_frame_equal(one, two, check_exact=True)

    def test_seeds_move_sampled_figures_alone(self) -> None:
        sampled = [compare(spec(engine="monte-carlo", seed=s)).table["variance"] for s in (0, 1)]
        assert (sampled[0] != sampled[1]).all()
        exact = [compare(spec(seed=s)).table["variance"] for s in (0, 1)]
        assert (exact[0] == exact[1]).all()

    @pytest.mark.parametrize("engine", ["auto", "monte-carlo"])
    @pytest.mark.parametrize("policy", [COIN, NORMAL, PROMPTS], ids=lambda policy: policy.spec)
    def test_progress_adds_up_to_the_whole(self, policy: object, engine: str) -> None:
        told: list[float] = []
        compare(spec(policy=policy, engine=engine), told.append)
        assert all(part > 0 for part in told)
        assert sum(told) == pytest.approx(1)

    def test_single_precision_is_close_and_not_the_same(self) -> None:
        double, single = (
            compare(spec(policy=LEVELS, dtype=dtype)).table["variance"]
            for dtype in ("float64", "float32")
        )
        np.testing.assert_allclose(single, double, rtol=1e-5)
        assert (single != double).any()

    def test_a_certain_reward_is_compared_without_figures_that_do_not_exist(self) -> None:
        for p in (0, 1):
            table = compare(
                spec(policy=parse_policy(f"bernoulli:p={p},outcomes=1"), estimators=("all",))
            ).table
            assert (table["variance"] == 0).all()
            assert table[["scale", "variance_ratio", "relative_bias", "snr"]].isna().all(axis=None)

    @pytest.mark.parametrize("engine", ["auto", "monte-carlo"])
    @pytest.mark.parametrize("mean", [-100, 100])
    def test_tiny_and_huge_rewards_have_the_ratios_of_any_other(
        self, mean: int, engine: str
    ) -> None:
        """e^(x + mean) is e^x in another unit, which no ratio sees; the draws are the same."""
        plain, moved = (
            by_name(
                compare(
                    spec(
                        policy=parse_policy(f"gaussian:reward=exp,std=0.5,mean={at}"),
                        engine=engine,
                        rtol=1e-5,
                    )
                )
            )
            for at in (0, mean)
        )
        for figure in ("variance_ratio", "scale", "snr", "variance_ratio_stderr"):
            np.testing.assert_allclose(moved[figure], plain[figure], rtol=1e-5, err_msg=figure)


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"n": 0}, "-n must be at least 1; got 0"),
            ({"k": 0}, "-k must be at least 1; got 0"),
            ({"k": 7}, "-k must be at most the group size -n; got k=7 with n=6"),
            ({"groups": 1}, "--groups must be at least 2; got 1"),
            ({"seed": -1}, "--seed must be from 0 to 2^63 − 1; got -1"),
            ({"engine": "enumerate"}, "unknown --engine 'enumerate'; did you mean 'enumeration'?"),
            ({"dtype": "float16"}, "unknown --dtype 'float16'; did you mean 'float"),
            ({"device": "gpu"}, "--device must be auto, cpu, cuda or cuda:i; got 'gpu'"),
            ({"device": "cuda:x"}, "--device must be auto, cpu, cuda or cuda:i; got 'cuda:x'"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(
        self, changes: dict[str, object], message: str
    ) -> None:
        assert refusal(**changes).startswith(message)

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
    def test_a_device_that_is_not_there_is_refused(self) -> None:
        assert refusal(device="cuda").startswith("--device cuda: torch finds no CUDA device here")
        assert device_of(device="auto") == "cpu"

    def test_the_cpu_is_the_cpu(self) -> None:
        assert find_device("cpu") == torch.device("cpu")
        assert device_of(device="cpu") == "cpu"
        for name in ("cpu:", "cuda:", "CPU", "", "cuda:-1"):
            with pytest.raises(InputError, match="--device"):
                find_device(name)
