"""The columns of a study: what each is, how it is computed, and how sure it is."""
