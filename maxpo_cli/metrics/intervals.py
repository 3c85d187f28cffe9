"""The width of intervals in standard errors."""

Z95 = 1.959963984540054
"""Half the width of a 95% interval in standard errors."""
