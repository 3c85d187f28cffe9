"""The engines: a problem and estimators in, moments of the gradient estimate out.

`enumeration` is exact over the count vectors of a finite problem, `threshold` over pairs of reward
thresholds, for rank-linear estimators; `monte_carlo` samples groups of any problem. `choice` says
which of them measures what. README.md has the mathematics, every equation by its name.
"""
