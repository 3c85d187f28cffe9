"""The engines: a problem and estimators in, measures of the gradient estimate out.

`enumeration` is exact over the count vectors of a finite problem, `threshold` over pairs of its
reward levels, for rank-linear estimators; `monte_carlo` samples groups of any problem. Each fills a
`Measures` for every problem and K; `diagnostics` adds problems up and turns them into the columns
of a study.
"""
