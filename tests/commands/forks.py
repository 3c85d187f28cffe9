"""Runs of the command line in forks of one process, so that torch is loaded only once."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SERVER = """
import json, os, pkgutil, sys
import matplotlib.pyplot, torch
import maxpo_cli
from maxpo_cli.app import main
for module in pkgutil.walk_packages(maxpo_cli.__path__, "maxpo_cli."):
    __import__(module.name)
torch.set_num_threads(1)
for line in sys.stdin:
    asked = json.loads(line)
    if "wait" in asked:
        _, status = os.waitpid(asked["wait"], 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
        continue
    child = os.fork()
    if child == 0:
        os.setsid()
        os.chdir(asked["cwd"])
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(asked[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv = ["maxpo", *asked["arguments"]]
        main()
        os._exit(0)
    print(child, flush=True)
"""


@dataclass(frozen=True)
class Done:
    """How a run ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Running:
    """A run: its process, in a session of its own."""

    forks: "Forks"
    pid: int
    out: Path
    err: Path

    def end(self) -> Done:
        """Waits for the run."""
        status = self.forks.ask(wait=self.pid)
        return Done(status, self.out.read_text(), self.err.read_text())


class Forks:
    """The process whose forks run the command line, one or several at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.runs = folder, 0
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def ask(self, **request: object) -> int:
        """Sends one request and gives the number that it is answered with."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        return int(self.process.stdout.readline())

    def start(self, *arguments: str, cwd: Path) -> Running:
        """Begins `maxpo` with these arguments."""
        self.runs += 1
        out, err = (self.folder / f"{self.runs}.{name}" for name in ("out", "err"))
        out.touch()
        err.touch()
        pid = self.ask(arguments=arguments, cwd=os.fspath(cwd), out=str(out), err=str(err))
        return Running(self, pid, out, err)

    def run(self, *arguments: str, cwd: Path) -> Done:
        """Runs `maxpo` with these arguments to its end."""
        return self.start(*arguments, cwd=cwd).end()

    def close(self) -> None:
        """Ends the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
