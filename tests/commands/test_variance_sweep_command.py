"""`maxpo variance-sweep` as a user meets it: processes, kills, Ctrl-C, what is printed where."""

import json
import os
import pty
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from maxpo_cli.studies.tables import COLUMNS

MAXPO = (sys.executable, "-c", "from maxpo_cli.app import main; main()")
QUICK = ("--grid", "p=0.1,0.5", "--grid", "k=1,2,9", "-n", "4")
SLOW = (
    "--policy", "gaussian:reward=exp", "--grid", "std=0.5:1:3", "--grid", "k=1,3",
    "--grid", "mean=0:1:10", "-n", "8", "--groups", "30000", "--device", "cpu",
    "--estimators", "l2o,ei", "--engine", "monte-carlo",
)  # fmt: skip
ENDLESS = (
    "--policy", "gaussian", "--grid", "std=1:2:40", "--grid", "k=1,3", "-n", "8",
    "--groups", "1500000", "--estimators", "l2o,ei", "--engine", "monte-carlo",
)  # fmt: skip
ROWS = 3 * 2 * 10 * 2
CHILDREN = """
import os, signal, sys
import matplotlib.pyplot, torch
import maxpo_cli.commands.show_sweep, maxpo_cli.studies.sweep
from maxpo_cli.app import main
torch.set_num_threads(1)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        sys.argv = ["maxpo", *line.split("\\t")[:-1]]
        sys.stdin.close()
        main()
    print(child, flush=True)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""
"""Runs command lines from standard input in children, so that torch is loaded but once."""


def maxpo(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MAXPO, "variance-sweep", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    """The command in a session of its own."""
    return subprocess.Popen(
        [*MAXPO, "variance-sweep", *arguments],
        cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def wait_for(happened: Callable[[], bool], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.005)


def rows_in(folder: Path) -> int:
    """Rows that are written, whole or not."""
    table = folder / "table.csv"
    return len(table.read_bytes().splitlines()) - 1 if table.exists() else 0


def content(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "table.csv", dtype=str).drop(columns="seconds")


def living(session: int) -> list[str]:
    """The processes of a session that run still."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            state, _, _, of = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if int(of) == session and state not in "ZX":
            found.append((folder / "cmdline").read_text().replace("\0", " "))
    return found


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A small sweep with --json: its folder and what it printed."""
    cwd = tmp_path_factory.mktemp("quick")
    done = maxpo(*QUICK, "--json", "--out", "here", cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    return cwd / "here", done.stdout


class Runs:
    """Runs of the command line in one process's children."""

    def __init__(self, cwd: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILDREN], cwd=cwd, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def begin(self, *arguments: str) -> int:
        """The number of the process that runs this."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\t".join(["variance-sweep", *arguments, "-q", "\n"]))
        return int(self.process.stdout.readline())

    def end(self) -> int:
        """Waits for the run and gives its exit status."""
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    found = Runs(tmp_path)
    yield found
    found.process.stdin.close()  # type: ignore[union-attr]
    found.process.wait()
    found.process.stdout.close()  # type: ignore[union-attr]


class TestKilled:
    def test_at_ten_random_moments_and_continued_ends_with_the_undisturbed_table(
        self, runs: Runs, tmp_path: Path
    ) -> None:
        pick = random.Random(8)
        runs.begin(*SLOW, "--out", "whole")
        assert runs.end() == 0
        expected = content(tmp_path / "whole")
        assert len(expected) == ROWS
        here = tmp_path / "here"
        counts = []
        for moment in range(10):
            process = runs.begin(*SLOW, "--out", "here")
            before = rows_in(here)
            if moment % 3 == 2:  # anywhere at all, most likely while it starts
                time.sleep(pick.uniform(0, 0.03))
            else:
                wait_for(lambda before=before: rows_in(here) > before)  # type: ignore[misc]
                time.sleep(pick.uniform(0, 0.02))
            os.kill(process, signal.SIGKILL)
            assert runs.end() == -signal.SIGKILL
            counts.append(rows_in(here))
            if moment in (2, 5, 9) and 0 < counts[-1] < ROWS:
                # A kill in the midst of a write leaves a part of what was to be written.
                table = (here / "table.csv").read_bytes()
                written, whole_rows = table.rpartition(b"\n")[0], table.endswith(b"\n")
                if whole_rows:
                    torn = written.splitlines()[-1][: pick.randrange(1, 200)]
                    (here / "table.csv").write_bytes(table + torn)
        assert 0 < counts[-1] < ROWS, f"the kills missed the work: {counts}"
        runs.begin(*SLOW, "--out", "here")
        assert runs.end() == 0
        pd.testing.assert_frame_equal(content(here), expected, check_exact=True)
        assert json.loads((here / "study.json").read_text())["complete"] is True
        assert {p.name for p in here.iterdir()} == {"table.csv", "study.json", "figures"}

    def test_with_two_workers_leaves_no_process_and_ends_with_the_undisturbed_table(
        self, runs: Runs, tmp_path: Path
    ) -> None:
        runs.begin(*SLOW, "--out", "whole")
        assert runs.end() == 0
        here = tmp_path / "here"
        for _ in range(2):
            before = rows_in(here)
            process = runs.begin(*SLOW, "--out", "here", "--workers", "2")
            wait_for(lambda before=before: rows_in(here) > before)  # type: ignore[misc]
            os.kill(process, signal.SIGKILL)
            assert runs.end() == -signal.SIGKILL
            assert rows_in(here) < ROWS, "the kill missed the work"
            wait_for(lambda: len(living(runs.process.pid)) == 1, 5)
        runs.begin(*SLOW, "--out", "here", "--workers", "2")
        assert runs.end() == 0
        pd.testing.assert_frame_equal(content(here), content(tmp_path / "whole"), check_exact=True)


class TestInterrupted:
    @pytest.mark.parametrize("workers", ["1", "2"])
    def test_ctrl_c_keeps_the_cells_and_says_how_to_continue(
        self, workers: str, tmp_path: Path
    ) -> None:
        here = tmp_path / "here"
        process = start(*ENDLESS, "--workers", workers, "--out", "here", cwd=tmp_path)
        wait_for(lambda: rows_in(here) >= 4)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=10)
        assert process.returncode == 130
        assert out == ""
        rows = rows_in(here)
        assert len(pd.read_csv(here / "table.csv")) == rows
        assert " ".join(err.split()) == (
            f"maxpo: stopped after {rows // 2} of 80 cells, which are in here; "
            "the same command again continues"
        )
        assert json.loads((here / "study.json").read_text())["complete"] is False
        wait_for(lambda: not living(process.pid), 5)

    def test_ctrl_c_while_workers_start_shows_no_traceback(self, tmp_path: Path) -> None:
        process = start(*ENDLESS, "--workers", "2", "--out", "here", cwd=tmp_path)
        wait_for(lambda: sum("spawn_main" in line for line in living(process.pid)) >= 2)
        time.sleep(0.2)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=10)
        assert process.returncode == 130
        assert "Traceback" not in err
        wait_for(lambda: not living(process.pid), 5)


class TestOutput:
    def test_json_is_one_object_with_the_rows_of_the_table(self, quick: tuple[Path, str]) -> None:
        folder, printed = quick
        found = json.loads(printed)
        assert set(found) == {"study", "rows"}
        table = pd.read_csv(folder / "table.csv")
        assert [row["estimator"] for row in found["rows"]] == table["estimator"].tolist()
        assert list(found["rows"][0]) == [*COLUMNS[:2], "p", *COLUMNS[2:]]
        ratios = [row["variance_ratio"] for row in found["rows"]]
        expected = [None if ratio != ratio else ratio for ratio in table["variance_ratio"]]
        assert ratios == expected
        assert [row["p"] for row in found["rows"]] == table["p"].tolist()
        assert found["study"] == json.loads((folder / "study.json").read_text())

    def test_quiet_prints_nothing(self, tmp_path: Path) -> None:
        done = maxpo(*QUICK, "-q", "--out", "here", cwd=tmp_path)
        assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
        assert rows_in(tmp_path / "here") == 6 * 7

    def test_a_summary_fits_80_columns_and_progress_needs_a_terminal(self, tmp_path: Path) -> None:
        done = maxpo(*QUICK, cwd=tmp_path)
        assert (done.stderr, done.returncode) == ("", 0)
        assert max(map(len, done.stdout.splitlines())) <= 80
        assert "6 cells: 4 by enumeration (exact)" in done.stdout
        (folder,) = (tmp_path / "results").iterdir()
        assert f"written to results/{folder.name}" in done.stdout
        assert folder.name.startswith("variance-sweep-bernoulli-")

    def test_a_terminal_shows_cells_time_and_the_running_cell_on_standard_error(
        self, tmp_path: Path
    ) -> None:
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [*MAXPO, "variance-sweep", *SLOW, "--groups", "200000", "--json", "--out", "here"],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=theirs, stdin=subprocess.DEVNULL,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
        )  # fmt: skip
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
            if shown.count(b"/60 cells") > 5 and b"k=1" in shown and b"0:00:" in shown:
                process.kill()
        process.communicate()
        os.close(ours)
        text = shown.decode()
        assert "/60 cells" in text
        assert "0:00:" in text
        assert "n=8 k=1" in text


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("--grid", "k"), "--grid takes NAME=VALUES"),
            (("--grid", "zz=1,2"), "unknown --grid name for bernoulli 'zz'"),
            (("--policy", "bernoulli:p=0.5"), "variance-sweep needs --grid NAME=VALUES"),
            (("--grid", "k=1,2", "-k", "2"), "exclude each other"),
            (("--grid", "p=0.5", "--workers", "0"), "--workers"),
        ],
    )
    def test_bad_input_is_one_sentence_and_writes_nothing(
        self,
        arguments: tuple[str, ...],
        said: str,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        from maxpo_cli.app import run

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["maxpo", "variance-sweep", *arguments])
        assert run() == 2
        out, err = capfd.readouterr()
        assert out == ""
        assert said in err
        assert len(err.splitlines()) == 1
        assert not list(tmp_path.iterdir())

    def test_two_runs_at_once_do_not_mix(self, quick: tuple[Path, str], tmp_path: Path) -> None:
        shutil.copytree(quick[0], tmp_path / "here")
        processes = [start(*QUICK, "-q", "--out", "here", cwd=tmp_path) for _ in range(2)]
        ends = [(p.communicate()[1], p.returncode) for p in processes]
        assert {code for _, code in ends} <= {0, 2}
        assert all("another maxpo is writing there" in err for err, code in ends if code)
        pd.testing.assert_frame_equal(content(tmp_path / "here"), content(quick[0]))


class TestOthers:
    """What else may happen to a sweep's folder and processes."""

    def test_a_comparison_does_not_take_the_place_of_a_sweep(self, tmp_path: Path) -> None:
        assert maxpo(*QUICK, "--out", "here", "-q", cwd=tmp_path).returncode == 0
        before = (tmp_path / "here" / "table.csv").read_bytes()
        done = subprocess.run(
            [*MAXPO, "compare", "--out", "here"], cwd=tmp_path, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert "holds a result of maxpo variance-sweep" in done.stderr
        assert (tmp_path / "here" / "table.csv").read_bytes() == before

    def test_overwrite_goes_on_with_the_same_study_where_it_was_stopped(
        self, tmp_path: Path
    ) -> None:
        """A marker in a kept row shows that the row was not measured again."""
        slow = (*SLOW, "--out", "here", "-q", "--overwrite")
        assert maxpo(*slow, cwd=tmp_path).returncode == 0
        table, study = tmp_path / "here" / "table.csv", tmp_path / "here" / "study.json"
        lines = table.read_text().splitlines(keepends=True)
        lines[1] = lines[1].replace("gaussian:", "gaussian:kept,", 1)
        table.write_text("".join(lines[:21]))
        study.write_text(study.read_text().replace('"complete": true', '"complete": false'))
        assert maxpo(*slow, cwd=tmp_path).returncode == 0
        assert len(table.read_text().splitlines()) == len(lines)
        assert maxpo(*slow, cwd=tmp_path).returncode == 0
        assert "kept" not in table.read_text()

    def test_a_worker_that_is_killed_is_one_sentence(self, tmp_path: Path) -> None:
        process = start(*ENDLESS, "--workers", "2", "--out", "here", "-q", cwd=tmp_path)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        deadline = time.monotonic() + 60
        workers: list[int] = []
        while time.monotonic() < deadline and not workers:
            time.sleep(0.1)
            pids = children.read_text().split()
            commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids}
            workers = [int(pid) for pid, text in commands.items() if b"spawn_main" in text]
        os.kill(workers[0], signal.SIGKILL)
        _, error = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "a worker process was killed" in error
        assert "Traceback" not in error
