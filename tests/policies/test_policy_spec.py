import pickle
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maxpo_cli.errors import InputError
from maxpo_cli.policies.kinds.bernoulli import Bernoulli
from maxpo_cli.policies.kinds.categorical import Categorical
from maxpo_cli.policies.kinds.gaussian import Gaussian
from maxpo_cli.policies.reward_functions import REWARD_KEYS, REWARDS
from maxpo_cli.policies.spec import KINDS, parse_policy


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("bernoulli:p=0.1", Bernoulli(0.1)),
        ("bernoulli: p = 1e-3 ", Bernoulli(0.001)),
        (" bernoulli :p=0", Bernoulli(0.0)),
        ("bernoulli:p=0.1,outcomes=1", Bernoulli(0.1, outcomes=1)),
        ("bernoulli:p=0.1,outcomes=inf", Bernoulli(0.1)),
        (
            "categorical:rewards=0/0.5/1,probs=0.6/0.3/0.1",
            Categorical((0.0, 0.5, 1.0), (0.6, 0.3, 0.1), (inf, inf, inf)),
        ),
        (
            "categorical:rewards=0/0.5/1,probs=0.6/0.3/0.1,outcomes=inf,norms=2",
            Categorical((0.0, 0.5, 1.0), (0.6, 0.3, 0.1), norms=(2.0, 2.0, 2.0)),
        ),
        (
            "categorical:rewards=0/0.5/1,probs=0.6/0.3/0.1,outcomes=1",
            Categorical((0.0, 0.5, 1.0), (0.6, 0.3, 0.1), (1, 1, 1)),
        ),
        (
            "categorical: outcomes = 1/20 , probs = 0.5 / 0.5 , rewards = -1 / 1",
            Categorical((-1.0, 1.0), (0.5, 0.5), (1, 20)),
        ),
        (
            "categorical:rewards=0/1,probs=.9/.1,outcomes=1000",
            Categorical((0.0, 1.0), (0.9, 0.1), (1000, 1000)),
        ),
        ("gaussian", Gaussian()),
        ("gaussian:", Gaussian()),
        (
            "gaussian:mean=-1,std=0.5,reward=quad-sin,learn=mean+log_std,dim=3,c=1,a=2,f=3",
            Gaussian(-1.0, 0.5, "quad-sin", "mean+log_std", 3, 1.0, 2.0, 3.0),
        ),
    ],
)
def test_a_spec_reads_as_the_policy_that_it_says(text: str, policy: object) -> None:
    assert parse_policy(text) == policy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bernouli:p=0.1", "unknown policy 'bernouli'; did you mean 'bernoulli'?"),
        ("", "unknown policy ''; known: bernoulli, categorical, gaussian"),
        ("xyz:p=1", "unknown policy 'xyz'; known: bernoulli, categorical, gaussian"),
        ("bernoulli", "policy 'bernoulli' needs p: bernoulli:p=0.1"),
        ("bernoulli:q=0.1", "unknown key of policy bernoulli 'q'; known: p"),
        (
            "categorical:reward=0/1,probs=0.5/0.5",
            "unknown key of policy categorical 'reward'; did you mean 'rewards'?",
        ),
        ("categorical:outcomes=3", "policy 'categorical' needs rewards and probs: categorical:"),
        ("categorical:rewards=0/1", "policy 'categorical' needs probs: categorical:"),
        ("bernoulli:p=0.1,p=0.2", "policy 'bernoulli': the key p is given twice"),
        ("bernoulli:0.1", "policy 'bernoulli': expected key=value, got '0.1'"),
        ("bernoulli:p=0.1,", "policy 'bernoulli': expected key=value, got ''"),
        ("bernoulli:p=", "policy 'bernoulli': p must be a number; got ''"),
        ("bernoulli:p=half", "policy 'bernoulli': p must be a number; got 'half'"),
        ("bernoulli:p=nan", "policy 'bernoulli': p must be a number; got 'nan'"),
        ("bernoulli:p=inf", "policy 'bernoulli': p must be a number; got 'inf'"),
        ("bernoulli:p=0.1=0.2", "policy 'bernoulli': p must be a number; got '0.1=0.2'"),
        (
            "categorical:rewards=0//1,probs=0.5/0.5",
            "policy 'categorical': rewards must be numbers separated by '/'; got '0//1'",
        ),
        (
            "categorical:rewards=0/1,probs=0.5/0.5,outcomes=1.5",
            "policy 'categorical': outcomes must be inf or whole numbers separated by '/'; got",
        ),
        ("gaussian:dim=1.5", "policy 'gaussian': dim must be a whole number; got '1.5'"),
        ("gaussian:sd=1", "unknown key of policy gaussian 'sd'; did you mean 'std'?"),
    ],
)
def test_a_spec_that_means_nothing_is_refused_in_one_sentence(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_policy(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_every_policy_has_an_example_that_reads_back() -> None:
    assert set(KINDS) == {"bernoulli", "categorical", "gaussian"}
    for name, kind in KINDS.items():
        assert kind.name == name
        assert parse_policy(kind.example).spec == kind.example
        assert kind.summary
        assert all(key.meaning for key in kind.keys.values())


@pytest.mark.parametrize("spec", [kind.example for kind in KINDS.values()])
def test_policies_and_their_problems_can_be_pickled(spec: str) -> None:
    policy = parse_policy(spec)
    (problem,) = policy.problems
    again, same = pickle.loads(pickle.dumps((policy, problem)))
    assert again == policy
    np.testing.assert_array_equal(same.gradient(3), problem.gradient(3))


NUMBERS = st.floats(-1e6, 1e6).filter(lambda r: r == 0 or abs(r) > 1e-70)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(p=st.floats(0, 1), outcomes=st.one_of(st.just(inf), st.integers(1, 2**60)))
def test_bernoulli_specs_read_back_to_the_last_bit(p: float, outcomes: float) -> None:
    policy = Bernoulli(p, outcomes)
    assert parse_policy(policy.spec) == policy


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    classes=st.lists(
        st.tuples(NUMBERS, st.integers(1, 99), st.integers(1, 10**6)), min_size=1, max_size=5
    )
)
def test_categorical_specs_read_back_to_the_last_bit(
    classes: list[tuple[float, int, int]],
) -> None:
    rewards, shares, outcomes = zip(*classes, strict=True)
    policy = Categorical(rewards, tuple(share / sum(shares) for share in shares), outcomes)
    assert parse_policy(policy.spec) == policy


def test_outcomes_of_any_size_read_back() -> None:
    policy = Categorical((0.0, 1.0), (0.5, 0.5), (10**16, 10**16 + 1))
    assert parse_policy(policy.spec) == policy


@pytest.mark.parametrize("reward", list(REWARDS))
@pytest.mark.parametrize("dim", [1, 7])
def test_gaussian_specs_read_back_with_the_keys_that_the_reward_reads(
    reward: str, dim: int
) -> None:
    read = dict.fromkeys(REWARD_KEYS[reward], 0.3)
    policy = Gaussian(0.1, 1 / 3, reward, "mean+log_std", dim, **read)
    assert parse_policy(policy.spec) == policy
    ignored = Gaussian(0.1, 1 / 3, reward, "mean+log_std", dim, c=0.3, a=0.3, f=0.3)
    assert ignored.spec == policy.spec


@settings(max_examples=25, deadline=None, derandomize=True)
@given(mean=NUMBERS, std=st.floats(0.1, 1e3))
def test_gaussian_specs_read_back_to_the_last_bit(mean: float, std: float) -> None:
    policy = Gaussian(mean, std)
    assert parse_policy(policy.spec) == policy


def test_outcomes_are_written_once_where_they_are_all_the_same() -> None:
    specs = [Categorical((0.0, 1.0), (0.5, 0.5), outcomes).spec for outcomes in ((3, 3), (3, 4))]
    assert specs == [
        "categorical:rewards=0/1,probs=0.5/0.5,outcomes=3",
        "categorical:rewards=0/1,probs=0.5/0.5,outcomes=3/4",
    ]


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("bernoulli:p=0.10", "bernoulli:p=0.1"),
        ("bernoulli:p=0.1,outcomes=inf", "bernoulli:p=0.1"),
        ("bernoulli:p=0.1,outcomes=01", "bernoulli:p=0.1,outcomes=1"),
        ("categorical:p=0.1", "categorical:rewards=0/1,probs=0.9/0.1"),
        ("categorical:p=0.1,outcomes=INF,norms=1", "categorical:rewards=0/1,probs=0.9/0.1"),
        ("categorical:p=0.1,outcomes=inf/inf", "categorical:rewards=0/1,probs=0.9/0.1"),
        ("categorical:p=0.1,norms=2/2", "categorical:rewards=0/1,probs=0.9/0.1,norms=2"),
        ("categorical:p=0.1,norms=1/.5", "categorical:rewards=0/1,probs=0.9/0.1,norms=1/0.5"),
    ],
)
def test_the_orthogonal_limit_and_norms_of_1_are_left_out_of_a_spec(text: str, spec: str) -> None:
    assert parse_policy(text).spec == spec
    assert parse_policy(spec) == parse_policy(text)


def test_rewards_that_are_read_differ_in_their_problem() -> None:
    low, high = (parse_policy(f"gaussian:reward=quadratic,c={c}").problems[0] for c in (0, 1))
    assert not np.isclose(low.objective(2), high.objective(2))
