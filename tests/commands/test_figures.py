"""The figures of a study: refused before it runs, and never those of an earlier table."""

from pathlib import Path
from typing import Any

import pytest

from maxpo_cli.app import run
from maxpo_cli.commands import results

TOML = """
policy = "bernoulli"
n = 8
out = "r"
engine = "enumeration"
estimators = ["l2o", "ei"]
[grid]
p = [0.1, 0.2, 0.3]
k = [2, 3, 4]
[[plot]]
kind = "map"
[[plot]]
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sweep(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["maxpo", "variance-sweep", *words])
    return run()


@pytest.mark.parametrize(
    ("plot", "said"),
    [
        ('kind = "map"\nratio = "l2o/pkpo"', "no 'pkpo' in the table; it has l2o, ei"),
        ('kind = "lines"\nx = "outcomes"', "--x outcomes: no such swept column"),
        ('kind = "lines"\ny = "noise"', "--y noise: no such metric"),
        ('kind = "lines"\ny = "snr"', "it is empty in the orthogonal limit"),
        ('kind = "comparison"', "the table holds 9 cells of (p, k)"),
        ('kind = "lines"\nwhere = ["p=0.15"]', "--where p=0.15 leaves no rows"),
        ('kind = "map"\nestimators = ["ei"]', "--estimators has no meaning for --kind map"),
        ('estimators = ["pkpo"]', "unknown name in --estimators of this table 'pkpo'"),
        ('kind = "map"\nwhere = ["k=2", "p=0.1"]', "nothing is swept"),
        ('width = "huge"', "--width must be"),
        ("width = true", "width must be text; got True"),
        ('no-title = "yes"', "no-title must be true or false; got yes"),
        ('tilte = "x"', "unknown key 'tilte'; did you mean 'title'?"),
        ('label = ["grpo=x"]', "unknown estimator of --label 'grpo'"),
    ],
)
def test_a_figure_that_cannot_be_drawn_is_refused_before_anything_is_measured(
    plot: str,
    said: str,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("it was measured")

    monkeypatch.setattr(results, "run_batches", never)
    (here / "study.toml").write_text(TOML + plot)
    assert sweep(monkeypatch, "--config", "study.toml") == 2
    assert said in capsys.readouterr().err
    assert not (here / "r").exists()


def test_a_figure_of_ratios_to_a_reference_that_no_cell_has_is_refused(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TOML.replace("k = [2, 3, 4]", "k = [1, 8]").replace('["l2o", "ei"]', '["ei", "pkpo"]')
    (here / "study.toml").write_text(text.replace('kind = "map"', 'kind = "centering"'))
    assert sweep(monkeypatch, "--config", "study.toml", "--reference", "l2o", "-q") == 2
    assert "no row of the selection has a value of variance_ratio" in capsys.readouterr().err
    assert not (here / "r").exists()


def test_figures_of_a_part_of_the_table_go_when_the_table_is_whole(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "study.toml").write_text(TOML + 'kind = "lines"\nwidth = 85\nno-title = true')
    assert sweep(monkeypatch, "--config", "study.toml", "-q") == 0
    figures = here / "r" / "figures"
    whole = {path.name: path.read_bytes() for path in figures.iterdir()}
    assert set(whole) == {
        f"{stem}.{ending}"
        for stem in ("map-l2o-ei", "lines-variance_ratio-85mm")
        for ending in ("png", "svg")
    }
    table = here / "r" / "table.csv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:9]))
    monkeypatch.setattr("sys.argv", ["maxpo", "plot", "r", "--kind", "lines", "-q"])
    assert run() == 0
    assert (figures / "lines-variance_ratio.svg").is_file()
    assert sweep(monkeypatch, "--config", "study.toml", "-q") == 0
    assert {path.name: path.read_bytes() for path in figures.iterdir()} == whole


def test_a_figure_that_is_missing_is_drawn_again_and_the_others_stay(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "study.toml").write_text(TOML + 'kind = "lines"')
    assert sweep(monkeypatch, "--config", "study.toml", "-q") == 0
    figures = here / "r" / "figures"
    kept = (figures / "map-l2o-ei.png").stat().st_mtime_ns
    (figures / "lines-variance_ratio.svg").unlink()
    assert sweep(monkeypatch, "--config", "study.toml", "-q") == 0
    assert (figures / "lines-variance_ratio.svg").is_file()
    assert (figures / "map-l2o-ei.png").stat().st_mtime_ns == kept


def test_a_sweep_without_a_figure_of_its_own_says_how_to_draw_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--policy", "categorical:rewards=0/1,outcomes=10", "--out", "a b", "-q"]
    grid = ["p=0.1,0.2", "outcomes=1,10", "n=8,16", "k=2,3"]
    words += [word for item in grid for word in ("--grid", item)]
    assert sweep(monkeypatch, *words, "--estimators", "l2o,ei") == 0
    said = capsys.readouterr().err
    assert "no figure: " in said
    assert "maxpo plot 'a b' draws what you choose" in said
