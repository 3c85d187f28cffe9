"""The regime of a study: answers never repeat, whichever options are given, unless they say so."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from maxpo_cli.app import app
from maxpo_cli.commands import results
from maxpo_cli.storage.result import read_table
from maxpo_cli.studies.settings import DEFAULT_GRID, DEFAULT_POLICY

Maxpo = Callable[..., Path]
GRID = tuple(word for item in DEFAULT_GRID for word in ("--grid", item))


@pytest.fixture(scope="module")
def maxpo(tmp_path_factory: pytest.TempPathFactory) -> Maxpo:
    """Runs a command once, without figures; gives its folder."""
    folders: dict[tuple[str, ...], Path] = {}
    place = tmp_path_factory.mktemp("regime")

    def run(*arguments: str) -> Path:
        if arguments not in folders:
            folder = place / str(len(folders))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(results, "draw_figures", lambda *_, **__: None)
                options = [*arguments, "--out", str(folder), "-q"]
                done = CliRunner().invoke(app, options, catch_exceptions=False)
            assert done.exit_code == 0, done.output
            folders[arguments] = folder
        return folders[arguments]

    return run


def spec(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "study.json").read_text())["spec"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "options",
    [
        GRID,
        ("--policy", "bernoulli", *GRID),
        ("--policy", "bernoulli:p=0.5", *GRID),
        ("--policy", DEFAULT_POLICY, *GRID, "-n", "16"),
    ],
    ids=["grid", "policy", "policy with p", "everything"],
)
def test_a_sweep_with_its_own_defaults_typed_out_is_the_sweep_without_options(
    options: tuple[str, ...], maxpo: Maxpo
) -> None:
    plain, typed = maxpo("variance-sweep"), maxpo("variance-sweep", *options)
    assert (typed / "table.csv").read_bytes() == (plain / "table.csv").read_bytes()
    assert spec(typed) == spec(plain)


def test_outcomes_inf_typed_out_measures_the_same(maxpo: Maxpo) -> None:
    plain = read_table(maxpo("variance-sweep"))
    typed = read_table(maxpo("variance-sweep", "--policy", "bernoulli:outcomes=inf", *GRID))
    pd.testing.assert_frame_equal(plain, typed, check_exact=True)


def test_the_default_is_the_limit_and_the_bandit_is_another_study(maxpo: Maxpo) -> None:
    """In the limit the length of ∇J vanishes; l2o wins elsewhere than with one logit."""
    limit = read_table(maxpo("variance-sweep"))
    bandit = read_table(maxpo("variance-sweep", "--policy", "bernoulli:outcomes=1", *GRID))
    assert limit["gradient_norm"].isna().all()
    measured = bandit["variance"].notna()
    assert bandit[measured]["gradient_norm"].notna().all()
    cells = ["estimator", "p", "n", "k"]
    both = limit.merge(bandit, on=cells, suffixes=("", "_bandit")).set_index("estimator")
    l2o = both.loc["l2o"]
    assert ((l2o["variance_ratio"] < 1) != (l2o["variance_ratio_bandit"] < 1)).any()


def test_the_limit_is_what_many_answers_come_near_to(maxpo: Maxpo) -> None:
    """A softmax over a million answers of each reward, computed with its own score vectors."""
    million = ("--policy", "categorical:outcomes=1000000", "--grid", "p=0.1,0.5", "-k", "4")
    near = read_table(maxpo("variance-sweep", *million)).set_index(["estimator", "p"])
    limit = read_table(maxpo("variance-sweep", "--grid", "p=0.1,0.5", "-k", "4"))
    limit = limit.set_index(["estimator", "p"])
    for column in ("variance_ratio", "relative_bias", "scale", "objective", "centering_rms"):
        pd.testing.assert_series_equal(near[column], limit[column], rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("policy", ["bernoulli:p=0.1", "bernoulli:p=0.1,outcomes=1"])
@pytest.mark.parametrize("engine", ["auto", "monte-carlo"])
def test_a_comparison_and_a_sweep_of_the_same_cell_have_the_same_rows(
    policy: str, engine: str, maxpo: Maxpo
) -> None:
    shared = ("--policy", policy, "-n", "8", "--engine", engine, "--groups", "3000")
    one = read_table(maxpo("compare", *shared, "-k", "4"))
    cell = read_table(maxpo("variance-sweep", *shared, "--grid", "k=4"))
    pd.testing.assert_frame_equal(one, cell, check_exact=True)


def test_a_comparison_without_options_is_a_cell_of_such_a_sweep(maxpo: Maxpo) -> None:
    one = read_table(maxpo("compare"))
    cell = read_table(maxpo("variance-sweep", "--grid", "p=0.1"))
    assert tuple(cell["p"].unique()) == (0.1,)
    pd.testing.assert_frame_equal(one, cell.drop(columns="p"), check_exact=True)
