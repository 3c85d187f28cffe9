"""The estimators: profiles, the four kinds, the catalogue, and advantages of rewards."""
