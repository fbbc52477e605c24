"""How good is an answer, measured honestly."""
