"""What the README shows: the outputs of its examples, and the table of columns.

    python analyses/write_readme.py     writes them, and the results that they link to, anew

`tests/test_readme.py` checks that nothing else would be written.
"""

import os
import re
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from typer.testing import CliRunner

from maxpo_cli.app import app
from maxpo_cli.metrics.columns import COLUMNS
from maxpo_cli.storage.result import read_result
from maxpo_cli.storage.study import read_study
from maxpo_cli.terminal.bench import bench_view

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BENCHED = ROOT / "results" / "bench-cpu-amd-epyc-k4"
CONSOLE = re.compile(r"```console\n\$ maxpo (?P<arguments>.*)\n(?P<output>(?:.*\n)*?)```\n")
TABLE = re.compile(
    r"(?P<begin><!-- columns: .*? -->\n)(?P<rows>.*?)(?P<end><!-- end of columns -->)", re.DOTALL
)


def printed(arguments: str) -> str:
    """What `maxpo` prints at 80 columns.

    For a bench, whose times are never the same, what the committed one has.
    """
    if arguments == "bench":
        with (screen := Console(width=80, highlight=False)).capture() as captured:
            screen.print(bench_view(read_result(BENCHED).table, read_study(BENCHED), 80))
        return f"{stripped(captured.get())}\nwritten to {BENCHED.relative_to(ROOT)}\n"
    sys.argv = ["maxpo", *shlex.split(arguments)]
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, shlex.split(arguments))
    if result.exit_code:
        raise RuntimeError(f"maxpo {arguments}: {result.output}")
    return stripped(result.stdout)


def stripped(text: str) -> str:
    """The text without blanks at the ends of lines."""
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def column_table() -> str:
    """The columns of a study's table as a Markdown table."""
    rows = ["| in `table.csv` | in the terminal | what it holds | unit | standard error |"]
    rows.append("| --- | --- | --- | --- | --- |")
    for column in COLUMNS:
        stderr = f"`{column.stderr}`" if column.stderr else ""
        cells = (f"`{column.name}`", column.heading, column.meaning, column.unit, stderr)
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows) + "\n"


def rewrite() -> None:
    """Runs every example in an empty folder, and takes over what it prints and writes."""

    def example(found: re.Match[str]) -> str:
        arguments = found["arguments"]
        return f"```console\n$ maxpo {arguments}\n{printed(arguments)}```\n"

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "analyses").symlink_to(ROOT / "analyses")
        os.chdir(folder)
        text = CONSOLE.sub(example, README.read_text())
        for result in Path("results").iterdir():
            shutil.rmtree(ROOT / result, ignore_errors=True)
            shutil.copytree(result, ROOT / result)
        os.chdir(ROOT)
    text = TABLE.sub(lambda found: f"{found['begin']}{column_table()}{found['end']}", text)
    README.write_text(text)


if __name__ == "__main__":
    rewrite()
