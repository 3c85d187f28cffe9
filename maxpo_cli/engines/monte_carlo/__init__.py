"""The Monte Carlo engine."""

NAME = "monte-carlo"
"""How the command line and the table call it."""
