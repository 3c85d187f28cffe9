"""Reward files that are damaged, devices or pipes: rewards, or a sentence that names the file."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from maxpo_cli.errors import InputError
from maxpo_cli.policies import reward_text
from maxpo_cli.policies.files import RewardsFile, RewardsTemplate, read_logged

ROWS = b"prompt,reward\n" + b"a,1\na,0\nb,1\nb,1\n" * 50


def zipped(contents: bytes, *names: str) -> bytes:
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("log.csv",):
            archive.writestr(name, contents)
    return found.getvalue()


def tarred(contents: bytes) -> bytes:
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w") as archive:
        member = tarfile.TarInfo("log.csv")
        member.size = len(contents)
        archive.addfile(member, io.BytesIO(contents))
    return found.getvalue()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zip": zipped, "tar": tarred,
}  # fmt: skip


def refusal(path: Path, contents: bytes) -> str:
    path.write_bytes(contents)
    with pytest.raises(InputError) as found:
        read_logged(RewardsFile(path))
    assert "\n" not in str(found.value)
    assert len(str(found.value)) < 300
    return str(found.value)


@pytest.mark.parametrize("ending", PACK)
def test_a_packed_file_is_what_it_holds(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"log.csv.{ending}"
    path.write_bytes(PACK[ending](ROWS))
    assert read_logged(RewardsFile(path)).labels == ("a", "b")


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: packed[: len(packed.rstrip(b"\0")) // 2],
        lambda packed: packed[:0],
        lambda packed: ROWS[: len(packed)],
        lambda packed: bytes(len(packed)),
    ],
    ids=["half", "empty", "not packed", "zeros"],
)
def test_a_damaged_packed_file_is_one_sentence(
    ending: str, damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    said = refusal(tmp_path / f"log.csv.{ending}", damage(PACK[ending](ROWS)))
    assert f"log.csv.{ending}" in said


def test_an_archive_of_two_files_and_what_is_not_read_are_named(tmp_path: Path) -> None:
    assert "holds 2 files" in refusal(tmp_path / "log.zip", zipped(ROWS, "a.csv", "b.csv"))
    assert ".zst files are not read" in refusal(tmp_path / "log.csv.zst", ROWS)


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        ("prompt,reward\né,1\n".encode("latin-1"), "not a text file in UTF-8"),
        ("prompt,reward\na,1\n".encode("utf-16"), "not a text file in UTF-8"),
        (b"prompt,reward\na,1\n\0,1\n", "line 3: a NUL character"),
        (b"prompt,reward\na," + b"9" * 5000 + b"\n", "is not a finite number"),
    ],
)
def test_what_is_no_text_or_number_is_one_sentence(
    contents: bytes, said: str, tmp_path: Path
) -> None:
    assert said in refusal(tmp_path / "log.csv", contents)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('{"prompt": "a", "reward": ' + "[" * 100_000, "line 1: not a JSON object"),
        ('{"prompt": "a", "reward": ' + "[" * 500 + "]" * 500 + "}", "is not a finite number"),
        ('{"prompt": "a", "reward": ' + "9" * 5000 + "}", "is not a finite number"),
        ('{"prompt": "a", "reward": NaN}', "is not a finite number"),
        ('{"prompt": "\\ud800", "reward": 1}', "half of a surrogate pair"),
    ],
)
def test_json_that_is_deep_or_long_is_one_sentence(row: str, said: str, tmp_path: Path) -> None:
    assert said in refusal(tmp_path / "log.jsonl", row.encode())


def test_a_file_that_is_too_large_is_refused_packed_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reward_text, "MOST_BYTES", 1000)
    monkeypatch.setattr(reward_text, "PIECE", 100)
    for name, contents in (
        ("log.csv", ROWS * 100),
        ("log.csv.gz", gzip.compress(ROWS * 100)),
    ):
        assert "is larger than" in refusal(tmp_path / name, contents)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev/urandom"])
def test_a_device_is_refused(path: str) -> None:
    if not Path(path).exists():
        pytest.skip("no such device here")
    with pytest.raises(InputError, match="is a device; name a file"):
        read_logged(RewardsFile(Path(path)))


def test_a_pipe_without_a_writer_is_refused_in_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reward_text, "WRITER_SECONDS", 0.1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="nothing writes to the pipe"):
        read_logged(RewardsFile(tmp_path / "pipe"))


def test_a_pipe_is_read_once_for_all_that_a_study_needs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(ROWS,))
    writer.start()
    template = RewardsTemplate(RewardsFile(tmp_path / "pipe"))
    for prompt in ("a", "b"):
        assert template.at({"prompt": prompt}).labels == (prompt,)
    assert len(template.sha256) == 64
    writer.join()


def test_a_column_that_is_named_without_effect_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_bytes(b"prompt,samples,correct\na,10,3\n")
    with pytest.raises(InputError, match=r"--reward-column score: .* holds counts"):
        read_logged(RewardsFile(path, reward_column="score"))
    with pytest.raises(InputError, match=r"no column 'problem' .--group-column."):
        read_logged(RewardsFile(path, group_column="problem"))
