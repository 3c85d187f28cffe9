"""Exact engines where float64 is short of digits: nine of them, or an empty cell with its note."""

import math

import exact_extremes
import pytest

from maxpo_cli import compare
from maxpo_cli.errors import InputError
from maxpo_cli.policies.spec import parse_policy

FEW = [case for case in exact_extremes.cases(80, seed=1) if case.n <= 16][:12]


@pytest.mark.parametrize("case", FEW, ids=lambda case: f"{case.policy}-n{case.n}-k{case.k}")
def test_every_metric_has_nine_digits_or_a_note(case: exact_extremes.Case) -> None:
    found = exact_extremes.errors(case)
    assert len(found) > 50
    wrong = found[found["error"] > exact_extremes.DIGITS]
    assert wrong.empty, wrong.to_string()


def metrics(policy: str, n: int, k: int, *estimators: str) -> dict[str, dict[str, float]]:
    """Exact rows by estimator."""
    found = compare(policy=policy, n=n, k=k, estimators=list(estimators), reference="ei")
    return found.table.set_index("estimator").to_dict("index")


@pytest.mark.parametrize("outcomes", ["inf", "1"])
@pytest.mark.parametrize(("n", "k"), [(16, 2), (16, 8), (16, 15), (8, 7), (32, 24)])
@pytest.mark.parametrize("p", [0.01, 0.5, 0.9, 0.97])
def test_no_best_baseline_is_above_a_member_of_its_family(
    p: float, n: int, k: int, outcomes: str
) -> None:
    found = metrics(
        f"bernoulli:p={p},outcomes={outcomes}", n, k, "ei", "l2o", "best-mix", "best-linear"
    )
    variance = {
        name: math.nan if row["variance"] is None else row["variance"]
        for name, row in found.items()
    }
    members = min(variance["ei"], variance["l2o"])
    for better, worse in (
        (variance["best-mix"], members),
        (variance["best-linear"], variance["best-mix"]),
        (variance["best-linear"], members),
    ):
        assert not better > worse * (1 + 1e-9)
    for name in ("best-mix", "best-linear"):
        assert variance[name] > 0 or found[name]["note"]


def test_the_best_mix_where_the_max_is_nearly_certain() -> None:
    """0.9, N = 16, K = 15: 1.85e-16 in 60 digits, where `ei` has 2.78e-16."""
    found = metrics("bernoulli:p=0.9,outcomes=1", 16, 15, "ei", "best-mix")
    assert found["ei"]["variance"] == pytest.approx(2.78e-16, rel=2e-3)
    assert found["best-mix"]["variance"] == pytest.approx(1.85e-16, rel=3e-3)


@pytest.mark.parametrize("p", [1e-9, 1e-12, 1e-18, 1e-30])
def test_a_level_as_rare_as_can_be_leaves_l2o_unbiased(p: float) -> None:
    """The gradient of a softmax over two levels is K p along (1, −1)/√2 · √2 to first order."""
    policy = f"categorical:rewards=0/1,probs={1 - p!r}/{p!r},outcomes=1"
    found = metrics(policy, 8, 2, "l2o", "ei")
    for row in found.values():
        assert row["relative_bias"] < 1e-9
        assert row["scale"] == pytest.approx(1, rel=1e-9)
        assert row["gradient_norm"] == pytest.approx(2 * p * math.sqrt(2), rel=1e-6)


def test_no_bias_is_masked_beside_a_scale_that_is_not_1() -> None:
    row = metrics("bernoulli:p=0.02", 256, 128, "canonical-plugin")["canonical-plugin"]
    if row["scale"] is not None and not math.isnan(row["scale"]):
        assert row["relative_bias"] == pytest.approx(1 - row["scale"], rel=1e-6)
    else:
        assert row["note"]


class TestPoliciesAtTheEdge:
    @pytest.mark.parametrize(
        "spec",
        [
            "gaussian:reward=quad-sin,f=30,std=0.01",
            "gaussian:reward=quad-sin,f=300,std=0.001,mean=2",
            "gaussian:reward=quad-sin,a=50,f=20,std=0.05",
        ],
    )
    def test_many_turns_out_of_reach_are_no_obstacle(self, spec: str) -> None:
        row = metrics(spec, 4, 2, "ei", "l2o")["l2o"]
        assert row["relative_bias"] < 1e-6
        assert row["variance"] > 0

    @pytest.mark.parametrize(
        "spec",
        [
            "gaussian:reward=quad-sin,std=1e5",
            "gaussian:reward=quad-sin,f=1e6",
            "gaussian:reward=quadratic,mean=1e6,std=1e-6",
            "gaussian:std=1e-11,mean=1",
            "gaussian:reward=clipped-square,mean=100",
        ],
    )
    def test_what_float64_cannot_tell_is_refused(self, spec: str) -> None:
        with pytest.raises(InputError, match="gaussian"):
            metrics(spec, 4, 2, "ei", "l2o")

    @pytest.mark.parametrize("probs", ["0.3333333/0.3333333/0.3333333", "0.5/0.25/0.2499995"])
    def test_a_published_table_is_taken_and_said_to_be_divided_by_its_sum(self, probs: str) -> None:
        row = metrics(f"categorical:rewards=0/1/2,probs={probs}", 4, 2, "ei")["ei"]
        assert "divided by it" in row["note"]

    @pytest.mark.parametrize("probs", ["0.333333/0.333333/0.33333", "0.5/0.25/0.26"])
    def test_what_does_not_sum_to_1_is_refused(self, probs: str) -> None:
        with pytest.raises(InputError, match="sum to 1"):
            parse_policy(f"categorical:rewards=0/1/2,probs={probs}")
