"""The threshold engine."""
