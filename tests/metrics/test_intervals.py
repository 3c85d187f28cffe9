"""Standard errors of skewed means: coverage of means of draws whose law is known."""

import numpy as np
import pytest

from maxpo_cli.metrics.intervals import Z95, skewed_stderr

PARTS = 64


def coverage(draws: np.ndarray, truth: float) -> tuple[float, float]:
    """How often an interval holds the truth, with the correction and without, over rows."""
    rows, size = draws.shape
    off = draws.mean(1) - truth
    plain = draws.std(1, ddof=1) / np.sqrt(size)
    parts = draws.reshape(rows, -1, PARTS).sum(1)
    parts = (parts - parts.mean(1, keepdims=True)) / size
    wide = np.array([skewed_stderr(*each) for each in zip(plain.tolist(), parts, strict=True)])
    return (abs(off) <= Z95 * wide).mean(), (abs(off) <= Z95 * plain).mean()


@pytest.mark.parametrize(("rate", "at_most"), [(0.05, 0.925), (0.1, 0.94)])
def test_rare_events_are_covered(rate: float, at_most: float) -> None:
    """20,000 means of 640 draws that are rarely not 0: 94% to 96%, within six standard errors."""
    rng = np.random.default_rng(0)
    draws = rng.exponential(size=(20_000, 640)) * (rng.random((20_000, 640)) < rate)
    covered, plain = coverage(draws, rate)
    assert plain < at_most
    assert covered == pytest.approx(0.95, abs=0.01)


def test_what_is_not_skewed_keeps_its_error() -> None:
    covered, plain = coverage(np.random.default_rng(1).standard_normal((20_000, 640)), 0.0)
    assert plain <= covered <= plain + 0.002


def test_no_error_stays_none() -> None:
    assert skewed_stderr(0.0, np.ones(PARTS)) == 0
    assert np.isnan(skewed_stderr(np.nan, np.ones(PARTS)))


def test_a_factor_by_hand() -> None:
    """Cubes of 0.1 and −0.05 over a cube of 0.2: skewness 0.109375; far skewed is linear."""
    assert skewed_stderr(0.2, np.array([0.1, -0.05])) == pytest.approx(
        0.2 * (1 + 0.0129207), rel=1e-5
    )
    assert skewed_stderr(1.0, np.array([1.0])) == pytest.approx(1 + (2 * Z95**2 + 1) / (6 * Z95))
