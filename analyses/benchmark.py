"""How fast maxpo is on this machine, beside the floor that no version can run under.

    python analyses/benchmark.py            about two minutes; writes results/benchmark/

A row is one measurement: the median of several runs in seconds, what it is compared with (the
floor), and the ratio of the two. `maxpo bench` measures the estimators and Monte Carlo.
"""

import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from rich.console import Console
from rich.table import Table

from maxpo_cli import __version__
from maxpo_cli.commands.source import DEFAULT_GRID, DEFAULT_SWEEP
from maxpo_cli.engines.threshold.engine import measure_exactly
from maxpo_cli.estimators.catalogue import CATALOGUE
from maxpo_cli.policies.spec import parse_policy, read_template
from maxpo_cli.storage.folder import new_result, write_study, write_table
from maxpo_cli.studies.bench import device_name
from maxpo_cli.studies.compare import CompareSpec, compare
from maxpo_cli.studies.sweep import Sweep, SweepSpec, sweep

ROOT = Path(__file__).parents[1]


def median_seconds(work: Callable[[], object], runs: int) -> float:
    """The median time of `work`, after one run that is not counted."""
    work()
    return statistics.median(_seconds(work) for _ in range(runs))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def row(what: str, seconds: float, floor: str, floor_seconds: float, note: str = "") -> dict:
    """One measurement beside its floor."""
    ratio = seconds / floor_seconds
    return {"what": what, "seconds": seconds, "floor": floor, "floor_seconds": floor_seconds,
            "ratio": ratio, "note": note}  # fmt: skip


def thresholds() -> list[dict]:
    """Exact figures beyond enumeration at K = 4: the rank-linear estimators and the oracle, and the
    best baselines beside them."""
    torch.set_num_threads(1)
    exact = [e for e in CATALOGUE.values() if e.is_linear]
    usual = [e for e in exact if e.best is None]
    rows = []
    for n, m in ((256, 8), (64, 64), (1024, 8)):
        levels = "/".join(map(str, range(m)))
        probs = "/".join([str(1 / m)] * m)
        spec = f"categorical:rewards={levels},probs={probs},outcomes=3"
        (problem,) = parse_policy(spec).problems
        features = torch.rand(n + 1, 3 * len(usual), dtype=torch.float64)
        law = torch.rand(m * (m + 1) // 2, n + 1, dtype=torch.float64)

        def products(law=law, features=features) -> None:
            for c in range(1, len(features) + 1):
                law[:, :c] @ features[:c]
                law[:, :c] @ features[:c]

        def measure(chosen: list, problem=problem, n=n) -> None:
            plan = {4: tuple(chosen)}
            measure_exactly(problem, n, plan, torch.device("cpu"), 0.0, lambda _: None)

        name = f"thresholds, n={n}, {m} levels"
        seconds = median_seconds(lambda: measure(usual), 3)
        floor = median_seconds(products, 3)
        rows.append(row(f"{name}, {len(usual)} estimators", seconds, "its matrix products", floor))
        more = median_seconds(lambda: measure(exact), 1)
        rows.append(row(f"{name}, and best baselines", more, "without them", seconds))
    return rows


def sweeps() -> list[dict]:
    """Sweeps beside their cells compared one by one, in one process."""
    rows = []
    exact = SweepSpec(read_template(DEFAULT_SWEEP), DEFAULT_GRID)
    normal = SweepSpec(read_template("gaussian:reward=identity"), ("k=1:12:12",))
    for name, spec in (("maxpo variance-sweep, 60 cells", exact), ("Gaussian, 12 K", normal)):
        cells = [
            (spec.template.at(dict(zip(spec.swept, point.values, strict=True))), point)
            for batch in Sweep(spec).batches
            for point in batch.cells
        ]

        def one_by_one(cells=cells) -> None:
            for policy, point in cells:
                compare(CompareSpec(policy, point.n, point.k))

        floor = median_seconds(one_by_one, 3)
        rows.append(row(name, median_seconds(lambda s=spec: sweep(s), 3), "cell by cell", floor))
    return rows


def processes() -> list[dict]:
    """Whole processes: the command line, its help, real data, and memory with many groups."""
    torch_only = median_seconds(lambda: _run([sys.executable, "-c", "import torch"]), 5)
    bare = median_seconds(lambda: _run([sys.executable, "-c", "pass"]), 5)
    maxpo = [sys.executable, "-c", "from maxpo_cli.app import main; main()"]
    counts = ROOT / "analyses" / "data" / "pythia_math_counts.csv"
    real = ["--rewards", str(counts), "--where", "model=Pythia 12B", "-n", "8", "-k", "4"]
    sampled = ["--policy", "gaussian:reward=identity", "--engine", "monte-carlo"]
    sampled += ["--groups", "3000000"]

    def compare(*options: str) -> None:
        _run([*maxpo, "compare", *options])

    seconds = _seconds(lambda: compare(*sampled))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    many = ("maxpo compare, 3 million groups", seconds)
    help_seconds = median_seconds(lambda: _run([*maxpo, "--help"]), 5)
    usual = median_seconds(compare, 5)
    pythia = median_seconds(lambda: compare(*real), 3)
    maps = [
        _seconds(lambda f=f: _run([*maxpo, "variance-sweep", "--config", str(f)]))
        for f in sorted((ROOT / "analyses").glob("[12]-*/study.toml"))
    ]
    return [
        row("maps of questions 1 and 2, 960 cells", sum(maps), "import torch", torch_only),
        row("maxpo --help", help_seconds, "python", bare),
        row("maxpo compare", usual, "import torch", torch_only),
        row("maxpo compare, Pythia 12B", pythia, "import torch", torch_only),
        row(*many, "import torch", torch_only, f"peak {peak:,.0f} MiB"),
    ]


def _run(command: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


def main() -> None:
    """Measures everything, prints the table and writes it."""
    table = pd.DataFrame([*thresholds(), *sweeps(), *processes()])
    with new_result(ROOT / "results" / "benchmark", "benchmark") as draft:
        write_table(draft / "table.csv", table)
        study = {
            "study": "benchmark",
            "command_line": ["python", "analyses/benchmark.py"],
            "device": f"cpu, {torch.get_num_threads()} threads",
            "processor": device_name(torch.device("cpu")),
            "versions": {"maxpo": __version__, "python": platform.python_version(),
                         "torch": torch.__version__},
        }  # fmt: skip
        write_study(draft / "study.json", study)
    view = Table("what", "seconds", "floor", "× floor", "", box=None)
    for entry in table.itertuples():
        view.add_row(
            entry.what, f"{entry.seconds:.4f}", entry.floor, f"{entry.ratio:.2f}", entry.note
        )
    Console().print(view)


if __name__ == "__main__":
    main()
