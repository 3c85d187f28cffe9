"""Result folders: whole or not at all, and nothing of anybody else's is lost."""

import os
from pathlib import Path

import pandas as pd
import pytest

from maxpo_cli.errors import InputError
from maxpo_cli.storage.folder import MAX_SLUG, new_result, replace_file, slug, write_table

DEAD = 2**22 + 1  # above the largest process number there is


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_result_appears_when_its_block_ends(tmp_path: Path) -> None:
    with new_result(tmp_path / "a" / "here", "compare") as draft:
        (draft / "table.csv").write_text("x")
        assert not (tmp_path / "a" / "here").exists()
    assert (tmp_path / "a" / "here" / "table.csv").read_text() == "x"
    assert names(tmp_path / "a") == ["here"]


def test_an_error_leaves_the_earlier_result_and_no_new_folder(tmp_path: Path) -> None:
    for place in (tmp_path / "old", tmp_path / "new" / "deep"):
        if place.name == "old":
            place.mkdir()
            (place / "table.csv").write_text("earlier")
        with pytest.raises(ZeroDivisionError), new_result(place, "compare") as draft:
            (draft / "table.csv").write_text("half")
            raise ZeroDivisionError
    assert names(tmp_path) == ["old"]
    assert (tmp_path / "old" / "table.csv").read_text() == "earlier"


def test_a_result_takes_the_place_of_the_earlier_one_whole(tmp_path: Path) -> None:
    for files in (("table.csv", "prompts.csv"), ("table.csv",)):
        with new_result(tmp_path / "here", "compare") as draft:
            for name in files:
                (draft / name).write_text("")
    assert names(tmp_path / "here") == ["table.csv"]


def test_a_folder_with_anything_else_in_it_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds 'notes\.txt'"), new_result(tmp_path, "compare"):
        pytest.fail("the block must not run")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_what_killed_processes_left_is_set_right(tmp_path: Path) -> None:
    moved = tmp_path / f".here.maxpo-{DEAD}.old"
    moved.mkdir()
    (moved / "table.csv").write_text("earlier")
    (tmp_path / f".here.maxpo-{DEAD}.new").mkdir()
    with pytest.raises(ZeroDivisionError), new_result(tmp_path / "here", "compare"):
        raise ZeroDivisionError
    assert names(tmp_path) == ["here"]
    assert (tmp_path / "here" / "table.csv").read_text() == "earlier"


def test_the_draft_of_a_running_process_is_left_alone(tmp_path: Path) -> None:
    running = tmp_path / f".here.maxpo-{os.getppid()}.new"
    running.mkdir()
    with new_result(tmp_path / "here", "compare"):
        pass
    assert running.is_dir()


def test_a_result_behind_a_link_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    for text in ("one", "two"):
        with new_result(link, "compare") as draft:
            (draft / "table.csv").write_text(text)
        assert (tmp_path / "real" / "table.csv").read_text() == text
    assert link.is_symlink()
    assert sorted(names(tmp_path)) == ["link", "real"]


def test_the_current_folder_and_those_around_it_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for path in (Path(), Path("..")):
        with pytest.raises(InputError, match="cannot be this one"), new_result(path, "compare"):
            pytest.fail("the block must not run")


def test_a_file_is_replaced_in_one_step_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    replace_file(path, lambda draft: draft.write_text("one") and None)

    def fails(draft: Path) -> None:
        draft.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match="No space left"):
        replace_file(path, fails)
    assert path.read_text() == "one"
    assert names(tmp_path) == ["figure.svg"]


def test_tables_keep_every_digit_and_leave_missing_cells_empty(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [0.1 + 0.2, None], "b": pd.array([1, None], dtype="Int64")})
    write_table(tmp_path / "t.csv", table)
    assert (tmp_path / "t.csv").read_text() == "a,b\n0.30000000000000004,1\n,\n"


def test_slugs_are_short_plain_and_differ_where_long_specs_differ() -> None:
    assert slug("bernoulli:p=0.1") == "bernoulli-p0.1"
    lossy = ["rewards=-1/-0.5", "rewards=-1/0.5", "rewards=1/0.5", "log_std", "log-std"]
    assert len({slug(spec) for spec in lossy}) == len(lossy)
    assert slug("logged:x.csv", "a/x.csv") != slug("logged:x.csv", "b/x.csv")
    long = ["categorical:rewards=" + "/".join(map(str, range(n))) for n in (80, 81)]
    assert slug(long[0]) != slug(long[1])
    assert all(len(slug(text)) <= MAX_SLUG for text in long)
