"""Algorithms on arrays; no business word."""
