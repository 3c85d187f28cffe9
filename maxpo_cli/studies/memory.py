"""The memory that groups of a size take, found before any of it is asked for."""

from collections.abc import Iterable
from math import lgamma, log

from maxpo_cli.errors import InputError

MOST_BYTES = 4 << 30
"""What a study may take."""

LARGEST = 10**15
"""The largest group size of which the memory is worked out."""

PER_REWARD = 4096
"""Bytes that one reward of a group takes: the groups of a block of Monte Carlo are 64 at least,
and there are a few tensors of them at once."""

INTEGERS = 8
"""Exact integers of log₂ C(N, K) bits that a profile has for one reward while it is worked out."""


def require_memory(sizes: Iterable[int], ks: Iterable[int]) -> None:
    """Raises `InputError` for a group size and K, of these, that take more than `MOST_BYTES`."""
    n, needed = max(sizes), tuple(ks)
    if n > LARGEST:
        raise InputError(f"a group size is at most {LARGEST:,}")
    k = max((k for k in needed if k <= n), key=lambda k: _bytes(n, k), default=1)
    if _bytes(n, k) <= MOST_BYTES:
        return
    fits, above = 1, n
    while above - fits > 1:
        middle = (fits + above) // 2
        # A K beyond the middle of a small group is as cheap as the one that mirrors it.
        small = _bytes(middle, min(k, middle // 2)) <= MOST_BYTES
        fits, above = (middle, above) if small else (fits, middle)
    raise InputError(
        f"n={n:,} with k={k:,} would take {_bytes(n, k) / 2**30:,.0f} GiB of memory, above the "
        f"limit of {MOST_BYTES >> 30} GiB; with this k, n={_floor(fits):,} fits"
    )


def _bytes(n: int, k: int) -> float:
    bits = (lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)) / log(2)
    return n * (PER_REWARD + INTEGERS * bits / 8)


def _floor(number: int) -> int:
    """The number with its first two digits."""
    unit = int(f"1{'0' * max(len(str(number)) - 2, 0)}")
    return number // unit * unit
