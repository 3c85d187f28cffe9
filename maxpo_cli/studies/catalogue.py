"""The catalogue as a table."""

import pandas as pd

from maxpo_cli.estimators.catalogue import CATALOGUE

COLUMNS = ("name", "formula", "source", "unbiased", "centered", "k_range")


def catalogue_table() -> pd.DataFrame:
    """One row an estimator: name, formula, source, claims and range of K."""
    rows = [[getattr(estimator, column) for column in COLUMNS] for estimator in CATALOGUE.values()]
    return pd.DataFrame(rows, columns=list(COLUMNS))
