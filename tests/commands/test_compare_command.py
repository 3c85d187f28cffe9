"""`maxpo compare` as a user meets it: processes, exit statuses, sentences, files."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from forks import Forks
from oracles.studies import COLUMNS

MAXPO = (sys.executable, "-c", "from maxpo_cli.app import main; main()")
EIGHT = "categorical:rewards=0/1/2/3/4/5/6/7,probs=.125/.125/.125/.125/.125/.125/.125/.125"


def maxpo(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MAXPO, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_without_options_compares_at_the_default_point_and_writes_a_whole_folder(
    tmp_path: Path,
) -> None:
    done = maxpo("compare", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    folder = tmp_path / "results" / "compare-bernoulli-p0.1-n16-k4"
    assert f"written to results/{folder.name}" in done.stdout
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {"table.csv", "study.json", "figures/compare.png", "figures/compare.svg"}
    table = pd.read_csv(folder / "table.csv")
    assert tuple(table.columns) == COLUMNS
    assert set(table["n"]) == {16}
    assert set(table["k"]) == {4}
    study = json.loads((folder / "study.json").read_text())
    assert study["command_line"] == ["maxpo", "compare"]
    assert {path.name for path in (tmp_path / "results").iterdir()} == {folder.name}


def test_json_prints_one_object_with_the_rows_of_the_table_and_nothing_else(
    forks: Forks, tmp_path: Path
) -> None:
    done = forks.run(
        "compare", "--json", "--out", "here", "--estimators", "all",
        "--policy", "categorical:rewards=0/2,probs=0.9/0.1", cwd=tmp_path,
    )  # fmt: skip
    printed = json.loads(done.stdout)
    table = pd.read_csv(tmp_path / "here" / "table.csv")
    assert [row["estimator"] for row in printed["rows"]] == list(table["estimator"])
    for row, written in zip(printed["rows"], table.to_dict("records"), strict=True):
        assert list(row) == list(COLUMNS)
        for column in COLUMNS:
            missing = isinstance(written[column], float) and np.isnan(written[column])
            assert (row[column] in (None, "")) if missing else row[column] == written[column]
    undefined = next(row for row in printed["rows"] if row["estimator"] == "passk-training")
    assert undefined["note"] == "passk-training is defined for 0/1 rewards only"
    assert undefined["variance"] is None


def test_quiet_prints_nothing_and_writes_the_folder(forks: Forks, tmp_path: Path) -> None:
    done = forks.run("compare", "-q", "--out", "here", cwd=tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    assert (tmp_path / "here" / "table.csv").is_file()


def test_the_same_command_writes_the_same_table(forks: Forks, tmp_path: Path) -> None:
    arguments = ("--policy", EIGHT, "--engine", "monte-carlo", "--groups", "5000", "-q")
    for name in ("one", "two"):
        assert forks.run("compare", *arguments, "--out", name, cwd=tmp_path).returncode == 0
    one, two = (pd.read_csv(tmp_path / name / "table.csv", dtype=str) for name in ("one", "two"))
    assert set(one["engine"]) == {"monte-carlo"}
    pd.testing.assert_frame_equal(one, two)
    for ending in ("png", "svg"):
        figures = [(tmp_path / name / "figures" / f"compare.{ending}") for name in ("one", "two")]
        assert figures[0].read_bytes() == figures[1].read_bytes()


BAD = {
    "--policy bernouli:p=0.1": "unknown policy 'bernouli'; did you mean 'bernoulli'?",
    "--policy bernoulli:q=0.1": "unknown key of policy bernoulli 'q'; known: p",
    "--policy bernoulli:p=1.5": "p must be between 0 and 1; got 1.5",
    "--policy bernoulli:p=x": "p must be a number; got 'x'",
    "--policy bernoulli": "policy 'bernoulli' needs p",
    "--policy categorical:rewards=0/1,probs=0.5/0.6": "probs must sum to 1; they sum to 1.1",
    "--policy gaussian:reward=cube": "unknown reward of gaussian 'cube'",
    "--policy gaussian:reward=exp,std=1000": "reward=exp overflows",
    "-k 20": "-k must be at most the group size -n; got k=20 with n=16",
    "-k 0": "-k must be at least 1; got 0",
    "-n two": "Invalid value for '-n'",
    "--estimators l20": "--estimators: unknown estimator 'l20'; did you mean 'l2o'?",
    "--estimators l2o,canonical -k 16": "l2o is defined for K in 2..N-1; got k=16 with n=16",
    "--estimators passk-training --policy gaussian": "defined for 0/1 rewards only",
    "--reference l2o -k 1": "--reference l2o is defined for K in 2..N-1",
    "--engine exact": "unknown --engine 'exact'",
    "--engine enumeration --policy gaussian": "needs finitely many reward levels",
    f"--engine enumeration -n 64 --policy {EIGHT}": "1,329,890,705 count vectors",
    "--device cuda": "torch finds no CUDA device",
    "--device gpu": "--device must be auto, cpu, cuda or cuda:i; got 'gpu'",
    "--dtype half": "unknown --dtype 'half'",
    "--groups 1": "--groups must be at least 2",
    "--seed -1": "Invalid value for '--seed'",
    "--seed 99999999999999999999999": "Invalid value for '--seed'",
    "--reference foo": "--reference: unknown estimator 'foo'",
    "--policy gaussian:mean=1e300": "overflows with this mean and std",
    "--policy gaussian:mean=1e20": "std is too small compared with the mean",
    "--policy gaussian:reward=quad-sin,c=1e300": "c, a or f of reward=quad-sin is too large",
    "--policy categorical:rewards=1e200/0,probs=0.5/0.5": "from 1e-70 to 1e70",
    f"--policy categorical:rewards=1/0,probs=0.5/0.5,outcomes={10**400}": "from 1 to 2^60",
    "--rewards full": "full is a folder; name a file in it",
    "--rewards array.json": "array.json, line 1: not a JSON object; JSON Lines has one in each",
    "--rewards deep.jsonl": "deep.jsonl, line 1: not a JSON object",
    "--rewards huge.csv": "huge.csv, line 2, column 'reward': '1e300' is out of range",
    "--rewards twice.csv": "the column 'reward' appears twice",
    "--rewards semicolons.csv": "semicolons.csv has its cells separated by semicolons",
    "--rewards nameless.csv": "nameless.csv, line 3, column 'prompt': the prompt is missing",
    "--reward-column score": "--reward-column is about --rewards",
    "--rewards none.csv": "there is no file none.csv",
    "--rewards empty.csv": "empty.csv is empty",
    "--rewards header.csv": "header.csv is empty: it has no rows",
    "--rewards words.csv": "words.csv, line 3, column 'reward': 'good' is not a finite number",
    "--rewards words.csv --reward-column score": "words.csv has no column 'score'",
    "--rewards words.csv --group-column task": "words.csv has no column 'task'",
    "--rewards words.csv --where model=a": "words.csv has no column 'model'",
    "--rewards words.csv --where model": "--where takes COLUMN=VALUE; got 'model'",
    "--rewards lonely.csv": "prompt 'b' has one sample",
    "--rewards counts.csv": "counts.csv, line 3: 11 correct of 10 samples",
    "--rewards words.csv --policy bernoulli:p=0.1": "exclude each other",
    "--where model=a": "--where is about --rewards",
    "--out words.csv": "a file is in the way",
    "--out full": "the folder holds 'thesis.txt', which is not part of a result",
    "--out /proc/none/here": "cannot be written",
    "--out .": "it cannot be this one",
    "--out /": "it cannot be this one",
    "--bogus": "No such option: --bogus",
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "empty.csv").write_text("")
    (folder / "header.csv").write_text("prompt,reward\n")
    (folder / "words.csv").write_text("prompt,reward\na,1\na,good\n")
    (folder / "lonely.csv").write_text("prompt,reward\na,1\nb,0\na,0\n")
    (folder / "counts.csv").write_text("prompt,samples,correct\na,10,2\nb,10,11\n")
    (folder / "array.json").write_text('[{"prompt": "a", "reward": 1}]')
    (folder / "deep.jsonl").write_text("[" * 100_000)
    (folder / "huge.csv").write_text("prompt,reward\na,1e300\na,0\n")
    (folder / "twice.csv").write_text("prompt,reward,reward\na,1,0\na,0,1\n")
    (folder / "nameless.csv").write_text("prompt,reward\na,1\n,0\na,1\n")
    (folder / "semicolons.csv").write_text("prompt;reward\na;1\na;0\n")
    (folder / "full").mkdir()
    (folder / "full" / "thesis.txt").write_text("years of work")
    return folder


@pytest.mark.parametrize("arguments", BAD)
def test_bad_input_gets_one_sentence_and_exit_status_2_and_nothing_is_written(
    arguments: str, inputs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    from maxpo_cli import app

    before = _tree(inputs)
    monkeypatch.chdir(inputs)
    monkeypatch.setattr(sys, "argv", ["maxpo", "compare", *arguments.split()])
    assert app.run() == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("maxpo: ")
    assert printed.err.count("\n") == 1
    assert BAD[arguments] in printed.err
    assert _tree(inputs) == before


def _tree(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def test_killed_at_any_moment_a_result_is_whole_and_the_next_run_tidies_up(
    forks: Forks, tmp_path: Path
) -> None:
    """Half of the runs begin a folder, half measure one again: every file is whole, or not there.

    The same command then ends with the folder that nothing has disturbed.
    """
    random.seed(1)
    arguments = ("compare", "-q", "--groups", "100")
    first = forks.run(*arguments, "--out", "whole", cwd=tmp_path)
    assert first.returncode == 0
    started = time.perf_counter()
    assert forks.run(*arguments, "--out", "whole", "--overwrite", cwd=tmp_path).returncode == 0
    whole = time.perf_counter() - started
    names = {"whole"}
    for moment in range(5):
        name = f"new {moment}" if moment % 2 else "again"
        names.add(name)
        again = () if moment % 2 else ("--overwrite",)
        running = forks.start(*arguments, "--out", name, *again, cwd=tmp_path)
        time.sleep(random.uniform(0.1, 1.1) * whole)
        os.kill(running.pid, signal.SIGKILL)
        running.end()
        _check_whole(tmp_path / name)
    for name in sorted(names):
        assert forks.run(*arguments, "--out", name, cwd=tmp_path).returncode == 0
        assert _contents(tmp_path / name) == _contents(tmp_path / "whole")
    assert {path.name for path in tmp_path.iterdir()} == names


def _check_whole(folder: Path) -> None:
    """Whatever a killed run left of a comparison can be read."""
    table = folder / "table.csv"
    if table.exists():
        assert len(pd.read_csv(table)) == 7
    if (folder / "study.json").exists():
        study = json.loads((folder / "study.json").read_text())
        if study["complete"]:
            assert study["table_sha256"] == sha256(table.read_bytes()).hexdigest()
    for figure in folder.glob("figures/compare.svg"):
        assert figure.read_text().endswith("</svg>\n")


def _contents(folder: Path) -> dict[str, bytes]:
    """The files of a result by their names, without what differs from run to run."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "study.json"]
    assert json.loads((folder / "study.json").read_text())["complete"] is True
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_real_counts_are_compared_over_all_prompts_and_by_prompt(
    forks: Forks, tmp_path: Path
) -> None:
    counts = Path(__file__).parents[2] / "analyses" / "data" / "pythia_math_counts.csv"
    done = forks.run(
        "compare", "--rewards", str(counts), "--where", "model=Pythia 12B",
        "--group-column", "problem", "-n", "8", "-k", "4", "--out", "here", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0
    table = pd.read_csv(tmp_path / "here" / "table.csv").set_index("estimator")
    prompts = pd.read_csv(tmp_path / "here" / "prompts.csv")
    assert prompts.groupby("prompt").ngroups == 128
    added = prompts.groupby("estimator")["variance"].sum()
    assert np.allclose(added[table.index], table["variance"], rtol=1e-12)
    norms = (prompts[prompts["estimator"] == "ei"]["gradient_norm"] ** 2).sum()
    assert np.isclose(table["gradient_norm"].iloc[0] ** 2, norms, rtol=1e-12)
