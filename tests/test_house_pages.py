"""The pages about the inside of the package name files, functions and equations that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "maxpo_cli"
EQUATIONS = PACKAGE / "engines" / "README.md"
PAGES = [*sorted(PACKAGE.glob("**/README.md")), ROOT / "CONTRIBUTING.md"]
by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))

CODE_SPAN = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"(?=.*(/|\.py$|\.md$))[\w.-]+(/[\w.-]*)*")
"""A code span that is a path: it has a slash, or it ends as a module or a page does."""

PLACEHOLDER = "NAME"
FUNCTION = re.compile(r"`([\w./]+\.py)` \(`(\w+)`")
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
CITATION = re.compile(r"engines/README\.md`?,? ((?:and |, |\(|\*[^*]+\*,? ?)+)")


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return "\n".join(line for line in page.read_text().splitlines() if not line.startswith("    "))


def paths(page: Path) -> list[str]:
    spans = CODE_SPAN.findall(prose(page))
    return [span for span in spans if PATH.fullmatch(span) and PLACEHOLDER not in span]


def find(page: Path, path: str) -> Path:
    """The file of a path that is relative to its page or to the repository."""
    beside = page.parent / path
    return beside if beside.exists() else ROOT / path


def equations() -> list[str]:
    """The names of the equations: the headings of the second level."""
    return re.findall(r"^## (.*)$", EQUATIONS.read_text(), flags=re.MULTILINE)


def citations(file: Path) -> list[str]:
    """The names of equations that a file cites, whatever the line breaks in its comments."""
    text = re.sub(r"\s*\n\s*(# )?", " ", file.read_text())
    return [name for cited in CITATION.findall(text) for name in re.findall(r"\*([^*]+)\*", cited)]


@by_page
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    named = paths(page)
    assert len(named) > 5
    assert not [path for path in named if not find(page, path).exists()]


@by_page
def test_every_link_of_a_page_leads_to_a_file_or_a_heading(page: Path) -> None:
    links = LINK.findall(page.read_text())
    assert links
    for path, anchor in links:
        file = page.parent / path if path else page
        assert file.exists(), path
        if anchor:
            headings = re.findall(r"^#+ (.*)$", file.read_text(), flags=re.MULTILINE)
            assert anchor in [heading.lower().replace(" ", "-") for heading in headings]


def test_every_function_that_a_page_names_is_in_its_file() -> None:
    named = [(page, *found) for page in PAGES for found in FUNCTION.findall(page.read_text())]
    assert len(named) >= 5
    for page, path, name in named:
        tree = ast.parse(find(page, path).read_text())
        defined = {getattr(node, "name", None) for node in ast.walk(tree)}
        assert name in defined, f"{path} has no {name}"


def test_every_equation_has_one_name_and_is_in_the_list_at_the_top() -> None:
    names = equations()
    assert len(names) == len(set(names))
    listed = {anchor for path, anchor in LINK.findall(EQUATIONS.read_text()) if not path}
    assert {name.lower().replace(" ", "-") for name in names} == listed | {"notation"}


def test_every_equation_that_is_cited_exists() -> None:
    files = [*PACKAGE.glob("**/*.py"), *(ROOT / "tests").glob("**/*.py"), PACKAGE / "README.md"]
    files.remove(Path(__file__))
    cited = {(file.relative_to(ROOT), name) for file in files for name in citations(file)}
    assert len(cited) > 10
    assert not {(str(file), name) for file, name in cited if name not in equations()}


def test_every_mention_of_the_equations_page_in_code_is_a_citation_by_name() -> None:
    for file in PACKAGE.glob("**/*.py"):
        text = re.sub(r"\s*\n\s*(# )?", " ", file.read_text())
        bare = text.count("engines/README.md") - len(CITATION.findall(text))
        assert bare == 0, file.relative_to(ROOT)


def test_every_question_of_the_map_is_answered_by_two_files_at_the_most() -> None:
    page = PACKAGE / "README.md"
    section = page.read_text().partition("## Where is …")[2].partition("\n## ")[0]
    rows = [line.strip("|").rpartition("|")[2] for line in section.splitlines() if "|" in line]
    answers = [[span for span in CODE_SPAN.findall(row) if PATH.fullmatch(span)] for row in rows]
    assert len(rows) > 20
    assert max(map(len, answers)) <= 2
