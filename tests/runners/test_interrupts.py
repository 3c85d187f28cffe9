"""Ctrl-C from the first moment on, and in jobs that ignore it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SLOW_START = """
from maxpo_cli.main import main
print(flush=True)
main()
"""
"""The command as the script of an installation starts it, with a line when that begins."""

SWEEP = ("variance-sweep", "--policy", "gaussian", "--grid", "k=1,2", "--groups", "100000000", "-q")


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_START, *arguments], cwd=folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.mark.parametrize("seconds", [0.01, 0.03, 0.05, 0.15, 0.5, 1.0])
@pytest.mark.parametrize("arguments", [SWEEP, (*SWEEP, "--workers", "2")])
def test_ctrl_c_at_any_moment_ends_in_silence_or_one_sentence(
    seconds: float, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    process = start(tmp_path, *arguments)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err == b"" or (err.startswith(b"maxpo: stopped ") and err.count(b"\n") == 1)


def test_where_ctrl_c_is_ignored_it_stays_so(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = start(tmp_path, "compare", "-n", "4", "-k", "2", "--out", "here", "-q")
    finally:
        signal.signal(signal.SIGINT, before)
    for _ in range(10):
        time.sleep(0.1)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
