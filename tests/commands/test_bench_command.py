"""`maxpo bench`: what it writes, prints and refuses."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from maxpo_cli import app as maxpo_app
from maxpo_cli.errors import InputError
from maxpo_cli.storage.result import read_table
from maxpo_cli.studies import bench

QUICK = ("-n", "8,16", "-k", "3", "--seconds", "1e-4", "--device", "cpu")
PEER = """
def centered(rewards, eps=1e-6):
    return rewards - rewards.mean(-1, keepdim=True)

def broken(rewards, k):
    raise ValueError("no such luck")

def red(rewards, k):
    raise ValueError("\\x1b[31m[/b]\\x9b\\nred")
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a peer in it, and a bench that samples few groups."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(bench, "SAMPLED", {"cpu": bench.NUMBERS["cpu"]})
    (tmp_path / "my_advantages.py").write_text(PEER)
    return tmp_path


def invoke(*arguments: str) -> str:
    result = CliRunner(env={"COLUMNS": "80"}).invoke(
        maxpo_app.app, list(arguments), catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    return result.stdout


def study(folder: str) -> dict[str, Any]:
    return json.loads(Path(folder, "study.json").read_text())  # type: ignore[no-any-return]


def test_it_writes_what_it_prints_and_plot_draws_the_figure_anew() -> None:
    printed = invoke("bench", *QUICK, "--peer", "my_advantages:centered")
    assert max(map(len, printed.splitlines())) <= 80
    (folder,) = Path("results").iterdir()
    asked = r"sizes8-16-peersmy-[\w-]+"
    assert re.fullmatch(rf"bench-cpu-[\w.-]+-k3-{asked}", folder.name), (
        "the processor is in its name"
    )
    assert f"written to {folder}" in printed
    assert "my_advantages:centered equals dr-grpo" in printed
    table = read_table(folder)
    for what in table["what"].unique():
        assert what in " ".join(printed.split())
    figures = {path: path.read_bytes() for path in (folder / "figures").iterdir()}
    assert {path.name for path in figures} == {"bench.png", "bench.svg"}
    for path in figures:
        path.unlink()
    assert "bench.svg" in invoke("plot", str(folder))
    assert figures == {path: path.read_bytes() for path in (folder / "figures").iterdir()}


def test_json_is_the_study_and_its_rows_and_the_study_runs_again() -> None:
    more = ("--estimators", "l2o,ei", "--peer", "my_advantages:centered", "--dtype", "float32")
    found = json.loads(invoke("bench", *QUICK, *more, "--out", "one", "--json", "-q"))
    written = study("one")
    assert found["study"] == written
    assert len(found["rows"]) == len(read_table(Path("one")))
    assert {"l2o", "ei", "my_advantages:centered"} <= {row["what"] for row in found["rows"]}
    assert written["spec"]["n"] == [8, 16]
    peer = ("--peer", "my_advantages:centered")  # which no file may name
    invoke("bench", "--config", "one/study.json", *peer, "--out", "two", "-q")
    assert study("two")["spec"] == written["spec"]


def test_what_a_peer_prints_is_no_part_of_the_json() -> None:
    Path("loud.py").write_text(
        "print('loaded')\ndef f(rewards):\n    print('called')\n    return rewards\n"
    )
    found = json.loads(invoke("bench", *QUICK, "--peer", "loud:f", "--out", "one", "--json", "-q"))
    assert "loud:f" in {row["what"] for row in found["rows"]}


def test_a_peer_that_fails_while_it_is_timed_is_one_sentence() -> None:
    Path("tired.py").write_text(
        "calls = 0\ndef f(rewards):\n    global calls\n    calls += 1\n"
        "    if calls > 40:\n        raise SystemExit(0)\n    return rewards\n"
    )
    with pytest.raises(InputError, match=r"--peer tired:f cannot be used on .*: SystemExit: 0"):
        invoke("bench", *QUICK, "--peer", "tired:f", "--out", "one", "--json", "-q")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--peer", "my_advantages:none"), "my_advantages has no none"),
        (("--peer", "my_advantages:broken"), "with k=3: ValueError: no such luck"),
        (("--peer", "my_advantages:red"), "with k=3: ValueError: \\x1b[31m[/b]\\x9b red"),
        (("-n", "8,many"), "group sizes separated by commas; got '8,many'"),
        (("-n", "1"), "group sizes of at least 2"),
        (("-n", "4", "-k", "8"), "-k must be at most the group size -n; got k=8 with n=4"),
        (("--estimators", "l2"), "unknown estimator 'l2'"),
        (("--estimators", "best-mix"), "there is nothing to time"),
        (("--device", "tpu"), "--device must be"),
    ],
)
def test_bad_input_is_one_sentence_and_writes_nothing(
    options: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["maxpo", "bench", *QUICK, *options])
    assert maxpo_app.run() == 2
    error = " ".join(capsys.readouterr().err.split())
    assert said in error
    assert "Traceback" not in error
    assert not Path("results").exists()
