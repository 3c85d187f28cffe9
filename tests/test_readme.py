"""Every output that the README shows is one that the commands give."""

import doctest
import re
from pathlib import Path

import pytest
from write_readme import CONSOLE, README, ROOT, TABLE, column_table, printed


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
    assert without_rounding(printed(arguments)) == without_rounding(EXAMPLES[arguments])


def test_the_readme_explains_every_column() -> None:
    found = TABLE.search(README.read_text())
    assert found is not None
    assert found["rows"] == column_table()


def test_the_python_examples_print_what_the_readme_shows() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    example = doctest.DocTestParser().get_doctest("".join(blocks), {}, "README.md", None, None)
    found = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert found.attempted >= 8
    assert found.failed == 0


def test_the_files_that_the_readme_links_to_are_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text())
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]
