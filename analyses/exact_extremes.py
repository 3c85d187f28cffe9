"""Whether the exact engines are right to nine digits on extremes, by multiple-precision arithmetic.

    python analyses/exact_extremes.py     1,000 problems; writes results/exact-extremes/table.csv

Every metric of every estimator on random problems with success rates from 1e-6 to 1 − 1e-6, groups
of up to 256 and K up to N, by enumeration and by thresholds. An error is a share of the value, or
of what a value of 0 is compared with: ‖∇J‖ for a bias, the advantages for a centering. A cell may
be empty where its row has a note. The record has the largest error per regime, engine and
estimator.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import inf, isnan, nan
from pathlib import Path

import numpy as np
import pandas as pd
from sixty_digits import BEST, FORMULAS, Finite, HighPrecision, Metrics

from maxpo_cli import compare
from maxpo_cli.estimators.lookup import find_all
from maxpo_cli.policies.text import numbers

DIGITS = 1e-9
"""The error that every cell stays below."""

UNDERFLOW = 1e-140
"""Length below which a square loses digits, until it is 0."""

SMALLEST, LARGEST_GROUP = 1e-6, 256
ENGINES = {
    "enumeration": (*FORMULAS, "oracle"),
    "threshold": (
        "l2o", "canonical", "canonical-plugin", "ei", "pkpo", "pkpo-loo", "rloo", "dr-grpo",
        "oracle", *BEST,
    ),
}  # fmt: skip
REGIMES = {"limit": inf, "one-logit": 0, "bandit": 1, "1000-outcomes": 1000}
RESULT = Path(__file__).parents[1] / "results" / "exact-extremes" / "table.csv"


@dataclass(frozen=True)
class Case:
    """A problem, as a policy spec and in rational numbers, N and K."""

    regime: str
    policy: str
    problem: Finite
    n: int
    k: int


def cases(count: int, seed: int = 0) -> Iterator[Case]:
    """Random problems: half of their success rates are below 1/2, most of them far from it."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        regime = list(REGIMES)[number % len(REGIMES)]
        levels = 2 if regime == "one-logit" else int(rng.choice([2, 2, 2, 3, 4]))
        most = {2: LARGEST_GROUP, 3: 12, 4: 7}[levels]
        n = round(2 * (most / 2) ** rng.random())
        k = int(rng.choice([1, 2, rng.integers(1, n + 1), n // 2 + 1, n - 1, n]).clip(1, n))
        yield _case(regime, levels, n, k, rng)


def _case(regime: str, levels: int, n: int, k: int, rng: np.random.Generator) -> Case:
    outcomes = REGIMES[regime]
    of_each = "" if outcomes == inf else f",outcomes={max(outcomes, 1)}"
    low = np.log(SMALLEST)
    p = float(np.exp(low * rng.random()))
    if levels == 2:
        p = float(f"{p if rng.random() < 0.5 else 1 - p:.7g}")
        rewards, probs = (Fraction(0), Fraction(1)), (1 - Fraction(p), Fraction(p))
        policy = f"bernoulli:p={p!r}{of_each}"
        if regime == "bandit":  # this policy rounds the decimals 1 − p
            policy, failure = f"categorical:p={p!r}{of_each}", Fraction(float(1 - Decimal(repr(p))))
            probs = tuple(each / (failure + Fraction(p)) for each in (failure, Fraction(p)))
        return Case(regime, policy, Finite(rewards, probs, outcomes), n, k)
    values = np.sort(rng.choice([-2.0, -0.5, 0.0, 0.25, 1.0, 3.0], levels, replace=False))
    weights = np.exp(low * rng.random(levels))
    weights[rng.integers(levels)] = 1.0
    given = tuple(float(f"{w:.7g}") for w in weights / weights.sum())
    exact = [Fraction(p) for p in given]
    probs = tuple(p / sum(exact) for p in exact)
    policy = f"categorical:rewards={numbers(values)},probs={numbers(given)}{of_each}"
    return Case(regime, policy, Finite(tuple(map(Fraction, values)), probs, outcomes), n, k)


def errors(case: Case) -> pd.DataFrame:
    """The error of every cell of one problem, `inf` where an empty one has no note."""
    rows = []
    truth: dict[str, Metrics] = {}
    exact = HighPrecision(case.problem, case.n, case.k)
    binary = case.problem.levels == (0, 1)
    for engine, all_names in ENGINES.items():
        names = [e.name for e in find_all(all_names) if not e.refusal(case.n, case.k, binary)]
        found = compare(
            policy=case.policy, n=case.n, k=case.k, estimators=names, engine=engine,
            reference="ei", device="cpu",
        ).table.set_index("estimator")  # fmt: skip
        truth |= exact.metrics([name for name in names if name not in truth], "ei")
        for name in names:
            row = found.loc[name]
            noted = isinstance(row["note"], str) and bool(row["note"])
            for metric, true in truth[name].items():
                value = float(row[metric])
                if not value and noted and abs(true) < UNDERFLOW:
                    value = nan  # below what float64 has
                is_empty = isnan(value)
                error = _error(metric, value, truth[name], case)
                rows.append((engine, name, metric, is_empty and true is not None, noted, error))
    columns = ["engine", "estimator", "metric", "empty", "noted", "error"]
    table = pd.DataFrame(rows, columns=columns)
    for place, column in enumerate(("regime", "policy", "n", "k")):
        table.insert(place, column, getattr(case, column))
    table["error"] = table["error"].where(~(table["empty"] & ~table["noted"]), inf)
    return table


def _error(metric: str, value: float, truth: Metrics, case: Case) -> float:
    """The error of a cell; 0 for an empty one."""
    true = truth[metric]
    if isnan(value):
        return 0.0
    if true is None:
        return inf
    size = abs(true)
    if metric == "bias":
        size = max(size, truth["gradient_norm"])
    elif metric in ("relative_bias", "misalignment"):
        size = max(size, 1)
    elif metric == "scale" and not true:
        size = 1
    elif metric.startswith("centering"):
        size = max(size, max(truth["mse"], 0) ** 0.5 * case.n / case.k)
    return float(abs(value - true) / size) if size else (inf if value else 0.0)


def main(count: int, seed: int = 0) -> None:
    """Every problem, and the record."""
    tables = []
    for number, case in enumerate(cases(count, seed)):
        table = errors(case)
        tables.append(table)
        wrong = table[table["error"] > DIGITS]
        if len(wrong):
            print(number, wrong.to_string(header=False, index=False), flush=True)
    every = pd.concat(tables)
    by = ["regime", "engine", "estimator"]
    groups = every.groupby(by, sort=False)
    record = groups.agg(
        cells=("error", "size"), empty=("empty", "sum"), error=("error", "max")
    ).reset_index()
    record.insert(0, "problems", count)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    record.to_csv(RESULT, index=False, lineterminator="\n", float_format="%.2g")
    print(record.to_string())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:])) if len(sys.argv) > 1 else main(1000)
