"""How many standard errors an interval has."""

Z95 = 1.959963984540054
"""Half the width of a 95% interval in standard errors."""
