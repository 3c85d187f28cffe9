"""What engines need of a policy: the law of its rewards, moments of its scores, J_K and ∇J_K."""
