"""What engines need of a policy."""
