"""The catalogue: one file, one question."""
