"""Standard output and standard error: closed, full, left by their reader, or of few characters."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

import maxpo_cli
from maxpo_cli.terminal.screen import rendered

MAXPO = f"{sys.executable} -c 'from maxpo_cli.main import main; main()'"
HELP, BAD = "compare --help", "compare --no-such-option"
CLOSED = "maxpo: standard output cannot be written: bad file descriptor\n"
FULL = "maxpo: standard output cannot be written: no space left on device\n"
REFUSAL = "maxpo: No such option: --no-such-option\n"


def shell(command: str, **environment: str) -> tuple[int, str, str]:
    """The status of a pipeline, and what it printed on either stream."""
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True,
        env={**os.environ, **environment}, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (f"{MAXPO} {HELP} >&-", (2, "", CLOSED)),
        (f"{MAXPO} {HELP} >/dev/full", (2, "", FULL)),
        (f"{MAXPO} --version >/dev/full", (2, "", FULL)),
        (f"{MAXPO} {HELP} >&- 2>&-", (2, "", "")),
        (f"{MAXPO} {HELP} | true", (0, "", "")),
        (f"{MAXPO} {BAD}", (2, "", REFUSAL)),
        (f"{MAXPO} {BAD} >&-", (2, "", REFUSAL)),
        (f"{MAXPO} {BAD} 2>&-", (2, "", "")),
        (f"{MAXPO} {BAD} 2>/dev/full", (2, "", "")),
        (f"{MAXPO} {BAD} 2>&1 >/dev/null | true", (2, "", "")),
        (f"{MAXPO} --version <&- 2>&-", (0, f"maxpo {maxpo_cli.__version__}\n", "")),
    ],
)
def test_a_stream_that_cannot_be_written_is_told_on_the_other_or_not_at_all(
    command: str, expected: tuple[int, str, str]
) -> None:
    assert shell(command) == expected


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8:surrogateescape"])
def test_a_terminal_of_few_characters_gets_a_plain_text(encoding: str) -> None:
    environment = {"PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    name = "$'w\\xff\\x1b−数'"
    status, out, err = shell(f"{MAXPO} compare --config {name}", **environment)
    shown = {"utf-8:surrogateescape": "−数"}.get(encoding, r"-\u6570")
    assert (status, out) == (2, "")
    assert err == f"maxpo: --config w\\xff\\x1b{shown}: no such file or directory\n"


@pytest.mark.parametrize("columns", ["0", "1", "-5", "x", ""])
def test_a_terminal_that_misstates_its_width_shows_everything(
    columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert rendered(Text("the width of a terminal")) == "the width of a terminal"


def test_texts_in_a_view_are_data() -> None:
    table = Table(box=None)
    table.add_column("estimator", no_wrap=True)
    for name in ("[/b]", "[red]a", ":smile:", "\x1b[2J", "a\rb"):
        table.add_row(name)
    lines = [line.strip() for line in rendered(table).splitlines()]
    assert lines[1:] == ["[/b]", "[red]a", ":smile:", r"\x1b[2J", r"a\rb"]
    assert rendered(Text("p\x9b[b]")) == r"p\x9b[b]"


def test_nothing_prints_past_the_streams() -> None:
    root = Path(maxpo_cli.__file__).parent
    prints = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "typer.echo")
    ]
    assert [place.partition(":")[0] for place in prints] == ["terminal/streams.py"]
