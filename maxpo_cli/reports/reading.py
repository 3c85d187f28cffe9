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


def is_biased(table: pd.DataFrame) -> pd.Series:
    """Which rows have a bias: beyond rounding where exact, beyond noise where sampled."""
    sampled = table["bias_z"].notna()
    rounding = table["bias"] < ROUNDING * np.sqrt(table["mse"])
    exact = (table["relative_bias"] > EXACT_BIAS) & ~rounding
    return (sampled & (table["bias_z"] > SURE)) | (~sampled & exact)


def is_centered(table: pd.DataFrame) -> pd.Series:
    """Which rows' advantages sum to zero in every group, but for rounding."""
    advantage = np.sqrt(table["mse"]) * table["n"] / table["k"]
    return table["centering_max"] <= CENTERED * advantage


def bias_half_width(table: pd.DataFrame) -> pd.Series:
    """Half of the 95% interval of `relative_bias`; NaN where exact or without a gradient."""
    norm = table["gradient_norm"].where(table["gradient_norm"] > 0)
    return Z95 * table["bias_stderr"] / norm
