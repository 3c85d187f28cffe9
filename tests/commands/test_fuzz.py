"""Hostile input is a result or a sentence: `analyses/fuzz.py` on a hundred inputs."""

import json

import pytest
from fuzz import RESULT, Outcome, faults, run
from fuzz_inputs import Example, examples
from hypothesis import HealthCheck, given, settings

NAMED = (
    Example(["compare", "--policy", "[/b]"]),
    Example(["compare", "--where", "\x1b[31m=a", "--rewards", "\x9b.csv"]),
    Example(["compare", "--config", "\udcff\n.toml"]),
    Example(["compare", "-n", "4", "-k", "2", "--device", "cpu", "--out", "a\n\udcff\x1b[2J"]),
    Example(["compare", "--out", "a" * 300]),
    Example(["compare", "--out", "/dev/null/here"]),
    Example(["compare", "--groups", "9" * 5000]),
    Example(["variance-sweep", "--grid", "p=" + "9" * 5000]),
    Example(["variance-sweep", "--policy", "bernoulli", "--grid", "p=\x1b"]),
    Example(["plot", "\udcff" * 300]),
    Example(["compare", "--config", "c.toml"], {"c.toml": b'"\\u001b[31m" = 1'}),
    Example(["compare", "--config", "c.toml"], {"c.toml": b"n = " + b"[" * 2000}),
    Example(["estimators", "--json"]),
)


@settings(
    max_examples=100, derandomize=True, database=None, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(examples())
def test_hostile_input_is_a_result_or_a_sentence(example: Example) -> None:
    assert list(faults(example, run(example))) == []


@pytest.mark.parametrize("named", NAMED, ids=lambda named: repr(named.arguments)[:60])
def test_each_kind_of_hostile_input_once(named: Example) -> None:
    assert list(faults(named, run(named))) == []


REFUSED = Outcome(2, "", "maxpo: no\n", {}, {})
BROKEN = {
    "it takes more than": Outcome(None, "", "", {}, {}),
    "status 1": Outcome(1, "", "Traceback", {}, {}),
    "more than sentences": Outcome(0, "{}", "Warning: x\n", {}, {}),
    "with 0 sentences": Outcome(2, "", "", {}, {}),
    "with text on standard output": Outcome(2, "x", "maxpo: no\n", {}, {}),
    "changed: a, b": Outcome(2, "", "maxpo: no\n", {"a": b"1"}, {"a": b"2", "b": None}),
    "a raw '\\x1b'": Outcome(2, "", "maxpo: \x1b\n", {}, {}),
    "NaN in JSON": Outcome(0, '{"a": NaN}', "", {}, {}),
    "no JSON": Outcome(0, "table", "", {}, {}),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_what_breaks_the_promise_is_found(fault: str) -> None:
    found = list(faults(Example(["compare", "--json"]), BROKEN[fault]))
    assert any(fault in each for each in found)
    assert list(faults(Example(["compare", "--json"]), REFUSED)) == []


@pytest.mark.skipif(not RESULT.exists(), reason="python analyses/fuzz.py has not been run yet")
def test_the_record_has_ten_thousand_inputs_and_no_fault() -> None:
    record = json.loads(RESULT.read_text(encoding="utf-8"))
    assert record["inputs"] >= 10_000
    assert record["faults"] == 0
    assert set(record["statuses"]) == {"0", "2"}
    assert min(record["commands"].values()) > 100
