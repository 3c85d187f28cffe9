"""What the figure and the terminal table show, drawn from tables alone."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images
from oracles.made_tables import result_of
from rich.console import Console

from maxpo_cli import compare
from maxpo_cli.metrics.significance import is_biased, is_centered
from maxpo_cli.plots import style as drawing
from maxpo_cli.plots.plot import PlotSpec, draw
from maxpo_cli.plots.ticks import number

RESULT = Path(__file__).parents[2] / "results" / "compare-bernoulli-p0.1-n16-k4"


def table_of(policy: str, n: int, k: int, **options: Any) -> pd.DataFrame:
    return compare(policy=policy, n=n, k=k, estimators="all", **options).table


@pytest.fixture(scope="module")
def sampled() -> pd.DataFrame:
    return table_of("gaussian:reward=exp", 16, 4, engine="monte-carlo", groups=4000)


def figure_of(table: pd.DataFrame) -> Figure:
    return draw(result_of(table), PlotSpec(kind="comparison"))[1]


def shown(table: pd.DataFrame, width: int = 80) -> str:
    from maxpo_cli.terminal.study import study_view

    record = compare(policy="bernoulli:p=0.1", n=16, k=4, estimators="ei").study
    console = Console(width=width, highlight=False, color_system=None)
    with console.capture() as capture:
        console.print(study_view(table, record, width, there=0))
    return capture.get()


def points(figure: Figure, panel: int) -> dict[str, float]:
    """The values of the markers of a panel by the estimator of their row."""
    axes = figure.axes[panel]
    names = {
        tick: label.get_text()
        for tick, label in zip(
            figure.axes[0].get_yticks(), figure.axes[0].get_yticklabels(), strict=True
        )
    }
    found = {}
    for line in axes.lines:
        if line.get_marker() in ("o", "D", "s"):
            xs, ys = line.get_data()
            found |= {names[y]: x for x, y in zip(xs, ys, strict=True) if y in names}
    return found


def test_the_committed_figure_is_what_its_table_gives(tmp_path: Path) -> None:
    table = pd.read_csv(RESULT / "table.csv")
    stderr = table["bias_stderr"] / table["gradient_norm"]
    result = result_of(table.assign(relative_bias_stderr=stderr), source="bernoulli", p="0.1")
    cell = replace(result, coordinates=("policy", "n", "k"), reference="ei")
    (tmp_path / "compare.png").write_bytes(drawing.image(draw(cell, PlotSpec())[1], "png"))
    committed = RESULT / "figures" / "compare.png"
    # The tolerance allows for text that another matplotlib places a fraction of a pixel off.
    assert compare_images(str(committed), str(tmp_path / "compare.png"), tol=8) is None


def test_the_figure_has_every_estimator_at_its_values(sampled: pd.DataFrame) -> None:
    figure = figure_of(sampled)
    rows = sampled.set_index("estimator")
    centered = is_centered(rows)
    assert set(rows.index[centered]) == {
        "l2o",
        "canonical",
        "canonical-plugin",
        "rloo",
        "grpo",
        "dr-grpo",
    }
    for panel, column in enumerate(("variance_ratio", "relative_bias", "centering_rms")):
        drawn = points(figure, panel)
        assert set(drawn) == set(rows.index)
        for name, value in drawn.items():
            exact = 0.0 if column == "centering_rms" and centered[name] else rows.loc[name, column]
            if panel == 0 and np.isnan(value) and np.isfinite(exact):
                told = [text.get_text() for text in figure.axes[0].texts]
                assert {f"{number(exact)} ▶", f"◀ {number(exact)}"} & set(told)
            else:
                np.testing.assert_equal(value, exact)
    assert "undefined" in [text.get_text() for text in figure.axes[0].texts]


def test_no_text_of_the_figure_is_cut_off_or_overlaps_a_neighbour(sampled: pd.DataFrame) -> None:
    hard = sampled.assign(centering_max=sampled["centering_max"] * 1e5)
    for table in (sampled, table_of("bernoulli:p=0.5,outcomes=1", 8, 2), sampled.iloc[:2], hard):
        with drawing.style():
            figure = figure_of(table)
            figure.canvas.draw()
            renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
            box = figure.get_tightbbox(renderer)
            assert box.x0 >= 0
            assert box.y0 >= 0
            assert box.x1 <= figure.get_figwidth()
            assert box.y1 <= figure.get_figheight()
            for axes in figure.axes:
                low, high = axes.get_xlim()
                inside = [t for t in axes.xaxis.get_major_ticks() if low <= t.get_loc() <= high]
                ends = [t.label1.get_window_extent(renderer) for t in inside]
                assert all(a.x1 < b.x0 for a, b in pairwise(sorted(ends, key=lambda e: e.x0)))


def test_biased_rows_are_told_by_rounding_where_exact_and_by_noise_where_sampled(
    sampled: pd.DataFrame,
) -> None:
    biased = {"canonical-plugin", "grpo-passk", "rloo", "grpo", "dr-grpo"}
    assert set(sampled.loc[is_biased(sampled), "estimator"]) == biased
    exact = table_of("bernoulli:p=0.1,outcomes=1", 16, 4)
    assert set(exact.loc[is_biased(exact), "estimator"]) == biased | {"passk-training"}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("size", ["1", "1e6", "1e-13"])
def test_rounding_is_no_bias_and_no_centering_whatever_the_type_and_the_unit(
    dtype: str, size: str
) -> None:
    policy = f"categorical:rewards=0/{size},probs=0.9/0.1,outcomes=1"
    table = table_of(policy, 16, 4, dtype=dtype).set_index("estimator")
    best = {"best-linear", "best-mix", "best-constant"}
    unbiased = {"l2o", "canonical", "ei", "pkpo", "pkpo-loo", "oracle"} | best
    measured = table[table["note"] == ""]
    assert set(measured.index[~is_biased(measured)]) == unbiased
    off = {"ei", "pkpo", "pkpo-loo", "grpo-passk", "oracle"} | best
    assert set(measured.index[~is_centered(measured)]) == off


def test_tables_fit_their_width_and_cut_nothing(sampled: pd.DataFrame) -> None:
    logged_sizes = sampled.assign(variance=sampled["variance"] * 1e-9, snr=sampled["snr"] * 1e-6)
    eight = "categorical:rewards=0/1/2/3/4/5/6/7,probs=.3/.2/.15/.1/.1/.05/.05/.05,outcomes=1"
    mixed = table_of(eight, 64, 8, groups=2000)
    assert set(mixed["engine"]) == {"threshold", "monte-carlo"}
    for table in (sampled, logged_sizes, table_of("bernoulli:p=0.003,outcomes=1", 64, 32), mixed):
        for width in (80, 120):
            text = shown(table, width)
            assert max(len(line.rstrip()) for line in text.splitlines()) <= width
            assert "…" not in text
            for name in table["estimator"]:
                assert f"\n{name} " in text


def test_the_table_says_why_an_estimator_has_no_figures(sampled: pd.DataFrame) -> None:
    text = shown(sampled)
    assert "passk-training is defined for 0/1 rewards only" in text
    line, *_ = [line for line in text.splitlines() if line.startswith("passk-training  ")]
    assert set(line.split()[1:]) == {"–"}


def test_an_impossible_task_is_shown_without_figures_that_do_not_exist() -> None:
    text = shown(table_of("bernoulli:p=0,outcomes=1", 8, 2))
    assert "nan" not in text
    assert "inf" not in text
    figure_of(table_of("bernoulli:p=0,outcomes=1", 8, 2))
