"""The studies: what each command means, as pure functions from a spec to tables."""
