"""How often the 95% intervals of Monte Carlo cover the exact value.

    python analyses/interval_coverage.py       1,000 seeds; writes results/coverage/table.csv

The tests run the same over fewer seeds. Coverage of a metric is counted over seeds, with the exact
value from enumeration, for every estimator whose metric varies at all. Of 1,000 runs of a perfect
interval 93% to 97% cover with probability 0.996.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from maxpo_cli import compare
from maxpo_cli.metrics.bias_interval import Z95

METRICS = ("bias", "variance", "variance_ratio")
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
)


def coverage(setting: Setting, seeds: range) -> pd.DataFrame:
    """The share of seeds whose interval holds the exact value, per estimator and metric."""
    exact = measured(setting, "enumeration")
    # The reference, and a multiple of it, have a ratio of 1 in every sample.
    fixed = (exact["variance_ratio"] - 1).abs() < 1e-12
    rows = []
    for seed in seeds:
        sampled = measured(setting, "monte-carlo", seed)
        for name in exact.index[exact["variance"] > 0]:
            for metric in METRICS:
                if metric == "variance_ratio" and fixed[name]:
                    continue
                distance = abs(sampled.loc[name, metric] - exact.loc[name, metric])
                room = Z95 * sampled.loc[name, f"{metric}_stderr"] + 1e-12
                rows.append((name, metric, bool(distance <= room)))
    hits = pd.DataFrame(rows, columns=["estimator", "figure", "covered"])
    shares = hits.groupby(["estimator", "figure"], sort=False)["covered"].mean().reset_index()
    for place, (column, value) in enumerate(vars(setting).items()):
        shares.insert(place, column, value)
    return shares.assign(seeds=len(seeds))


def measured(setting: Setting, engine: str, seed: int = 0) -> pd.DataFrame:
    """The metrics of every estimator that can be measured so, by estimator."""
    found = compare(
        policy=setting.policy, n=setting.n, k=setting.k, estimators="all",
        engine=engine, groups=setting.groups, seed=seed, device="cpu",
    )  # fmt: skip
    table = found.table.set_index("estimator")
    return table[table["variance"].notna()]


def main(seeds: int) -> None:
    """Counts coverage in every setting, and writes the record."""
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
