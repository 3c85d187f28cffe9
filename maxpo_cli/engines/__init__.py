"""The engines: a problem and estimators in, measures of the gradient estimate out.

`enumeration` is exact over the count vectors of a finite problem; `monte_carlo` samples groups of
any problem. Both evaluate `Draws` and fill a `Measures` for each problem and K; `diagnostics` adds
problems up and turns them into the columns of a study.
"""
