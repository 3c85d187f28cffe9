"""Result folders: what may be in them, how they are called, and files replaced in one step."""

from pathlib import Path

import pandas as pd
import pytest

from maxpo_cli.errors import InputError
from maxpo_cli.plots.plot import STEMS
from maxpo_cli.storage.folder import (
    FIGURE_STEMS,
    LOCK,
    MAX_SLUG,
    folder_of,
    foreign_entry,
    is_empty,
    remove_figures,
    replace_file,
    slug,
    write_table,
)

OURS = (
    "table.csv", "prompts.csv", "study.json", LOCK, ".table.maxpo-12.csv", ".study.maxpo-1.json",
    "figures/compare.png", "figures/map-l2o-best-linear.svg", "figures/lines-variance_ratio.pdf",
    "figures/lines-snr-n.png", "figures/.map-l2o-ei.maxpo-9.svg",
)  # fmt: skip
FOREIGN = (
    "notes.txt", "Table.csv", ".table.csv", ".notes.maxpo-1.txt", "table.csv/x", "other/table.csv",
    "figures/notes.txt", "figures/mine.png", "figures/compare/x.png", "figures/deep/er/x.txt",
    "figures/compare.png.txt", "figures/lines.csv", "figures/maps.png",
)  # fmt: skip


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def put(folder: Path, *paths: str) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("")
    return folder


def test_the_names_of_all_our_files_are_those_of_a_result(tmp_path: Path) -> None:
    assert foreign_entry(put(tmp_path, *OURS)) is None
    assert set(STEMS) == set(FIGURE_STEMS)


@pytest.mark.parametrize("path", FOREIGN)
def test_any_other_file_at_any_depth_is_foreign(path: str, tmp_path: Path) -> None:
    others = [name for name in OURS if not path.startswith(name)]
    named = foreign_entry(put(tmp_path, *others, path))
    assert named is not None
    assert path.startswith(named)


@pytest.mark.parametrize("name", ["table.csv", "figures", "figures/compare.png"])
def test_a_link_is_foreign_whatever_its_name(name: str, tmp_path: Path) -> None:
    mine = put(tmp_path, "mine/compare.png") / "mine"
    (tmp_path / "here" / name).parent.mkdir(parents=True)
    (tmp_path / "here" / name).symlink_to(mine if name == "figures" else mine / "compare.png")
    assert foreign_entry(tmp_path / "here") == name
    remove_figures(tmp_path / "here")
    assert names(mine) == ["compare.png"]


def test_only_what_killed_processes_leave_is_empty(tmp_path: Path) -> None:
    assert is_empty(put(tmp_path, LOCK, ".table.maxpo-12.csv"))
    assert not is_empty(put(tmp_path, "figures/compare.png"))


def test_removing_figures_leaves_other_files(tmp_path: Path) -> None:
    put(tmp_path, "figures/compare.png", "figures/mine.png", "figures/sub/compare.png")
    remove_figures(tmp_path)
    assert set(names(tmp_path / "figures")) == {"mine.png", "sub"}
    (tmp_path / "figures" / "mine.png").unlink()
    assert names(tmp_path / "figures" / "sub") == ["compare.png"]


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


def test_the_folder_of_a_result_is_found_from_its_files(tmp_path: Path) -> None:
    put(tmp_path, "table.csv", "study.json", "other.csv")
    for path in (tmp_path, tmp_path / "table.csv", tmp_path / "study.json"):
        assert folder_of(path) == tmp_path
    assert folder_of(tmp_path / "other.csv") == tmp_path / "other.csv"


def test_slugs_are_short_plain_and_differ_where_long_specs_differ() -> None:
    assert slug("bernoulli:p=0.1") == "bernoulli-p0.1"
    lossy = ["rewards=-1/-0.5", "rewards=-1/0.5", "rewards=1/0.5", "log_std", "log-std"]
    assert len({slug(spec) for spec in lossy}) == len(lossy)
    assert slug("logged:x.csv", "a/x.csv") != slug("logged:x.csv", "b/x.csv")
    long = ["categorical:rewards=" + "/".join(map(str, range(n))) for n in (80, 81)]
    assert slug(long[0]) != slug(long[1])
    assert all(len(slug(text)) <= MAX_SLUG for text in long)
