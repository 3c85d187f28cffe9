"""Binomial probabilities with every digit, in both tails."""

import numpy as np

from maxpo_cli.arrays import FloatArray


def binomials(here: FloatArray, later: FloatArray, n: int, first: int) -> FloatArray:
    """Binomial(x, p) probabilities of 0..n in a row for x = first..n.

    p = here / (here + later) for each of P problems: `[P]` in, `[P, n + 1 − first, n + 1]` out. By
    Pascal's recursion: sums of positive terms only, so that no digit cancels, where logarithms of
    factorials would lose three digits at n = 4096.
    """
    p, q = (part[:, None] / (here + later)[:, None] for part in (here, later))
    rows = np.zeros((len(here), n + 1 - first, n + 1))
    row = np.zeros((len(here), n + 1))
    row[:, 0] = 1.0
    for x in range(n + 1):
        if x:
            row[:, 1:] = row[:, 1:] * q + row[:, :-1] * p
            row[:, :1] *= q
            row /= row.sum(1, keepdims=True)
        if x >= first:
            rows[:, x - first] = row
    return rows
