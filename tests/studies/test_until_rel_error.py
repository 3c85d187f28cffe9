"""`until_rel_error`: sampling stops when every ratio is known well enough, and not before."""

import numpy as np
import pandas as pd
import pytest
from oracles.studies import comparison, sweep_of, table_of

from maxpo_cli.engines.enumeration import Enumeration
from maxpo_cli.engines.monte_carlo import sampler as monte_carlo
from maxpo_cli.engines.monte_carlo.engine import FIRST_LOOK
from maxpo_cli.engines.threshold.engine import ThresholdEngine
from maxpo_cli.errors import InputError
from maxpo_cli.policies.logged import Logged, prompt_of_counts
from maxpo_cli.policies.policy import Policy
from maxpo_cli.policies.spec import parse_policy

COIN = parse_policy("bernoulli:p=0.2,outcomes=1")
NORMAL = parse_policy("gaussian:reward=exp,std=0.5")
PROMPTS = Logged(
    "log.csv",
    ("easy", "graded", "hard"),
    (
        prompt_of_counts((0.0, 1.0), (3, 7)),
        prompt_of_counts((0.0, 0.25, 0.5, 1.0), (3, 3, 2, 2)),
        prompt_of_counts((0.0, 1.0), (8, 2)),
    ),
)


def table(policy: Policy = COIN, n: int = 5, k: int = 2, **changes: object) -> pd.DataFrame:
    options = {
        "engine": "monte-carlo",
        "groups": 400_000,
        "estimators": ("l2o", "pkpo", "ei", "rloo"),
    } | changes
    return comparison(policy, n, k, **options).table.set_index("estimator")  # type: ignore[arg-type]


def worst(found: pd.DataFrame) -> float:
    return float((found["variance_ratio_stderr"] / found["variance_ratio"]).max())


@pytest.mark.parametrize("policy", [COIN, NORMAL, PROMPTS], ids=["coin", "normal", "prompts"])
@pytest.mark.parametrize("tolerance", [0.1, 0.01, 0.004])
def test_stops_once_every_ratio_is_known(policy: Policy, tolerance: float) -> None:
    problems = len(policy.problems)
    limit = 300_000
    found = table(policy, groups=limit, until_rel_error=tolerance)
    (groups,) = set(found["groups"])
    assert worst(found) <= tolerance or groups == limit * problems
    assert FIRST_LOOK * problems <= groups <= limit * problems


@pytest.mark.parametrize(
    ("policy", "tolerance"), [(COIN, 0.004), (NORMAL, 0.01)], ids=["coin", "normal"]
)
def test_does_not_go_on_after_the_look_at_which_every_ratio_is_known(
    policy: Policy, tolerance: float
) -> None:
    found = table(policy, groups=300_000, until_rel_error=tolerance)
    (groups,) = set(found["groups"])
    assert FIRST_LOOK < groups < 300_000
    # A look earlier, on the same draws, it was not known.
    before = table(policy, groups=int(groups / 1.25), seed=0)
    assert worst(before) > tolerance * 0.9


def test_a_lenient_tolerance_stops_at_the_first_look() -> None:
    assert set(table(until_rel_error=0.5)["groups"]) == {FIRST_LOOK}


def test_an_unreachable_tolerance_ends_at_the_limit_with_the_plain_figures() -> None:
    plain = table(groups=40_000)
    until = table(groups=40_000, until_rel_error=1e-6)
    pd.testing.assert_frame_equal(plain, until, check_exact=True)


def test_a_limit_below_the_first_look_is_kept() -> None:
    assert set(table(groups=100, until_rel_error=0.5)["groups"]) == {100}


@pytest.mark.parametrize("policy", [COIN, NORMAL, PROMPTS], ids=["coin", "normal", "prompts"])
def test_a_seed_gives_the_same_however_much_is_drawn_at_once(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = table(policy, until_rel_error=0.01, seed=4)
    monkeypatch.setattr(monte_carlo, "CPU_PASS", 1)
    two = table(policy, until_rel_error=0.01, seed=4)
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_a_k_stops_by_itself_as_if_it_were_alone() -> None:
    spec = sweep_of(
        "bernoulli:p=0.05,outcomes=1", "k=1,2,4", n=6, groups=200_000,
        engine="monte-carlo", until_rel_error=0.003, estimators=("ei", "pkpo"),
    )  # fmt: skip
    found = table_of(spec)
    groups = found.drop_duplicates("k").set_index("k")["groups"]
    assert groups.nunique() > 1
    for k, rows in found.groupby("k"):
        alone = table(
            parse_policy("bernoulli:p=0.05,outcomes=1"), 6, int(k),
            groups=200_000, until_rel_error=0.003, estimators=("ei", "pkpo"),
        )  # fmt: skip
        expected = alone.reset_index()[list(rows.columns)]
        pd.testing.assert_frame_equal(rows.reset_index(drop=True), expected, check_exact=True)


@pytest.mark.parametrize("policy", [COIN, PROMPTS], ids=["coin", "prompts"])
def test_ratios_are_within_four_standard_errors_of_the_exact_ones(policy: Policy) -> None:
    """3 ratios × 5 seeds a policy: one beyond 4 standard errors in 1,000 runs."""
    exact = table(policy, engine="enumeration")["variance_ratio"]
    for seed in range(5):
        found = table(policy, until_rel_error=0.02, seed=seed)
        away = (found["variance_ratio"] - exact).abs()
        assert (away <= 4 * found["variance_ratio_stderr"] + 1e-12).all()


def test_exact_problems_are_left_alone() -> None:
    found = table(engine="auto", until_rel_error=0.1)
    assert set(found["engine"]) == {"enumeration"}
    assert found["groups"].isna().all()


def test_exact_and_sampled_prompts_stop_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Enumeration, "budget", 50)
    monkeypatch.setattr(ThresholdEngine, "budget", 0)
    found = table(PROMPTS, engine="auto", until_rel_error=0.02)
    assert worst(found) <= 0.02
    (groups,) = set(found["groups"])
    assert FIRST_LOOK <= groups <= 400_000
    exact = table(PROMPTS, engine="enumeration")["variance_ratio"]
    away = (found["variance_ratio"] - exact).abs()
    assert (away <= 4 * found["variance_ratio_stderr"] + 1e-12).all()


@pytest.mark.parametrize("tolerance", [0.0, -0.1, 1.0, 2.0, np.nan, np.inf])
def test_a_tolerance_that_is_no_share_is_refused(tolerance: float) -> None:
    with pytest.raises(InputError, match="--until-rel-error must be above 0 and below 1"):
        table(until_rel_error=tolerance)
