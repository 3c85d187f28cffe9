"""`compare` and `sweep` in Python: the words, the tables and the refusals of the command line."""

import doctest
import json
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import maxpo_cli
from maxpo_cli import InputError, compare, sweep
from maxpo_cli.app import app
from maxpo_cli.commands import results
from maxpo_cli.studies import api
from maxpo_cli.studies.settings import StudyOptions, SweepOptions

LOG = "prompt,reward,model\n" + "".join(
    f"{prompt},{(i * prompt) % 3},{model}\n"
    for model in "ab"
    for prompt in (1, 2)
    for i in range(5 + prompt)
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with logged rewards in it; commands draw no figures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(results, "draw_figures", lambda *_, **__: None)
    (tmp_path / "log.csv").write_text(LOG)
    return tmp_path


def command(*arguments: str) -> tuple[Path, str]:
    """The result folder of a command, and what it said where it was refused."""
    done = CliRunner().invoke(app, [*arguments, "-q", "--out", "there"])
    return Path("there"), str(done.exception) if done.exit_code else ""


def csv(table: pd.DataFrame) -> str:
    return str(table.to_csv(index=False, lineterminator="\n"))


COMPARISONS: dict[str, dict[str, Any]] = {
    "": {},
    "--policy bernoulli:p=0.3,outcomes=1 -n 6 -k 2 --estimators all": {
        "policy": "bernoulli:p=0.3,outcomes=1", "n": 6, "k": 2, "estimators": "all",
    },
    "--policy gaussian:std=2 -n 4 -k 2 --engine monte-carlo --groups 5e2 --seed 3 --dtype float32 "
    "--reference l2o --estimators ei,rloo --until-rel-error 0.5": {
        "policy": "gaussian:std=2", "n": 4, "k": 2, "engine": "monte-carlo", "groups": 500,
        "seed": 3, "dtype": "float32", "reference": "l2o", "estimators": ["ei", "rloo"],
        "until_rel_error": 0.5,
    },
    "--rewards log.csv --where model=a -n 4 -k 2": {
        "rewards": Path("log.csv"), "where": "model=a", "n": 4, "k": 2,
    },
}  # fmt: skip

SWEEPS: dict[str, dict[str, Any]] = {
    "": {},
    "-k 3 -n 8": {"k": 3, "n": 8},
    "--policy bernoulli --grid p=0.1:0.5:3 --grid k=1,9 -n 6": {
        "policy": "bernoulli", "grid": {"p": "0.1:0.5:3", "k": [1, 9]}, "n": 6,
    },
    "--rewards log.csv --grid model=a,b --grid k=2,3 -n 4": {
        "rewards": "log.csv", "grid": {"model": ["a", "b"], "k": (2, 3)}, "n": 4,
    },
}  # fmt: skip


@pytest.mark.usefixtures("here")
class TestTables:
    @pytest.mark.parametrize("arguments", COMPARISONS)
    def test_a_comparison_is_that_of_the_command_bit_for_bit(self, arguments: str) -> None:
        found = compare(**COMPARISONS[arguments])
        folder, said = command("compare", *arguments.split())
        assert said == ""
        assert csv(found.table) == (folder / "table.csv").read_text()
        prompts = folder / "prompts.csv"
        assert (found.prompts is not None) == prompts.exists() == ("rewards" in arguments)
        if found.prompts is not None:
            assert csv(found.prompts) == prompts.read_text()

    @pytest.mark.parametrize("arguments", SWEEPS)
    def test_a_sweep_is_that_of_the_command_bit_for_bit(self, arguments: str) -> None:
        found = sweep(**SWEEPS[arguments])
        folder, said = command("variance-sweep", *arguments.split())
        assert said == ""
        assert csv(found.table) == (folder / "table.csv").read_text()
        assert found.prompts is None

    @pytest.mark.parametrize("arguments", [*COMPARISONS, *SWEEPS])
    def test_the_study_is_that_of_the_command(self, arguments: str) -> None:
        name, run, words = (
            ("compare", compare, COMPARISONS[arguments])
            if arguments in COMPARISONS
            else ("variance-sweep", sweep, SWEEPS[arguments])
        )
        folder, _ = command(name, *arguments.split())
        written = json.loads((folder / "study.json").read_text())
        study = run(**words).study.to_json()  # type: ignore[operator]
        assert set(written["seconds"]) == set(study["seconds"])
        for key in ("command_line", "created", "seconds", "table_sha256"):
            written.pop(key, None)
            study.pop(key, None)
        assert study == written

    def test_nothing_is_written(self, here: Path) -> None:
        compare(n=4, k=2)
        sweep(grid={"p": 0.5}, n=4, k=2)
        assert {path.name for path in here.iterdir()} == {"log.csv"}


class TestWords:
    def test_the_words_of_compare_are_the_study_options(self) -> None:
        assert set(api.Words.__annotations__) == {field.name for field in fields(StudyOptions)}

    def test_the_words_of_sweep_are_the_sweep_options(self) -> None:
        assert set(api.SweepWords.__annotations__) == {f.name for f in fields(SweepOptions)}

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ({"estimator": "l2o"}, "unknown word 'estimator'; did you mean 'estimators'?"),
            ({"grid": "k=2"}, "unknown word 'grid'"),
            ({"polcy": "bernoulli:p=0.1"}, "unknown word 'polcy'; did you mean 'policy'?"),
            ({"estimators": 3}, "estimators cannot be 3"),
            ({"policy": 3}, "policy cannot be 3"),
            ({"rtol": "small"}, "rtol cannot be 'small'"),
            ({"engine": None}, "engine cannot be None"),
        ],
    )
    def test_a_word_or_a_value_of_none_of_them_is_refused(
        self, words: dict[str, Any], said: str
    ) -> None:
        with pytest.raises(InputError, match=re.escape(said)):
            compare(**words)

    def test_numbers_of_other_libraries_are_numbers(self) -> None:
        names = np.array(["l2o", "ei"])
        found = compare(n=np.int64(8), k=2.0, rtol=np.float32(1e-3), estimators=names)
        assert found.table["estimator"].tolist() == ["l2o", "ei"]

    @pytest.mark.parametrize("names", ["l2o,ei", "l2o, ei", ["l2o", "ei"], ("l2o", "ei", "l2o")])
    def test_estimators_are_a_text_or_several(self, names: str | list[str]) -> None:
        found = compare(estimators=names, n=4, k=2)
        assert found.table["estimator"].tolist() == ["l2o", "ei"]
        assert found.study.spec["estimators"] == ["l2o", "ei"]

    @pytest.mark.parametrize(
        "grid",
        [
            {"p": [0.1, 0.5], "k": (1, 2)},
            {"p": "0.1,0.5", "k": "1:2:2"},
            {"p": ["0.1", 0.50], "k": range(1, 3)},
            {"p": np.array([0.1, 0.5]), "k": np.arange(1, 3)},
            {"p": pd.Series([0.1, 0.5]), "k": {1: None, 2: None}},
            ["p=0.1,0.5", "k=1,2"],
        ],
        ids=["numbers", "texts", "mixed", "arrays", "iterables", "items"],
    )
    def test_a_grid_is_a_mapping_or_items(self, grid: Any) -> None:
        found = sweep(grid=grid, n=3, estimators="ei").table
        cells = found[["p", "k"]].astype(float).to_numpy().tolist()
        assert cells == [[0.1, 1], [0.1, 2], [0.5, 1], [0.5, 2]]

    @pytest.mark.parametrize("grid", [{"p": 0.5}, {"p": "0.5"}, "p=0.5", ["p=0.5"]])
    def test_one_value_or_item_needs_no_list(self, grid: Any) -> None:
        assert sweep(grid=grid, n=3, k=2).study.spec["grid"] == {"p": "0.5"}

    @pytest.mark.parametrize("where", ["model=a", ["model=a"]])
    def test_one_condition_needs_no_list(self, where: str | list[str], here: Path) -> None:
        found = compare(rewards=here / "log.csv", where=where, n=4, k=2)
        assert found.table["policy"].unique().tolist() == ["logged:log.csv[model=a]"]

    def test_whole_numbers_may_be_of_any_type(self) -> None:
        plain = compare(n=6, k=2, engine="monte-carlo", groups=500, seed=1)
        found = compare(n=np.int64(6), k=2.0, engine="monte-carlo", groups=5e2, seed=np.int32(1))  # type: ignore[arg-type]
        pd.testing.assert_frame_equal(found.table, plain.table, check_exact=True)
        assert found.study.to_json()["spec"] == plain.study.to_json()["spec"]


REFUSED: list[tuple[Callable[..., object], dict[str, Any], tuple[str, ...]]] = [
    (compare, {"n": 4, "k": 9}, ("-n", "4", "-k", "9")),
    (compare, {"policy": "bernouli:p=0.1"}, ("--policy", "bernouli:p=0.1")),
    (compare, {"policy": "bernoulli:p=0.1", "rewards": "log.csv"},
     ("--policy", "bernoulli:p=0.1", "--rewards", "log.csv")),
    (compare, {"rewards": "none.csv"}, ("--rewards", "none.csv")),
    (compare, {"where": ["model=a"]}, ("--where", "model=a")),
    (compare, {"estimators": ["l20"]}, ("--estimators", "l20")),
    (compare, {"estimators": "l2o", "k": 16}, ("--estimators", "l2o", "-k", "16")),
    (compare, {"reference": "l2o", "k": 1}, ("--reference", "l2o", "-k", "1")),
    (compare, {"engine": "exact"}, ("--engine", "exact")),
    (compare, {"groups": 1}, ("--groups", "1")),
    (compare, {"device": "gpu"}, ("--device", "gpu")),
    (sweep, {"policy": "bernoulli:p=0.5"}, ("--policy", "bernoulli:p=0.5")),
    (sweep, {"grid": {"q": [1]}}, ("--grid", "q=1")),
    (sweep, {"grid": {"k": []}}, ("--grid", "k=")),
    (sweep, {"grid": {"p": [0.5, 1.5]}}, ("--grid", "p=0.5,1.5")),
    (sweep, {"grid": {"k": [1, 2]}, "k": 2}, ("--grid", "k=1,2", "-k", "2")),
    (sweep, {"grid": ["n=4", "p=0.5"], "n": 4}, ("--grid", "n=4", "--grid", "p=0.5", "-n", "4")),
    (sweep, {"grid": ["k=1", "k=2"]}, ("--grid", "k=1", "--grid", "k=2")),
]  # fmt: skip


@pytest.mark.usefixtures("here")
class TestRefusals:
    @pytest.mark.parametrize(
        ("function", "words", "arguments"), REFUSED, ids=[" ".join(each[2]) for each in REFUSED]
    )
    def test_what_the_command_refuses_is_refused_in_its_words(
        self, function: Callable[..., object], words: dict[str, Any], arguments: tuple[str, ...]
    ) -> None:
        name = "compare" if function is compare else "variance-sweep"
        folder, said = command(name, *arguments)
        assert said
        assert not folder.exists()
        with pytest.raises(InputError) as caught:
            function(**words)
        assert str(caught.value) == said

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ({"n": 8.5}, "-n must be a whole number; got 8.5"),
            ({"n": "8"}, "-n must be a whole number; got '8'"),
            ({"k": None}, "-k must be a whole number; got None"),
            ({"groups": float("inf")}, "--groups must be a whole number; got inf"),
            ({"seed": float("nan")}, "--seed must be a whole number; got nan"),
        ],
    )
    def test_a_number_that_is_not_whole_is_named(self, words: dict[str, Any], said: str) -> None:
        with pytest.raises(InputError) as caught:
            compare(**words)
        assert str(caught.value) == said


def test_the_examples_of_the_docstrings_print_what_they_show() -> None:
    found = doctest.testmod(api, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.attempted >= 4
    assert found.failed == 0


def test_the_package_offers_the_functions_by_name() -> None:
    assert (maxpo_cli.compare, maxpo_cli.sweep) == (api.compare, api.sweep)
    assert {"compare", "sweep", "StudyResult"} <= set(dir(maxpo_cli))
