"""Every catalogue entry through every property it claims."""

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import sqrt

import numpy as np
import pytest
import torch
from oracles.estimators import NAMES, TAKE_NO_K, defined, fractions, ks, shift_invariant
from oracles.estimators import advantages as by_definition
from oracles.groups import batch
from oracles.problems import Cases
from torch import Tensor

from maxpo_cli import InputError, advantages
from maxpo_cli.estimators.claims import Centering
from maxpo_cli.estimators.lookup import CATALOGUE, find

N = 6
K_RANGES = {
    "l2o": "2..N-1",
    "canonical": "1..N-1",
    "canonical-plugin": "1..N",
    "ei": "1..N",
    "pkpo": "1..N",
    "pkpo-loo": "1..N-1",
    "passk-training": "1..N",
    "grpo-passk": "any",
    "rloo": "any",
    "grpo": "any",
    "dr-grpo": "any",
    "oracle": "any",
}


def at_every_k(name: str, rewards: Tensor) -> Tensor:
    """`[K, ..., N]` advantages at every K of the estimator's range."""
    return torch.stack([advantages(name, rewards, k) for k in ks(name, rewards.shape[-1])])


def sums_to_zero_just_where_it_claims_to(name: str) -> None:
    means = at_every_k(name, batch(name, N)).mean(-1).abs()
    if find(name).claims.centering is Centering.EXACTLY:
        assert means.max() <= 1e-14
    else:
        assert find(name).claims.centering is Centering.NO
        assert (means.amax(-1) > 1e-3).all()


def gives_equal_rewards_equal_advantages(name: str) -> None:
    rewards = batch(name, N)
    tied = rewards[..., None] == rewards[..., None, :]
    found = at_every_k(name, rewards)
    assert tied.sum() > rewards.numel()
    assert ((found[..., None] == found[..., None, :]) | ~tied).all()


def gives_a_larger_reward_no_smaller_an_advantage(name: str) -> None:
    assert (at_every_k(name, batch(name, N).sort(-1).values).diff(dim=-1) >= -1e-15).all()


def follows_the_order_of_the_rewards(name: str) -> None:
    rewards, order = batch(name, N), torch.tensor([3, 0, 5, 1, 4, 2])
    assert at_every_k(name, rewards[..., order]).equal(at_every_k(name, rewards)[..., order])


def treats_each_group_of_a_batch_alone(name: str) -> None:
    rewards = batch(name, N, count=12)
    alone = torch.stack([at_every_k(name, group) for group in rewards], dim=1)
    found = at_every_k(name, rewards.reshape(3, 2, 2, N))
    torch.testing.assert_close(found.reshape(alone.shape), alone, rtol=1e-14, atol=1e-15)


def ignores_a_common_offset_just_where_it_is_shift_invariant(name: str) -> None:
    rewards = batch(name, N).mul(64).round()
    for k in ks(name, N):
        moved = advantages(name, rewards + 1024, k) - advantages(name, rewards, k)
        assert (moved == 0).all() if shift_invariant(name, k) else (moved.abs() > 1).any()


def is_shift_invariant_where_it_is_centered(name: str) -> None:
    assert all(shift_invariant(name, k) for k in ks(name, N))


def refuses_just_the_sizes_and_ks_outside_its_range(name: str) -> None:
    for n, k in product(range(1, 7), range(-1, 9)):
        refusal = find(name).refusal(n, k, binary=True)
        assert (refusal is None) == (k >= 1 and defined(name, n, k)), (n, k)
        if refusal is None:
            assert len(advantages(name, [1.0] * n, k)) == n
        else:
            with pytest.raises(InputError, match=f"[kn]={n if f'n={n}' in refusal else k}"):
                advantages(name, [1.0] * n, k)


def words_its_range_of_k_as_the_papers_do(name: str) -> None:
    assert find(name).claims.ks.words == K_RANGES[name]
    assert find(name).claims.takes_k == (name not in TAKE_NO_K)


def claims_to_be_unbiased_in_words_as_in_scale(name: str) -> None:
    scales = {(n, k): find(name).claims.scale(n, k) for n in range(2, 7) for k in ks("pkpo", n)}
    words = find(name).claims.mean.words
    if words == "yes":
        assert set(scales.values()) == {1}
    elif words == "K=1":
        assert all(scale == (1 if k == 1 else None) for (_, k), scale in scales.items())
    elif words == "× (N−K)/N":
        assert all(scale == Fraction(n - k, n) for (n, k), scale in scales.items())
    else:
        assert words == "no"
        claimed = {at: scale for at, scale in scales.items() if scale is not None}
        # dr-grpo is the plug-in of max@1, and of no other max@K.
        plug_in = {(n, 1): Fraction(n - 1, n) for n in range(2, 7)}
        assert claimed == (plug_in if name == "dr-grpo" else {})


PROPERTIES: tuple[Callable[[str], None], ...] = (
    sums_to_zero_just_where_it_claims_to,
    gives_equal_rewards_equal_advantages,
    gives_a_larger_reward_no_smaller_an_advantage,
    follows_the_order_of_the_rewards,
    treats_each_group_of_a_batch_alone,
    ignores_a_common_offset_just_where_it_is_shift_invariant,
    is_shift_invariant_where_it_is_centered,
    refuses_just_the_sizes_and_ks_outside_its_range,
    words_its_range_of_k_as_the_papers_do,
    claims_to_be_unbiased_in_words_as_in_scale,
)


GRADED = [name for name in NAMES if not find(name).claims.binary_only]
ONLY = {
    ignores_a_common_offset_just_where_it_is_shift_invariant: GRADED,
    is_shift_invariant_where_it_is_centered: [
        n for n in NAMES if find(n).claims.centering is Centering.EXACTLY
    ],
}
"""The estimators that a property says something of, where those are not all."""

CLAIMS = [(keeps, name) for keeps in PROPERTIES for name in ONLY.get(keeps, NAMES)]


@pytest.mark.parametrize(("keeps", "name"), CLAIMS, ids=lambda of: getattr(of, "__name__", of))
def test_every_estimator(keeps: Callable[[str], None], name: str) -> None:
    keeps(name)


def test_the_population_advantage_has_a_range_but_no_value_on_rewards() -> None:
    entry = CATALOGUE["oracle"]
    assert not entry.trainable
    assert entry.claims.ks.words == K_RANGES["oracle"]
    assert entry.claims.centering is Centering.IN_MEAN
    assert all(entry.refusal(n, k, binary=False) is None for n in (1, 4) for k in (1, 4, 9))
    assert all(entry.claims.scale(n, k) == 1 for n in (1, 4) for k in (1, 4, 9))


# The mean of an estimator, exactly ----------------------------------------------------------------


def problem(levels: str, probabilities: str) -> Cases:
    """A law of rewards in rational arithmetic, without scores."""
    rewards, probs = fractions(levels.split()), fractions(probabilities.split())
    return Cases(rewards, probs, np.zeros((len(rewards), 0)), np.zeros(len(rewards)))


BINARY = (problem("0 1", "2/3 1/3"), problem("0 1", "1/5 4/5"))
GENERAL = (problem("-1 0 2", "1/2 1/3 1/6"), problem("0 1/3 1", "1/6 1/6 2/3"))


def slopes(name: str, n: int, k: int, law: Cases) -> set[Fraction]:
    """(E[A | r'] − E[A | r]) / (Q_K(r') − Q_K(r)) over neighbouring reward levels.

    The score has mean zero, so E ĝ = K E[E[A|x] s(x)] is a multiple c of ∇J_K = K E[Q_K(x) s(x)]
    for every policy with these rewards just where all slopes are c.
    """
    drawn, probs = law.sequences(n - 1)
    rest = law.rewards[drawn]
    mean = [
        probs @ by_definition(name, np.insert(rest, 0, reward, axis=1), k)[:, 0]
        for reward in law.rewards
    ]
    return set(np.diff(mean) / np.diff(law.q_values(k)))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "passk-training"])
@pytest.mark.parametrize("n", [3, 4])
def test_the_mean_of_an_estimator_has_just_the_scale_it_claims(name: str, n: int) -> None:
    for k in range(1, n + 1):
        if defined(name, n, k):
            found = set().union(*(slopes(name, n, k, law) for law in GENERAL))
            scale = find(name).claims.scale(n, k)
            assert found == {scale} if scale is not None else len(found) > 1


@pytest.mark.parametrize("n", [4, 5])
def test_the_scale_of_passk_training_depends_on_the_problem_below_k_of_n_minus_1(n: int) -> None:
    for k in range(1, n + 1):
        one, other = (
            float(slope) for law in BINARY for slope in slopes("passk-training", n, k, law)
        )
        if k < n - 1:
            assert abs(one - other) > 1e-3
        else:  # a single number of successes has a standard deviation, so that it is a constant
            assert one == other == pytest.approx(1 / sqrt(n - 1) if k < n else 0)
        assert find("passk-training").claims.scale(n, k) is None
