"""The axes of a sweep: what `NAME=VALUES` says, and every way to say it wrong."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles.groups import FIXED
from oracles.studies import sweep_of

from maxpo_cli.errors import InputError
from maxpo_cli.policies.policy import REAL, TEXT, WHOLE, Key
from maxpo_cli.policies.spec import read_template
from maxpo_cli.studies.grid import Axis, parse_grid

KEYS = {"p": REAL, "dim": WHOLE, "reward": TEXT}


def key_of(name: str) -> Key:
    if name not in KEYS:
        raise InputError(f"no {name}")
    return KEYS[name]


def values(item: str) -> list[str]:
    (axis,) = parse_grid([item], key_of)
    return list(axis.values)


def refusal(*items: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_grid(items, key_of)
    return str(caught.value)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("k=1,2,4", ["1", "2", "4"]),
        (" k = 4 , 1 ,4, 04 ", ["4", "1"]),
        ("n=1:8:8", [*"12345678"]),
        ("n=8:1:8", [*"87654321"]),
        ("n=1:3:9", ["1", "2", "3"]),
        ("n=1:1000:4:log", ["1", "10", "100", "1000"]),
        ("k=1:8:20:log", [*"12345678"]),
        ("p=0.1,0.10,1e-1", ["0.1"]),
        ("p=0.1:0.9:9", [f"0.{i}" for i in range(1, 10)]),
        ("p=-1:1:3", ["-1", "0", "1"]),
        ("p=0.01:1:3:log", ["0.01", "0.1", "1"]),
        ("p=0.5", ["0.5"]),
        ("p=.3:.3:5", ["0.3"]),
        ("reward=identity,quadratic", ["identity", "quadratic"]),
        ("reward=a:b:c", ["a:b:c"]),
        ("dim=2:4:3", ["2", "3", "4"]),
    ],
)
def test_a_grid_item_says_these_values(item: str, expected: list[str]) -> None:
    assert values(item) == expected


def test_axes_keep_their_order_and_what_was_asked() -> None:
    axes = parse_grid(["k=1,2", "p=0.1:0.9:9"], key_of)
    assert [axis.name for axis in axes] == ["k", "p"]
    assert axes[1].text == "0.1:0.9:9"
    assert axes[0] == Axis("k", ("1", "2"), "1,2")


@FIXED
@given(st.floats(0.01, 100), st.floats(1.5, 1000), st.integers(2, 40), st.booleans())
def test_a_range_has_its_very_ends_and_even_steps(
    start: float, factor: float, count: int, log: bool
) -> None:
    stop = start * factor
    found = [float(v) for v in values(f"p={start!r}:{stop!r}:{count}" + (":log" if log else ""))]
    assert (found[0], found[-1]) == (start, stop)
    steps = [i / (count - 1) for i in range(count)]
    if log:
        ideal = [start * math.exp(step * math.log(factor)) for step in steps]
    else:
        ideal = [start + step * (stop - start) for step in steps]
    np.testing.assert_allclose(found, ideal, rtol=1e-5)


@pytest.mark.parametrize("item", ["p=0.9999990:0.9999999:4", "p=1000.6251:1000.6253:3"])
def test_no_value_of_a_range_is_beyond_its_ends(item: str) -> None:
    found = [float(v) for v in values(item)]
    assert found == sorted(found)


@FIXED
@given(st.lists(st.integers(1, 50), min_size=1, max_size=12))
def test_a_list_has_each_value_once_in_its_order(items: list[int]) -> None:
    expected = [str(v) for i, v in enumerate(items) if v not in items[:i]]
    assert values("k=" + ",".join(map(str, items))) == expected


@pytest.mark.parametrize(
    ("items", "said"),
    [
        (["k"], "NAME=VALUES"),
        (["=1,2"], "NAME=VALUES"),
        ([""], "NAME=VALUES"),
        (["k="], "a value is missing"),
        (["k=1,,2"], "a value is missing"),
        (["k=1,2,"], "a value is missing"),
        (["k=1", "k=2"], "k is given twice"),
        (["k=1.5"], "--grid k must be a whole number; got '1.5'"),
        (["k=0,1"], "whole numbers from 1"),
        (["n=-3"], "whole numbers from 1"),
        (["n=0.2:4:3"], "whole numbers from 1"),
        (["k=one"], "--grid k must be a whole number; got 'one'"),
        (["p=x"], "--grid p must be a number; got 'x'"),
        (["p=nan"], "must be a number"),
        (["p=inf,1"], "must be a number"),
        (["p=0.1:0.9"], "a range is START:STOP:COUNT"),
        (["p=0.1:0.9:5:lin"], "a range is START:STOP:COUNT"),
        (["p=0.1:0.9:5:log:2"], "a range is START:STOP:COUNT"),
        (["p=0.1:0.9:many"], "a range is START:STOP:COUNT"),
        (["p=0.1:0.9:2.5"], "a range is START:STOP:COUNT"),
        (["p=::"], "a range is START:STOP:COUNT"),
        (["p=0.1:0.9:1"], "two or more"),
        (["p=0.1:0.9:0"], "two or more"),
        (["p=0.1:0.9:-4"], "two or more"),
        (["p=0:inf:4"], "finite"),
        (["p=nan:1:4"], "finite"),
        (["p=0:1:5:log"], "ends above 0"),
        (["p=-1:1:5:log"], "ends above 0"),
        (["p=0.1:0.5:3,0.9"], "must be a number; got '0.1:0.5:3'"),
        (["q=1"], "no q"),
    ],
)
def test_a_bad_item_is_refused_naming_what_is_wrong(items: list[str], said: str) -> None:
    sentence = refusal(*items)
    assert said in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    "item", ["p=0.1:0.9:10000000000000", "k=1:9:10000000000000", "p=0.1:0.9:10000000000000:log"]
)
def test_a_range_of_more_values_than_memory_holds_is_refused_in_words(item: str) -> None:
    assert "too many" in refusal(item)


def test_numbers_of_a_list_valued_key_are_one_value_however_written() -> None:
    spec = sweep_of("categorical:p=0.5,outcomes=1", "outcomes=10,010,+10")
    assert spec.axes[0].values == ("10",)


@pytest.mark.parametrize("policy", ["bernoulli", "categorical"])
def test_outcomes_are_whole_numbers_of_any_size_or_inf(policy: str) -> None:
    keys = read_template(policy).keys
    for text in ("outcomes=1,1000,inf", "outcomes=01,1000,INF,inf", "outcomes=inf,1,1000"):
        (axis,) = parse_grid([text], lambda name: keys[name])
        assert sorted(axis.values) == ["1", "1000", "inf"]
    (axis,) = parse_grid([f"outcomes={2**60}"], lambda name: keys[name])
    assert axis.values == (str(2**60),)


def test_names_unknown_to_a_policy_are_refused_with_the_nearest() -> None:
    def said(policy: str, item: str) -> str:
        with pytest.raises(InputError) as caught:
            _ = sweep_of(policy, item).axes
        return str(caught.value)

    assert "did you mean 'std'" in said("gaussian", "stdd=1,2")
    assert "did you mean 'outcomes'" in said("categorical:p=0.5,outcomes=1", "outcome=1,2")
    assert "--grid" in said("bernoulli:p=0.5,outcomes=1", "q=1")
    assert "n, k, p" in said("bernoulli:p=0.5,outcomes=1", "zzz=1")
