"""Whether the threshold engine and Monte Carlo agree on continuous policies.

    python analyses/gaussian_agreement.py   10⁷ groups; writes results/gaussian-agreement/table.csv

For every reward and both `learn` settings, at N = 16 and K = 4: the exact metric, the sampled one,
and how many of its standard errors apart they are (`z`; for a bias of 0 its z-score).
`seconds` is what the exact metrics of the rank-linear estimators took, in one thread.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pandas as pd

from maxpo_cli import compare
from maxpo_cli.policies.reward_functions import REWARDS

N, K = 16, 4
POLICIES = [
    f"gaussian:mean=-0.5,reward={reward},learn={learn}"
    for reward in REWARDS
    for learn in ("mean", "mean+log_std")
]
ESTIMATORS = (
    "l2o", "canonical", "canonical-plugin", "ei", "pkpo", "pkpo-loo", "rloo", "dr-grpo", "oracle",
)  # fmt: skip
UNBIASED = 1e-9
METRICS = ("bias", "variance", "variance_ratio")
RESULT = Path(__file__).parents[1] / "results" / "gaussian-agreement" / "table.csv"


def agreement(policy: str, groups: int, seed: int) -> pd.DataFrame:
    """The exact and the sampled value of each metric, per estimator of a policy."""

    def measured(engine: str) -> pd.DataFrame:
        found = compare(
            policy=policy, n=N, k=K, estimators=ESTIMATORS, engine=engine, groups=groups,
            seed=seed, device="cpu",
        )  # fmt: skip
        return found.table.set_index("estimator")

    began = perf_counter()
    exact = measured("threshold")
    seconds = perf_counter() - began
    sampled = measured("monte-carlo")

    def rows() -> Iterator[tuple[str, str, float, float, float, float]]:
        for name in ESTIMATORS:
            for metric in METRICS:
                true, value = exact.loc[name, metric], sampled.loc[name, metric]
                error = sampled.loc[name, f"{metric}_stderr"]
                z = (value - true) / error if error > 0 else 0.0
                if metric == "bias" and true < UNBIASED:
                    z = sampled.loc[name, "bias_z"]  # the length of an estimated bias is above 0
                if metric != "variance_ratio" or name != "ei":
                    yield name, metric, true, value, error, z

    columns = ["estimator", "figure", "exact", "sampled", "stderr", "z"]
    table = pd.DataFrame(rows(), columns=columns)
    table.insert(0, "policy", policy)
    return table.assign(groups=groups, rtol=exact["rtol"].max(), seconds=seconds)


def main(groups: int) -> None:
    """Every policy, and the record."""
    tables = []
    for seed, policy in enumerate(POLICIES):
        tables.append(agreement(policy, groups, seed))
        print(tables[-1].to_string(), flush=True)
    table = pd.concat(tables)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(RESULT, index=False, lineterminator="\n")
    print("largest |z|:", table["z"].abs().max())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10**7)
