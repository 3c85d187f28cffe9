"""The figures, drawn from the written tables."""
