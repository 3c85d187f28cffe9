"""The identities between estimators, checked on random groups."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch

from maxpo_cli.estimators.identities import IDENTITIES, largest_deviation
from maxpo_cli.estimators.sorted_groups import SortedGroups

SIZES = (2, 3, 4, 8, 16, 33)
GROUPS = 200


def check_identities(
    seed: int = 0, advance: Callable[[float], None] = lambda _: None
) -> pd.DataFrame:
    """Every identity with the largest deviation found, relative to the largest reward of a group.

    Groups of each of the sizes `SIZES`, `GROUPS` at a time: normal rewards, rewards with ties, and
    0/1 rewards (these alone where an identity is about them); every K of the identity's range.
    `advance` is told of the shares of the work as they are done.
    """
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for identity in IDENTITIES:
        deviations = [0.0]
        for n in SIZES:
            shape = (GROUPS, n)
            normal = torch.randn(shape, dtype=torch.float64, generator=generator)
            binary = (torch.rand(shape, generator=generator) < 0.4).double()
            kinds = [binary] if identity.binary else [binary, normal, normal.mul(2).round()]
            for rewards in kinds:
                groups = SortedGroups(rewards.sort(-1).values)
                deviations.append(largest_deviation(identity, groups))
            advance(1 / (len(SIZES) * len(IDENTITIES)))
        rows.append({"identity": identity.statement, "largest_deviation": np.max(deviations)})
    return pd.DataFrame(rows)
