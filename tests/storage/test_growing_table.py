"""Result folders that grow: what of them survives, and whom they refuse."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from maxpo_cli.commands import results
from maxpo_cli.commands.options import OutputOptions
from maxpo_cli.errors import InputError
from maxpo_cli.storage.folder import LOCK
from maxpo_cli.storage.growing_table import GrowingResult
from maxpo_cli.studies import study
from maxpo_cli.studies.plan import Batch, Plan
from maxpo_cli.studies.settings import SweepOptions
from maxpo_cli.studies.source import sweep_spec
from maxpo_cli.studies.spec import StudySpec

GRID = ("k=1,2,9", "std=0.5,2", "mean=0,1")


def spec_of(grid: tuple[str, ...] = GRID, policy: str = "gaussian", **changes: object) -> StudySpec:
    options = {"n": 3, "groups": 130, "device": "cpu", "engine": "monte-carlo"}
    options |= {"estimators": ("ei", "l2o"), "policy": policy} | changes
    return sweep_spec(SweepOptions(grid=grid, **options))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "draw_figures", lambda *_, **__: None)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Batch]:
    """The batches that were measured."""
    batches: list[Batch] = []
    measure = study.measure_batch

    def counted(batch: Batch, *more: Any) -> Any:
        batches.append(batch)
        return measure(batch, *more)

    monkeypatch.setattr(study, "measure_batch", counted)
    return batches


def run(path: Path, spec: StudySpec, overwrite: bool = False, workers: int = 1) -> None:
    output = OutputOptions(out=path, overwrite=overwrite, quiet=True)
    results.run("variance-sweep", Plan(spec), output, workers)


def content(path: Path) -> str:
    return (path / "table.csv").read_text()


def study_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((path / "study.json").read_text())
    return found


def refusal(path: Path, spec: StudySpec, **more: bool) -> str:
    before = {p: p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}
    with pytest.raises(InputError) as caught:
        run(path, spec, **more)
    after = {p: p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}
    assert before == after
    return str(caught.value)


class Killed(BaseException):
    pass


def run_until(path: Path, spec: StudySpec, batches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a run that is killed after so many batches: nothing runs after it but the lock's end."""
    left = iter(range(batches))
    append = GrowingResult.append

    def counted(self: GrowingResult, *rows: Any) -> None:
        if next(left, None) is None:
            raise Killed
        append(self, *rows)

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(GrowingResult, "append", counted)
        run(path, spec)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    run(tmp_path / "whole", spec_of())
    return tmp_path / "whole"


class TestContinuing:
    def test_a_whole_folder_is_marked_and_has_nothing_hidden(self, whole: Path) -> None:
        assert study_of(whole)["complete"] is True
        assert {path.name for path in whole.iterdir()} == {"table.csv", "study.json"}

    @pytest.mark.parametrize("batches", range(5))
    def test_after_any_number_of_batches_ends_with_the_same_table(
        self,
        batches: int,
        whole: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        measured: list[Batch],
    ) -> None:
        if batches < 4:
            run_until(tmp_path / "here", spec_of(), batches, monkeypatch)
            if batches:
                assert study_of(tmp_path / "here")["complete"] is False
            else:
                assert not (tmp_path / "here").exists()
        else:
            run(tmp_path / "here", spec_of())
        measured.clear()
        run(tmp_path / "here", spec_of())
        assert len(measured) == 4 - batches
        assert content(tmp_path / "here") == content(whole)
        assert study_of(tmp_path / "here")["complete"] is True

    @pytest.mark.parametrize("grid", [GRID, GRID[::-1]], ids=["k slowest", "k fastest"])
    @pytest.mark.parametrize("finished", [True, False])
    def test_a_table_cut_at_any_byte_ends_as_the_same_table(
        self,
        grid: tuple[str, ...],
        finished: bool,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        here, spec = tmp_path / "here", spec_of(grid, groups=70)
        run(here, spec)
        expected = content(here)
        if not finished:
            with monkeypatch.context() as patched:
                patched.setattr(GrowingResult, "finish", lambda *_, **__: None)
                run(here, spec, overwrite=True)
        table = (here / "table.csv").read_bytes()
        wrong = []
        for offset in [0, 1, 50, *range(len(table) - 1, 0, -len(table) // 12)]:
            (here / "table.csv").write_bytes(table[:offset])
            try:
                run(here, spec)
            except Exception as error:
                wrong.append(f"cut at {offset} of {len(table)}: {error!r}")
                continue
            if content(here) != expected:
                wrong.append(f"cut at {offset} of {len(table)}: another table")
        assert not wrong, "\n".join(wrong)

    def test_a_whole_table_that_is_not_marked_is_kept(
        self, whole: Path, measured: list[Batch]
    ) -> None:
        before = (whole / "table.csv").read_bytes()
        record = study_of(whole) | {"complete": False}
        (whole / "study.json").write_text(json.dumps(record))
        run(whole, spec_of())
        assert not measured
        assert (whole / "table.csv").read_bytes() == before
        assert study_of(whole)["complete"] is True

    def test_a_complete_study_measures_nothing_again(
        self, whole: Path, measured: list[Batch]
    ) -> None:
        before = (whole / "table.csv").read_bytes()
        run(whole, spec_of())
        assert not measured
        assert (whole / "table.csv").read_bytes() == before

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda line: line.replace(b"std=0.5", b"std=\xff\xfe"),
            lambda line: b"\xff\xfe" + line[2:],
            lambda _: b"\n",
            lambda _: b"nonsense\n",
            lambda line: line[:30] + b"\n",
            lambda line: line[:-1] + b",1,2,3\n",
            lambda line: b"\0" * (len(line) - 1) + b"\n",
            lambda line: b'"' + line,
            lambda line: line.replace(b",3,1,", b",3,7,"),
            lambda line: line + line,
            lambda _: b"",
        ],
        ids=[
            "no utf-8 policy", "no utf-8 start", "blank", "nonsense", "short", "long", "zeros",
            "quote at the start", "unknown cell", "twice", "missing",
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("number", [4, 24])
    def test_a_spoiled_row_is_measured_again(
        self, spoil: Callable[[bytes], bytes], number: int, tmp_path: Path
    ) -> None:
        here, spec = tmp_path / "here", spec_of(GRID[::-1])  # the rows of a batch are together
        run(here, spec)
        expected = content(here)
        lines = (here / "table.csv").read_bytes().splitlines(keepends=True)
        lines[number] = spoil(lines[number])
        (here / "table.csv").write_bytes(b"".join(lines))
        run(here, spec)
        assert content(here) == expected

    def test_drafts_and_a_lock_that_killed_runs_left_are_no_obstacle(
        self, tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here = tmp_path / "here"
        run_until(here, spec_of(), 2, monkeypatch)
        (here / ".table.maxpo-123.csv").write_text("half")
        (here / ".study.maxpo-4194305.json").write_text("{")
        (here / LOCK).write_text("")
        run(here, spec_of())
        assert content(here) == content(whole)
        assert {path.name for path in here.iterdir()} == {"table.csv", "study.json"}

    def test_the_table_grows_and_is_not_written_anew(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[tuple[int, bytes]] = []
        append = GrowingResult.append

        def watched(self: GrowingResult, *rows: Any) -> None:
            append(self, *rows)
            table = self.path / "table.csv"
            seen.append((table.stat().st_ino, table.read_bytes()))

        monkeypatch.setattr(GrowingResult, "append", watched)
        run(tmp_path / "here", spec_of())
        assert len(seen) == 4
        assert len({inode for inode, _ in seen}) == 1
        for (_, before), (_, after) in pairwise(seen):
            assert after.startswith(before)
            assert len(after) > len(before)

    def test_what_was_kept_is_readable_in_between(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_until(tmp_path / "here", spec_of(), 2, monkeypatch)
        table = pd.read_csv(tmp_path / "here" / "table.csv")
        assert len(table) == 2 * 3 * 2
        assert not (tmp_path / "here" / LOCK).exists()

    def test_workers_continue_what_one_process_began(
        self, tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_until(tmp_path / "here", spec_of(), 1, monkeypatch)
        run(tmp_path / "here", spec_of(), workers=2)
        assert content(tmp_path / "here") == content(whole)


class TestOthersAreRefused:
    @pytest.mark.parametrize(
        ("other", "said"),
        [
            (spec_of(seed=1), "seed is 0 there, 1 here"),
            (spec_of(groups=131), "groups is 130 there, 131 here"),
            (spec_of(n=4), "n is 3 there, 4 here"),
            (spec_of(estimators=("ei",)), "estimators is ei,l2o there, ei here"),
            (spec_of(until_rel_error=0.1), "until_rel_error is not given there, 0.1 here"),
            (spec_of(reference="canonical"), "reference is ei there, canonical here"),
            (spec_of((*GRID[:2], "mean=0,2")), "mean=0,2 here"),
            (spec_of(policy="gaussian:reward=exp"), "policy is gaussian there, gaussian:reward"),
        ],
    )
    def test_another_study_is_refused_naming_the_difference(
        self, other: StudySpec, said: str, whole: Path
    ) -> None:
        sentence = refusal(whole, other)
        assert said in sentence
        assert "--overwrite" in sentence
        run(whole, other, overwrite=True)
        assert study_of(whole)["complete"] is True

    @pytest.mark.parametrize("done", [2, 4])
    def test_the_same_axes_in_another_order_are_another_table(
        self, done: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here, turned = tmp_path / "here", spec_of((GRID[0], GRID[2], GRID[1]))
        if done < 4:
            run_until(here, spec_of(), done, monkeypatch)
        else:
            run(here, spec_of())
        assert "std=0.5,2 mean=0,1 there, k=1,2,9 mean=0,1 std=0.5,2 here" in refusal(here, turned)

    def test_overwrite_begins_again_even_for_the_same_study(
        self, whole: Path, measured: list[Batch]
    ) -> None:
        expected = content(whole)
        (whole / "figures").mkdir()
        (whole / "figures" / "lines-old.png").write_text("")
        run(whole, spec_of(), overwrite=True)
        assert len(measured) == 4
        assert content(whole) == expected
        assert not (whole / "figures").exists()

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_a_folder_of_somebody_else_stays_as_it_is(
        self, overwrite: bool, tmp_path: Path
    ) -> None:
        here = tmp_path / "mine"
        here.mkdir()
        (here / "notes.txt").write_text("mine")
        (here / "table.csv").write_text("mine too")
        sentence = refusal(here, spec_of(), overwrite=overwrite)
        assert "'notes.txt'" in sentence
        assert {path.name for path in here.iterdir()} == {"notes.txt", "table.csv"}

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_a_file_in_the_way_stays_as_it_is(self, overwrite: bool, tmp_path: Path) -> None:
        (tmp_path / "here").write_text("mine")
        with pytest.raises(InputError, match="a file is in the way"):
            run(tmp_path / "here", spec_of(), overwrite=overwrite)
        assert (tmp_path / "here").read_text() == "mine"

    def test_a_study_that_cannot_be_read_is_refused_in_a_sentence(self, whole: Path) -> None:
        study_of_before = study_of(whole)
        broken = ("", "{", "[]", "\ud800", '{"spec": 3}', '{"spec": {}, "versions": 3}')
        for text in broken:
            (whole / "study.json").write_text(text, errors="replace")
            for overwrite in (False, True):
                sentence = refusal(whole, spec_of(), overwrite=overwrite)
                assert "study.json is not a study that maxpo wrote" in sentence
        (whole / "study.json").write_text(json.dumps(study_of_before | {"spec": 3}))
        assert "holds another study" in refusal(whole, spec_of())

    def test_a_table_without_a_study_is_refused(self, whole: Path) -> None:
        (whole / "study.json").unlink()
        assert "holds no study: it has no study.json" in refusal(whole, spec_of())

    def test_a_comparison_is_refused(self, whole: Path) -> None:
        (whole / "study.json").write_text(json.dumps(study_of(whole) | {"study": "compare"}))
        assert "one of maxpo compare" in refusal(whole, spec_of())

    def test_rewards_that_changed_are_refused(self, tmp_path: Path) -> None:
        log = tmp_path / "log.csv"
        log.write_text("prompt,reward\n1,0\n1,1\n1,1\n")
        options = SweepOptions(rewards=log, grid=("k=1,2",), n=3, device="cpu")
        run(tmp_path / "here", sweep_spec(options))
        log.write_text("prompt,reward\n1,0\n1,1\n1,0\n")
        assert "rewards file had other contents" in refusal(tmp_path / "here", sweep_spec(options))

    def test_the_current_folder_and_those_above_are_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "in").mkdir()
        monkeypatch.chdir(tmp_path / "in")
        for path in (Path(), Path(".."), tmp_path):
            with pytest.raises(InputError, match="folder of its own"):
                run(path, spec_of(), overwrite=True)
