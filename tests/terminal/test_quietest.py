"""Which estimator is the quietest of a cell."""

from typing import Any

import numpy as np
import pandas as pd

from maxpo_cli.terminal.quietest import Quietest, biased_rows, quietest


def row(name: str, variance: float, stderr: float = np.nan, **more: Any) -> dict[str, Any]:
    """A row of a made table: exact without a standard error, else sampled."""
    sampled = not np.isnan(stderr)
    return {
        "estimator": name, "p": 0.1, "n": 8, "k": 2, "engine": "made", "rtol": np.nan,
        "groups": 100 if sampled else np.nan, "bias_z": 0.0 if sampled else np.nan,
        "bias": 0.0, "relative_bias": 0.0, "relative_bias_stderr": stderr, "scale": 1.0,
        "mse": variance, "variance": variance,
        "variance_stderr": stderr, "matched_variance": variance, "variance_ratio": variance,
        "variance_ratio_stderr": stderr,
    } | more  # fmt: skip


def winners(*rows: dict[str, Any], dtype: str = "float64") -> Quietest:
    return quietest(pd.DataFrame(rows), ("p", "n", "k"), dtype)


def test_the_least_variance_wins() -> None:
    found = winners(row("ei", 1.0), row("l2o", 0.9), row("ei", 1.0, p=0.2), row("l2o", 1.1, p=0.2))
    assert found.wins == {"ei": 1, "l2o": 1}
    assert found.of == {"ei": 2, "l2o": 2}
    assert (found.cells, found.open_cells) == (2, 0)


def test_yardsticks_and_biased_estimators_never_win() -> None:
    found = winners(
        row("ei", 1.0), row("oracle", 0.1), row("best-linear", 0.1), row("grpo", 0.1),
        row("canonical-plugin", 0.1), row("best-mix", 0.1), row("best-constant", 0.1),
    )  # fmt: skip
    assert found.wins == {"ei": 1}
    assert found.of == {"ei": 1}
    assert found.yardsticks == {"oracle", "best-linear", "best-mix", "best-constant"}


def test_an_estimator_that_is_biased_in_some_cells_wins_where_it_is_unbiased() -> None:
    at_1 = [row("ei", 1.0, k=1), row("rloo", 0.5, k=1)]
    at_2 = [row("ei", 1.0), row("rloo", 0.5, relative_bias=0.4, bias=0.4)]
    found = winners(*at_1, *at_2)
    assert found.wins == {"ei": 1, "rloo": 1}
    assert found.of == {"ei": 2, "rloo": 1}


def test_what_is_claimed_is_judged_beside_what_was_measured() -> None:
    off = {"relative_bias": 0.1, "bias": 0.1}
    assert winners(row("ei", 1.0), row("l2o", 0.5, **off)).wins == {"ei": 1}
    noisy = row("grpo", 0.5, 0.01, relative_bias=0.1, bias=0.1, bias_z=1.0)
    assert winners(row("ei", 1.0, 0.01), noisy).wins == {"ei": 1}  # it claims no mean of ∇J
    sure = row("l2o", 0.5, 0.01, relative_bias=0.1, bias=0.1, bias_z=9.0)
    assert winners(row("ei", 1.0, 0.01), sure).wins == {"ei": 1}
    table = pd.DataFrame([row("ei", 1.0), row("rloo", 1.0), row("rloo", 1.0, k=1), sure])
    assert biased_rows(table).tolist() == [False, True, False, True]


def test_rounding_is_a_tie_and_counts_for_each() -> None:
    pair = row("l2o", 0.5), row("canonical", 0.5 * (1 + 1e-12)), row("ei", 0.5 * (1 + 1e-6))
    assert winners(*pair).wins == {"l2o": 1, "canonical": 1, "ei": 0}
    assert winners(*pair, dtype="float32").wins == {"l2o": 1, "canonical": 1, "ei": 1}
    integrals = row("l2o", 0.5, rtol=1e-4), row("ei", 0.5 * (1 + 1e-6), rtol=1e-4)
    assert winners(*integrals).wins == {"l2o": 1, "ei": 1}


def test_a_sampled_winner_is_two_standard_errors_ahead() -> None:
    def at(gap: float) -> Quietest:
        return winners(
            row("ei", 1.0, 0.0), row("l2o", 1.0 - gap, 0.05), row("canonical", 1.0 - gap, 0.05)
        )

    assert at(0.2).wins == {"ei": 0, "l2o": 1, "canonical": 1}
    assert at(-0.2).wins == {"ei": 1, "l2o": 0, "canonical": 0}
    for gap in (0.09, -0.09):
        assert set(at(gap).wins.values()) == {0}
        assert (at(gap).cells, at(gap).open_cells) == (1, 1)


def test_without_a_ratio_the_errors_of_the_variances_count() -> None:
    nothing = {"variance_ratio": np.nan, "variance_ratio_stderr": np.nan}
    near = row("l2o", 0.9, 0.05, **nothing), row("pkpo", 1.0, 0.05, **nothing)
    far = row("l2o", 0.5, 0.05, **nothing), row("pkpo", 1.0, 0.05, **nothing)
    assert winners(*near).open_cells == 1
    assert winners(*far).wins == {"l2o": 1, "pkpo": 0}


def test_a_table_without_metrics_has_no_winners() -> None:
    empty = dict.fromkeys(("variance", "matched_variance", "variance_ratio", "mse"), np.nan)
    found = winners(row("ei", 1.0) | empty, row("oracle", 1.0) | empty)
    assert (found.wins, found.of, found.cells, found.open_cells) == ({}, {}, 0, 0)
