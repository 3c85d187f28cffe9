"""Groups of rewards for the tests: Hypothesis strategies, and seeded batches as tensors."""

from math import ldexp

import torch
from hypothesis import settings
from hypothesis import strategies as st
from torch import Tensor

FIXED = settings(derandomize=True, deadline=None, database=None, max_examples=50)
"""Random tests that are the same in every run, whatever the load of the machine."""


def floats(bits: int) -> st.SearchStrategy[float]:
    """Numbers with mantissas of up to `bits` bits, below 1024 and of very different sizes."""
    most = 2**bits - 1
    return st.builds(ldexp, st.integers(-most, most), st.integers(-bits - 20, 10 - bits))


DOUBLES = floats(53)
SINGLES = floats(24)
BINARY = st.sampled_from([0.0, 1.0])
NEAR_A_MILLION = st.integers(0, 2**20).map(lambda step: 1e6 + step / 2**20)


@st.composite
def groups(
    draw: st.DrawFn, rewards: st.SearchStrategy[float], smallest: int = 1, largest: int = 8
) -> list[float]:
    """Groups of every size between the two, in which ties are common: drawn from a few levels."""
    n = draw(st.integers(smallest, largest))
    levels = st.sampled_from(draw(st.lists(rewards, min_size=1, max_size=n)))
    return draw(st.lists(levels, min_size=n, max_size=n))


def batch(
    name: str, n: int, count: int = 20, dtype: torch.dtype = torch.float64, seed: int = 0
) -> Tensor:
    """`[count, n]` rewards that suit the estimator: 0/1, else half with ties and half without."""
    generator = torch.Generator().manual_seed(seed)
    normal = torch.randn(count, n, generator=generator, dtype=torch.float64)
    if name == "passk-training":
        return (normal > 0.5).to(dtype)
    normal[::2] = normal[::2].mul(2).round()
    return normal.to(dtype)
