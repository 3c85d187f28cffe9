"""Whatever stands in the folder: after any command every byte that maxpo did not write is there."""

import os
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from maxpo_cli.app import app
from maxpo_cli.commands import bench_result, results
from maxpo_cli.studies import bench

WORDS = ("-n", "4", "-k", "2", "--device", "cpu", "--out", "here", "-q")
COMMANDS = {
    "compare": ("compare", "--estimators", "l2o", "--policy", "bernoulli:p=0.2", *WORDS),
    "other compare": ("compare", "--estimators", "ei", "--policy", "bernoulli:p=0.4", *WORDS),
    "rewards": ("compare", "--estimators", "l2o", "--rewards", "here/prompts.csv", *WORDS),
    "sweep": ("variance-sweep", "--estimators", "l2o", "--policy", "bernoulli",
              "--grid", "p=0.2,0.4", *WORDS),
    "bench": ("bench", "-n", "4", "-k", "2", "--seconds", "1e-6", "--device", "cpu",
              "--out", "here", "-q"),
    "plot": ("plot", "here", "--format", "svg"),
}  # fmt: skip
NAMES = (
    "table.csv", "study.json", "prompts.csv", "notes.txt", "figures/thesis.pdf", "figures/a/b.svg",
    "figures/comparison.svg.old", "old/study.json", "old/table.csv", ".hidden", "draft/table.csv",
)  # fmt: skip
NAMES_OF_OURS = ("table.csv", "study.json")
"""Every result has files of these names."""

CONTENTS = (
    b"", b"mine", b"prompt,reward\na,1\na,0\na,1\na,0\n", b"{}", b'{"study": "compare"}',
    b'{"maxpo": "compare", "spec": {}, "complete": true}',
)  # fmt: skip
ENTRIES = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(CONTENTS), min_size=1, max_size=3)
KINDS = st.sampled_from(["file", "file", "link", "read-only"])
STEPS = st.lists(st.tuples(st.sampled_from(list(COMMANDS)), st.booleans()), min_size=1, max_size=2)


def maxpo(command: str, overwrite: bool) -> int:
    more = ("--overwrite",) if overwrite and command != "plot" else ()
    return CliRunner().invoke(app, [*COMMANDS[command], *more]).exit_code


def put(path: Path, contents: bytes, kind: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind != "link":
        path.write_bytes(contents)
        path.chmod(0o444 if kind == "read-only" else 0o644)
        return
    target = Path("elsewhere", path.name)
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(contents)
    path.symlink_to(os.path.relpath(target, path.parent))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures and long timings take longer than the rest; what happens to them is the same."""
    monkeypatch.setattr(bench, "SAMPLED", bench.NUMBERS)
    for module in (results, bench_result):
        monkeypatch.setattr(module, "draw_figures", lambda *_, **__: None)


@settings(
    max_examples=8, derandomize=True, phases=[Phase.generate], database=None, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(before=st.sampled_from(["nothing", *COMMANDS]), entries=ENTRIES, kind=KINDS, steps=STEPS)
def test_what_maxpo_did_not_write_stays_to_the_byte(
    before: str, entries: dict[str, bytes], kind: str, steps: list[tuple[str, bool]]
) -> None:
    with TemporaryDirectory() as place, chdir(place):
        if before != "nothing":
            maxpo(before, overwrite=False)
        ours = {path for path in Path("here").rglob("*") if path.is_file()}
        foreign = {}
        for name, contents in entries.items():
            path = Path("here", name)
            if path not in ours and (before == "nothing" or name not in NAMES_OF_OURS):
                put(path, contents, kind)
                foreign[path] = contents
        links = {path for path in foreign if path.is_symlink()}
        for command, overwrite in steps:
            maxpo(command, overwrite)
        assert {path: path.read_bytes() for path in foreign} == foreign
        assert all(path.is_symlink() for path in links)


def test_a_result_of_ours_is_replaced(tmp_path: Path) -> None:
    """What the property above says of other files is not said of ours."""
    with chdir(tmp_path):
        assert maxpo("compare", overwrite=False) == 0
        table = Path("here", "table.csv").read_bytes()
        assert maxpo("other compare", overwrite=False) != 0
        assert Path("here", "table.csv").read_bytes() == table
        assert maxpo("other compare", overwrite=True) == 0
        assert Path("here", "table.csv").read_bytes() != table
