"""The catalogue of estimators and the identities between them, in the terminal."""

import pandas as pd
from rich.console import Group, RenderableType
from rich.text import Text

from maxpo_cli.terminal.layout import TextColumn, fitting_tables, legend

TERMS = (
    ("v_K", "mean of the max over all K-subsets of the group of N"),
    ("v_K^(−i)", "the same over those that leave i out;  q_i  over those that hold i"),
    ("EI_i", "q_i − v_{K−1}^(−i), the expected improvement of the max of K − 1 by i"),
    ("Q_K, V_K", "the expectations of q_i given x_i and of v_K under the policy"),
    ("ĝ", "(K/N) Σ_i A_i ∇log π(x_i), the estimate of the gradient ∇J_K"),
)


def estimators_view(catalogue: pd.DataFrame, width: int) -> RenderableType:
    """The catalogue: a row per estimator, with its claims, formula and source."""

    def column(heading: str, name: str, shortest: int = 16) -> list[TextColumn]:
        return [TextColumn(heading, list(catalogue[name]), is_words=True, shortest=shortest)]

    (names,) = column("estimator", "name")
    claims = [
        column("unbiased", "unbiased"), column("Σ A = 0", "centered"), column("K", "k_range"),
    ]  # fmt: skip
    texts = [column("advantage A_i", "formula", 32), column("source", "source", 40)]
    return Group(fitting_tables(names, [*claims, *texts], width), Text(), legend(TERMS))


def identities_view(deviations: pd.DataFrame, width: int) -> RenderableType:
    """The identities and the largest deviation of each."""
    found = [f"{deviation:.1e}" for deviation in deviations["largest_deviation"]]
    return fitting_tables(
        TextColumn("identity", list(deviations["identity"]), is_words=True, shortest=32),
        [[TextColumn("largest deviation", found)]],
        width,
    )
