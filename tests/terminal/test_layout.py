"""Tables fit the width of the terminal, and nothing in them is cut."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, RenderableType

from maxpo_cli.terminal.layout import TextColumn, fitting_tables, legend, paragraph

NUMBERS = [["0.1234 ± 0.0012", "–"], ["1.234e-05", "0"], ["12", "123,456.7"], ["0.5", "0.25"]]


def lines_of(view: RenderableType, width: int) -> list[str]:
    console = Console(width=width, highlight=False, color_system=None)
    with console.capture() as capture:
        console.print(view)
    return capture.get().splitlines()


def printed(names: list[str], columns: list[list[str]], width: int) -> list[str]:
    groups = [[TextColumn(f"h{i}", texts)] for i, texts in enumerate(columns)]
    return lines_of(fitting_tables(TextColumn("estimator", names, True), groups, width), width)


def test_what_does_not_fit_beside_follows_below() -> None:
    wide, narrow = printed(["l2o", "ei"], NUMBERS, 60), printed(["l2o", "ei"], NUMBERS, 30)
    assert [line.split()[0] for line in wide if line.startswith("estimator")] == ["estimator"]
    heads = [line.split() for line in narrow if line.startswith("estimator")]
    assert [name for head in heads for name in head[1:]] == ["h0", "h1", "h2", "h3"]
    assert len(heads) > 1


def test_columns_of_one_group_stay_together() -> None:
    group = [TextColumn("ratio", ["0.12345678"]), TextColumn("at", ["p=0.1"], True)]
    lines = lines_of(fitting_tables(TextColumn("estimator", ["ei"], True), [group, group], 30), 30)
    heads = [line.split() for line in lines if line.startswith("estimator")]
    assert heads == [["estimator", "ratio", "at"]] * 2


def test_numbers_are_right_aligned_with_the_blanks_that_end_them() -> None:
    lines = printed(["a", "b"], [["0.993 ± 0.032", "1.000        "], ["1", "12"]], 60)
    assert lines[2:] == ["a          0.993 ± 0.032   1", "b          1.000          12"]


def test_control_characters_and_markup_are_shown_not_obeyed() -> None:
    lines = printed(["[/b]\x1b[31m", "[red]x"], [["1", "2"]], 60)
    assert [line.split()[0] for line in lines[2:]] == [r"[/b]\x1b[31m", "[red]x"]
    assert lines_of(paragraph("a\x07", "b\nc"), 60) == [r"a\x07", "b c"]


def test_a_legend_is_indented_where_it_is_folded() -> None:
    lines = lines_of(legend([("ratio", "word " * 20), ("±", "half")]), 40)
    assert all(len(line) <= 40 for line in lines)
    assert [line[:5].strip() for line in lines] == ["ratio", *[""] * (len(lines) - 2), "±"]


@given(
    names=st.lists(st.text(max_size=40), min_size=2, max_size=2),
    columns=st.lists(st.sampled_from(NUMBERS), max_size=8),
    width=st.integers(36, 130),
)
def test_no_line_is_too_long_and_no_number_is_cut(
    names: list[str], columns: list[list[str]], width: int
) -> None:
    lines = printed(names, columns, width)
    assert max(map(cell_len, lines)) <= width
    text = " ".join(lines)
    assert "…" not in text or any("…" in name for name in names)
    for column in columns:
        assert all(number in text for number in column)
