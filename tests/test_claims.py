"""What README and the analyses say between and beyond the points of their grids.

Each test quotes what it checks, so that a sentence cannot change without its test, and evaluates it
with the exact engines on success rates, N and K that no study has.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from maxpo_cli import compare, sweep

ROOT = Path(__file__).parents[1]
COUNTS = ROOT / "analyses" / "data" / "pythia_math_counts.csv"
TO_90 = [*np.geomspace(0.0107, 0.85, 23).round(4), 0.47, 0.5, 0.9]
TO_50 = [p for p in TO_90 if p <= 0.5]


def quote(page: str, *sentences: str) -> None:
    """Fails where a page of the analyses, or the README, does not say so, word for word."""
    folder = ROOT if page == "README" else next((ROOT / "analyses").glob(f"{page}*"))
    text = " ".join((folder / "README.md").read_text().split())
    assert [sentence for sentence in sentences if sentence not in text] == []


def ratios(estimators: str = "l2o,ei", reference: str = "ei", **words: object) -> pd.DataFrame:
    """The variance ratios of a sweep, one column per estimator; its cells are the index."""
    options = {key: value for key, value in words.items() if not isinstance(value, list | range)}
    grid = {key: list(value) for key, value in words.items() if isinstance(value, list | range)}
    rows = sweep(estimators=estimators, reference=reference, grid=grid, **options).table
    cells = rows[rows["variance_ratio"].notna()]
    return cells.pivot(index=list(grid), columns="estimator", values="variance_ratio").dropna()


def l2o_over_ei(**words: object) -> pd.Series:
    return ratios(**words)["l2o"]


def level(cells: pd.DataFrame | pd.Series, name: str) -> pd.Index:
    return cells.index.get_level_values(name)


def rule(cells: pd.Series) -> np.ndarray:
    """(1 − p) N/(N − 1), the lower bound."""
    n = level(cells, "n")
    return (1 - level(cells, "p")) * n / (n - 1)


BANDIT = "bernoulli:outcomes=1"
MODEL = "categorical:rewards=0/1,outcomes=1000"


def test_1_the_gains_the_border_and_the_cost_with_one_logit() -> None:
    quote("1-", "2.3 × at N = 16, K = 2, p = 0.30 and 7.7 × at N = 64, K = 2, p = 0.32")
    quote("1-", "p = 0.40 for K = 2, at 0.22 for K = 4 and at 0.11 for K = 8", "up to 34.7 ×")
    near = ratios(policy=BANDIT, n=[16, 64], k=[2], p=[0.295, 0.297, 0.3, 0.322, 0.3245, 0.511])
    gains = 1 / near["l2o"]
    assert (gains[16, 2, 0.297], gains[64, 2, 0.3245]) == pytest.approx((2.30, 7.69), abs=0.005)
    assert near["l2o"][64, 2, 0.511] == pytest.approx(34.66, abs=0.01)
    every = l2o_over_ei(policy=BANDIT, n=[8, 16, 64], k=[2, 3, 4, 7, 12, 24], p=TO_90)
    assert every.max() <= 34.7
    assert (1 / every.xs(16, level="n")).max() <= 2.31
    assert 1 / every.min() <= 7.69
    for k, where in ((2, 0.397), (4, 0.22), (8, 0.1147)):
        found = l2o_over_ei(policy=BANDIT, n=[64], k=[k], p=[where - 0.002, where + 0.002])
        assert found.iloc[0] < 1 < found.iloc[1]


def test_1_half_the_group_is_the_largest_k_at_which_hard_prompts_favour_l2o() -> None:
    quote("1-", "on hard prompts, while K is below N/2", "from K = N/2 on `ei` is quieter at every")
    for n in (9, 10, 24, 41):
        hard = l2o_over_ei(policy=BANDIT, n=[n], k=range(2, n), p=[0.001])
        assert ((hard < 1) == (2 * level(hard, "k") < n)).all()
        half = l2o_over_ei(policy=BANDIT, n=[n], k=range((n + 1) // 2, n, 3), p=TO_90)
        assert half.min() > 1
    quote("1-", "without bound as p → 1")
    easy = l2o_over_ei(policy=BANDIT, n=[8, 16, 64], k=[2, 5], p=[0.9, 0.99, 0.999])
    assert easy.xs(0.999, level="p").min() > 35


def test_2_the_border_the_price_and_the_bounds() -> None:
    quote("README", "**N/(N² − K²)**", "14.3% at N = 8, 6.7% at N = 16 and 1.6% at N = 64")
    quote("2-", "**p = N/(N² − K²)**, or up to 7.6% less", "14.3% at N = 8, 6.7% at N = 16")
    quote("2-", "that leaves 15% at N = 8, 6.4% at N = 16 and 1.5% at N = 64")
    for n in (8, 11, 23, 64, 100):
        for k in sorted({2, n // 3, n // 2, 3 * n // 4, n - 2, n - 1}):
            high = n / (n**2 - k**2)
            around = l2o_over_ei(policy="bernoulli", n=[n], k=[k], p=[0.924 * high, high])
            assert around.iloc[0] > 1 > around.iloc[1] - 1e-12
    sizes = {"n": [8, 11, 16, 37, 64], "k": [2, 3, 5, 7, 10, 15, 36, 63]}
    limit = l2o_over_ei(policy="bernoulli", p=[1e-7, *TO_90, 0.99], **sizes)
    n, k, p = (level(limit, name) for name in "nkp")
    assert (limit / rule(limit)).min() > 1
    assert (limit / rule(limit) * (1 - p * (k - 1) / (n - 1))).max() < 1 + 1e-12
    price = limit.xs(1e-7, level="p").groupby("n").max() - 1
    assert price[[8, 16, 64]].tolist() == pytest.approx([0.143, 0.067, 0.016], abs=5e-4)
    two = (limit / rule(limit))[(k == 2) & (p <= 0.9)].groupby("n").max() - 1
    assert (two[[8, 16, 64]] < [0.148, 0.064, 0.0145]).all()


def test_2_a_thousand_answers_are_close_to_the_limit() -> None:
    quote("2-", "from that limit by 1.7% at most for p up to 0.5, and 3.2% for p up to 0.9")
    sizes = {"n": [8, 13, 16, 41, 64], "k": [2, 3, 7, 11, 16, 21, 31, 32], "p": [0.001, *TO_90]}
    limit = l2o_over_ei(policy="bernoulli", **sizes)
    off = (l2o_over_ei(policy=MODEL, **sizes) / limit - 1).abs()
    assert off[level(off, "p") <= 0.5].max() < 0.017
    assert 0.028 < off.max() < 0.032


def test_2_pkpo_and_pkpo_loo() -> None:
    quote("README", "1 + (K − 1)²/(N − 1) times the variance of `ei`", "nowhere quieter than both")
    quote("2-", "1.02 × at N = 64, K = 2 and 16 × at K = 32, and at p = 0.01 it is 1.05 × and 27 ×")
    sizes = {"n": [5, 8, 16, 27, 64], "k": [2, 3, 4, 7, 15, 32, 60]}
    for policy in ("bernoulli", MODEL):
        rates = [1e-4, 0.001, *TO_90, 0.98]
        cells = ratios("l2o,ei,pkpo,pkpo-loo", policy=policy, p=rates, **sizes)
        assert (cells["pkpo-loo"] > cells[["l2o", "ei"]].min(axis=1) * (1 - 1e-9)).all()
        least = 1 + (level(cells, "k") - 1) ** 2 / (level(cells, "n") - 1)
        repeats = 0 if policy == "bernoulli" else 3e-3  # what 1,000 answers differ from the limit
        assert (cells["pkpo"] / least).min() > 1 - repeats
    said = ratios("ei,pkpo", policy="bernoulli", n=[64], k=[2, 32], p=[1e-7, 0.01])["pkpo"]
    assert said.tolist() == pytest.approx([1.016, 1.05, 16.3, 27], rel=0.02)


def test_3_how_many_answers_are_enough() -> None:
    quote("README", "N/(3M) at most for p ≤ 0.5", "N = 4 to 128, M ≥ 4")
    quote("3-", "**N/(3M)** for p up to 0.5, and N/M for p up to 0.9", "N = 4 to 128")
    for n in (4, 7, 19, 64, 128):
        sizes = {"n": [n], "k": sorted({2, 3, n // 4, n // 2, n - 1} - {0, 1})}
        rates = [0.001, 0.013, 0.04, 0.11, 0.23, 0.37, 0.5, 0.63, 0.78, 0.9]
        few = l2o_over_ei(policy="categorical:rewards=0/1", p=rates, outcomes=[4, 9, 60], **sizes)
        limit = l2o_over_ei(policy="bernoulli", p=rates, **sizes)
        cells = few.unstack("outcomes")
        share = cells.div(limit, axis=0).sub(1).abs().mul(cells.columns, axis=1) / n
        assert share[level(share, "p") <= 0.5].max(axis=None) < 1 / 3
        assert share.max(axis=None) < 1
    quote("3-", "within 6% for p up to 0.5 at N = 8, K = 2, but 31% off at N = 64, K = 4 and 89%")
    ten = {"p": TO_50, "n": [8, 64], "k": [2, 4, 16]}
    limit = l2o_over_ei(policy="bernoulli", **ten)
    off = l2o_over_ei(policy="categorical:rewards=0/1,outcomes=10", **ten) / limit - 1
    worst = off.abs().groupby(["n", "k"]).max()
    assert worst[8, 2] < 0.06
    assert [worst[64, 4], worst[64, 16]] == pytest.approx([0.31, 0.89], abs=0.01)


def test_3_where_pkpo_loo_is_the_quietest() -> None:
    quote(
        "3-", "with one or two at N = 16, up to five at N = 64, and with ten nowhere up to N = 64"
    )
    cells = ratios(
        "l2o,ei,pkpo-loo",
        policy="categorical:rewards=0/1",
        outcomes=[1, 2, 3, 5, 10],
        n=[8, 16, 37, 64],
        k=[2, 3, 4, 5, 9, 16],
        p=TO_90,
    )
    quieter = cells["pkpo-loo"] < cells[["l2o", "ei"]].min(axis=1) * (1 - 1e-9)
    most = quieter[quieter].reset_index().groupby("n")["outcomes"].max()
    assert (most[16], most[64]) == (2, 5)


def test_4_pkpo_grows_and_ei_falls_with_k_at_every_success_rate() -> None:
    quote(
        "4-", "At every p from 0.001 to 0.99 that of `pkpo` grows with K", "J_K and J_K − J_(K−1)"
    )
    grid = {"p": [0.001, *TO_90, 0.99], "k": list(range(1, 16))}
    rows = sweep(policy="bernoulli", n=16, estimators="pkpo,ei", grid=grid).table
    objective = 1 - (1 - rows["p"]) ** rows["k"]
    before = 1 - (1 - rows["p"]) ** (rows["k"] - 1)
    mean = objective - before.where(rows["estimator"] == "ei", 0)
    assert rows["centering_mean"].tolist() == pytest.approx(mean.tolist(), rel=1e-9, abs=1e-14)
    for (name, _), cells in rows.groupby(["estimator", "p"]):
        steps = np.diff(cells.sort_values("k")["centering_rms"])
        assert (steps >= 0).all() if name == "pkpo" else (steps <= 1e-15).all()


def test_5_the_scales_between_the_success_rates_of_the_grid() -> None:
    quote("5-", "`rloo` gives 1/(1 − p)^(K−1) times the gradient, at every p and N")
    quote(
        "5-",
        "(N − 1)/N of it, 15/16 here",
        "between 1.6 and 3.1 times too long at K = 4, for every",
    )
    grid = {"p": [*TO_50, 0.5], "k": [2, 3, 4, 7], "n": [9, 16]}
    grid["p"] = sorted(set(grid["p"]))
    rows = sweep(policy=BANDIT, estimators="rloo,dr-grpo,passk-training", grid=grid).table
    scales = rows.pivot(index=["p", "k", "n"], columns="estimator", values="scale")
    p, k, n = (level(scales, name) for name in "pkn")
    assert scales["rloo"].tolist() == pytest.approx(((1 - p) ** (1 - k)).tolist())
    assert scales["dr-grpo"].tolist() == pytest.approx(((1 - 1 / n) * scales["rloo"]).tolist())
    training = scales["passk-training"][(k == 4) & (n == 16)]
    assert training.between(1.6, 3.1).all()


def test_5_the_directions_at_every_k() -> None:
    quote("5-", "`rloo` and `dr-grpo` turn away as K grows, at every K from 1 to 16")
    rows = sweep(
        rewards=COUNTS,
        group_column="problem",
        n=16,
        estimators="rloo,dr-grpo,l2o",
        grid={"model": ["Pythia 160M", "Pythia 12B"], "k": list(range(1, 17))},
    ).table
    for (name, _), cells in rows.groupby(["estimator", "model"]):
        turned = cells.set_index("k")["misalignment"]
        if name == "l2o":
            assert turned[2:15].max() < 1e-7
        else:
            assert (np.diff(turned) > 1e-3).all()


def test_6_every_k_of_the_quicker_rewards() -> None:
    quote("6-", "up to 4 for `threshold`, 6 for `identity` (0.70 at K = 2) and `clipped-square`")
    quote("6-", "costs 11% at K = 5 and 26% to 48% for K = 6 to 15")
    words = {"policy": "gaussian:mean=-1", "n": 16, "rtol": 1e-4, "k": list(range(2, 16))}
    cells = l2o_over_ei(**words, reward=["threshold", "identity", "clipped-square", "quadratic"])
    by_reward = cells.unstack("reward")
    last = {"threshold": 4, "identity": 6, "clipped-square": 6}
    for reward, k in last.items():
        assert ((by_reward[reward] < 1) == (by_reward.index <= k)).all()
    assert by_reward["threshold"][[5, 6, 15]].tolist() == pytest.approx(
        [1.11, 1.26, 1.48], abs=0.005
    )
    assert by_reward["quadratic"].min() > 1
    assert by_reward["quadratic"].max() == pytest.approx(2.7, abs=0.05)


FIRST = {
    "Pythia 12B": (11, 15, 23, 40),
    "Pythia 6.9B": (13, 17, 25, 41),
    "Pythia 1B": (20, 23, 32, 50),
    "Pythia 160M": (70, 73, 80, 94),
}


@pytest.mark.parametrize("model", FIRST)
def test_7_the_smallest_group_in_which_l2o_is_quieter(model: str) -> None:
    quote("7-", f"| {model} | {' | '.join(map(str, FIRST[model]))} |")
    for k, n in zip((2, 4, 8, 16), FIRST[model], strict=True):
        cells = l2o_over_ei(
            rewards=COUNTS,
            group_column="problem",
            where=f"model={model}",
            n=[n - 1, n, n + 1],
            k=[k],
        )
        assert (cells < 1).tolist() == [False, True, True]


def test_7_the_cost_at_8_and_the_largest_gain() -> None:
    quote("7-", "At N = 8 `l2o` costs 4% to 14% for every model (K = 2 to 7)", "8.6% at most")
    words = {"rewards": COUNTS, "group_column": "problem", "model": list(FIRST)}
    eight = l2o_over_ei(**words, n=[8], k=range(2, 8)) - 1
    assert (eight.min(), eight.max()) == pytest.approx((0.04, 0.14), abs=0.005)
    large = l2o_over_ei(**words, n=[96, 128], k=[2, 3, 5])
    assert 1 - large.min() == pytest.approx(0.086, abs=5e-4)


def test_8_every_n_gains_and_where_l2o_goes_ahead() -> None:
    quote("8-", "For every N up to 512 twice the samples give at least twice the ratio")
    quote("8-", "from N = 11 on for K = 2, 12 for K = 4 and 15 for K = 8")
    grid = {"n": [*range(3, 41), 57, 77, 127, 200, 333, 512], "k": [2, 4, 8]}
    rows = sweep(policy=f"{MODEL},p=0.1", estimators="l2o,ei,oracle", grid=grid).table
    snr = rows[rows["snr"].notna()].pivot(index="n", columns=["k", "estimator"], values="snr")
    per_sample = snr.div(snr.index, axis=0)
    assert per_sample.diff().min(axis=None) > -1e-12
    for k, first in ((2, 11), (4, 12), (8, 15)):
        ahead = (snr[k]["l2o"] > snr[k]["ei"])[lambda rows, k=k: rows.index > k]
        assert (ahead == (ahead.index >= first)).all()


def test_9_the_best_baseline_between_the_points() -> None:
    quote(
        "9-",
        "2% to 7% above the best for p from 0.01 to 0.1, whatever K",
        "within 10.1% up to p = 0.5",
    )
    quote(
        "9-", "within 20% up to p = 0.9", "within 1.1% for p up to 0.03", "within 19.1% of the best"
    )
    rates = sorted({*TO_90, 0.01, 0.03, 0.07, 0.1, 0.45})
    words = {"estimators": "l2o,ei,best-linear", "reference": "best-linear", "n": 16}
    cells = ratios(**words, policy=MODEL, p=rates, k=list(range(2, 16)))
    p, k = level(cells, "p"), level(cells, "k")
    assert cells["l2o"][p <= 0.1].between(1.02, 1.07).all()
    low = cells["l2o"][k <= 4]
    assert low[level(low, "p") <= 0.5].between(1.029, 1.101).all()
    assert low.max() < 1.20
    assert cells["l2o"].max() == pytest.approx(2.27, abs=0.01)
    assert cells["ei"][p <= 0.03].max() < 1.011
    assert 9.9 < cells["ei"].max() < 10
    quieter = cells[["l2o", "ei"]].min(axis=1)[p <= 0.5]
    assert quieter.max() < 1.191
    assert quieter[level(quieter, "k") <= 4].max() < 1.101


def test_9_the_best_baseline_with_one_logit_up_to_0_045() -> None:
    quote("9-", "Up to p = 0.045 both are within 2 × of the best, and `best-mix` within 1%")
    cells = ratios(
        "l2o,ei,best-mix,best-linear",
        "best-linear",
        policy=BANDIT,
        n=16,
        p=[0.003, 0.012, 0.0271, 0.045],
        k=list(range(2, 16)),
    )
    assert cells[["l2o", "ei"]].max(axis=None) < 2
    assert cells["best-mix"].max() < 1.01


def test_logged_samples_are_close_to_the_limit(tmp_path: Path) -> None:
    quote("README", "within a share N/(2S) of it (success rates up to 0.5, N = 8 to 64, S ≥ 2N)")
    for n, samples in ((8, 16), (8, 50), (16, 32), (16, 160), (37, 90), (64, 128), (64, 640)):
        correct = sorted({1, *(round(p * samples) for p in (0.02, 0.1, 0.3, 0.5))} - {0})
        counts = pd.DataFrame({"prompt": correct, "samples": samples, "correct": correct})
        counts.to_csv(tmp_path / "log.csv", index=False)
        for k in (2, 4, n // 4, n // 2, n - 1):
            words = {"n": n, "k": k, "estimators": "l2o,ei"}
            prompts = compare(rewards=tmp_path / "log.csv", **words).prompts
            assert prompts is not None
            logged = prompts[prompts["estimator"] == "l2o"]["variance_ratio"].to_numpy()
            limit = l2o_over_ei(policy="bernoulli", n=[n], k=[k], p=[c / samples for c in correct])
            assert abs(logged / limit.to_numpy() - 1).max() < n / (2 * samples)


def test_the_cost_of_l2o_over_sorting() -> None:
    quote("README", "about a fifth more from N = 64 to 4,096")
    rows = pd.read_csv(ROOT / "results" / "bench-cpu-amd-epyc-k4" / "table.csv")
    more = rows[(rows["what"] == "l2o") & (rows["n"] >= 64)]["floor_ratio"]
    assert more.between(1.1, 1.3).all()


def test_passk_training_has_no_value_on_continuous_rewards() -> None:
    quote("README", "`passk-training` is defined for rewards of 0 and 1 only")
    rows = sweep(
        policy="gaussian", n=4, grid={"k": [2]}, groups=64, estimators="l2o,grpo,passk-training"
    ).table.set_index("estimator")
    assert rows["variance"].notna().to_dict() == {
        "l2o": True,
        "grpo": True,
        "passk-training": False,
    }
    assert "0/1 rewards" in rows["note"]["passk-training"]
