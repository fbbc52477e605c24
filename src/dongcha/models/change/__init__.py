"""Whether a level that is observed again and again has turned: one method a file."""
