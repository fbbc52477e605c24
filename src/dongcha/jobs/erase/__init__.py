"""Erasing: everything about one customer leaves the workspace, and does not come back by itself."""

from dongcha.jobs.erase.steps import Erasure, Place, erase

__all__ = ["Erasure", "Place", "erase"]
