"""What `maxpo` does with hostile input: a promise for every command line and every file.

    python analyses/fuzz.py            10,000 inputs; writes results/fuzz/record.json

Whatever is asked: the exit status is 0, or 2 with one sentence on standard error; nothing is
written on status 2; no traceback, no warning, no raw control character on either stream; `--json`
prints one JSON object without NaN; nothing takes longer than 10 seconds. The tests run the same on
fewer inputs. `fuzz_inputs.py` makes the inputs.
"""

import io
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock
from zlib import crc32

from fuzz_inputs import Example, examples
from hypothesis import HealthCheck, Phase, given, seed, settings

from maxpo_cli import __version__, app
from maxpo_cli.commands import results
from maxpo_cli.studies import bench
from maxpo_cli.terminal.streams import ERRORS, register_replacement
from maxpo_cli.text import UNSAFE

SECONDS, PATIENCE = 10, 60
"""The time that an input may take: of the processor, and on the clock where others share it."""

MEMORY = 16 << 30
"""Bytes of address space of the script, so that a study without bounds is a failure."""

COMMANDS = ("bench", "compare", "estimators", "plot", "variance-sweep")
RESULT = Path(__file__).parents[1] / "results" / "fuzz" / "record.json"


class _TooLong(BaseException):
    """Raised in the command when its time is over."""


@dataclass(frozen=True)
class Outcome:
    """What a run did: its status (None for one that was stopped), its texts, and its files."""

    status: int | None
    out: str
    err: str
    before: dict[str, bytes | None]
    after: dict[str, bytes | None]


@dataclass
class Record:
    """What happened to all inputs."""

    statuses: Counter[str] = field(default_factory=Counter)
    commands: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    faults: list[tuple[str, Example]] = field(default_factory=list)

    def add(self, example: Example) -> None:
        """Runs one input."""
        began = time.process_time()
        outcome = run(example)
        self.longest = max(self.longest, time.process_time() - began)
        self.statuses[str(outcome.status)] += 1
        command = example.arguments[0]
        self.commands[command if command in COMMANDS else "none"] += 1
        self.faults += [(fault, example) for fault in faults(example, outcome)]


def run(example: Example) -> Outcome:
    """Runs the command line on the files of an example, in a folder of its own."""
    place = Path(tempfile.mkdtemp(prefix="maxpo-fuzz-"))
    folder = place / "two" / "deep"  # what is written into ../.. is found too
    folder.mkdir(parents=True)
    try:
        for name, contents in example.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(contents)
        before = _tree(place)
        with _command_line(example, folder) as (out, err):
            try:
                status: int | None = app.run()
            except _TooLong:
                status = None
        return Outcome(status, _text(out), _text(err), before, _tree(place))
    finally:
        shutil.rmtree(place)


def faults(example: Example, outcome: Outcome) -> Iterator[str]:
    """What an outcome breaks of the promise."""
    if outcome.status is None:
        yield f"it takes more than {SECONDS} seconds"
        return
    if outcome.status not in (0, 2):
        yield f"status {outcome.status}: {outcome.err.strip().rpartition(chr(10))[2]}"
        return
    lines = outcome.err.splitlines()
    if any(not line.startswith("maxpo: ") for line in lines):
        yield f"standard error has more than sentences: {outcome.err}"
    if outcome.status == 2 and len(lines) != 1:
        yield f"status 2 with {len(lines)} sentences"
    if outcome.status == 2 and outcome.out:
        yield f"status 2 with text on standard output: {outcome.out}"
    if outcome.status == 2 and outcome.before != outcome.after:
        changed = {
            name for name in {*outcome.before, *outcome.after}
            if outcome.before.get(name, 0) != outcome.after.get(name, 0)
        }  # fmt: skip
        yield f"status 2 and changed: {', '.join(sorted(changed))}; {outcome.err}"
    for text in (outcome.out, outcome.err):
        if found := UNSAFE.search(text):
            yield f"a raw {found[0]!r}"
    if outcome.status == 0 and "--json" in example.arguments and "--help" not in example.arguments:
        try:
            found = json.loads(outcome.out, parse_constant=_refuse)
        except ValueError as error:
            yield f"no JSON: {error}"


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} in JSON")


@contextmanager
def _command_line(
    example: Example, folder: Path
) -> Iterator[tuple[io.TextIOWrapper, io.TextIOWrapper]]:
    """A process's circumstances in this one: arguments, folder, streams, and a limit of time."""
    register_replacement()
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", ERRORS) for _ in range(2)]
    here = Path.cwd()
    limits = {signal.ITIMER_PROF: SECONDS, signal.ITIMER_REAL: PATIENCE}
    handlers = {kind: signal.signal(kind, _stop) for kind in (signal.SIGPROF, signal.SIGALRM)}
    os.chdir(folder)
    for timer, seconds in limits.items():
        signal.setitimer(timer, seconds)
    try:
        with (
            mock.patch("sys.argv", ["maxpo", *example.arguments]),
            mock.patch("sys.stdout", streams[0]),
            mock.patch("sys.stderr", streams[1]),
            mock.patch.object(bench, "SAMPLED", bench.NUMBERS),
            mock.patch.object(results, "draw_figures", _drawn_of(example)),
            mock.patch.dict(os.environ, {"COLUMNS": "80"}),
        ):
            yield streams[0], streams[1]
    finally:
        for timer in limits:
            signal.setitimer(timer, 0)
        for kind, handler in handlers.items():
            signal.signal(kind, handler)
        os.chdir(here)


def _drawn_of(example: Example) -> Callable[..., None]:
    """The figures of one study in eight, since they take longer than the rest."""
    is_drawn = crc32(repr(example.arguments).encode()) % 8 == 0
    return results.draw_figures if is_drawn else lambda *_, **__: None


def _stop(*_: object) -> None:
    raise _TooLong


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()


def _tree(folder: Path) -> dict[str, bytes | None]:
    """Everything in a folder by its path: contents of files, None for folders."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def main(count: int, number: int = 0) -> int:
    """Runs so many inputs, writes the record, and gives the number of those that failed."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("always")
    record = Record()

    @seed(number)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(examples())
    def run_all(example: Example) -> None:
        record.add(example)

    run_all()
    if sum(record.statuses.values()) < count:
        raise RuntimeError("fewer inputs than asked for")
    kinds: dict[str, Example] = {}
    for fault, example in record.faults:
        kinds.setdefault(fault, example)
    for fault, example in kinds.items():
        print(f"\n{fault}\n    {example!r}"[:3000])
    summary = {
        "inputs": sum(record.statuses.values()),
        "seed": number,
        "statuses": dict(sorted(record.statuses.items())),
        "commands": dict(sorted(record.commands.items())),
        "faults": len(record.faults),
        "seconds_of_the_longest_below": SECONDS,
        "maxpo": __version__,
    }
    print(json.dumps(summary, indent=2))
    print(f"the longest took {record.longest:.1f} s")
    if count >= 10_000:
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return len(record.faults)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:] or ["10000"])) > 0)
