"""Draws of policies by definition: every outcome with its reward and its whole score vector."""

from functools import singledispatch

import torch
from torch import Tensor

from maxpo_cli.policies.kinds.bernoulli import Bernoulli
from maxpo_cli.policies.kinds.categorical import Categorical
from maxpo_cli.policies.kinds.gaussian import Gaussian


@singledispatch
def sample(
    policy: Bernoulli | Categorical | Gaussian, groups: int, n: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Rewards `[groups, n]` and scores `[groups, n, d]` over all d parameters, float64.

    Of one logit for a Bernoulli policy with one outcome per reward, of one logit per outcome for a
    categorical policy (one-hot minus probabilities), and of mean and log std for a Gaussian one.
    """
    raise NotImplementedError(type(policy))


@sample.register
def _(policy: Bernoulli, groups: int, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    if policy.outcomes != 1:
        raise NotImplementedError(policy.spec)
    draws = torch.rand(groups, n, dtype=torch.float64, generator=generator, device=generator.device)
    rewards = (draws < policy.p).double()
    return rewards, (rewards - policy.p)[..., None]


@sample.register
def _(
    policy: Categorical, groups: int, n: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    device = generator.device
    outcomes = torch.tensor(policy.outcomes, device=device)
    classes = torch.tensor(policy.probs, dtype=torch.float64, device=device)
    probs = (classes / classes.sum() / outcomes).repeat_interleave(outcomes)
    rewards = torch.tensor(policy.rewards, dtype=torch.float64, device=device)
    drawn = torch.multinomial(probs, groups * n, replacement=True, generator=generator)
    scores = torch.nn.functional.one_hot(drawn, len(probs)).double() - probs
    return (
        rewards.repeat_interleave(outcomes)[drawn].reshape(groups, n),
        scores.reshape(groups, n, -1),
    )


@sample.register
def _(policy: Gaussian, groups: int, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    z = torch.randn(
        groups, n, policy.dim, dtype=torch.float64, generator=generator, device=generator.device
    )
    rewards = policy.reward_function.value(policy.mean + policy.std * z[..., 0])
    scores = z / policy.std
    return rewards, scores if policy.learn == "mean" else torch.cat([scores, z * z - 1], -1)
