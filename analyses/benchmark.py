"""How fast maxpo is on this machine, compared with lower bounds.

    python analyses/benchmark.py            about two minutes; writes results/benchmark/

A row is one measurement: the median of several runs in seconds, what it is compared with (the
lower bound), and the ratio of the two. `maxpo bench` measures the estimators and Monte Carlo.
"""

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

from maxpo_cli.engines.engine import Precision
from maxpo_cli.engines.threshold.engine import ThresholdEngine
from maxpo_cli.estimators.kinds import BestBaseline, Estimator
from maxpo_cli.estimators.lookup import CATALOGUE
from maxpo_cli.policies.spec import parse_policy
from maxpo_cli.storage.growing_table import open_result
from maxpo_cli.storage.study import StudyRecord, made_with
from maxpo_cli.studies.api import compare, sweep
from maxpo_cli.studies.bench import device_name
from maxpo_cli.studies.settings import DEFAULT_GRID

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
    """One measurement and its lower bound."""
    ratio = seconds / floor_seconds
    return {"what": what, "seconds": seconds, "floor": floor, "floor_seconds": floor_seconds,
            "ratio": ratio, "note": note}  # fmt: skip


def thresholds() -> list[dict]:
    """Exact metrics beyond enumeration at K = 4: the rank-linear estimators and the oracle, then
    the best baselines too."""
    torch.set_num_threads(1)
    engine = ThresholdEngine()
    exact = [e for e in CATALOGUE.values() if not engine.refuses(e)]
    usual = [e for e in exact if not isinstance(e, BestBaseline)]
    precision = Precision(2, 1e-8, 0, torch.device("cpu"), torch.float64)
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

        def measure(chosen: list[Estimator], problem=problem, n=n) -> None:
            engine.measure([problem], n, {4: tuple(chosen)}, precision, lambda _: None)

        name = f"thresholds, n={n}, {m} levels"
        seconds = median_seconds(lambda: measure(usual), 3)
        bound = median_seconds(products, 3)
        rows.append(row(f"{name}, {len(usual)} estimators", seconds, "its matrix products", bound))
        more = median_seconds(lambda: measure(exact), 1)
        rows.append(row(f"{name}, and best baselines", more, "without them", seconds))
    return rows


def sweeps() -> list[dict]:
    """Sweeps compared with their cells one by one, in one process."""
    rows = []
    for name, words in (
        ("maxpo variance-sweep, 60 cells", {"policy": "bernoulli", "grid": DEFAULT_GRID}),
        ("Gaussian, 12 K", {"policy": "gaussian:reward=identity", "grid": ("k=1:12:12",)}),
    ):
        cells = sweep(**words).table[["policy", "n", "k"]].drop_duplicates()

        def one_by_one(cells=cells) -> None:
            for cell in cells.itertuples():
                compare(policy=cell.policy, n=cell.n, k=cell.k)

        bound = median_seconds(one_by_one, 3)
        seconds = median_seconds(lambda words=words: sweep(**words), 3)
        rows.append(row(name, seconds, "cell by cell", bound))
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
    """Measures everything, writes the table and prints it."""
    table = pd.DataFrame([*thresholds(), *sweeps(), *processes()])
    device = f"cpu ({device_name(torch.device('cpu'))}), {torch.get_num_threads()} threads"
    command = ("python", "analyses/benchmark.py")
    record = StudyRecord(study="benchmark", spec={}, command_line=command, **made_with(device))
    with open_result(
        ROOT / "results" / "benchmark", record, tuple(table.columns), overwrite=True
    ) as result:
        result.append(table)
        result.finish(range(len(table)))
    view = Table("what", "seconds", "lower bound", "× bound", "", box=None)
    for entry in table.itertuples():
        view.add_row(
            entry.what, f"{entry.seconds:.4f}", entry.floor, f"{entry.ratio:.2f}", entry.note
        )
    Console().print(view)


if __name__ == "__main__":
    main()
