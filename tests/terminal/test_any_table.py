"""Views of any table fit any terminal: real numbers and hostile ones, long names and notes."""

from dataclasses import replace
from math import inf, nan

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from maxpo_cli.metrics.columns import METRICS
from maxpo_cli.storage.study import StudyRecord
from maxpo_cli.studies.api import StudyResult, compare, sweep
from maxpo_cli.studies.rows import NOTHING_SEEN
from maxpo_cli.terminal.study import study_view

WIDTHS = 60, 70, 80, 100, 120
ONE_LOGIT = "bernoulli:p=0.1,outcomes=1"
PLACES = {"p": "0.1,0.4", "k": "1,4,9"}
NAMES = [column.name for column in METRICS]
STUDIES: dict[str, StudyResult] = {
    "exact": compare(policy=ONE_LOGIT, estimators="all"),
    "sampled": compare(policy=ONE_LOGIT, estimators="all", engine="monte-carlo", groups=300),
    "rare": compare(policy="bernoulli:p=1e-9", engine="monte-carlo", groups=100, estimators="all"),
    "sweep": sweep(policy=ONE_LOGIT, grid=PLACES, n=9, estimators="all"),
    "sampled sweep": sweep(
        policy=ONE_LOGIT, grid=PLACES, n=9, estimators="all", engine="monte-carlo", groups=300
    ),
}
"""Results of either kind, with and without errors, with empty cells and their notes."""

SIGNED = "scale", "centering_mean"
lengths = st.sampled_from([0.0, 1.0, nan, inf, 5e-324, 1e300, 1 / 3]) | st.floats(min_value=0)
numbers = st.sampled_from([-0.0, -inf, -1e-300]) | lengths | st.floats()


def lines_of(table: pd.DataFrame, record: StudyRecord, width: int) -> list[str]:
    """The lines of a view, without the sizes of blanks at their ends."""
    console = Console(width=width, highlight=False, color_system=None)
    with console.capture() as capture:
        console.print(study_view(table, record, width))
    lines = capture.get().splitlines()
    assert max(map(cell_len, lines)) <= width
    assert "…" not in "".join(lines)
    return lines


def cells(lines: list[str]) -> list[str]:
    """The words of the rows below the headings, without the texts above and below."""
    tables = "\n".join(lines).split("─\n")[1:]
    return [word for part in tables for word in part.partition("\n\n")[0].split()]


@pytest.mark.parametrize("name", STUDIES)
def test_a_narrow_terminal_shows_the_same_words_as_a_wide_one(name: str) -> None:
    result = STUDIES[name]
    found = [set(cells(lines_of(result.table, result.study, width))) for width in (*WIDTHS, 300)]
    assert all(words == found[-1] for words in found)


@pytest.mark.parametrize("name", STUDIES)
def test_names_and_notes_may_be_of_any_length(name: str) -> None:
    result = STUDIES[name]
    long = "categorical:rewards=" + "/".join(["0.123456789"] * 60)
    spec = {**result.study.spec, "policy": long}
    table = result.table.assign(policy=long, note="a\x1b[31m reason " * 40)
    for width in WIDTHS:
        text = "\n".join(lines_of(table, replace(result.study, spec=spec), width))
        assert "\x1b" not in text


@settings(max_examples=40, deadline=None)
@given(data=st.data(), name=st.sampled_from(list(STUDIES)), width=st.sampled_from(WIDTHS))
def test_any_numbers_fit_and_none_is_cut(data: st.DataObject, name: str, width: int) -> None:
    result = STUDIES[name]
    table = result.table.copy()
    for column in data.draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True)):
        kind = numbers if column in SIGNED else lengths
        some = data.draw(st.lists(kind, min_size=1, max_size=6))
        table[column] = [some[i % len(some)] for i in range(len(table))]
    assert cells(lines_of(table, result.study, width))


def test_what_was_never_seen_is_no_number() -> None:
    result = STUDIES["sampled"]
    empty = dict.fromkeys(set(NAMES) - {"objective", "gradient_norm"}, nan)
    unseen = result.table["estimator"].isin(["l2o", "canonical"])
    table = result.table.copy()
    table.loc[unseen, [*empty, "note"]] = [*empty.values(), NOTHING_SEEN]
    lines = lines_of(table, result.study, 80)
    rows = [line.split() for line in lines]
    assert {word for name, *words in filter(None, rows) if name == "l2o" for word in words} == {"–"}
    assert not any(row[0] == "ei" and "–" in row for row in filter(None, rows))
    assert " ".join(lines).count(NOTHING_SEEN) == 1
