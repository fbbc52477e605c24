"""Peers that need an environment of their own, each run by a small script of its own."""
