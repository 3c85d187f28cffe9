"""Whether continuous policies by thresholds agree with Monte Carlo.

    python tests/gaussian_agreement.py     10⁷ groups; writes results/gaussian-agreement/table.csv

For every reward and both `learn` settings, at N = 16 and K = 4: the exact figure, the sampled one,
and how many of its standard errors apart they are (`z`; of a bias of 0 its standard score).
`seconds` is what the exact figures of the rank-linear estimators took, in one thread.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pandas as pd
import torch
from measuring import CPU, defined

from maxpo_cli.metrics.summary import diagnose
from maxpo_cli.engines.threshold.engine import measure_exactly
from maxpo_cli.engines.monte_carlo.sampler import sample_problem
from maxpo_cli.policies.reward_functions import REWARDS
from maxpo_cli.policies.spec import parse_policy

N, K, RTOL = 16, 4, 1e-8
POLICIES = [
    f"gaussian:mean=-0.5,reward={reward},learn={learn}"
    for reward in REWARDS
    for learn in ("mean", "mean+log_std")
]
UNBIASED = 1e-9
FIGURES = ("bias", "variance", "variance_ratio")
RESULT = Path(__file__).parents[1] / "results" / "gaussian-agreement" / "table.csv"


def agreement(policy: str, groups: int, seed: int) -> pd.DataFrame:
    """One row an estimator and figure of a policy."""
    (problem,) = parse_policy(policy).problems
    plan = {K: tuple(e for e in defined(problem, N, K) if e.is_linear)}
    began = perf_counter()
    exact = measure_exactly(problem, N, plan, CPU, RTOL, lambda _: None)[K]
    seconds = perf_counter() - began
    generator = torch.Generator().manual_seed(seed)
    sampled = sample_problem(problem, N, plan, groups, generator, torch.float64, lambda _: None)[K]
    truth, seen = diagnose([exact], "ei"), diagnose([sampled], "ei")

    def rows() -> Iterator[tuple[str, str, float, float, float, float]]:
        for name, row in seen.items():
            for figure in FIGURES:
                true = getattr(truth[name], figure)
                value, error = getattr(row, figure), getattr(row, f"{figure}_stderr")
                z = (value - true) / error if error > 0 else 0.0
                if figure == "bias" and true < UNBIASED:
                    z = row.bias_z  # the length of an estimated bias is above 0
                if figure != "variance_ratio" or name != "ei":
                    yield name, figure, true, value, error, z

    columns = ["estimator", "figure", "exact", "sampled", "stderr", "z"]
    table = pd.DataFrame(rows(), columns=columns)
    table.insert(0, "policy", policy)
    return table.assign(groups=groups, rtol=exact.rtol, seconds=seconds)


def main(groups: int) -> None:
    """Every policy, and the record."""
    torch.set_num_threads(1)
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
