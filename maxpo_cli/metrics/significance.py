"""Which rows of a table are biased or centered beyond rounding and noise, and the 95% intervals."""

import numpy as np
import pandas as pd

from maxpo_cli.metrics.columns import BY_NAME
from maxpo_cli.metrics.intervals import Z95

EXACT_BIAS = 1e-6
"""Relative bias that the rounding of an exact engine stays below, in float32 too."""

ROUNDING = 1e-12
"""A bias this much shorter than a typical ĝ is rounding, however short the gradient is."""

SURE = 4.0
"""The z-score from which a sampled bias is called a bias."""

CENTERED = 1e-7
"""A mean advantage this much smaller than the advantages that make ĝ is rounding."""


def is_biased(table: pd.DataFrame) -> pd.Series:
    """Which rows have a bias: beyond rounding where exact, beyond noise where sampled."""
    sampled = table["bias_z"].notna()
    rounding = table["bias"] < ROUNDING * np.sqrt(table["mse"])
    settled = table["rtol"].astype(float).fillna(0.0)
    exact = (table["relative_bias"] > np.fmax(EXACT_BIAS, 10 * settled)) & ~rounding
    sure = (table["bias_z"] > SURE) & (table["relative_bias"] > ROUNDING)
    return (sampled & sure) | (~sampled & exact)


def is_centered(table: pd.DataFrame) -> pd.Series:
    """Which rows have advantages that sum to zero in every group, except for rounding."""
    advantage = np.sqrt(table["mse"]) * table["n"] / table["k"]
    return table["centering_max"] <= CENTERED * advantage


def without_rounding(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a bias, a misalignment and a centering of 0 where they are rounding only."""
    measured = table["variance"].notna()
    unbiased = measured & table["bias_z"].isna() & ~is_biased(table)
    centered = measured & is_centered(table)
    zero = {"bias": unbiased, "relative_bias": unbiased, "misalignment": unbiased}
    zero |= dict.fromkeys(("centering_mean", "centering_rms", "centering_max"), centered)
    return table.assign(
        **{c: table[c].mask(where & table[c].notna(), 0.0) for c, where in zero.items()}
    )


def half_width(table: pd.DataFrame, column: str) -> pd.Series:
    """Half of the 95% interval of a metric; NaN where exact or without a standard error."""
    known = BY_NAME.get(column)
    if known is None or not known.stderr:
        return pd.Series(np.nan, table.index)
    return Z95 * table[known.stderr]
