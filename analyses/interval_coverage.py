"""How often the 95% intervals of Monte Carlo cover the exact value.

    python analyses/interval_coverage.py       1,000 seeds; writes results/coverage/table.csv

The tests run the same over fewer seeds. Coverage of a metric is counted over seeds, with the exact
value from enumeration or thresholds, for every estimator that these can measure and whose metric
varies at all. Of 1,000 runs of a perfect interval 93% to 97% cover with probability 0.996.
"""

import math
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from maxpo_cli.engines.choice import BY_NAME
from maxpo_cli.engines.engine import Precision
from maxpo_cli.estimators.kinds import BestBaseline, Estimator
from maxpo_cli.estimators.lookup import CATALOGUE
from maxpo_cli.metrics.intervals import Z95
from maxpo_cli.metrics.summary import Summary, summaries
from maxpo_cli.policies.spec import parse_policy
from maxpo_cli.problems.finite import FiniteProblem
from maxpo_cli.problems.problem import Problem

METRICS = ("relative_bias", "variance", "variance_ratio")
RESULT = Path(__file__).parents[1] / "results" / "coverage" / "table.csv"


@dataclass(frozen=True)
class Setting:
    """One policy, N and K, and how many groups a run has."""

    policy: str
    n: int
    k: int
    groups: int


SETTINGS = (
    Setting("bernoulli:p=0.1,outcomes=1", 16, 4, 20_000),
    Setting("bernoulli:p=0.5,outcomes=1", 8, 2, 20_000),
    Setting("categorical:rewards=0/0.5/1/2,probs=0.4/0.3/0.2/0.1,outcomes=1", 6, 3, 20_000),
    Setting("categorical:rewards=0/0.5/1/2,probs=0.4/0.3/0.2/0.1,outcomes=1000", 6, 3, 20_000),
    Setting("gaussian:reward=threshold,c=1,learn=mean+log_std,dim=3", 8, 4, 20_000),
    # Rare successes, rare failures, and rewards with long tails, with few groups:
    Setting("bernoulli:p=0.005,outcomes=1", 8, 4, 20_000),
    Setting("bernoulli:p=0.02,outcomes=1", 8, 4, 2_000),
    Setting("bernoulli:p=0.01,outcomes=1000", 8, 4, 2_000),
    Setting("bernoulli:p=0.01", 8, 4, 2_000),
    Setting("bernoulli:p=0.9,outcomes=1", 16, 6, 20_000),
    Setting("categorical:rewards=0/0.5/1/2,probs=0.98/0.01/0.008/0.002", 6, 3, 2_000),
    Setting("gaussian:learn=mean+log_std", 8, 4, 2_000),
    Setting("gaussian:reward=exp", 8, 4, 2_000),
    Setting("gaussian:reward=quad-sin,std=2", 8, 2, 20_000),
)


def coverage(setting: Setting, seeds: range) -> pd.DataFrame:
    """The share of seeds whose interval holds the exact value, per estimator and metric."""
    (problem,) = parse_policy(setting.policy).problems
    engine = "enumeration" if isinstance(problem, FiniteProblem) else "threshold"
    chosen = tuple(
        e
        for e in CATALOGUE.values()
        if not (e.refusal(setting.n, setting.k, problem.is_binary) or isinstance(e, BestBaseline))
        and not BY_NAME[engine].refuses(e)
    )
    exact = measured(problem, setting, chosen, engine)
    hits: dict[tuple[str, str], list[bool]] = {}
    for seed in seeds:
        sampled = measured(problem, setting, chosen, "monte-carlo", seed)
        for name, truth in exact.items():
            for metric in METRICS if truth.variance > 0 else ():
                value, expected = getattr(sampled[name], metric), getattr(truth, metric)
                # The reference, and a multiple of it, have a ratio of 1 in every sample.
                is_fixed = metric == "variance_ratio" and abs(expected - 1) < 1e-12
                if is_fixed or math.isnan(value):  # empty: a scale that is not told from 0
                    continue
                room = Z95 * getattr(sampled[name], f"{metric}_stderr") + 1e-12 * abs(expected)
                hits.setdefault((name, metric), []).append(abs(value - expected) <= room)
    rows = [
        (*vars(setting).values(), name, metric, sum(covered) / len(covered), len(covered))
        for (name, metric), covered in hits.items()
    ]
    columns = [*vars(setting), "estimator", "figure", "covered", "seeds"]
    return pd.DataFrame(rows, columns=columns)


def measured(
    problem: Problem,
    setting: Setting,
    estimators: tuple[Estimator, ...],
    engine: str,
    seed: int = 0,
) -> dict[str, Summary]:
    """The metrics of these estimators by an engine."""
    precision = Precision(setting.groups, 1e-8, seed, torch.device("cpu"), torch.float64)
    (found,) = BY_NAME[engine].measure(
        [problem], setting.n, {setting.k: estimators}, precision, lambda _: None
    )
    return summaries([found[setting.k]], "ei")


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
