"""The policies: what draws the rewards, and what is known of it exactly.

A policy is one or several blocks, each a problem of its own with its own parameters; the logged
rewards have a block a prompt, the others one. A problem is a `FiniteProblem` or a
`GaussianProblem`: both give the exact objective J_K and gradient ∇J_K.
"""
