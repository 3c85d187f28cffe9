"""How numbers are printed: every column in one format, and each number with its error."""

import re
from math import inf, isfinite, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxpo_cli.terminal import numbers

Column = list[tuple[float, float]]
SIZES = st.floats(-12, 12).map(lambda power: 10**power)
VALUES = st.one_of(st.just(0.0), st.just(nan), SIZES, SIZES.map(lambda size: -size))
COLUMNS = st.lists(st.tuples(VALUES, st.one_of(st.just(0.0), st.just(nan), SIZES)), max_size=8)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (nan, "–"), (0.0, "0"), (1.0, "1"), (0.34391, "0.3439"), (0.0027294, "0.002729"),
        (1234.5, "1234"), (12345.6, "12,346"), (1234567.0, "1,234,567"), (1e-5, "1.000e-05"),
        (0.00012345, "0.0001234"), (-0.5, "-0.5"), (inf, "inf"), (1e10, "1.000e+10"),
    ],
)  # fmt: skip
def test_a_number_by_itself_has_four_digits(value: float, text: str) -> None:
    assert numbers.plain(value) == text


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([0.9644, 1, 3.498], ["0.9644", "1.0000", "3.4980"]),
        ([0.004, 0.03128], ["0.004000", "0.031280"]),
        ([0.769, 9.68, 11.1], ["0.7690", "9.6800", "11.1000"]),
        ([0.0781, 124.2], ["0.07810", "124.20000"]),
        ([2.329, 76713.41], ["2.33", "76,713.41"]),
        ([1e-5, 124.0], ["1.000e-05", "1.240e+02"]),
        ([nan, 0.0, 0.5], ["–", "0", "0.5000"]),
        ([inf, 1.0], ["inf", "1.000"]),
        ([nan], ["–"]),
        ([], []),
    ],
)
def test_a_column_without_errors(values: list[float], found: list[str]) -> None:
    assert numbers.texts(values) == found


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([(0.9931, 0.0323), (1.0, 0.0)], ["0.993 ± 0.032", "1.000        "]),
        ([(0.8194, 0.0054), (1e-6, 0.02)], ["0.8194 ± 0.0054", "0.0000 ± 0.0200"]),
        ([(3.2, 12.0), (nan, 0.1)], ["3.2 ± 12.0", "  –       "]),
        ([(0.0, 0.1)], ["0.000 ± 0.100"]),
        ([(2000.0, 10.0)], ["2,000 ± 10"]),
        ([(0.97, 1e-4), (3.5e4, 0.29)], ["9.700e-01 ± 1.0e-04", "3.500e+04 ± 2.9e-01"]),
        ([(0.3448, 1e-9)], ["0.3448"]),
        ([(0.1, inf)], ["0.1000 ± inf"]),
    ],
)
def test_a_column_with_errors(pairs: Column, found: list[str]) -> None:
    assert numbers.texts([v for v, _ in pairs], [h for _, h in pairs]) == found


@given(COLUMNS)
def test_every_column_has_one_format_three_digits_and_its_errors(pairs: Column) -> None:
    column = numbers.texts([v for v, _ in pairs], [h for _, h in pairs])
    formats = set()
    for (value, half), text in zip(pairs, column, strict=True):
        number, _, error = text.partition("±")
        digits = number.strip().replace(",", "")
        has_error = isfinite(value) and half > numbers.INVISIBLE * abs(value)
        assert bool(error.strip()) is has_error
        if not isfinite(value) or (value == 0 and not has_error):
            assert digits == ("0" if value == 0 else "–")
            continue
        formats.add(("e" in digits, len(digits.partition("e")[0].partition(".")[2])))
        largest = max(abs(value), half if has_error else 0.0)
        decimals = -999 if "e" in digits else len(digits.partition(".")[2])
        assert "e" in digits or largest * 10**decimals > 99.4  # three digits of the larger one
        if has_error:
            assert float(error.replace(",", "")) == pytest.approx(half, rel=0.51)  # one digit
    assert len(formats) <= 1
    assert len({text.find("±") for text in column} - {-1}) <= 1
    assert all(re.fullmatch(r" *[-–0-9,.e+]+( ± +?[0-9,.e+-]+)? *", text) for text in column)


def test_counts_have_a_plural() -> None:
    assert numbers.count(1, "cell") == "1 cell"
    assert numbers.count(1234, "cell") == "1,234 cells"


def test_a_unit_is_the_largest_below_the_median() -> None:
    units = (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3))
    assert numbers.unit([2e-7, 3e-6, nan, 0.5], units) == ("µs", 1e-6)
    assert numbers.unit([1e-12], units) == ("ns", 1e-9)
    assert numbers.unit([], units) == ("ms", 1e-3)
