"""Standard output and standard error: everything that is printed is printed here."""

import codecs
import io
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

from maxpo_cli.errors import InputError
from maxpo_cli.text import one_line, plain, printable

ERRORS = "maxpo"
"""The name of the codec error handler that writes what an encoding lacks in plain characters."""


def open_streams() -> None:
    """Makes both streams take every text, whatever their encoding, closed or full as they may be.

    Writing raises `InputError` where standard output cannot be written. A reader that has left is
    no fault, and what standard error cannot take is lost.
    """
    register_replacement()
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # nothing that is opened later may get the number, which is the lowest free
            os.set_inheritable(os.open(os.devnull, os.O_RDONLY), True)
    sys.stdout, sys.stderr = _stream(1, sys.stdout), _stream(2, sys.stderr)


def register_replacement() -> None:
    """Makes `ERRORS` known to streams."""
    codecs.register_error(ERRORS, _replacement)


def put(text: str) -> None:
    """Prints safe text and a newline on standard output."""
    print(text, flush=True)


def put_line(text: str) -> None:
    """Prints any text as one line on standard output."""
    put(one_line(text))


def say(sentence: str) -> None:
    """Prints any text as a sentence of this command on standard error."""
    report(f"maxpo: {one_line(sentence)}\n")


def report(trace: str) -> None:
    """Prints a traceback on standard error."""
    sys.stderr.write(printable(trace))
    sys.stderr.flush()


class _Output(io.FileIO):
    """Standard output or standard error."""

    is_lost = False

    def write(self, data: Any, /) -> int:
        if self.is_lost:
            return len(data)
        try:
            return super().write(data)
        except OSError as error:
            self.is_lost = True
            if self.fileno() == 1 and not isinstance(error, BrokenPipeError):
                reason = (error.strerror or "it is closed").lower()
                raise InputError(f"standard output cannot be written: {reason}") from None
            return len(data)


def _stream(number: int, now: TextIO | None) -> TextIO:
    if now is not None:
        with suppress(OSError):
            now.flush()
    raw = _Output(number, "w", closefd=False)
    encoding = now.encoding if now is not None else "utf-8"
    is_prompt = number == 2 or raw.isatty()
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, ERRORS, line_buffering=is_prompt)


def _replacement(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return plain(error.object[error.start : error.end], error.encoding), error.end
