"""What the terminal shows of a table: its heads, columns and rows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from oracles.records import RECORD
from rich.console import Console, RenderableType

from maxpo_cli.metrics.columns import METRICS
from maxpo_cli.storage.study import StudyRecord
from maxpo_cli.studies.api import StudyResult, compare, sweep
from maxpo_cli.terminal.bench import bench_view
from maxpo_cli.terminal.comparison import comparison_view
from maxpo_cli.terminal.study import study_view
from maxpo_cli.terminal.sweep import sweep_view

LIMIT = "answers never repeat (the orthogonal limit, outcomes=inf)"
ONE_LOGIT = "bernoulli:p=0.1,outcomes=1"
BEFORE = "measured on 2026-11-25; --overwrite measures it again"


def printed(view: RenderableType, width: int = 80) -> list[str]:
    console = Console(width=width, highlight=False, color_system=None)
    with console.capture() as capture:
        console.print(view)
    lines = [line.rstrip() for line in capture.get().splitlines()]
    assert max(map(len, lines)) <= width
    return lines


def shown(result: StudyResult, width: int = 80, **more: Any) -> list[str]:
    return printed(study_view(result.table, result.study, width, **more), width)


def headings(lines: list[str]) -> list[str]:
    (line,) = (line for line in lines if line.startswith("estimator "))
    return line.split()[1:]


def rows(lines: list[str]) -> dict[str, list[str]]:
    """The words of the rows of the one table, by the estimator."""
    rule = next(i for i, line in enumerate(lines) if line.startswith("──"))
    cells = [line.split() for line in lines[rule + 1 : lines.index("", rule)]]
    return {name: words for name, *words in cells}


class TestComparison:
    def test_the_columns_are_those_with_a_heading(self) -> None:
        lines = shown(compare(policy=ONE_LOGIT))
        assert headings(lines) == [column.heading for column in METRICS if column.heading]
        assert lines[0] == f"{ONE_LOGIT}   n=16 k=4"
        assert lines[1:3] == [
            "objective 0.3439, gradient norm 0.2624",
            "enumeration of 17 count vectors (exact for this policy)",
        ]

    def test_in_the_limit_there_is_no_gradient_norm_and_no_snr(self) -> None:
        lines = shown(compare(policy="bernoulli:p=0.1"))
        assert lines[1:4] == [
            "objective 0.3439",
            "enumeration of 17 count vectors (exact for this policy)",
            LIMIT,
        ]
        assert "snr" not in " ".join(lines)
        assert headings(lines)[-1] == "ratio"
        assert rows(lines)["canonical-plugin"][:2] == ["0.2500", "0.7500"]

    @pytest.mark.parametrize("policy", ["bernoulli:p=0", "bernoulli:p=0,outcomes=1"])
    def test_without_a_gradient_the_head_says_so(self, policy: str) -> None:
        lines = shown(compare(policy=policy, estimators="l2o"))
        assert lines[1] == "objective 0, no gradient: there is nothing to compare"
        assert (LIMIT in lines) is ("outcomes" not in policy)

    @pytest.mark.parametrize("width", [60, 70, 80, 100, 120])
    def test_no_column_is_left_out_however_narrow_the_terminal(self, width: int) -> None:
        result = compare(policy=ONE_LOGIT, engine="monte-carlo", groups=500, estimators="all")
        lines = shown(result, width)
        found = [word for line in lines if line.startswith("estimator ") for word in line.split()]
        columns = [column.heading for column in METRICS if column.heading]
        assert [word for word in found if word != "estimator"] == columns
        assert sum(line.count("±") for line in lines if line.startswith("l2o ")) == 3
        assert "monte-carlo, 500 groups, seed 0" in lines
        assert "half of a 95% interval" in lines[-1]
        limit = shown(compare(engine="monte-carlo", groups=500), width)
        assert "snr" not in " ".join(limit)

    def test_what_is_not_there_is_a_dash_and_its_reason_stands_once_below(self) -> None:
        names = "l2o,canonical,ei"
        lines = shown(compare(policy="bernoulli:p=0", estimators=names))
        assert set(rows(lines)["l2o"]) == {"0", "–"}
        notes = [line for line in lines if line.startswith("the gradient is 0 here")]
        assert len(notes) == 1

    def test_a_bias_of_rounding_is_0_only_beside_a_scale_of_1(self) -> None:
        result = compare(policy=ONE_LOGIT, estimators="ei")
        for scale, said in ((1.0, "0"), (0.5, "1.000e-09")):
            table = result.table.assign(relative_bias=1e-9, scale=scale)
            assert rows(printed(comparison_view(table, result.study, 80)))["ei"][0] == said

    def test_a_result_that_was_found_says_when_it_was_measured(self) -> None:
        result = compare(estimators="l2o")
        record = replace(result.study, created="2026-11-25T01:02:03+00:00")
        assert BEFORE in printed(comparison_view(result.table, record, 80, found=True))
        assert BEFORE not in printed(comparison_view(result.table, record, 80))

    def test_few_logged_samples_are_told_except_in_the_limit(self) -> None:
        result = compare(policy=ONE_LOGIT, n=8)
        record = replace(result.study, prompts=2, fewest_samples=31)
        lines = printed(comparison_view(result.table, record, 80))
        said = "a prompt has only 31 samples, below 4 N: answers repeat (see the README)"
        assert lines[1] == said
        assert lines[2].startswith("objective 0.3439 (mean 0.1719), ")
        assert lines[3].startswith("2 prompts added up, enumeration")
        record = replace(record, fewest_samples=32)
        assert said[:10] not in " ".join(printed(comparison_view(result.table, record, 80)))
        limit = compare(n=8)
        record = replace(limit.study, prompts=2, fewest_samples=31)
        assert said not in printed(comparison_view(limit.table, record, 80))


class TestSweep:
    def test_swept_names_come_from_the_coordinates_not_from_places(self) -> None:
        result = sweep(policy=ONE_LOGIT, grid={"p": "0.1,0.2", "k": "2,4"}, n=8)
        lines = shown(result)
        moved = result.table[list(reversed(result.table.columns))]
        assert shown(replace(result, table=moved)) == lines
        assert lines[0] == "bernoulli:outcomes=1   p=0.1,0.2   k=2,4   n=8"
        assert lines[1] == "4 cells: 4 by enumeration (exact for this policy)"
        l2o = result.table[result.table["estimator"] == "l2o"].sort_values("variance_ratio")
        ends = l2o.iloc[[0, -1]][["variance_ratio", "p", "k"]].itertuples(index=False)
        assert rows(lines)["l2o"] == ["1", "of", "4"] + [
            text for ratio, p, k in ends for text in (f"{ratio:.4g}", f"p={p}", f"k={k}")
        ]

    def test_what_cannot_be_trained_with_does_not_win(self) -> None:
        names = ("ei", "l2o", "canonical-plugin", "oracle", "best-linear", "best-mix")
        result = sweep(policy=ONE_LOGIT, grid={"p": "0.1,0.3"}, n=8, estimators=names)
        lines = shown(result)
        found = {name: words[0] for name, words in rows(lines).items()}
        rest = dict.fromkeys(("oracle", "best-linear", "best-mix"), "yardstick")
        rest["canonical-plugin"] = "biased"
        variances = result.table.pivot(columns="estimator", index="p", values="variance")
        assert (variances["best-linear"] < variances["ei"]).all()
        assert (variances["ei"] < variances["l2o"]).all()
        assert found == {"ei": "2", "l2o": "0"} | rest
        assert [line.split()[0] for line in lines[-5:]] == [
            "quietest", "has", "biased", "yardstick", "least",
        ]  # fmt: skip

    def test_cells_that_two_engines_measured_are_counted_once(self) -> None:
        names = ("ei", "l2o", "grpo", "best-linear")
        result = sweep(policy=ONE_LOGIT, grid={"p": "0.1,0.3"}, n=8, estimators=names)
        both = result.table["engine"].nunique()
        lines = shown(result)
        assert both == 2
        assert lines[1] == "2 cells: 2 by enumeration and threshold (exact for this policy)"

    def test_logged_answers_are_exact_for_draws_from_them(self, tmp_path: Path) -> None:
        log = tmp_path / "log.csv"
        log.write_text("prompt,reward\n" + "a,1\na,0\nb,1\nb,0\n" * 20)
        lines = shown(sweep(rewards=log, grid={"k": "1,2"}, n=4, estimators="ei"))
        head = " ".join(lines)
        assert "(exact for draws with replacement from the logged answers)" in head

    @pytest.mark.parametrize(
        ("outcomes", "said"), [("1,2", None), ("inf", LIMIT), ("1,inf", f"in 1 of them {LIMIT}")]
    )
    def test_the_regime_is_told(self, outcomes: str, said: str | None) -> None:
        result = sweep(policy="categorical:p=0.1", grid={"outcomes": outcomes}, n=6, k=2)
        lines = [line for line in shown(result) if "limit" in line]
        assert lines == ([said] if said else [])

    def test_cells_that_were_there_and_whole_results_are_told(self) -> None:
        result = sweep(grid={"k": "2,3"}, policy=ONE_LOGIT, estimators="l2o")
        record = replace(result.study, created="2026-11-25T01:02:03+00:00")
        assert "1 of them were there already" in printed(
            sweep_view(result.table, record, 80, there=1)
        )
        lines = printed(sweep_view(result.table, record, 80, there=2, found=True))
        assert BEFORE in lines
        assert not any("there already" in line for line in lines)

    def test_the_reasons_of_most_rows_are_told(self) -> None:
        lines = shown(sweep(policy=ONE_LOGIT, grid={"k": "1,9"}, n=8))
        assert "7 rows: k=9 is above the group size n=8" in lines


def test_a_bench_shows_times_and_groups_per_second() -> None:
    sizes = [2**i for i in range(2, 9)]
    table = pd.DataFrame(
        {
            "study": "advantages", "what": "l2o", "n": sizes, "k": 2, "note": "",
            "seconds_per_group": [n * 1e-7 for n in sizes], "groups_per_second": np.nan,
            "floor": "", "floor_ratio": np.nan, "exponent": 1.25,
        }
    )  # fmt: skip
    sampled = table.assign(
        study="monte-carlo", what="gaussian: l2o", groups_per_second=2.5e6, floor_ratio=0.5,
        note="peer equals l2o",
    )  # fmt: skip
    record: StudyRecord = replace(
        RECORD, study="bench", spec={"k": 2, "dtype": "float64"}, device="cpu (a processor)"
    )
    lines = printed(bench_view(pd.concat([table, sampled]), record, 80, found=True))
    assert lines[:2] == ["cpu (a processor)   k=2 float64, one thread", BEFORE]
    assert [lines[i - 1] for i, line in enumerate(lines) if "N=4" in line] == [
        "advantages: µs per group",
        "Monte Carlo: million groups per second",
        "Monte Carlo: time over that of the draws and a sort",
    ]
    heads = [f"N={n}" for n in sizes]
    assert lines[4].split() == [*heads, "grows", "as"]
    assert lines[6].split() == [
        "l2o", "0.4000", "0.8000", "1.600", "3.200", "6.400", "12.80", "25.60", "N^1.25",
    ]  # fmt: skip
    assert [line.split() for line in lines if line.startswith("gaussian: ")] == [
        ["gaussian:", "l2o", *["2.500"] * 7],
        ["gaussian:", "l2o", *["0.5000"] * 7],
    ]
    assert lines[-1] == "peer equals l2o"


@pytest.mark.parametrize("width", [60, 70, 80, 100, 120])
def test_a_bench_fits_the_terminal(width: int) -> None:
    names = ["l2o", "canonical-plugin", "my_own_module.of_advantages:the_function"]
    sizes = [2**i for i in range(2, 13)]
    table = pd.DataFrame(
        {
            "study": "advantages", "what": what, "n": n, "k": 2, "note": "", "floor": "",
            "seconds_per_group": n**2.5 * 1e-7 if n < 2048 else np.nan,
            "groups_per_second": np.nan, "floor_ratio": np.nan, "exponent": 2.5,
        }
        for what in names for n in sizes
    )  # fmt: skip
    record = replace(RECORD, study="bench", spec={"k": 2, "dtype": "float64"}, device="cpu")
    lines = printed(bench_view(table, record, width), width)
    assert "…" not in " ".join(lines)
    heads = [word for line in lines if "N=" in line for word in line.split()]
    assert [head for head in heads if head.startswith("N=")] == [f"N={n}" for n in sizes]
