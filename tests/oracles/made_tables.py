"""Small tables as a sweep writes them, made by hand."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from maxpo_cli.metrics.columns import BY_NAME
from maxpo_cli.storage.result import Result

NAMES = ("canonical", "l2o", "ei", "pkpo", "pkpo-loo", "canonical-plugin", "oracle")
HEIGHT = {"ei": 1.0, "pkpo": 12.0, "pkpo-loo": 1.1, "oracle": 0.7}
UNCENTERED = {"ei": 0.1, "pkpo": 0.8, "pkpo-loo": 0.05, "oracle": 0.03}


def sweep(
    params: dict[str, list[Any]],
    ns: list[int],
    ks: list[int],
    names: tuple[str, ...] = NAMES,
    stderr: float = np.nan,
) -> pd.DataFrame:
    """A table over policy parameters, N and K; l2o crosses ei where the first parameter is 1/K.

    Cells with K above N, and K of 1 or N for l2o, are notes.
    """
    rows = []
    for *values, n, k, name in product(*params.values(), ns, ks, names):
        given = dict(zip(params, values, strict=True))
        spec = "made:" + ",".join(f"{key}={value}" for key, value in given.items())
        row: dict[str, Any] = {"estimator": name, "policy": spec, **given, "n": n, "k": k}
        undefined = k > n or (name == "l2o" and k in (1, n))
        row |= {"engine": None, "note": "undefined"} if undefined else {"engine": "made"}
        rows.append(row if undefined else row | _figures(name, given, k, stderr))
    table = pd.DataFrame(rows)
    note = table.pop("note") if "note" in table else None
    return table.assign(groups=np.nan, rtol=np.nan, note=note)


def result_of(table: pd.DataFrame, source: str = "made", **parameters: str) -> Result:
    """The result of a table whose coordinates are its columns that are not metrics."""
    sizes = ("policy", "n", "k")
    known = [c for c in table.columns if c != "estimator" and (c in sizes or c not in BY_NAME)]
    return Result(table, tuple(known), source, parameters)


def _figures(name: str, given: dict[str, Any], k: int, stderr: float) -> dict[str, float]:
    first = next((v for v in given.values() if not isinstance(v, str)), 0.5)
    ratio = HEIGHT.get(name, (float(first) * k) ** 0.5)
    sampled = not np.isnan(stderr)
    off = UNCENTERED.get(name, 1e-17)
    bias = 0.3 if name == "canonical-plugin" else 1e-16
    return {
        "gradient_norm": 1.0, "bias": bias, "bias_stderr": stderr, "relative_bias": bias,
        "relative_bias_stderr": stderr,
        "bias_z": bias / stderr if sampled else np.nan, "scale": 1.0, "misalignment": bias,
        "centering_mean": off / 2, "centering_rms": off, "centering_max": 2 * off,
        "variance": 2 * ratio, "variance_stderr": stderr, "matched_variance": 2 * ratio,
        "variance_ratio": ratio, "variance_ratio_stderr": stderr, "snr": 1.0, "mse": 2 * ratio,
    }  # fmt: skip
