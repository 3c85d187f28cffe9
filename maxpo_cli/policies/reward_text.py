"""The text of a reward file: read once, unpacked, decoded, and never more than fits."""

import bz2
import gzip
import lzma
import os
import select
import stat
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from maxpo_cli.errors import InputError

MOST_BYTES = 1 << 30
"""Bytes of a file, packed or not: as text columns they take ten times as much memory."""

PIECE = 1 << 20
WRITER_SECONDS = 5.0
"""How long a named pipe may be without a program that writes to it."""

Unpack = Callable[[str, IO[bytes]], Iterator[bytes]]
"""Gives what a packed file holds; its name is for messages."""

JSON_LINES = (".jsonl", ".ndjson", ".json")


@dataclass(frozen=True)
class RewardText:
    """What a reward file holds.

    Attributes:
        name: what messages call it.
        text: its text, unpacked.
        is_json: whether it is JSON Lines: by its ending, and without one by its first character.
        sha256: the hash of its bytes as they were read.
    """

    name: str
    text: str
    is_json: bool
    sha256: str


def read_text(path: Path) -> RewardText:
    """The text of a file or a pipe, which is read once.

    Packed files are known by their endings: gz, bz2, xz, zip and tar.

    Raises `InputError` for a file that is missing, a folder, a device, larger than `MOST_BYTES`,
    damaged, or not text in UTF-8.
    """
    try:
        data = _bytes(path)
    except FileNotFoundError:
        raise InputError(f"--rewards: there is no file {path}") from None
    except IsADirectoryError:
        raise InputError(f"--rewards: {path} is a folder; name a file in it") from None
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"--rewards: {path} cannot be read: {reason}") from None
    inner, endings = data, [ending.lower() for ending in path.suffixes]
    while endings and endings[-1] in UNPACK:
        inner = _unpacked(path.name, endings.pop(), inner)
    try:
        text = inner.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path.name} is not a text file in UTF-8") from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError(f"{path.name}, line {line}: a NUL character, which no text file holds")
    is_json = endings[-1] in JSON_LINES if endings else text[:PIECE].lstrip()[:1] == "{"
    return RewardText(path.name, text, is_json, sha256(data).hexdigest())


def _bytes(path: Path) -> bytes:
    # A pipe that nobody writes to would hold up a plain `open` for ever.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError
        if stat.S_ISBLK(mode) or (stat.S_ISCHR(mode) and not os.isatty(descriptor)):
            raise InputError(f"--rewards: {path} is a device; name a file")
        return _joined(path.name, _pieces(path, descriptor))
    finally:
        os.close(descriptor)


def _pieces(path: Path, descriptor: int) -> Iterator[bytes]:
    """What a file holds, or what comes out of a pipe as long as anything writes to it."""
    until = time.monotonic() + WRITER_SECONDS
    begun = not stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    while True:
        try:
            piece = os.read(descriptor, PIECE)
        except BlockingIOError:  # there is a writer, which has nothing yet
            begun = True
            select.select([descriptor], [], [])
            continue
        if piece:
            begun = True
            yield piece
        elif begun:
            return
        elif time.monotonic() > until:
            raise InputError(f"--rewards: nothing writes to the pipe {path}")
        else:
            time.sleep(0.02)


def _joined(name: str, pieces: Iterator[bytes]) -> bytes:
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) > MOST_BYTES:
            raise InputError(
                f"{name} is larger than {MOST_BYTES >> 30} GiB; give counts per prompt in the "
                "columns 'samples' and 'correct', or a part of it"
            )
    return bytes(found)


def _unpacked(name: str, ending: str, data: bytes) -> bytes:
    try:
        return _joined(name, UNPACK[ending](name, BytesIO(data)))
    except InputError:
        raise
    except (*DAMAGE, RuntimeError) as error:  # RuntimeError: a ZIP file with a password
        reason = f": {' '.join(str(error).split())}" if str(error) else ""
        raise InputError(f"{name} is not a whole {ending} file{reason}") from None


def _stream(opened: Callable[..., Any]) -> Unpack:
    """What unpacks a format that holds one file."""

    def unpack(_name: str, packed: IO[bytes]) -> Iterator[bytes]:
        with opened(packed) as file:
            yield from _of(file)

    return unpack


def _of(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def _zip(name: str, packed: IO[bytes]) -> Iterator[bytes]:
    with zipfile.ZipFile(packed) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        _require_one(name, len(members))
        with archive.open(members[0]) as file:
            yield from _of(file)


def _tar(name: str, packed: IO[bytes]) -> Iterator[bytes]:
    with tarfile.open(fileobj=packed, mode="r:") as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        _require_one(name, len(members))
        file = archive.extractfile(members[0])
        yield from _of(file) if file is not None else ()


def _require_one(name: str, count: int) -> None:
    if count != 1:
        raise InputError(f"{name} holds {count} files; it must hold one")


def _zst(name: str, packed: IO[bytes]) -> Iterator[bytes]:  # noqa: ARG001
    raise InputError(f"{name}: .zst files are not read; unpack it first")


DAMAGE = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile,
          tarfile.TarError)  # fmt: skip
UNPACK: Mapping[str, Unpack] = {
    ".gz": _stream(gzip.open),
    ".bz2": _stream(bz2.open),
    ".xz": _stream(lzma.open),
    ".zip": _zip,
    ".tar": _tar,
    ".zst": _zst,
}
"""How files are unpacked, by their endings."""
