"""The catalogue as a table."""

import pandas as pd

from maxpo_cli.estimators.catalogue import ENTRIES


def catalogue_table() -> pd.DataFrame:
    """One row per estimator: name, formula, source, claims and range of K."""
    return pd.DataFrame(
        {
            "name": entry.name,
            "formula": entry.formula,
            "source": entry.source,
            "unbiased": entry.claims.mean.words,
            "centered": entry.claims.centering.value,
            "k_range": entry.claims.ks.words,
        }
        for entry in ENTRIES
    )
