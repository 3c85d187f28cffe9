"""`maxpo plot` and `maxpo estimators`."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from maxpo_cli import compare
from maxpo_cli.app import app, run
from maxpo_cli.estimators.lookup import CATALOGUE
from maxpo_cli.plots.plot import KINDS
from maxpo_cli.storage.folder import write_table
from maxpo_cli.storage.study import write_study

STUDY = compare(policy="bernoulli:p=0.1,outcomes=1", n=16, k=4)


def write_result(folder: Path, table: pd.DataFrame = STUDY.table) -> Path:
    """A result folder without figures, with another table where one is given."""
    folder.mkdir(exist_ok=True)
    write_table(folder / "table.csv", table)
    write_study(folder / "study.json", STUDY.study)
    return folder


@pytest.fixture
def result(tmp_path: Path) -> Path:
    return write_result(tmp_path / "result")


def invoke(*arguments: str) -> str:
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_plot_draws_the_same_bytes_from_the_same_table(result: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        invoke("plot", str(result), "--out", str(tmp_path / name))
    written = {path.name for path in (tmp_path / "one").iterdir()}
    assert written == {"compare-result.png", "compare-result.svg"}  # named after the result, too
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_plot_needs_the_table_and_its_study_only_and_writes_beside_them(result: Path) -> None:
    printed = invoke("plot", str(result), "--format", "svg")
    assert [path.name for path in (result / "figures").iterdir()] == ["compare.svg"]
    assert "compare.svg" in printed


def test_plot_lists_its_kinds_within_80_columns() -> None:
    lines = invoke("plot", "--kinds").splitlines()
    assert [line.split()[0] for line in lines] == sorted(KINDS)
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "it has no table.csv; it holds study.json"),
        ("", "is not a table that maxpo wrote"),
        ("estimator,policy\n", "has no rows"),
        ("estimator,policy\nei,x\n", "has no column n, k"),
        ("estimator,policy,n,k\nei,x,8,2\n", "the table has no column engine"),
    ],
)
def test_plot_says_what_is_wrong_with_a_folder(
    text: str | None,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_study(tmp_path / "study.json", STUDY.study)
    if text is not None:
        (tmp_path / "table.csv").write_text(text)
    monkeypatch.setattr("sys.argv", ["maxpo", "plot", str(tmp_path)])
    assert run() == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "figures").exists()


def refusal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str
) -> str:
    monkeypatch.setattr("sys.argv", ["maxpo", "plot", *words])
    assert run() == 2
    return capsys.readouterr().err


def test_plot_says_that_a_table_has_no_study(
    result: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (result / "study.json").unlink()
    assert "it has no study.json; it has table.csv" in refusal(capsys, monkeypatch, str(result))


def test_plot_refuses_an_unknown_format_and_several_results_without_a_place(
    result: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = refusal(capsys, monkeypatch, str(result), "--format", "pgn")
    assert "unknown --format 'pgn'; did you mean 'png'?" in said
    said = refusal(capsys, monkeypatch, str(result), str(tmp_path))
    assert "--out is needed where several results make one figure" in said


def test_plot_writes_the_same_bytes_for_lines_and_pdf_too(tmp_path: Path) -> None:
    result = write_result(tmp_path, pd.concat([STUDY.table, STUDY.table.assign(k=5)]))
    for name in ("one", "two"):
        options = ["--format", "png, svg,pdf", "--y", "ratio", "--estimators", "l2o,ei"]
        invoke("plot", str(result), *options, "--out", str(tmp_path / name))
    written = sorted(path.name for path in (tmp_path / "one").iterdir())
    stem = f"lines-variance_ratio-of-l2o-ei-{tmp_path.name}"
    assert written == [f"{stem}.{ending}" for ending in ("pdf", "png", "svg")]
    for name in written:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_plot_joins_results_and_where_picks_a_cell_of_them(tmp_path: Path) -> None:
    for name, k in (("a", 4), ("b", 5)):
        write_result(tmp_path / name, STUDY.table.assign(k=k))
    folders = (str(tmp_path / "a"), str(tmp_path / "b"))
    out = ("--out", str(tmp_path / "figures"), "--format", "svg")
    assert "lines-variance_ratio-a-b.svg" in invoke("plot", *folders, *out)
    assert "compare-k5-a-b.svg" in invoke("plot", *folders, *out, "--where", "k=5")


def test_plot_says_whether_it_writes_or_replaces_a_file(result: Path) -> None:
    assert invoke("plot", str(result), "--format", "svg").startswith("written to ")
    assert invoke("plot", str(result), "--format", "svg").startswith("replaced ")


def test_plot_takes_titles_widths_and_labels(result: Path) -> None:
    for options, said, stem in (
        (("--title", "Mine"), ">Mine<", "compare"),
        (("--no-title",), "variance relative to ei", "compare"),
        (("--width", "column"), 'width="240.9', "compare-column"),
        (("--width", "100"), 'width="283.4', "compare-100mm"),
        (("--label", "l2o=Leave-Two-Out", "--label", "ei=E=I"), ">Leave-Two-Out<", "compare"),
    ):
        invoke("plot", str(result), "--format", "svg", *options)
        assert said in (result / "figures" / f"{stem}.svg").read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--width", "wide"), "--width must be column, page or 60 to 600 in mm; got 'wide'"),
        (("--width", "nan"), "--width must be"),
        (("--width", "1e9"), "--width must be"),
        (("--label", "l2o"), "--label must be ESTIMATOR=TEXT; got 'l2o'"),
        (("--label", "l2p=x"), "unknown estimator of --label 'l2p'; did you mean 'l2o'?"),
        (("--label", "ei=x", "--label", "ei=y"), "--label names an estimator twice"),
        (("--title", "x", "--no-title"), "--title and --no-title exclude each other"),
    ],
)
def test_plot_refuses_titles_widths_and_labels_that_are_none(
    options: tuple[str, ...],
    said: str,
    result: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert said in refusal(capsys, monkeypatch, str(result), *options)
    assert not (result / "figures").exists()


def test_plot_refuses_the_same_result_twice(
    result: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (result.parent / "link").symlink_to(result)
    for other in (result, result / "table.csv", result.parent / "link"):
        said = refusal(capsys, monkeypatch, str(result), str(other), "--out", str(result / "x"))
        assert "is named twice" in said


@pytest.mark.parametrize("name", ["x/../../../evil", "$_^$", "模型", "a\nb", "e" * 300, "[/b]"])
def test_plot_writes_into_its_folder_only_whatever_estimators_are_called(
    name: str, tmp_path: Path
) -> None:
    table = pd.concat([STUDY.table.assign(k=k) for k in (4, 5)])
    result = write_result(tmp_path / "r", table.replace({"estimator": {"pkpo": name}}))
    before = set(tmp_path.rglob("*"))
    for kind in ("lines", "centering"):
        invoke("plot", str(result), "--kind", kind, "--format", "svg")
    cell = write_result(tmp_path / "r", STUDY.table.replace({"estimator": {"pkpo": name}}))
    invoke("plot", str(cell), "--format", "svg")
    new = set(tmp_path.rglob("*")) - before
    assert {path.parent for path in new} == {result, result / "figures"}
    assert len(new) == 4


@pytest.mark.parametrize("width", [60, 70, 80, 120, 200])
def test_estimators_lists_every_entry_with_its_claims_in_any_width(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = CliRunner().invoke(app, ["estimators"]).stdout.splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in "".join(lines)
    for estimator in CATALOGUE.values():
        found = [line for line in lines if line.split(" ")[0] == estimator.name]
        assert estimator.claims.ks.words in " ".join(found).split()


def test_identities_hold_to_rounding_and_the_seed_matters() -> None:
    first, second = (
        json.loads(invoke("estimators", "--identities", "--json", "--seed", seed))
        for seed in ("0", "1")
    )
    assert len(first["rows"]) >= 8
    assert all(row["largest_deviation"] < 1e-14 for row in first["rows"])
    assert any(row["largest_deviation"] > 0 for row in first["rows"])
    assert first["rows"] != second["rows"]


def test_version_and_bare_maxpo_answer_without_an_error() -> None:
    assert invoke("--version").startswith("maxpo 0.")
    assert "compare" in invoke()
