"""The catalogue of estimators and the identities between them, in the terminal."""

import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from maxpo_cli.terminal.screen import ROOMY, new_table

TERMS = (
    "v_K       mean of the max over all K-subsets of the group of N\n"
    "v_K^(−i)  the same over those that leave i out;  q_i  over those that hold i\n"
    "EI_i      q_i − v_{K−1}^(−i), the expected improvement of the max of K − 1 by i\n"
    "Q_K, V_K  the expectations of q_i given x_i and of v_K under the policy\n"
    "The gradient estimate is ĝ = (K/N) Σ_i A_i ∇log π(x_i)."
)


def estimators_view(catalogue: pd.DataFrame) -> RenderableType:
    """The catalogue: a row per estimator, with its formula, source and claims."""
    view = new_table(ROOMY)
    view.add_column("estimator", no_wrap=True)
    view.add_column("advantage A_i and its source")
    view.add_column("unbiased", no_wrap=True)
    view.add_column("Σ A = 0", no_wrap=True)
    view.add_column("K", no_wrap=True)
    for estimator in catalogue.itertuples():
        what = Text(estimator.formula).append(f"\n{estimator.source}", style="dim")
        view.add_row(
            estimator.name, what, estimator.unbiased, estimator.centered, estimator.k_range
        )
    return Group(view, Text(), Text(TERMS, style="dim"))


def identities_view(deviations: pd.DataFrame) -> RenderableType:
    """The identities and the largest deviation of each."""
    view = new_table(ROOMY)
    view.add_column("identity", no_wrap=True)
    view.add_column("largest deviation", justify="right", no_wrap=True)
    for row in deviations.itertuples():
        view.add_row(row.identity, f"{row.largest_deviation:.1e}")
    return view
