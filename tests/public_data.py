"""Where tests find real public data: beside the checkout, never in it."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared" / "data"


def public_data(name: str) -> Path:
    """The file or folder of that name; skips the test where it is not there."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"public data '{name}' is not beside the checkout")
    return path
