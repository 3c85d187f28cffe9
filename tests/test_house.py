"""The rules of the house: imports run one way and never in circles, and a module fits one reading.

`maxpo_cli/README.md` has the map. Imports inside functions and under TYPE_CHECKING count like any
other, and so does a text that is the dotted name of a module (for imports by name).
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "maxpo_cli"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / PACKAGE).rglob("*.py"))
}
LONGEST = 300
SHARED = {"arrays", "errors", "text"}
"""Top modules that every room may import; they import none."""

ALLOWED: dict[str, set[str]] = {
    "arrays": set(),
    "errors": set(),
    "text": set(),
    "estimators": set(),
    "problems": set(),
    "runners": set(),
    "policies": {"problems"},
    "engines": {"problems", "estimators"},
    "metrics": {"engines", "estimators"},
    "storage": {"metrics"},
    "studies": {"runners", "engines", "problems", "policies", "estimators", "metrics", "storage"},
    "plots": {"storage", "metrics", "estimators"},
    "terminal": {"storage", "metrics", "estimators"},
}
"""The rooms that each room may import; the commands may import all of these."""

ALLOWED["commands"] = set(ALLOWED)
ALLOWED["app"] = {"commands", "runners", "terminal"}
ALLOWED["main"] = {"app", "runners"}
ALLOWED[""] = {"estimators", "studies"}  # `maxpo_cli/__init__.py`, the public names
NARROW = {
    ("metrics", "engines"): {f"{PACKAGE}.engines.moments"},
    ("studies", "storage"): {f"{PACKAGE}.storage.study"},  # the record, which a study makes
}
"""The only modules of a room that another may import, where those are not all."""


def room_of(module: str) -> str:
    """The room of a module or its own name at the top; empty for the package itself."""
    return module.split(".")[1] if "." in module else ""


@cache
def imports(module: str) -> frozenset[str]:
    """The modules of the package that a module names, wherever in it."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    return frozenset(name for node in ast.walk(tree) for name in _named(node, module)) - {module}


def _named(node: ast.AST, module: str) -> Iterator[str]:
    match node:
        case ast.Import():
            candidates = [alias.name for alias in node.names]
        case ast.ImportFrom():
            base = _absolute(node, module)
            candidates = [f"{base}.{alias.name}" for alias in node.names]
        case ast.Constant(value=str() as text) if re.fullmatch(rf"{PACKAGE}(\.\w+)+", text):
            candidates = [text]
        case _:
            return
    for candidate in candidates:
        if candidate.split(".")[0] == PACKAGE:
            while candidate not in MODULES:  # a name in a module
                candidate = candidate.rpartition(".")[0]
            yield candidate


def _absolute(node: ast.ImportFrom, module: str) -> str:
    if not node.level:
        return node.module or ""
    inside = module.split(".")
    if MODULES[module].name != "__init__.py":
        inside = inside[:-1]
    parents = inside[: len(inside) - node.level + 1]
    return ".".join([*parents, *([node.module] if node.module else [])])


def offences() -> list[str]:
    """Every import that the table does not allow."""
    found = []
    for module in MODULES:
        room = room_of(module)
        for other in sorted(imports(module) - {PACKAGE}):
            there = room_of(other)
            narrow = NARROW.get((room, there))
            allowed = there in ALLOWED.get(room, set()) | SHARED | {room}
            if not allowed or (narrow is not None and other not in narrow):
                found.append(f"{module} imports {other}")
    return found


def test_every_room_is_in_the_table() -> None:
    assert {room_of(module) for module in MODULES} <= set(ALLOWED)


def test_imports_between_rooms_run_one_way() -> None:
    assert list(TopologicalSorter(ALLOWED).static_order())  # the table has no circle
    assert offences() == []


def test_no_module_imports_itself_over_others() -> None:
    # The package itself is left out: every import of a module of it runs it first anyway.
    graph = {module: imports(module) - {PACKAGE} for module in MODULES if module != PACKAGE}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))
    assert set(order) == set(graph)


def test_no_module_is_longer_than_300_lines() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_no_text_cites_a_page_that_no_reader_has() -> None:
    cited = re.compile(
        r"sections? \d[\d, and–-]* of the design|design(\.md)?,? sections? \d|design\.md"
    )
    folders = (PACKAGE, "tests", "analyses")
    pages = [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".md", ".toml") and "__pycache__" not in path.parts
    ]
    assert len(pages) > len(MODULES)
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in pages
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if cited.search(line)
    ]
    assert found == []


def test_the_parser_sees_every_kind_of_import() -> None:
    source = (
        "import maxpo_cli.errors\n"
        "from maxpo_cli.estimators.api import advantages\n"
        "from maxpo_cli import arrays\n"
        "def later():\n    from maxpo_cli.engines import moments\n"
        "if TYPE_CHECKING:\n    from .lookup import find\n"
        "LAZY = {'compare': 'maxpo_cli.app'}\n"
    )
    module = f"{PACKAGE}.estimators.api"
    found = {name for node in ast.walk(ast.parse(source)) for name in _named(node, module)}
    parts = ("errors", "estimators.api", "arrays", "engines.moments", "app")
    assert found >= {f"{PACKAGE}.{part}" for part in parts}
    assert any(name.startswith(f"{PACKAGE}.estimators") and name != module for name in found)
