"""Rewards at the ends of what numbers can hold: JSON without NaN or infinity, or a sentence."""

import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from maxpo_cli.app import app
from maxpo_cli.errors import InputError
from maxpo_cli.studies.api import compare


def no_constant(name: str) -> None:
    raise AssertionError(f"{name} in JSON")


@pytest.mark.parametrize(
    "words",
    [
        ("--policy", "categorical:rewards=1/1,probs=0.5/0.5"),
        ("--policy", "bernoulli:p=1"),
        ("--policy", "bernoulli:p=1e-300"),
        ("--policy", "bernoulli:p=0.1,outcomes=inf"),
        ("--policy", "categorical:rewards=0/1e69,probs=0.5/0.5"),
        ("--policy", "categorical:rewards=0/1e30,probs=0.5/0.5", "--dtype", "float32"),
        ("--policy", "gaussian:mean=1e9,std=1e-9", "--engine", "monte-carlo"),
        ("--rewards", "ones.csv"),
    ],
)
def test_json_has_no_nan_and_no_infinity(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ones.csv").write_text("prompt,reward\n" + "a,1\n" * 6)
    given = ["compare", *words, "-n", "4", "-k", "2", "--groups", "128", "--device", "cpu"]
    done = CliRunner().invoke(app, [*given, "--estimators", "l2o,grpo", "--json", "--out", "here"])
    assert isinstance(done.exception, InputError) or done.exit_code == 0
    if done.exit_code == 0:
        found = json.loads(done.stdout, parse_constant=no_constant)
        assert [row["estimator"] for row in found["rows"]] == ["l2o", "grpo"]


@pytest.mark.parametrize("engine", ["auto", "enumeration", "monte-carlo"])
@pytest.mark.parametrize("reward", ["1e39", "-1e36", "1e-39"])
def test_rewards_beyond_float32_are_refused_there(engine: str, reward: str) -> None:
    policy = f"categorical:rewards=0/{reward},probs=0.5/0.5"
    words = {"policy": policy, "n": 4, "k": 2, "engine": engine, "groups": 128, "device": "cpu"}
    with pytest.raises(InputError, match=r"--dtype float32 holds rewards from .* use float64"):
        compare(dtype="float32", **words)  # type: ignore[arg-type]
    assert (compare(**words).table["variance"] > 0).all()  # type: ignore[arg-type]


def test_a_mean_beyond_float32_is_refused_there() -> None:
    with pytest.raises(InputError, match="--dtype float32 holds"):
        compare(policy="gaussian:mean=1e39,std=1e39", n=4, k=2, dtype="float32", device="cpu")


@pytest.mark.parametrize("reward", ["1e71", "1e308", "1e-300"])
def test_rewards_whose_squares_overflow_are_refused(reward: str) -> None:
    with pytest.raises(InputError, match="rewards must be 0 or from 1e-70 to 1e70"):
        compare(policy=f"categorical:rewards=0/{reward},probs=0.5/0.5", n=4, k=2, device="cpu")


def test_within_its_range_float32_agrees_with_float64() -> None:
    for reward in ("1e30", "1e-30"):
        policy = f"categorical:rewards=0/{reward},probs=0.5/0.5"
        one, other = (
            compare(policy=policy, n=4, k=2, dtype=dtype, device="cpu", estimators="l2o,ei").table
            for dtype in ("float32", "float64")
        )
        for a, b in zip(one["variance_ratio"], other["variance_ratio"], strict=True):
            assert math.isclose(a, b, rel_tol=1e-5)
