import math

import numpy as np
import pytest

from maxpo_cli.metrics.bias_interval import Z95, BiasEstimate, estimate_bias

DIMENSIONS = pytest.mark.parametrize("d", [1, 2, 8])
RUNS = 2000


def estimates(d: int, bias: float, variances: np.ndarray) -> list[BiasEstimate]:
    """Estimates from normal means about a bias along the first axis, covariances known."""
    generator = np.random.default_rng(d)
    means = generator.standard_normal((RUNS, d)) * np.sqrt(variances)
    means[:, 0] += bias
    squares = (means**2).sum(1)
    along = (means**2 * variances).sum(1) / squares
    trace, trace_square = variances.sum(), (variances**2).sum()
    return [
        estimate_bias(float(s), float(trace), float(trace_square), float(a))
        for s, a in zip(squares, along, strict=True)
    ]


def covered(found: list[BiasEstimate], bias: float) -> float:
    return float(np.mean([abs(one.value - bias) <= Z95 * one.stderr for one in found]))


@pytest.mark.parametrize(("trace", "along"), [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (-1e-20, 0.5)])
def test_without_noise_the_bias_is_the_plain_norm(trace: float, along: float) -> None:
    found = estimate_bias(6.25, trace, trace**2, along)
    assert found.value == 2.5
    assert found.stderr == 0
    assert math.isnan(found.score)


@DIMENSIONS
def test_no_bias_is_covered_95_times_in_100(d: int) -> None:
    """2,000 runs: outside 0.95 ± 0.02 with probability 4e-5 a dimension if coverage is 95%."""
    assert covered(estimates(d, 0.0, np.full(d, 0.3)), 0.0) == pytest.approx(0.95, abs=0.02)


def test_no_bias_is_covered_when_noise_has_a_main_direction() -> None:
    """The law is then only matched in two moments: 3 points of coverage are allowed."""
    found = estimates(4, 0.0, np.array([1.0, 0.2, 0.05, 0.01]))
    assert covered(found, 0.0) == pytest.approx(0.95, abs=0.03)


@DIMENSIONS
@pytest.mark.parametrize("bias", [0.5, 1.0, 2.0, 4.0])
def test_a_bias_of_the_size_of_its_noise_is_covered_more_than_9_times_in_10(
    d: int, bias: float
) -> None:
    """In units of the noise's deviation in one direction; the worst, d = 8, is near 92%."""
    assert covered(estimates(d, bias, np.ones(d)), bias) > 0.905


@DIMENSIONS
@pytest.mark.parametrize("bias", [12.0, 100.0])
def test_a_large_bias_is_covered_95_times_in_100(d: int, bias: float) -> None:
    """2,000 runs: 0.95 ± 0.02 has error rate 4e-5 each."""
    assert covered(estimates(d, bias, np.ones(d)), bias) == pytest.approx(0.95, abs=0.02)


@DIMENSIONS
def test_scores_without_bias_are_standard_normal(d: int) -> None:
    """2,000 runs: each of the tails has 4 standard errors of room, error rate below 1e-3 in all."""
    scores = np.array([one.score for one in estimates(d, 0.0, np.full(d, 0.3))])
    for deviate, tail in ((-1.645, 0.05), (0.0, 0.5), (1.645, 0.95)):
        room = 4 * math.sqrt(tail * (1 - tail) / RUNS)
        assert (scores < deviate).mean() == pytest.approx(tail, abs=room)


@DIMENSIONS
def test_noise_across_the_bias_is_taken_off(d: int) -> None:
    """The norm alone would be too long by about (d − 1)/20 here; 5 standard errors are allowed."""
    values = [one.value for one in estimates(d, 10.0, np.ones(d))]
    assert np.mean(values) == pytest.approx(10.0, abs=5 / math.sqrt(RUNS))


def test_the_standard_error_of_a_large_bias_is_that_along_it() -> None:
    found = estimate_bias(square=1e4, trace=8.0, trace_square=8.0, along=0.64)
    assert found.stderr == pytest.approx(0.8, rel=1e-12)
    assert found.value == pytest.approx(math.sqrt(1e4 - 8 + 0.64), rel=1e-12)


def test_the_standard_error_has_no_jump_where_the_bias_becomes_large() -> None:
    """Where the noncentral chi-square gives way to the normal law the two agree to 3%."""
    for d in (1, 3, 10):
        squares = np.linspace(0.8, 1.3, 101) * (100 * math.sqrt(d) + d)
        stderrs = np.array([estimate_bias(float(s), d, d, 1.0).stderr for s in squares])
        assert (abs(np.diff(stderrs)) < 0.05).all()
        assert stderrs == pytest.approx(1.0, abs=0.1)


def test_metrics_scale_with_the_unit_of_the_bias() -> None:
    one = estimate_bias(4.0, 1.5, 1.0, 0.8)
    other = estimate_bias(4e-16, 1.5e-16, 1e-32, 0.8e-16)
    assert other.value == pytest.approx(one.value * 1e-8, rel=1e-9, abs=0)
    assert other.stderr == pytest.approx(one.stderr * 1e-8, rel=1e-9, abs=0)
    assert other.score == pytest.approx(one.score, rel=1e-9)


@pytest.mark.parametrize("square", [1e3, 1e6, 1e12, 1e100, 1e300])
@pytest.mark.parametrize("d", [1, 100])
def test_an_immense_bias_has_a_finite_score(square: float, d: int) -> None:
    """P(χ² ≥ x) ≈ exp(−x/2), so that the deviate is about sqrt(x)."""
    found = estimate_bias(square, float(d), float(d), 1.0)
    assert math.isfinite(found.value)
    assert math.isfinite(found.stderr)
    assert found.score == pytest.approx(math.sqrt(square), rel=0.2 if square < 1e4 else 1e-3)


def test_a_square_of_0_is_no_sign_of_bias() -> None:
    found = estimate_bias(0.0, 1.0, 0.5, 0.5)
    assert found.value == 0
    assert found.stderr > 0
    assert math.isnan(found.score)


def test_scores_rise_with_the_distance() -> None:
    squares = np.geomspace(0.01, 1e5, 200)
    scores = np.array([estimate_bias(float(s), 3.0, 3.0, 1.0).score for s in squares])
    assert np.isfinite(scores).all()
    assert (np.diff(scores) > 0).all()
