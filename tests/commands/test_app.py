"""What the command line makes of errors, whoever raises them."""

import errno
import os
from pathlib import Path

import pytest

from maxpo_cli import app


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["maxpo", *arguments])
    return app.run()


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "a/b"),
            2,
            "a/b: no space left on device",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "x\x1b"),
            2,
            "x\\x1b: permission denied",
        ),
        (OSError("something"), 2, "something"),
        (MemoryError(), 2, "this takes more memory than there is"),
    ],
)
def test_what_the_machine_lacks_is_one_sentence(
    error: Exception,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(app, "app", fail)
    assert run(monkeypatch) == status
    assert capsys.readouterr() == ("", f"maxpo: {said}\n")


def test_a_fault_of_ours_is_a_traceback_that_a_terminal_does_not_obey(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise KeyError("\x9b2J \x1b[31m")

    monkeypatch.setattr(app, "app", fail)
    assert run(monkeypatch) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Traceback")
    assert "\x1b" not in err
    assert "\x9b" not in err


def test_a_current_folder_that_is_gone_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gone").mkdir()
    os.chdir("gone")
    (tmp_path / "gone").rmdir()
    assert run(monkeypatch, "compare") == 2
    assert capsys.readouterr().err == "maxpo: the current folder: no such file or directory\n"
