"""What a row of a sampled estimator says of what a sample cannot know."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from maxpo_cli import compare
from maxpo_cli.app import app
from maxpo_cli.metrics.significance import is_biased


def table(policy: str, n: int, k: int, groups: int, *estimators: str) -> pd.DataFrame:
    found = compare(
        policy=policy, n=n, k=k, groups=groups, estimators=list(estimators), engine="monte-carlo"
    )
    return found.table.set_index("estimator")


def test_a_sample_of_zeros_is_no_certainty() -> None:
    found = table("gaussian:reward=clipped-square,mean=8", 4, 2, 64, "ei", "l2o", "grpo")
    assert found["note"].str.contains("every sampled group gave 0").all()
    assert (
        found[["variance", "relative_bias", "bias_z", "variance_ratio", "mse"]]
        .isna()
        .all(axis=None)
    )
    assert found["objective"].notna().all()


def test_a_sample_that_missed_what_matters_is_no_bias() -> None:
    found = table("gaussian:reward=clipped-square,mean=6", 8, 4, 2000, "ei", "l2o")
    assert found["note"].str.contains("far from the one it claims").all()
    assert found["note"].str.contains("few groups").all()
    assert found[["bias_z", "relative_bias", "variance", "variance_ratio"]].isna().all(axis=None)
    assert not is_biased(found).any()


def test_an_unknown_scale_gives_no_ratio_and_says_why() -> None:
    found = table("gaussian:reward=quad-sin,std=2", 8, 2, 2000, "ei", "l2o", "rloo")
    assert math.isnan(found.loc["rloo", "variance_ratio"])
    assert "not told from 0" in found.loc["rloo", "note"]
    assert found.loc["l2o", "variance_ratio"] == pytest.approx(0.9913, abs=0.25)
    assert not found.loc["l2o", "note"]


def test_a_bias_without_noise_is_a_bias() -> None:
    """With one logit and p = 1/2 the oracle's ĝ is the same in every group; so is a shorter one."""
    found = table("bernoulli:p=0.5,outcomes=1", 8, 2, 2000, "ei", "oracle", "rloo")
    assert not is_biased(found)["oracle"]
    assert is_biased(found)["rloo"]
    assert pd.isna(found.loc["oracle", "bias_z"])


def test_json_has_no_infinity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = "compare --policy bernoulli:p=0.02,outcomes=1 -n 16 -k 2 --groups 64 --engine"
    for seed in ("0", "1", "2"):
        ran = CliRunner().invoke(
            app, [*arguments.split(), "monte-carlo", "--seed", seed, "--json", "--overwrite"]
        )
        assert ran.exit_code == 0

        def refuse(word: str) -> float:
            raise AssertionError(word)

        json.loads(ran.stdout, parse_constant=refuse)
