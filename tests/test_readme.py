"""Every output that the README shows is one that the commands give.

python tests/test_readme.py     writes the outputs, and the results they link to, anew
"""

import doctest
import os
import re
import shlex
import sys
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from maxpo_cli.app import app
from maxpo_cli.plots.bench import bench_view
from maxpo_cli.storage.folder import read_study, read_table

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BENCHED = ROOT / "results" / "bench-cpu-k4"
CONSOLE = re.compile(r"```console\n\$ maxpo (?P<arguments>.*)\n(?P<output>(?:.*\n)*?)```\n")


def run(arguments: str) -> str:
    """What `maxpo` prints at 80 columns.

    For a bench, whose times are never the same, what the committed one has.
    """
    if arguments == "bench":
        with (screen := Console(width=80, highlight=False)).capture() as printed:
            screen.print(bench_view(read_table(BENCHED), read_study(BENCHED)))
        return f"{stripped(printed.get())}\nwritten to {BENCHED.relative_to(ROOT)}\n"
    sys.argv = ["maxpo", *shlex.split(arguments)]
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, shlex.split(arguments))
    assert result.exit_code == 0, result.output
    return stripped(result.stdout)


def stripped(text: str) -> str:
    """The text without blanks at the ends of lines."""
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def without_rounding(text: str) -> str:
    """The text without numbers that are nothing but rounding, which differs between processors."""
    return re.sub(r"0\.0e\+00|\d\.\de-1[5-9]", "rounding", text)


EXAMPLES = {found["arguments"]: found["output"] for found in CONSOLE.finditer(README.read_text())}


@pytest.mark.parametrize("arguments", EXAMPLES)
def test_the_readme_shows_what_the_command_prints(
    arguments: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "analyses").symlink_to(ROOT / "analyses")
    monkeypatch.chdir(tmp_path)
    assert without_rounding(run(arguments)) == without_rounding(EXAMPLES[arguments])


def test_the_python_example_prints_what_the_readme_shows() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    example = doctest.DocTestParser().get_doctest("".join(blocks), {}, "README.md", None, None)
    found = doctest.DocTestRunner().run(example)
    assert found.attempted >= 2
    assert found.failed == 0


def test_the_files_that_the_readme_links_to_are_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text())
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


def rewrite() -> None:
    """Runs every example in the project's folder and puts what it prints into the README."""
    os.chdir(ROOT)

    def example(found: re.Match[str]) -> str:
        arguments = found["arguments"]
        return f"```console\n$ maxpo {arguments}\n{run(arguments)}```\n"

    README.write_text(CONSOLE.sub(example, README.read_text()))


if __name__ == "__main__":
    rewrite()
