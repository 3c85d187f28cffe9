"""The committed analyses: exact ones are what their studies give, and what is said is so."""

import json
import re
import shutil
import tomllib
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.testing.compare import compare_images
from typer.testing import CliRunner

from maxpo_cli.app import app
from maxpo_cli.storage.result import read_table

ROOT = Path(__file__).parents[1]
STUDIES = {
    str(path.relative_to(ROOT / "analyses")): path
    for path in sorted((ROOT / "analyses").glob("*/*.toml"))
}
PAGES = sorted((ROOT / "analyses").glob("**/README.md"))


def result_of(name: str) -> Path:
    return ROOT / tomllib.loads(STUDIES[name].read_text())["out"]


@lru_cache
def table(question: str) -> pd.DataFrame:
    folders = sorted((ROOT / "results").glob(f"{question}*"))
    return read_table(folders[0])


def ratios(question: str, **cell: object) -> pd.Series:
    """The variance ratios of `l2o` over `ei` in the cells with these values, largest index last."""
    rows = table(question)
    rows = rows[(rows["estimator"] == "l2o") & rows["variance_ratio"].notna()]
    for column, value in cell.items():
        close = np.isclose(rows[column], value, rtol=0.02) if isinstance(value, float) else None
        rows = rows[rows[column] == value if close is None else close]
    assert len(rows)
    return rows.set_index("k")["variance_ratio"]


def value(question: str, column: str, estimator: str, **cell: object) -> float:
    rows = table(question)
    rows = rows[rows["estimator"] == estimator]
    for name, wanted in cell.items():
        rows = rows[np.isclose(rows[name], wanted, rtol=0.02)] if isinstance(
            wanted, float
        ) else rows[rows[name] == wanted]  # fmt: skip
    (found,) = rows[column]
    return float(found)


def invoke(*arguments: str) -> None:
    assert CliRunner().invoke(app, arguments, catch_exceptions=False).exit_code == 0


def check_figures(name: str, figures: Path) -> None:
    """The figures are those that are committed."""
    drawn = sorted(figures.glob("*.png"))
    committed = sorted((result_of(name) / "figures").glob("*.png"))
    assert drawn
    assert [path.name for path in drawn] == [path.name for path in committed]
    for path, old in zip(drawn, committed, strict=True):
        # The tolerance allows for text that another matplotlib places a fraction of a pixel off.
        assert compare_images(str(old), str(path), tol=8) is None


SLOW = "6-continuous-rewards/study.toml"
"""A study that takes longer than the others together, for two of its rewards."""


@pytest.mark.parametrize("name", sorted(STUDIES.keys() - {SLOW}))
def test_an_exact_study_gives_what_is_committed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "analyses").symlink_to(ROOT / "analyses")
    monkeypatch.chdir(tmp_path)
    invoke("variance-sweep", "--config", str(STUDIES[name]), "--quiet", "--out", "here")
    committed, again = read_table(result_of(name)), read_table(Path("here"))
    pd.testing.assert_frame_equal(committed, again, rtol=1e-7, atol=1e-10)
    check_figures(name, Path("here/figures"))


def test_the_quick_rewards_of_the_slow_study_give_what_is_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`quad-sin` and `exp` take longer than the other rewards together."""
    monkeypatch.chdir(tmp_path)
    grid = tomllib.loads(STUDIES[SLOW].read_text())["grid"]
    quick = [reward for reward in grid["reward"] if reward not in ("quad-sin", "exp")]
    cells = [f"reward={','.join(quick)}", f"k={','.join(map(str, grid['k']))}"]
    options = [word for cell in cells for word in ("--grid", cell)]
    invoke("variance-sweep", "--config", str(STUDIES[SLOW]), "-q", "--out", "here", *options)
    committed, again = read_table(result_of(SLOW)), read_table(Path("here"))
    known = committed[committed["reward"].isin(quick)].reset_index(drop=True)
    assert len(quick) == len(grid["reward"]) - 2
    assert len(known) > len(committed) / 2
    pd.testing.assert_frame_equal(known, again, rtol=1e-7, atol=1e-10)


def test_the_figure_of_the_slow_study_is_what_its_table_gives(tmp_path: Path) -> None:
    (plot,) = tomllib.loads(STUDIES[SLOW].read_text())["plot"]
    texts = {
        key: ",".join(value) if isinstance(value, list) else value for key, value in plot.items()
    }
    options = [word for key, value in texts.items() for word in (f"--{key}", value)]
    copy = tmp_path / "copy"
    shutil.copytree(result_of(SLOW), copy, ignore=shutil.ignore_patterns("figures"))
    invoke("plot", str(copy), *options, "--format", "png")
    check_figures(SLOW, copy / "figures")


@pytest.mark.parametrize("name", sorted(STUDIES))
def test_the_committed_result_is_complete_and_of_the_committed_study(name: str) -> None:
    asked = tomllib.loads(STUDIES[name].read_text())
    study = json.loads((result_of(name) / "study.json").read_text())
    assert study["complete"]
    assert study["plot"] == asked["plot"]
    for key, wanted in asked.items():
        if key not in ("out", "plot", "grid"):
            assert study["spec"][key.replace("-", "_")] == wanted, key
    for axis, wanted in asked["grid"].items():
        text = wanted if isinstance(wanted, str) else ",".join(map(str, wanted))
        assert study["spec"]["grid"][axis] == text


def test_every_study_has_a_page_in_the_index_with_its_command_and_its_figure() -> None:
    index = (ROOT / "analyses" / "README.md").read_text()
    for name, path in STUDIES.items():
        page = (path.parent / "README.md").read_text()
        assert f"({path.parent.name}/README.md)" in index
        assert f"maxpo variance-sweep --config analyses/{name}" in page
        figures = {figure.name for figure in (result_of(name) / "figures").glob("*.png")}
        assert any(figure in page for figure in figures)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_links_of_the_analyses_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]


class TestFindings:
    """What the pages say, from the tables."""

    def test_known_figures_are_reproduced(self) -> None:
        assert 1 / ratios("3-", p=0.3, outcomes=1)[2] == pytest.approx(1.29, abs=0.005)
        assert 1 / ratios("3-", p=0.5, outcomes=1)[2] == pytest.approx(0.20, abs=0.005)
        assert 1 / ratios("3-", p=0.3, outcomes=10000)[2] == pytest.approx(1.24, abs=0.005)
        assert 1 / ratios("3-", p=0.5, outcomes=10000)[2] == pytest.approx(1.71, abs=0.005)
        hard = table("2-")[lambda t: (t.p <= 0.03) & (t.n == 8) & (t.k <= 4)]
        costs = 1 / hard[hard["estimator"] == "l2o"]["variance_ratio"]
        assert 0.88 < costs.min() < costs.max() < 0.90

    def test_1_one_logit(self) -> None:
        every = ratios("1-")
        assert (len(every), (every < 1).sum()) == (360, 166)
        rows = table("1-")[lambda t: t.variance_ratio.notna()]
        cells = rows.pivot(index=["n", "k", "p"], columns="estimator", values="variance_ratio")
        leave_one_out = cells["pkpo-loo"] < cells[["l2o", "ei"]].min(axis=1)
        assert leave_one_out.sum() == 143

    def test_2_language_model(self) -> None:
        every = ratios("2-")
        assert (len(every), (every < 1).sum()) == (360, 237)
        for n, where in ((8, 0.127), (16, 0.062), (64, 0.016)):
            assert border("2-", n, 2) == pytest.approx(where, abs=0.001)
            for k in {2, 3, 4, 6, 8, 12, 16, 32} & set(range(n)):
                assert 0.91 < border("2-", n, k) * (n**2 - k**2) / n < 1.01
        assert 1 / ratios("2-", n=16, p=0.442)[2] == pytest.approx(1.67, abs=0.01)
        assert 1 / ratios("2-", n=16, p=0.71)[2] == pytest.approx(3.2, abs=0.05)
        assert 1 / every.min() == pytest.approx(9.8, abs=0.05)
        rows = table("2-")[lambda t: (t.estimator == "l2o") & t.variance_ratio.notna()]
        beyond = rows["variance_ratio"] / ((1 - rows["p"]) * rows["n"] / (rows["n"] - 1)) - 1
        assert beyond.min() > -2e-4

    def test_3_outcomes(self) -> None:
        at = [ratios("3-", p=0.5, outcomes=m)[2] for m in (1, 2, 10, 1000)]
        assert at == pytest.approx([5, 0.84, 0.61, 0.58], abs=0.005)
        hard = [ratios("3-", p=0.03, outcomes=m)[2] for m in (1, 10000)]
        assert hard == pytest.approx([0.965, 1.109], abs=5e-4)
        for p in (0.03, 0.1, 0.3, 0.5):
            ten, many = (ratios("3-", p=p, outcomes=m)[2] for m in (10, 10000))
            assert ten == pytest.approx(many, rel=0.06)

    def test_4_centering(self) -> None:
        said = {"pkpo": 0.41, "grpo-passk": 0.14, "ei": 0.08, "pkpo-loo": 0.03, "oracle": 0.05}
        for estimator, wanted in said.items():
            found = value("4-", "centering_rms", estimator, k=4, p=0.1)
            assert found == pytest.approx(wanted, abs=0.005), estimator
        centered = table("4-")["estimator"].isin(["l2o", "canonical-plugin"])
        assert table("4-")[centered]["centering_max"].max() < 1e-16

    def test_5_bias(self) -> None:
        def scale(estimator: str, k: int, p: float) -> float:
            return value("5-bias", "scale", estimator, k=k, p=p)

        for k in (2, 4, 8):
            assert scale("rloo", k, 0.5) == pytest.approx(2 ** (k - 1))
            assert scale("dr-grpo", k, 0.5) == pytest.approx(15 / 16 * 2 ** (k - 1))
        assert scale("grpo", 4, 0.01) == pytest.approx(3.7, abs=0.05)
        assert scale("grpo-passk", 4, 0.01) == pytest.approx(3.5, abs=0.05)
        assert scale("grpo-passk", 4, 0.5) == pytest.approx(0.001, abs=5e-4)
        rows = table("5-bias")[lambda t: (t.estimator == "passk-training") & (t.k == 4)]
        assert (rows["scale"].min(), rows["scale"].max()) == pytest.approx((1.6, 3.1), abs=0.05)

        def off(estimator: str, k: int) -> float:
            model = "Pythia 12B"
            return value("5-bias-o", "misalignment", estimator, k=k, model=model)

        assert [off("rloo", k) for k in (4, 12)] == pytest.approx([0.24, 0.57], abs=0.005)
        assert [off("grpo", k) for k in (3, 12)] == pytest.approx([0.03, 0.42], abs=0.005)
        assert [off("passk-training", k) for k in (1, 4)] == pytest.approx([0.17, 0.02], abs=0.005)
        assert [off("grpo-passk", k) for k in (1, 12)] == pytest.approx([0.64, 0.11], abs=0.005)
        assert max(off("l2o", k) for k in (2, 4, 12)) < 1e-12

    def test_6_continuous(self) -> None:
        assert ratios("6-", reward="identity")[2] == pytest.approx(0.70, abs=0.005)
        assert ratios("6-", reward="quadratic").max() == ratios("6-", reward="quadratic")[4]
        assert ratios("6-", reward="quadratic")[4] == pytest.approx(2.7, abs=0.05)
        for reward in ("quadratic", "quad-sin"):
            assert ratios("6-", reward=reward).min() > 1
        assert (ratios("6-", reward="exp") - 1).abs().max() < 0.10
        for reward in ("identity", "exp", "clipped-square", "threshold"):
            assert ratios("6-", reward=reward)[4] < 1 < ratios("6-", reward=reward)[12]
        assert table("6-")["rtol"].max() < 1e-8

    def test_7_real_prompts(self) -> None:
        eight = ratios("7-", n=8)
        assert (eight.min() - 1, eight.max() - 1) == pytest.approx((0.04, 0.13), abs=0.005)
        assert 1 - ratios("7-").min() == pytest.approx(0.086, abs=5e-4)
        assert ratios("7-").min() == ratios("7-", model="Pythia 12B", n=128)[2]

    def test_8_cost(self) -> None:
        def share(estimator: str, n: int, k: int) -> float:
            oracle = value("8-", "snr", "oracle", n=n, k=k)
            return value("8-", "snr", estimator, n=n, k=k) / oracle

        assert [share("l2o", n, 4) for n in (5, 16, 64)] == pytest.approx(
            [0.58, 0.87, 0.97], abs=0.006
        )
        assert share("ei", 512, 4) == pytest.approx(0.9, abs=0.005)
        assert share("l2o", 512, 4) > 0.995
        for k, below, above in ((2, 9, 12), (4, 9, 12), (8, 12, 16)):
            assert share("l2o", below, k) < share("ei", below, k)
            assert share("l2o", above, k) > share("ei", above, k)
        rising = table("8-")[lambda t: t.snr.notna()]
        for _, rows in rising.groupby(["estimator", "k"]):
            assert (np.diff(rows["snr"] / rows["n"]) > -1e-12).all()

    def test_9_best_baseline(self) -> None:
        def cells(question: str) -> pd.DataFrame:
            return table(question).pivot(index=["p", "k"], columns="estimator")["variance_ratio"]

        model = cells("9-best-baseline").reset_index()
        hard, low_k = model["p"] < 0.1, model["k"] <= 4
        half = model["p"] < 0.5
        assert model[hard]["l2o"].agg(["min", "max"]).tolist() == pytest.approx(
            [1.02, 1.07], abs=0.005
        )
        assert model[low_k & half]["l2o"].between(1.02, 1.095).all()
        assert model[low_k]["l2o"].max() == pytest.approx(1.20, abs=0.005)
        assert model["l2o"].max() == pytest.approx(2.27, abs=0.005)
        assert model[model["p"] < 0.033]["ei"].max() == pytest.approx(1.012, abs=5e-4)
        assert model["ei"].max() == pytest.approx(10, abs=0.05)
        quieter = model[["l2o", "ei"]].min(axis=1)
        assert quieter[half].max() == pytest.approx(1.146, abs=5e-4)
        assert quieter[half & low_k].max() < 1.095
        logit = cells("9-best-baseline-")
        assert logit.loc[0.3].loc[2, ["l2o", "ei"]].tolist() == pytest.approx([7.3, 16.8], abs=0.05)
        assert logit.loc[0.3].loc[15, ["l2o", "ei"]].min() > 5000
        rare = logit[logit.index.get_level_values("p") < 0.05].max()
        assert rare["l2o"] < 2
        assert rare["ei"] < 2
        assert rare["best-mix"] < 1.01
        for every in (model, logit.reset_index()):
            assert (every["best-mix"] <= every[["l2o", "ei"]].min(axis=1) * (1 + 1e-9)).all()


def border(question: str, n: int, k: int) -> float:
    """The success rate at which the ratio is 1, between neighbours in log p and log ratio."""
    rows = table(question)
    rows = rows[(rows["estimator"] == "l2o") & (rows["n"] == n) & (rows["k"] == k)]
    log_p, log_ratio = np.log(rows["p"].to_numpy()), np.log(rows["variance_ratio"].to_numpy())
    (turn,) = np.flatnonzero(np.diff(np.sign(log_ratio)))
    share = log_ratio[turn] / (log_ratio[turn] - log_ratio[turn + 1])
    return float(np.exp(log_p[turn] + share * (log_p[turn + 1] - log_p[turn])))
