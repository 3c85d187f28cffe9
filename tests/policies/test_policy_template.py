"""Specs some of whose keys come later, and the short form of a categorical with two rewards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles.groups import FIXED

from maxpo_cli.errors import InputError
from maxpo_cli.policies.kinds.bernoulli import Bernoulli
from maxpo_cli.policies.kinds.categorical import Categorical
from maxpo_cli.policies.spec import PolicyTemplate, parse_policy, read_template


def refusal(text: str, **given: str) -> str:
    with pytest.raises(InputError) as caught:
        read_template(text).at(given)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "bernoulli",
        "bernoulli:p=0.1",
        "categorical",
        "gaussian:mean=0,std=1",
        "categorical:rewards=0/1,outcomes=1/2",
    ],
)
def test_a_template_is_its_spec_again(text: str) -> None:
    assert read_template(text).spec == text
    assert read_template(read_template(text).spec) == read_template(text)


def test_keys_given_later_win_over_those_of_the_template() -> None:
    assert read_template("bernoulli:p=0.1").at({"p": "0.2"}) == Bernoulli(0.2)
    assert read_template("bernoulli").at({"p": "1e-3"}) == Bernoulli(0.001)


def test_a_template_tells_its_source_the_texts_that_are_given_and_the_default_regime() -> None:
    template = read_template("categorical:p=0.10,outcomes=inf")
    assert template.source == "categorical"
    assert template.parameters == {"p": "0.10", "outcomes": "inf"}
    assert read_template("bernoulli").parameters == {"outcomes": "inf"}
    assert read_template("bernoulli:outcomes=1").parameters == {"outcomes": "1"}
    assert read_template("gaussian:std=2").parameters == {"std": "2"}


def test_a_template_without_keys_lacks_them() -> None:
    template = read_template("gaussian:mean=1,std=2,dim=3").without({"std", "dim", "k"})
    assert template == PolicyTemplate("gaussian", (("mean", "1"),))
    assert template.spec == "gaussian:mean=1"
    assert read_template("bernoulli:p=0.1").without(["p"]).spec == "bernoulli"


def test_a_template_can_be_given_all_that_its_spec_says() -> None:
    template = read_template("categorical:outcomes=7")
    given_later = template.at({"rewards": "0/1", "probs": "0.9/0.1"})
    assert given_later == parse_policy("categorical:rewards=0/1,probs=0.9/0.1,outcomes=7")


@FIXED
@given(st.floats(0, 1))
def test_p_is_the_probability_of_the_second_of_two_rewards(p: float) -> None:
    policy = read_template("categorical:outcomes=5").at({"p": repr(p)})
    assert isinstance(policy, Categorical)
    assert policy.rewards == (0.0, 1.0)
    assert policy.outcomes == (5, 5)
    assert policy.probs[1] == p
    assert policy.probs[0] == pytest.approx(1 - p, abs=1e-15)
    assert parse_policy(policy.spec) == policy


def test_one_minus_p_has_as_few_digits_as_p() -> None:
    assert parse_policy("categorical:p=0.1").spec == "categorical:rewards=0/1,probs=0.9/0.1"
    assert "probs=0.7/0.3" in parse_policy("categorical:rewards=-1/4,p=0.3").spec


@pytest.mark.parametrize(
    ("text", "given_later", "said"),
    [
        ("bernoulli", {}, "policy 'bernoulli' needs p"),
        ("bernoulli", {"p": "x"}, "p must be a number; got 'x'"),
        ("bernoulli", {"p": "nan"}, "p must be a number; got 'nan'"),
        ("bernoulli", {"p": "-0.1"}, "p must be between 0 and 1"),
        ("categorical", {}, "needs rewards and probs"),
        ("categorical:p=0.2,probs=0.5/0.5", {}, "give p or probs, not both"),
        ("categorical:probs=0.5/0.5", {"p": "0.2"}, "give p or probs, not both"),
        ("categorical:rewards=0/1/2", {"p": "0.2"}, "the second of two rewards"),
        ("categorical", {"p": "1.5"}, "p must be between 0 and 1; got 1.5"),
        ("categorical:p=0.5", {"outcomes": "1/2/3"}, "one length"),
        ("categorical:p=0.5", {"outcomes": "1.5"}, "outcomes must be"),
        ("gaussian", {"dim": "two"}, "dim must be a whole number; got 'two'"),
        ("gaussian", {"learn": "std"}, "learn"),
    ],
)
def test_what_a_template_cannot_become_is_said_in_a_sentence(
    text: str, given_later: dict[str, str], said: str
) -> None:
    assert said in refusal(text, **given_later)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bernouli", "unknown policy 'bernouli'"),
        ("bernoulli:q=1", "unknown key of policy bernoulli 'q'"),
        ("bernoulli:p=1,p=1", "the key p is given twice"),
        ("bernoulli:p", "expected key=value, got 'p'"),
    ],
)
def test_a_template_knows_its_keys(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_template(text)
