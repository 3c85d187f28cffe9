"""The reports: result folders, terminal tables and figures, all drawn from the written tables."""
