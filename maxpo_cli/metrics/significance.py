"""What the figures of a table say: which estimators are biased, which are centered, how surely."""

import numpy as np
import pandas as pd

Z95 = 1.959963984540054
"""Half the width of a 95% interval in standard errors."""

EXACT_BIAS = 1e-6
"""Relative bias that the rounding of an exact engine stays below, in float32 too."""

ROUNDING = 1e-12
"""A bias this much shorter than a typical ĝ is rounding, however short the gradient is."""

SURE = 4.0
"""Standard score from which a sampled bias is called one."""

CENTERED = 1e-7
"""A mean advantage this much smaller than the advantages that make ĝ is rounding."""


def integral_rtol(table: pd.DataFrame) -> pd.Series:
    """How far integrals had settled; NaN where there were none, as in tables of older versions."""
    return table.get("rtol", pd.Series(np.nan, table.index)).astype(float)


def is_biased(table: pd.DataFrame) -> pd.Series:
    """Which rows have a bias: beyond rounding where exact, beyond noise where sampled."""
    sampled = table["bias_z"].notna()
    rounding = table["bias"] < ROUNDING * np.sqrt(table["mse"])
    settled = integral_rtol(table).fillna(0.0)
    exact = (table["relative_bias"] > np.fmax(EXACT_BIAS, 10 * settled)) & ~rounding
    return (sampled & (table["bias_z"] > SURE)) | (~sampled & exact)


def is_centered(table: pd.DataFrame) -> pd.Series:
    """Which rows' advantages sum to zero in every group, but for rounding."""
    advantage = np.sqrt(table["mse"]) * table["n"] / table["k"]
    return table["centering_max"] <= CENTERED * advantage


def bias_half_width(table: pd.DataFrame) -> pd.Series:
    """Half of the 95% interval of `relative_bias`; NaN where exact or without a gradient."""
    norm = table["gradient_norm"].where(table["gradient_norm"] > 0)
    return Z95 * table["bias_stderr"] / norm


def without_rounding(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a bias, a misalignment and a centering of 0 where they are rounding only."""
    measured = table["bias"].notna()
    unbiased = measured & table["bias_z"].isna() & ~is_biased(table)
    centered = measured & is_centered(table)
    zero = {"bias": unbiased, "relative_bias": unbiased, "misalignment": unbiased}
    zero |= dict.fromkeys(("centering_mean", "centering_rms", "centering_max"), centered)
    return table.assign(
        **{c: table[c].mask(where & table[c].notna(), 0.0) for c, where in zero.items()}
    )


def half_width(table: pd.DataFrame, column: str) -> pd.Series:
    """Half of the 95% interval of a figure; NaN where exact or without a standard error."""
    if column == "relative_bias":
        return bias_half_width(table)
    stderr = f"{column}_stderr"
    return Z95 * table[stderr] if stderr in table.columns else pd.Series(np.nan, table.index)
