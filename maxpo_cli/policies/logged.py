"""Logged rewards: each prompt is the tabular policy over the samples that were drawn for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from maxpo_cli.policies.kinds.categorical import Categorical
from maxpo_cli.problems.finite import FiniteProblem


@dataclass(frozen=True)
class Logged:
    """Prompts with logged rewards; a group is drawn from a prompt's samples with replacement.

    A prompt with n samples is a softmax over them, with probability 1/n each and a block of logits
    of its own: objectives, squared norms and variances add up over prompts.

    Attributes:
        source: what the rewards were read from.
        labels: the name of each prompt.
        prompts: the tabular policy of each prompt.
    """

    source: str
    labels: tuple[str, ...]
    prompts: tuple[Categorical, ...]

    @property
    def spec(self) -> str:
        """`logged:` and what the rewards were read from."""
        return f"logged:{self.source}"

    @property
    def fewest_samples(self) -> int:
        """The number of samples of the prompt that has fewest."""
        return min(int(sum(prompt.outcomes)) for prompt in self.prompts)

    @property
    def note(self) -> str:
        """See `Policy`: there is none."""
        return ""

    @cached_property
    def problems(self) -> tuple[FiniteProblem, ...]:
        """One finite problem per prompt; prompts with the same counts share one object."""
        known: dict[Categorical, FiniteProblem] = {}
        for prompt in self.prompts:
            if prompt not in known:
                (known[prompt],) = prompt.problems
        return tuple(known[prompt] for prompt in self.prompts)


def prompt_of_rewards(rewards: Iterable[float]) -> Categorical:
    """The tabular policy over one prompt's logged rewards."""
    levels, counts = np.unique(np.fromiter(rewards, dtype=float), return_counts=True)
    return prompt_of_counts(levels.tolist(), counts.tolist())


def prompt_of_counts(levels: Sequence[float], counts: Sequence[int]) -> Categorical:
    """The tabular policy over one prompt's samples, `counts[b]` of them of reward `levels[b]`."""
    samples = sum(counts)
    present = [(level, count) for level, count in zip(levels, counts, strict=True) if count]
    return Categorical(
        rewards=tuple(level for level, _ in present),
        probs=tuple(count / samples for _, count in present),
        outcomes=tuple(count for _, count in present),
    )
