"""The width of intervals in standard errors."""

from maxpo_cli.arrays import FloatArray

Z95 = 1.959963984540054
"""Half the width of a 95% interval in standard errors."""


def skewed_stderr(stderr: float, parts: FloatArray) -> float:
    """A standard error such that ± 1.96 of it holds 95% where an estimate is skewed.

    A skewed estimate and its standard error are small together, so that the truth is beyond the
    farther end more often than 5% of the time. The second-order Edgeworth term of a studentised
    mean says by how much the interval must be wider, and the first-order one how much is enough for
    the farther end alone, which matters where skewness is large (engines/README.md, *skewed
    interval*). `parts`, `[R]`, is what independent parts of the sample add to the error of the
    estimate: their cubes add up to its third moment.
    """
    if not stderr > 0:
        return stderr
    skewness = abs(float((parts**3).sum())) / stderr**3
    both = skewness**2 * (Z95**4 + 2 * Z95**2 - 3) / 18
    farther = skewness * (2 * Z95**2 + 1) / (6 * Z95)
    return float(stderr * (1 + min(both, farther)))
