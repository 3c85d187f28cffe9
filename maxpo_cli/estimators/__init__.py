"""The estimators: exact combinatorial weights, the terms they make, and the catalogue.

Every estimator has one signature,

    compute(groups: SortedGroups, k: int) -> Tensor[..., N]

where `groups.rewards` is `[..., N]`, N the group size, the last dimension ascending and every
leading dimension a batch of groups. The answer is the advantage of each of those rewards in the
same (sorted) order. A new estimator is one such function and one entry in `catalogue.py`.
"""
