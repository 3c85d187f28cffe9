"""How numbers are printed."""

from math import inf, nan

import pytest

from maxpo_cli.metrics.columns import Format
from maxpo_cli.terminal import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (nan, "–"), (0.0, "0"), (1.0, "1"), (0.34391, "0.3439"), (0.0027294, "2.7e-03"),
        (1234.5, "1234"), (12345.6, "12,346"), (1234567.0, "1.2e+06"), (1e-5, "1.0e-05"),
        (0.00012345, "1.2e-04"), (-0.5, "-0.5"), (inf, "inf"),
    ],
)  # fmt: skip
def test_plain_numbers_have_four_digits_in_seven_places(value: float, text: str) -> None:
    assert numbers.plain(value) == text
    assert numbers.text(value) == text


@pytest.mark.parametrize(
    ("value", "half", "text"),
    [
        (0.9931, 0.0323, "0.993 ± 0.032"), (1.862, 0.294, "1.86 ± 0.29"), (3.2, 12.0, "3 ± 12"),
        (0.5, 0.0, "0.5"), (0.5, 1e-6, "0.5"), (0.5, nan, "0.5"), (nan, 0.1, "–"),
        (2000.0, 10.0, "2000"), (1.0, 0.00012, "1.0000 ± 0.0001"),
    ],
)  # fmt: skip
def test_intervals_have_two_digits(value: float, half: float, text: str) -> None:
    assert numbers.text(value, half) == text


@pytest.mark.parametrize(
    ("share", "half", "text"),
    [
        (0.0, nan, "0"), (0.25, nan, "25 %"), (0.8194, 0.0054, "81.94 ± 0.54 %"),
        (0.01, 0.038, "1.0 ± 3.8 %"), (12.3, nan, "12.3 ×"), (12.3, 0.4, "12.3 ×"),
        (nan, nan, "–"), (nan, 0.1, "–"), (1e-5, 1e-7, "0.00 ± 0.00 %"),
    ],
)  # fmt: skip
def test_shares_are_percentages_and_multiples_from_ten_on(
    share: float, half: float, text: str
) -> None:
    assert numbers.text(share, half, Format.PERCENT) == text


def test_counts_durations_and_large_numbers_have_units() -> None:
    assert numbers.count(1, "cell") == "1 cell"
    assert numbers.count(1234, "cell") == "1,234 cells"
    assert [numbers.duration(s) for s in (2e-7, 1.4e-6, 3.67e-3, 2.0)] == [
        "200 ns", "1.4 µs", "3.67 ms", "2 s",
    ]  # fmt: skip
    assert [numbers.large(v) for v in (12, 4240, 2.6e6, 3e9)] == ["12", "4.24 k", "2.6 M", "3 G"]
