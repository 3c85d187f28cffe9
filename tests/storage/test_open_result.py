"""The one rule of what a study may do to a folder, and what is left of it whenever it is killed."""

import json
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from oracles.records import RECORD

from maxpo_cli.errors import InputError
from maxpo_cli.storage.folder import LOCK
from maxpo_cli.storage.growing_table import GrowingResult, open_result
from maxpo_cli.storage.study import StudyRecord, read_study

COLUMNS = ("what", "value")
NEW = replace(RECORD, complete=False, seconds={}, table_sha256=None)
OTHER = replace(NEW, spec={**NEW.spec, "seed": 1})
KILLED = 9


def rows_of(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"what": [f"w{v:g}" for v in values], "value": values})


def measure(
    path: Path,
    record: StudyRecord = NEW,
    overwrite: bool = False,
    values: tuple[float, ...] = (2, 1),
) -> bool:
    """Whether anything was measured: the missing ones of these values, a batch each, in order."""
    with open_result(path, record, COLUMNS, overwrite) as result:
        if result.complete:
            return False
        there = [float(text) for text in result.rows(["value"])["value"]]
        for value in values:
            if value not in there:
                result.append(rows_of(value), {"enumeration": 1})
        found = result.rows(["value"])["value"].astype(float)
        result.finish(list(found.argsort()), {"threshold": 0.5})
    return True


@contextmanager
def interrupted(
    path: Path, record: StudyRecord = NEW, overwrite: bool = False
) -> Iterator[GrowingResult]:
    """A block that Ctrl-C ends."""
    with (
        pytest.raises(KeyboardInterrupt),
        open_result(path, record, COLUMNS, overwrite) as result,
    ):
        yield result
        raise KeyboardInterrupt


def state(path: Path) -> dict[str, tuple[bytes, int, int]]:
    """All files with what is in them, and whether they are the same ones."""
    return {
        str(file.relative_to(path)): (
            file.read_bytes(),
            file.stat().st_mtime_ns,
            file.stat().st_ino,
        )
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


def refusal(path: Path, record: StudyRecord = NEW, overwrite: bool = False) -> str:
    before = state(path)
    with pytest.raises(InputError) as caught, open_result(path, record, COLUMNS, overwrite):
        pytest.fail("the block must not run")
    assert state(path) == before
    return str(caught.value)


def edit(path: Path, **changes: object) -> None:
    study = json.loads((path / "study.json").read_text()) | changes
    kept = {key: value for key, value in study.items() if value is not None}
    (path / "study.json").write_text(json.dumps(kept))


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    assert measure(tmp_path / "whole")
    return tmp_path / "whole"


class TestNothingBeforeTheFirstRows:
    @pytest.mark.parametrize("deep", ["here", "a/b/here"])
    def test_an_error_leaves_no_folder(self, deep: str, tmp_path: Path) -> None:
        with pytest.raises(ZeroDivisionError), open_result(tmp_path / deep, NEW, COLUMNS, False):
            assert [path.name for path in (tmp_path / deep).iterdir()] == [LOCK]
            raise ZeroDivisionError
        assert list(tmp_path.iterdir()) == []

    def test_an_empty_folder_stays(self, tmp_path: Path) -> None:
        (tmp_path / "here").mkdir()
        with interrupted(tmp_path / "here"):
            pass
        assert state(tmp_path) == {}
        assert (tmp_path / "here").is_dir()

    @pytest.mark.parametrize(
        ("record", "overwrite"),
        [(NEW, True), (OTHER, True), (replace(NEW, device="cuda:0 (X)"), False)],
    )
    def test_an_earlier_result_is_untouched(
        self, record: StudyRecord, overwrite: bool, whole: Path
    ) -> None:
        before = state(whole)
        with interrupted(whole, record, overwrite) as result:
            assert not result.complete
            assert result.rows(["value"]).empty
            result.keep(0)
        assert state(whole) == before


class TestTheSameStudy:
    def test_complete_it_is_kept_to_the_byte(self, whole: Path) -> None:
        before = state(whole)
        later = replace(NEW, created="2027-01-01T00:00:00+00:00", command_line=("x",))
        later = replace(later, versions={**NEW.versions, "torch": "9", "python": "4"})
        assert not measure(whole, later)
        with open_result(whole, later, COLUMNS, False) as result:
            assert result.record == read_study(whole)
            assert result.finish([], {"enumeration": 9}) == result.record
            assert result.record.created == NEW.created
        assert state(whole) == before

    def test_complete_it_is_measured_anew_with_overwrite(self, whole: Path) -> None:
        before = state(whole)
        assert measure(whole, overwrite=True)
        assert {name: file[0] for name, file in state(whole).items()} == {
            name: file[0] for name, file in before.items()
        }

    @pytest.mark.parametrize(
        "change",
        [
            {"device": "cuda:0 (X)"},
            {"versions": {**NEW.versions, "maxpo": "0.0.1"}},
            {"schema": None},
            {"schema": 3},
            {"cells": "many"},
        ],
        ids=["device", "maxpo", "schema 1", "schema 3", "broken"],
    )
    def test_made_otherwise_it_is_replaced(self, change: dict[str, object], whole: Path) -> None:
        edit(whole, **change)
        (whole / "prompts.csv").write_text("old")
        assert measure(whole, values=(3, 4))
        assert (whole / "table.csv").read_text() == "what,value\nw3,3\nw4,4\n"
        assert not (whole / "prompts.csv").exists()
        assert read_study(whole).device == "cpu"

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_incomplete_it_is_continued(self, overwrite: bool, tmp_path: Path) -> None:
        with interrupted(tmp_path) as result:
            result.append(rows_of(2, 1), {"enumeration": 1})
        assert not read_study(tmp_path).complete
        with open_result(tmp_path, NEW, COLUMNS, overwrite) as result:
            assert list(result.rows(["value"])["value"]) == ["2", "1"]
            result.append(rows_of(0))
            result.finish([2, 1, 0], {"enumeration": 2, "threshold": 0.25})
        assert (tmp_path / "table.csv").read_text() == "what,value\nw0,0\nw1,1\nw2,2\n"
        record = read_study(tmp_path)
        assert record.complete
        assert record.seconds == {"enumeration": 3, "threshold": 0.25}

    @pytest.mark.parametrize("name", ["maxpo", "torch"])
    def test_begun_with_other_versions_it_is_begun_anew(self, name: str, tmp_path: Path) -> None:
        with interrupted(tmp_path) as result:
            result.append(rows_of(2, 1))
        with open_result(
            tmp_path, replace(NEW, versions={**NEW.versions, name: "0"}), COLUMNS, False
        ) as result:
            assert result.rows(["value"]).empty
            result.append(rows_of(5))
        assert (tmp_path / "table.csv").read_text() == "what,value\nw5,5\n"

    def test_a_table_that_was_changed_is_not_complete(self, whole: Path) -> None:
        table = (whole / "table.csv").read_bytes()
        for changed in (table[:-1], table[:-6], table.replace(b"w1", b"w8"), table + b"x\n"):
            (whole / "table.csv").write_bytes(changed)
            with open_result(whole, NEW, COLUMNS, False) as result:
                assert not result.complete
        (whole / "table.csv").write_bytes(table[:-6])
        assert measure(whole)
        assert (whole / "table.csv").read_bytes() == table

    def test_other_figures_are_noted_and_the_earlier_ones_go(self, whole: Path) -> None:
        (whole / "figures").mkdir()
        (whole / "figures" / "map-l2o-ei.png").write_text("")
        before = state(whole)
        with open_result(whole, NEW, COLUMNS, False) as result:
            result.record_plot()
        assert state(whole) == before
        plot = ({"kind": "lines", "where": ("k=2",)},)
        with open_result(whole, replace(NEW, plot=plot), COLUMNS, False) as result:
            assert result.record_plot().complete
        assert read_study(whole).plot == ({"kind": "lines", "where": ["k=2"]},)
        assert not (whole / "figures").exists()


class TestAnotherStudy:
    @pytest.mark.parametrize(
        ("record", "said"),
        [
            (OTHER, "seed is not given there, 1 here"),
            (replace(NEW, study="compare"), "one of maxpo variance-sweep"),
            (replace(NEW, rewards_sha256="other"), "its rewards file had other contents"),
            (replace(NEW, spec={}), "grid is p=0.1,0.2 k=2,4 there, not given here"),
        ],
    )
    @pytest.mark.parametrize("complete", [True, False])
    @pytest.mark.parametrize("schema", [1, 2, 3])
    def test_is_replaced_with_overwrite_only(
        self, record: StudyRecord, said: str, complete: bool, schema: int, whole: Path
    ) -> None:
        edit(whole, complete=complete, schema=schema if schema > 1 else None)
        sentence = refusal(whole, record)
        assert said in sentence
        assert "--overwrite" in sentence
        assert measure(whole, record, overwrite=True, values=(7,))
        assert (whole / "table.csv").read_text() == "what,value\nw7,7\n"
        assert read_study(whole).spec == record.spec

    @pytest.mark.parametrize("overwrite", [False, True])
    @pytest.mark.parametrize(
        "spoil",
        [
            lambda path: (path / "notes.txt").write_text("mine"),
            lambda path: (path / "figures" / "deep").mkdir(parents=True),
            lambda path: (path / "study.json").unlink(),
            lambda path: (path / "study.json").write_text('{"study": "compare"}'),
            lambda path: edit(path, versions={"mine": "1"}),
            lambda path: (path / "table.csv").rename(path / "data.csv"),
        ],
        ids=["file", "folder", "no study", "other study", "other versions", "other table"],
    )
    def test_what_is_not_ours_is_refused_always(
        self, overwrite: bool, spoil: Callable[[Path], object], whole: Path
    ) -> None:
        spoil(whole)
        for record in (NEW, OTHER):
            refusal(whole, record, overwrite)

    @pytest.mark.parametrize("name", ["table.csv", "prompts.csv"])
    def test_a_folder_that_holds_the_rewards_is_refused(self, name: str, whole: Path) -> None:
        (whole / "prompts.csv").write_text("prompt,reward\n1,0\n")
        record = replace(NEW, spec={"rewards": str(whole / name)})
        assert "the folder holds the rewards file" in refusal(whole, record, overwrite=True)

    def test_a_file_in_the_way_and_a_parent_that_is_a_file_are_refused(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_text("mine")
        assert "a file is in the way" in refusal(tmp_path / "file")
        with (
            pytest.raises(InputError, match="cannot be written"),
            open_result(tmp_path / "file" / "here", NEW, COLUMNS, False),
        ):
            pytest.fail("the block must not run")
        assert (tmp_path / "file").read_text() == "mine"

    def test_the_current_folder_and_those_around_it_are_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "here").mkdir()
        monkeypatch.chdir(tmp_path / "here")
        for path in (Path(), Path(".."), tmp_path):
            assert "it cannot be this one" in refusal(path, overwrite=True)

    def test_a_folder_that_is_written_to_is_refused(self, tmp_path: Path) -> None:
        here = tmp_path / "here"
        with open_result(here, NEW, COLUMNS, False) as result:
            for _ in range(2):
                for overwrite in (False, True):
                    assert "another maxpo is writing there" in refusal(here, NEW, overwrite)
                result.append(rows_of(1))
        assert not (here / LOCK).exists()


def test_a_result_behind_a_link_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    for value in (1, 2):
        measure(link, overwrite=True, values=(value,))
        assert f"w{value},{value}\n" in (tmp_path / "real" / "table.csv").read_text()
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


def test_rows_of_other_columns_and_an_order_that_loses_rows_are_mistakes(tmp_path: Path) -> None:
    with open_result(tmp_path, NEW, COLUMNS, False) as result:
        with pytest.raises(ValueError, match="in a table of"):
            result.append(pd.DataFrame({"what": ["a"]}))
        result.append(rows_of(1, 2))
        for order in ([0], [0, 0], [0, 1, 2]):
            with pytest.raises(ValueError, match="each of them once"):
                result.finish(order)


def test_prompts_are_there_when_the_study_is_complete(tmp_path: Path) -> None:
    with open_result(tmp_path, NEW, COLUMNS, False) as result:
        result.append(rows_of(1))
        result.finish([0], prompts=rows_of(3))
    assert (tmp_path / "prompts.csv").read_text() == "what,value\nw3,3\n"


def test_a_full_disk_is_said_in_a_sentence_and_the_next_run_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        """A file that takes ten bytes."""

        def __init__(self, path: Path) -> None:
            self.path, self.left = path, 10

        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def write(self, data: memoryview) -> int:
            if not self.left:
                raise OSError(28, "No space left on device")
            with open(self.path, "ab") as file:  # noqa: PTH123  as Path.open is replaced
                taken = file.write(data[: self.left])
            self.left = 0
            return taken

    opened = Path.open

    def opened_or_full(path: Path, mode: str = "r", *more: Any, **named: Any) -> object:
        return Full(path) if mode == "ab" else opened(path, mode, *more, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", opened_or_full)
        with (
            pytest.raises(InputError, match="No space left"),
            open_result(tmp_path, NEW, COLUMNS, False) as result,
        ):
            result.append(rows_of(1, 2))
            result.append(rows_of(3, 4, 5))
    assert (tmp_path / "table.csv").read_bytes().endswith(b"w2,2\nw3,3\nw4,4\n"[:15])
    with open_result(tmp_path, NEW, COLUMNS, False) as result:
        result.append(rows_of(6))
    assert (tmp_path / "table.csv").read_text().splitlines()[-1] == "w6,6"
    assert all(line.count(",") == 1 for line in (tmp_path / "table.csv").read_text().splitlines())


def killed_at(step: int, before: bool, work: Callable[[], object]) -> bool:
    """Whether a process that does some work was killed at this call that changes the disk."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads
        child = os.fork()
    if child == 0:
        left = step
        for name in ("replace", "unlink", "rmdir", "mkdir"):
            call = getattr(os, name)

            def counted(
                *args: object, call: Callable[..., object] = call, **more: object
            ) -> object:
                nonlocal left
                left -= 1
                if left < 0 and before:
                    os._exit(KILLED)
                found = call(*args, **more)
                if left < 0:
                    os._exit(KILLED)
                return found

            setattr(os, name, counted)
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in (0, KILLED)
    return os.waitstatus_to_exitcode(status) == KILLED


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("there", [True, False], ids=["over another study", "new"])
def test_killed_at_any_moment_the_same_command_ends_as_if_it_was_not(
    before: bool, there: bool, tmp_path: Path
) -> None:
    def begin(path: Path) -> None:
        if there:
            measure(path, OTHER, values=(1, 8, 9))
            (path / "prompts.csv").write_text("old")
            (path / "figures").mkdir()
            (path / "figures" / "compare.png").write_text("old")

    begin(tmp_path / "expected")
    measure(tmp_path / "expected", overwrite=there)
    expected = {name: file[0] for name, file in state(tmp_path / "expected").items()}
    steps = 0
    while True:
        here = tmp_path / str(steps)
        begin(here)
        old = {name: file[0] for name, file in state(here).items()}
        if not killed_at(steps, before, lambda here=here: measure(here, overwrite=there)):
            break
        now = {name: file[0] for name, file in state(here).items()}
        if there and "table.csv" in now and json.loads(now["study.json"])["spec"] == OTHER.spec:
            assert {name: now[name] for name in old} == old  # the earlier result, whole
        measure(here, overwrite=there)
        found = {name: file[0] for name, file in state(here).items()}
        ours = ("table.csv", "prompts.csv", "figures/compare.png")
        assert [found.get(name) for name in ours] == [expected.get(name) for name in ours], steps
        assert set(found) == set(expected)
        steps += 1
    assert steps > (10 if there else 6)
