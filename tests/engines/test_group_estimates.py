"""What estimators make of drawn groups, beside advantages formed and added one reward at a time."""

import numpy as np
import pytest
import torch
from oracles.short_calls import defined, level_scores, named

from maxpo_cli import advantages
from maxpo_cli.engines.count_groups import CountGroups
from maxpo_cli.engines.group_estimates import Estimates, Groups
from maxpo_cli.engines.monte_carlo.continuous_groups import ContinuousGroups
from maxpo_cli.engines.monte_carlo.oracle_table import oracle_table
from maxpo_cli.estimators.claims import Centering
from maxpo_cli.estimators.kinds import Estimator, Oracle, OwnFormula
from maxpo_cli.estimators.lookup import CATALOGUE
from maxpo_cli.policies.reward_functions import REWARDS
from maxpo_cli.policies.spec import parse_policy
from maxpo_cli.problems.continuous import ContinuousProblem
from maxpo_cli.problems.finite import FiniteProblem

SIZES = [(1, 1), (2, 1), (2, 2), (5, 3), (6, 6), (16, 4), (64, 48)]
FINITE = (
    "bernoulli:p=0.2,outcomes=1",
    "categorical:rewards=-1/0/3,probs=0.2/0.5/0.3,outcomes=1/50/2",
    "categorical:rewards=1e8/100000001/100000003,probs=0.2/0.5/0.3,outcomes=3",
    "categorical:rewards=0/1/2/3/4/5/6/7/8/9,probs=" + "/".join(["0.1"] * 10) + ",outcomes=1",
    "gaussian:mean=0.2,std=0.5,reward=threshold,c=0.6,learn=mean+log_std,dim=3",
)
GAUSSIAN = (
    *(
        f"gaussian:mean=0.3,std=0.7,reward={reward},learn={learn},dim={dim},f=3"
        for reward in REWARDS
        if reward != "threshold"
        for learn, dim in (("mean", 1), ("mean+log_std", 3))
    ),
    "gaussian:mean=1e8,std=1,learn=mean",
)


def uniform_above(m: int, n: int, groups: int) -> torch.Tensor:
    """Counts of levels drawn evenly, as `CountGroups` takes them, `[1, m, groups]`."""
    levels = torch.randint(m, (groups, n), generator=torch.Generator().manual_seed(n))
    return (levels[None, None] >= torch.arange(m)[:, None, None]).sum(-1)


def check(
    groups: Groups,
    estimators: tuple[Estimator, ...],
    k: int,
    rows: list[torch.Tensor],
    scores: torch.Tensor,
    residual: torch.Tensor,
) -> None:
    """Against advantages `[G, N]`, scores `[G, N, d]` and residuals `[G, N]`."""
    found = groups.estimate(estimators, k)
    n = scores.shape[1]
    for e, values in enumerate(rows):
        expected = Estimates(
            (values[..., None] * scores).sum(1).T * (k / n),
            (values.square() * residual).sum(-1) * (k / n) ** 2,
            values.mean(-1),
        )
        size = max(1.0, float(values.abs().max()))
        for name, power in (("mean", 1), ("residual", 2), ("centering", 1)):
            mine = getattr(found, name)[0, e]
            off = (mine - getattr(expected, name)).abs().max()
            assert off <= 1e-12 * k * size**power, (estimators[e].name, name)
        estimator = estimators[e]
        exactly = estimator.claims.centering is Centering.EXACTLY
        if exactly and not isinstance(estimator, OwnFormula):
            assert (found.centering[0, e] == 0).all(), estimator.name


@pytest.mark.parametrize(("n", "k"), SIZES)
@pytest.mark.parametrize("spec", FINITE)
def test_counts_give_what_rewards_one_by_one_give(spec: str, n: int, k: int) -> None:
    (problem,) = parse_policy(spec).problems
    assert isinstance(problem, FiniteProblem)
    chosen = defined(problem, n, k)
    above = uniform_above(problem.m, n, 200)
    groups = CountGroups(problem, above, n, torch.float64)
    counts = groups.counts[0].T
    level = torch.arange(problem.m).expand_as(counts).reshape(-1)
    level = level.repeat_interleave(counts.reshape(-1)).reshape(-1, n)
    rewards = torch.as_tensor(problem.levels)[level]
    rows = [
        torch.as_tensor(problem.oracle_advantages(k))[level]
        if isinstance(e, Oracle)
        else advantages(e.name, rewards, k)
        for e in chosen
    ]
    scores = torch.as_tensor(level_scores(problem))[level]
    check(groups, chosen, k, rows, scores, torch.as_tensor(problem.residual)[level])


@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 2), (5, 3), (64, 48)])
@pytest.mark.parametrize("spec", GAUSSIAN)
def test_products_give_what_rewards_one_by_one_give(spec: str, n: int, k: int) -> None:
    (problem,) = parse_policy(spec).problems
    assert isinstance(problem, ContinuousProblem)
    z = torch.randn(1, 200, n, dtype=torch.float64, generator=torch.Generator().manual_seed(n))
    rewards = problem.rewards(z[0])
    chosen = defined(problem, n, k)
    oracle = oracle_table(problem, k, "cpu").at(z[0])
    rows = [oracle if isinstance(e, Oracle) else advantages(e.name, rewards, k) for e in chosen]
    residual = torch.full_like(rewards, problem.residual)
    groups = ContinuousGroups(problem, z, torch.float64)
    check(groups, chosen, k, rows, problem.scores(z[0]), residual)


ALONE = [
    (spec, estimator.name)
    for spec in (FINITE[0], FINITE[1], GAUSSIAN[1])
    for estimator in defined(*parse_policy(spec).problems, 33, 4)
]


@pytest.mark.parametrize(("spec", "name"), ALONE)
def test_an_estimator_alone_is_what_it_is_beside_others_to_the_last_bit(
    spec: str, name: str
) -> None:
    (problem,) = parse_policy(spec).problems
    n, k = 33, 4
    everyone = defined(problem, n, k)
    z = torch.randn(3, 64, n, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    found = []
    for chosen in (named(name), everyone, everyone[::-1]):
        groups: Groups = (
            CountGroups(problem, uniform_above(problem.m, n, 64), n, torch.float64)
            if isinstance(problem, FiniteProblem)
            else ContinuousGroups(problem, z, torch.float64)
        )
        place = chosen.index(CATALOGUE[name])
        found.append(groups.estimate(chosen, k).of([place]))
    for other in found[1:]:
        for metric in ("mean", "residual", "centering"):
            np.testing.assert_array_equal(getattr(found[0], metric), getattr(other, metric))


@pytest.mark.parametrize("n", [8, 16, 64, 256])
def test_a_block_gives_the_same_to_the_last_bit_beside_any_number_of_others(n: int) -> None:
    (problem,) = parse_policy(GAUSSIAN[1]).problems
    assert isinstance(problem, ContinuousProblem)
    z = torch.randn(5, 1024, n, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    chosen = defined(problem, n, 4)
    whole = ContinuousGroups(problem, z, torch.float64).estimate(chosen, 4)
    for start, stop in ((0, 1), (1, 3), (3, 5)):
        part = ContinuousGroups(problem, z[start:stop], torch.float64).estimate(chosen, 4)
        for metric in ("mean", "residual", "centering"):
            np.testing.assert_array_equal(getattr(whole, metric)[start:stop], getattr(part, metric))


@pytest.mark.parametrize("name", ["grpo", "grpo-passk"])
def test_levels_far_apart_keep_the_deviation_of_a_group_of_near_ones(name: str) -> None:
    """A group of 1000 and 1000 + 1e-9 among levels from 0 to 1e6."""
    levels = np.array([0.0, 1000.0, 1000.0 + 1e-9, 1e6])
    (plain,) = parse_policy(
        "categorical:rewards=0/1/2/3,probs=0.25/0.25/0.25/0.25,outcomes=1"
    ).problems
    assert isinstance(plain, FiniteProblem)
    problem = FiniteProblem(levels, plain.probs, plain.scores, plain.residual)
    above = torch.tensor([4, 4, 1, 0])[None, :, None]
    found = CountGroups(problem, above, 4, torch.float64).estimate(named(name), 2).mean[0, 0, :, 0]
    rewards = torch.tensor(levels)[[1, 1, 1, 2]]
    values = advantages(name, rewards, 2)
    expected = (values[:, None] * torch.as_tensor(level_scores(problem))[[1, 1, 1, 2]]).sum(0) / 2
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("size", [1e-40, 1.0, 1e40])
def test_the_deviation_of_counts_is_that_of_the_rewards_in_any_unit(size: float) -> None:
    levels = size * np.array([-2.0, -1.0, 1e-9, 0.5, 7.0])
    problem = FiniteProblem.of_classes(levels, np.full(5, 0.2), np.eye(5), np.zeros(5))
    above = uniform_above(5, 7, 300)
    groups = CountGroups(problem, above, 7, torch.float64)
    counts = groups.counts[0].T.reshape(-1).numpy()
    rewards = np.repeat(np.tile(levels, 300), counts).reshape(300, 7)
    expected = np.std(rewards / size, axis=-1, ddof=1)
    np.testing.assert_allclose(groups._std[0] / size, expected, rtol=1e-14, atol=1e-15)
