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

OF_BIAS = ("bias", "relative_bias", "relative_bias_stderr", "bias_z", "rtol", "mse", "groups")
"""The columns that `is_biased` reads."""

OF_CENTERING = ("n", "k", "mse", "centering_max")
"""Those that `is_centered` reads."""

OF_ROUNDING = (
    *OF_BIAS, *OF_CENTERING, "variance", "scale", "misalignment", "centering_mean", "centering_rms",
)  # fmt: skip
"""Those that `without_rounding` reads."""


def is_sampled(table: pd.DataFrame) -> pd.Series:
    """Which rows were measured on sampled groups."""
    return table["groups"].notna() | table["bias_z"].notna()


def is_biased(table: pd.DataFrame) -> pd.Series:
    """Which rows have a bias: beyond rounding where exact, beyond noise where sampled."""
    sampled = is_sampled(table)
    rounding = table["bias"] < ROUNDING * np.sqrt(table["mse"])
    exact = (table["relative_bias"] > _exact(table)) & ~rounding
    constant = table["relative_bias_stderr"] == 0
    sure = (table["bias_z"] > SURE) & (table["relative_bias"] > ROUNDING) | (constant & exact)
    return (sampled & sure) | (~sampled & exact)


def _exact(table: pd.DataFrame) -> pd.Series:
    """The error of a relative bias or a scale that an exact engine stays below."""
    return np.fmax(EXACT_BIAS, 10 * table["rtol"].astype(float).fillna(0.0))


def is_centered(table: pd.DataFrame) -> pd.Series:
    """Which rows have advantages that sum to zero in every group, except for rounding."""
    advantage = np.sqrt(table["mse"]) * table["n"] / table["k"]
    return table["centering_max"] <= CENTERED * advantage


def without_rounding(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a bias, a misalignment and a centering of 0 where they are rounding only.

    A bias next to a scale that is not 1 is not rounding.
    """
    measured = table["variance"].notna()
    wrong_length = (table["scale"] - 1).abs() > _exact(table)
    unbiased = measured & ~is_sampled(table) & ~is_biased(table) & ~wrong_length
    aligned = unbiased | (measured & (table["misalignment"] < EXACT_BIAS))
    centered = measured & is_centered(table)
    zero = {"bias": unbiased, "relative_bias": unbiased, "misalignment": aligned}
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
