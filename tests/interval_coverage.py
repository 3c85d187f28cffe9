"""How often the 95% intervals of Monte Carlo cover the exact value.

    python tests/interval_coverage.py          1,000 seeds; writes results/coverage/table.csv

The suite runs the same over fewer seeds. Coverage of a figure is counted over seeds, with the exact
value from enumeration, for every estimator whose figure varies at all. Of 1,000 runs of a perfect
interval 93% to 97% cover with probability 0.996.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from measuring import defined, enumerate_problem

from maxpo_cli.metrics.summary import Diagnostics, diagnose
from maxpo_cli.metrics.bias_interval import Z95
from maxpo_cli.engines.monte_carlo.sampler import sample_problem
from maxpo_cli.policies.spec import parse_policy

FIGURES = ("bias", "variance", "variance_ratio")
RESULT = Path(__file__).parents[1] / "results" / "coverage" / "table.csv"


@dataclass(frozen=True)
class Setting:
    """One policy, N and K, and how many groups a run has."""

    policy: str
    n: int
    k: int
    groups: int


SETTINGS = (
    Setting("bernoulli:p=0.1", 16, 4, 20_000),
    Setting("bernoulli:p=0.5", 8, 2, 20_000),
    Setting("categorical:rewards=0/0.5/1/2,probs=0.4/0.3/0.2/0.1", 6, 3, 20_000),
    Setting("categorical:rewards=0/0.5/1/2,probs=0.4/0.3/0.2/0.1,outcomes=1000", 6, 3, 20_000),
    Setting("gaussian:reward=threshold,c=1,learn=mean+log_std,dim=3", 8, 4, 20_000),
)


def coverage(setting: Setting, seeds: range) -> pd.DataFrame:
    """One row an estimator and figure: the share of seeds whose interval holds the exact value."""
    rows = [
        (name, figure, _covers(exact, sampled, figure))
        for exact_by_name, runs in [_runs(setting, seeds)]
        for run in runs
        for name, sampled in run.items()
        for exact in [exact_by_name[name]]
        for figure in FIGURES
        if exact.variance > 0 and not (figure == "variance_ratio" and _is_reference(exact))
    ]
    hits = pd.DataFrame(rows, columns=["estimator", "figure", "covered"])
    shares = hits.groupby(["estimator", "figure"], sort=False)["covered"].mean().reset_index()
    for place, (column, value) in enumerate(vars(setting).items()):
        shares.insert(place, column, value)
    return shares.assign(seeds=len(seeds))


def _runs(
    setting: Setting, seeds: range
) -> tuple[dict[str, Diagnostics], Iterator[dict[str, Diagnostics]]]:
    """The exact figures, and those of a Monte Carlo run for each seed."""
    (problem,) = parse_policy(setting.policy).problems
    plan = {setting.k: defined(problem, setting.n, setting.k)}
    cpu = torch.device("cpu")
    exact = enumerate_problem(problem, setting.n, plan, cpu, torch.float64, lambda _: None)

    def run(seed: int) -> dict[str, Diagnostics]:
        generator = torch.Generator().manual_seed(seed)
        sampled = sample_problem(
            problem, setting.n, plan, setting.groups, generator, torch.float64, lambda _: None
        )
        return diagnose([sampled[setting.k]], "ei")

    return diagnose([exact[setting.k]], "ei"), (run(seed) for seed in seeds)


def _is_reference(exact: Diagnostics) -> bool:
    """Whether it is the reference or a multiple of it, so that the ratio is 1 in every sample."""
    return abs(exact.variance_ratio - 1) < 1e-12


def _covers(exact: Diagnostics, sampled: Diagnostics, figure: str) -> bool:
    distance = abs(getattr(sampled, figure) - getattr(exact, figure))
    return bool(distance <= Z95 * getattr(sampled, f"{figure}_stderr") + 1e-12)


def main(seeds: int) -> None:
    """Counts coverage in every setting, and writes the record."""
    torch.set_num_threads(1)
    tables = []
    for setting in SETTINGS:
        tables.append(coverage(setting, range(seeds)))
        print(tables[-1].to_string(), flush=True)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    table = pd.concat(tables)
    table.to_csv(RESULT, index=False, lineterminator="\n")
    print(table["covered"].describe())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
