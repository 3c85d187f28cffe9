"""Looking estimators up by name."""

import pickle
import subprocess
import sys

import pytest

from maxpo_cli import InputError
from maxpo_cli.estimators.lookup import CATALOGUE, DEFAULT_ESTIMATORS, find, find_all


def test_every_entry_is_found_under_its_own_name() -> None:
    assert [find(name).name for name in CATALOGUE] == list(CATALOGUE)


def test_every_entry_names_a_formula_and_a_source() -> None:
    assert all(entry.formula and entry.source for entry in CATALOGUE.values())


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [("l20", "l2o"), ("cannonical", "canonical"), ("pkpo_loo", "pkpo-loo"), ("grpo ", "grpo")],
)
def test_a_misspelt_name_is_refused_with_the_nearest_one(wrong: str, nearest: str) -> None:
    with pytest.raises(InputError, match=f"unknown estimator '{wrong}'; did you mean '{nearest}'"):
        find(wrong)


@pytest.mark.parametrize("wrong", ["", "zzzzzz"])
def test_a_name_near_to_none_is_refused_with_all_of_them(wrong: str) -> None:
    with pytest.raises(
        InputError,
        match=f"unknown estimator '{wrong}'; known: l2o, .*, best-constant$",
    ):
        find(wrong)


def test_find_all_keeps_the_order_and_takes_each_name_once() -> None:
    assert [entry.name for entry in find_all(["ei", "l2o", "ei", "rloo"])] == ["ei", "l2o", "rloo"]
    assert find_all([]) == ()


def test_find_all_refuses_the_first_unknown_name() -> None:
    with pytest.raises(InputError, match=r"'eii'.*'ei'"):
        find_all(["l2o", "eii", "nothing"])


def test_the_default_estimators_are_in_the_catalogue() -> None:
    assert tuple(entry.name for entry in find_all(DEFAULT_ESTIMATORS)) == DEFAULT_ESTIMATORS


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_entry_is_pickled_as_itself(name: str) -> None:
    assert pickle.loads(pickle.dumps(find(name))) is find(name)


def test_an_entry_that_another_process_sends_is_the_one_here() -> None:
    script = (
        "import pickle, sys; from maxpo_cli.estimators.lookup import CATALOGUE;"
        "sys.stdout.buffer.write(pickle.dumps({2: tuple(CATALOGUE.values())}))"
    )
    sent = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
    assert pickle.loads(sent) == {2: tuple(CATALOGUE.values())}
    assert len(sent) < 5000  # names travel, not formulas
