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
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from forks import Done, Forks, Running
from oracles.studies import COLUMNS

MAXPO = (sys.executable, "-c", "from maxpo_cli.app import main; main()")
QUICK = ("--grid", "p=0.1,0.5", "--grid", "k=1,2,9", "-n", "4")
SLOW = (
    "--policy", "gaussian:reward=exp", "--grid", "std=0.5:1:3", "--grid", "k=1,3",
    "--grid", "mean=0:1:10", "-n", "8", "--groups", "15000", "--device", "cpu",
    "--estimators", "l2o,ei", "--engine", "monte-carlo",
)  # fmt: skip
ENDLESS = (
    "--policy", "gaussian", "--grid", "std=1:2:400", "--grid", "k=1,3", "-n", "8",
    "--groups", "300000", "--estimators", "l2o,ei", "--engine", "monte-carlo",
)  # fmt: skip
ROWS = 3 * 2 * 10 * 2
MARKER = "12345.678"


def run(forks: Forks, *arguments: str, cwd: Path) -> Done:
    return forks.run("variance-sweep", *arguments, cwd=cwd)


def start(forks: Forks, *arguments: str, cwd: Path) -> Running:
    return forks.start("variance-sweep", *arguments, cwd=cwd)


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
    return pd.read_csv(folder / "table.csv", dtype=str)


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
def quick(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A small sweep with --json: its folder and what it printed."""
    cwd = tmp_path_factory.mktemp("quick")
    done = run(forks, *QUICK, "--json", "--out", "here", cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    return cwd / "here", done.stdout


@pytest.fixture(scope="module")
def whole(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the slow sweep, undisturbed."""
    cwd = tmp_path_factory.mktemp("slow")
    assert run(forks, *SLOW, "-q", "--out", "whole", cwd=cwd).returncode == 0
    return cwd / "whole"


class TestKilled:
    def test_at_ten_random_moments_and_continued_ends_with_the_undisturbed_table(
        self, forks: Forks, whole: Path, tmp_path: Path
    ) -> None:
        pick = random.Random(8)
        expected = content(whole)
        assert len(expected) == ROWS
        here = tmp_path / "here"
        counts = []
        for moment in range(10):
            running = start(forks, *SLOW, "-q", "--out", "here", cwd=tmp_path)
            before = rows_in(here)
            if moment % 3 == 2:  # anywhere at all, most likely while it starts
                time.sleep(pick.uniform(0, 0.03))
            else:
                wait_for(lambda before=before: rows_in(here) > before)  # type: ignore[misc]
                time.sleep(pick.uniform(0, 0.02))
            os.kill(running.pid, signal.SIGKILL)
            assert running.end().returncode == -signal.SIGKILL
            counts.append(rows_in(here))
            if moment in (2, 5, 9) and 0 < counts[-1] < ROWS:
                # A kill in the midst of a write leaves a part of what was to be written.
                table = (here / "table.csv").read_bytes()
                written, whole_rows = table.rpartition(b"\n")[0], table.endswith(b"\n")
                if whole_rows:
                    torn = written.splitlines()[-1][: pick.randrange(1, 200)]
                    (here / "table.csv").write_bytes(table + torn)
        assert 0 < counts[-1] < ROWS, f"the kills missed the work: {counts}"
        assert run(forks, *SLOW, "-q", "--out", "here", cwd=tmp_path).returncode == 0
        pd.testing.assert_frame_equal(content(here), expected, check_exact=True)
        assert json.loads((here / "study.json").read_text())["complete"] is True
        assert {p.name for p in here.iterdir()} == {"table.csv", "study.json", "figures"}

    def test_with_two_workers_leaves_no_process_and_ends_with_the_undisturbed_table(
        self, forks: Forks, whole: Path, tmp_path: Path
    ) -> None:
        here, two = tmp_path / "here", (*SLOW, "-q", "--out", "here", "--workers", "2")
        running = start(forks, *two, cwd=tmp_path)
        wait_for(lambda: rows_in(here) > 0)
        os.kill(running.pid, signal.SIGKILL)
        assert running.end().returncode == -signal.SIGKILL
        assert rows_in(here) < ROWS, "the kill missed the work"
        wait_for(lambda: not living(running.pid), 5)
        assert run(forks, *two, cwd=tmp_path).returncode == 0
        pd.testing.assert_frame_equal(content(here), content(whole), check_exact=True)


class TestInterrupted:
    @pytest.mark.parametrize("workers", ["1", "2"])
    def test_ctrl_c_keeps_the_cells_and_says_how_to_continue(
        self, workers: str, forks: Forks, tmp_path: Path
    ) -> None:
        here = tmp_path / "here"
        running = start(forks, *ENDLESS, "--workers", workers, "--out", "here", cwd=tmp_path)
        wait_for(lambda: rows_in(here) >= 4)
        os.killpg(running.pid, signal.SIGINT)
        done = running.end()
        assert done.returncode == 130
        assert done.stdout == ""
        rows = rows_in(here)
        assert len(pd.read_csv(here / "table.csv")) == rows
        assert " ".join(done.stderr.split()) == (
            f"maxpo: stopped after {rows // 2} of 800 cells, which are in here; "
            "the same command again continues"
        )
        assert json.loads((here / "study.json").read_text())["complete"] is False
        wait_for(lambda: not living(running.pid), 5)

    def test_ctrl_c_while_workers_start_shows_no_traceback(
        self, forks: Forks, tmp_path: Path
    ) -> None:
        running = start(forks, *ENDLESS, "--workers", "2", "--out", "here", cwd=tmp_path)
        wait_for(lambda: sum("spawn_main" in line for line in living(running.pid)) >= 2)
        time.sleep(0.2)
        os.killpg(running.pid, signal.SIGINT)
        done = running.end()
        assert done.returncode == 130
        assert "Traceback" not in done.stderr
        wait_for(lambda: not living(running.pid), 5)


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

    def test_quiet_prints_nothing(self, forks: Forks, tmp_path: Path) -> None:
        done = run(forks, *QUICK, "-q", "--out", "here", cwd=tmp_path)
        assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
        assert rows_in(tmp_path / "here") == 6 * 7

    def test_a_summary_fits_80_columns_and_progress_needs_a_terminal(
        self, forks: Forks, tmp_path: Path
    ) -> None:
        done = run(forks, *QUICK, cwd=tmp_path)
        assert (done.stderr, done.returncode) == ("", 0)
        assert max(map(len, done.stdout.splitlines())) <= 80
        assert "6 cells: 4 by enumeration (exact for this policy)" in done.stdout
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
            (("--grid", "p=0.5", "--workers", "0"), "Invalid value for '--workers'"),
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
        from maxpo_cli import app

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["maxpo", "variance-sweep", *arguments])
        assert app.run() == 2
        out, err = capfd.readouterr()
        assert out == ""
        assert said in err
        assert len(err.splitlines()) == 1
        assert not list(tmp_path.iterdir())

    def test_two_runs_at_once_do_not_mix(self, forks: Forks, tmp_path: Path) -> None:
        here = tmp_path / "here"
        first = start(forks, *ENDLESS, "-q", "--out", "here", cwd=tmp_path)
        wait_for(lambda: rows_in(here) > 0)
        second = run(forks, *ENDLESS, "-q", "--out", "here", cwd=tmp_path)
        assert second.returncode == 2
        assert "another maxpo is writing there" in second.stderr
        os.killpg(first.pid, signal.SIGINT)
        assert first.end().returncode == 130
        table = content(here)
        assert len(table) == rows_in(here)
        assert not table.duplicated(["estimator", "policy", "n", "k"]).any()


class TestOthers:
    """What else may happen to a sweep's folder and processes."""

    def test_a_comparison_does_not_take_the_place_of_a_sweep(
        self, forks: Forks, tmp_path: Path
    ) -> None:
        assert run(forks, *QUICK, "--out", "here", "-q", cwd=tmp_path).returncode == 0
        before = (tmp_path / "here" / "table.csv").read_bytes()
        done = forks.run("compare", "--out", "here", cwd=tmp_path)
        assert done.returncode == 2
        assert (
            "here holds another study (one of maxpo variance-sweep); give --overwrite"
            in done.stderr
        )
        assert (tmp_path / "here" / "table.csv").read_bytes() == before

    def test_overwrite_goes_on_with_the_same_study_where_it_was_stopped(
        self, forks: Forks, whole: Path, tmp_path: Path
    ) -> None:
        """A marker in a kept row shows that the row was not measured again."""
        slow = (*SLOW, "--out", "here", "-q", "--overwrite")
        shutil.copytree(whole, tmp_path / "here")
        table, study = tmp_path / "here" / "table.csv", tmp_path / "here" / "study.json"
        lines = table.read_text().splitlines(keepends=True)
        row, _, note = lines[1].rsplit(",", 2)
        lines[1] = f"{row},{MARKER},{note}"  # in place of the mean squared error
        table.write_text("".join(lines[:41]))  # both K of every mean at the first std
        study.write_text(study.read_text().replace('"complete": true', '"complete": false'))
        assert run(forks, *slow, cwd=tmp_path).returncode == 0
        assert len(table.read_text().splitlines()) == len(lines)
        assert MARKER in table.read_text()
        assert run(forks, *slow, cwd=tmp_path).returncode == 0
        assert MARKER not in table.read_text()

    def test_a_worker_that_is_killed_is_one_sentence(self, forks: Forks, tmp_path: Path) -> None:
        running = start(forks, *ENDLESS, "--workers", "2", "--out", "here", "-q", cwd=tmp_path)
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children")
        deadline = time.monotonic() + 60
        workers: list[int] = []
        while time.monotonic() < deadline and not workers:
            time.sleep(0.1)
            pids = children.read_text().split()
            commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids}
            workers = [int(pid) for pid, text in commands.items() if b"spawn_main" in text]
        os.kill(workers[0], signal.SIGKILL)
        done = running.end()
        assert done.returncode == 2
        assert "a worker process was killed" in done.stderr
        assert "Traceback" not in done.stderr
