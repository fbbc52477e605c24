"""Algorithms that find groups of similar rows."""
