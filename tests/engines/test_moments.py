"""Some of the estimators of moments, and the moments of several lots of estimators as one."""

from dataclasses import fields, replace
from math import isnan

import numpy as np
import pytest
from oracles.short_calls import enumerated, named, sampled

from maxpo_cli.arrays import FloatArray
from maxpo_cli.engines.moments import ROWS, Moments, Noise
from maxpo_cli.metrics.intervals import skewed_stderr
from maxpo_cli.metrics.summary import summaries
from maxpo_cli.policies.spec import parse_policy

NAMES = ("l2o", "ei", "pkpo", "rloo")
KINDS = ("variance", "product")
NOISE = ("trace", "trace_square", "along_bias", "sampled")

Covariance = dict[tuple[str, str, str, str], float]
"""The covariance of a kind of moment of one estimator and one of another, by their names."""


def made(names: tuple[str, ...], seed: int, noisy: bool = True) -> tuple[Moments, Covariance]:
    """Moments whose numbers are all different, and the covariances that their noise is made of."""
    rng, size = np.random.default_rng(seed), len(names)
    places = [(kind, name) for kind in KINDS for name in names]
    covariance: Covariance = {}
    for i, one in enumerate(places):
        for other in places[i:]:
            covariance[*one, *other] = covariance[*other, *one] = float(rng.normal())
    noise = Noise(
        *rng.uniform(size=(3, size)),
        np.array([[covariance[*one, *other] for other in places] for one in places]),
        rng.normal(size=(3, 2 * size)),
        np.ones(size, dtype=bool),
    )
    moments = Moments(
        engine="monte-carlo" if noisy else "threshold",
        n=4,
        k=2,
        estimators=named(*names),
        mean_weight=1.0,
        objective=0.5,
        gradient=np.array([3.0, 4.0]),
        mean=rng.normal(size=(size, 2)),
        variance=rng.uniform(size=size),
        centering_mean=rng.normal(size=size),
        centering_square=rng.uniform(size=size),
        centering_max=rng.uniform(size=size),
        groups=100 if noisy else 0,
        noise=noise if noisy else None,
    )
    return moments, covariance


def rows_of(moments: Moments) -> dict[str, dict[str, FloatArray]]:
    """Every number that belongs to one estimator, by its name."""
    found = {}
    for e, estimator in enumerate(moments.estimators):
        found[estimator.name] = {name: getattr(moments, name)[e] for name in ROWS}
        if moments.noise is not None:
            for name in NOISE:
                found[estimator.name][name] = getattr(moments.noise, name)[e]
    return found


def assert_noise_is(moments: Moments, covariance: Covariance) -> None:
    """Entry by entry; what is not in `covariance` is 0."""
    assert moments.noise is not None
    names = [estimator.name for estimator in moments.estimators]
    places = [(kind, name) for kind in KINDS for name in names]
    assert moments.noise.moments.shape == (len(places),) * 2
    for i, one in enumerate(places):
        for j, other in enumerate(places):
            expected = covariance.get((*one, *other), 0.0)
            assert moments.noise.moments[i, j] == expected, (one, other)


@pytest.mark.parametrize(
    "chosen", [("ei",), ("rloo", "l2o"), ("pkpo", "rloo", "ei"), NAMES[::-1], NAMES]
)
def test_some_estimators_keep_their_numbers_and_their_noise(chosen: tuple[str, ...]) -> None:
    whole, covariance = made(NAMES, 1)
    part = whole.only(named(*chosen))
    assert part.estimators == named(*chosen)
    rows = rows_of(whole)
    for name, row in rows_of(part).items():
        for number, value in row.items():
            np.testing.assert_array_equal(value, rows[name][number], err_msg=number)
    assert_noise_is(part, covariance)
    for same in (
        "engine",
        "n",
        "k",
        "objective",
        "gradient",
        "mean_weight",
        "states",
        "groups",
        "rtol",
    ):
        assert getattr(part, same) is getattr(whole, same)


def test_all_estimators_are_the_moments_themselves() -> None:
    whole, _ = made(NAMES, 1)
    assert whole.only(whole.estimators) is whole


def test_some_estimators_of_exact_moments_have_no_noise() -> None:
    whole, _ = made(NAMES, 1, noisy=False)
    assert whole.only(named("pkpo", "ei")).noise is None


@pytest.mark.parametrize("noisy", [(True, True), (True, False), (False, True), (False, False)])
def test_joined_moments_have_both_and_no_noise_in_common(noisy: tuple[bool, bool]) -> None:
    one, of_one = made(("rloo", "l2o"), 1, noisy[0])
    other, of_other = made(("ei", "pkpo", "canonical"), 2, noisy[1])
    both = one.joined(other)
    assert both.estimators == named("rloo", "l2o", "ei", "pkpo", "canonical")
    none = dict.fromkeys(NOISE, 0.0) if any(noisy) else {}
    rows = rows_of(one) | rows_of(other)
    for name, row in rows_of(both).items():
        expected = none | rows[name]
        assert row.keys() == expected.keys()
        for number, value in row.items():
            np.testing.assert_array_equal(value, expected[number], err_msg=f"{name} {number}")
    if not any(noisy):
        assert both.noise is None
        return
    covariance: Covariance = {}
    for is_noisy, part in zip(noisy, (of_one, of_other), strict=True):
        covariance |= part if is_noisy else {}
    assert_noise_is(both, covariance)


def test_what_is_joined_can_be_taken_apart() -> None:
    one, _ = made(("rloo", "l2o"), 1)
    other, _ = made(("ei", "pkpo"), 2)
    for original in (one, other):
        part = one.joined(other).only(original.estimators)
        assert part.noise is not None
        assert original.noise is not None
        for name in ROWS:
            np.testing.assert_array_equal(getattr(part, name), getattr(original, name))
        for name in (field.name for field in fields(Noise) if field.name != "parts"):
            np.testing.assert_array_equal(
                getattr(part.noise, name), getattr(original.noise, name), err_msg=name
            )
        own = part.noise.parts[(part.noise.parts != 0).any(1)]
        np.testing.assert_array_equal(own, original.noise.parts)


def test_metrics_of_some_are_those_among_all() -> None:
    (problem,) = parse_policy("bernoulli:p=0.3").problems
    whole = sampled(problem, 5, 2, 2000)
    part = whole.only(named("rloo", "ei", "pkpo"))
    for name, summary in summaries([part], "ei").items():
        among_all = summaries([whole], "ei")[name]
        for metric in ("relative_bias", "bias_z", "variance_stderr", "variance_ratio_stderr"):
            assert getattr(summary, metric) == pytest.approx(getattr(among_all, metric), rel=1e-12)


def test_a_sampled_estimator_over_an_exact_reference_has_its_own_error_only() -> None:
    """The relative error of a ratio is then that of the matched variance alone."""
    (problem,) = parse_policy("bernoulli:p=0.3").problems
    drawn = sampled(problem, 5, 2, 2000, named("grpo"))
    exact = enumerated(problem, 5, 2, named("ei"))
    both = summaries([drawn.joined(exact)], "ei")
    found = both["grpo"]
    assert drawn.noise is not None
    variance, product = drawn.variance[0], drawn.mean[0] @ drawn.gradient
    change = np.array([1 / variance, -2 / product])
    error = np.sqrt(change @ drawn.noise.moments @ change)
    error = skewed_stderr(error, drawn.noise.parts @ change)
    assert found.variance_ratio_stderr / found.variance_ratio == pytest.approx(error, rel=1e-12)
    scale = product / (drawn.gradient @ drawn.gradient)
    matched = variance / scale**2
    assert found.variance_ratio == pytest.approx(matched / exact.variance[0], rel=1e-12)
    for name in ("variance_stderr", "relative_bias_stderr"):
        assert getattr(found, name) > 0
        assert isnan(getattr(both["ei"], name)), name


def test_the_order_of_joining_is_the_order_of_the_estimators() -> None:
    one, _ = made(("rloo",), 1)
    other, _ = made(("ei",), 2)
    assert one.joined(other).estimators == named("rloo", "ei")
    assert other.joined(one).estimators == named("ei", "rloo")
    assert replace(other, groups=7).joined(one).groups == 7
