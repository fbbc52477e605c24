"""Peers that need an environment of their own, each run by a small script of its own."""

from pathlib import Path
from typing import Final

_RECTOOLS: Final = Path(__file__).parents[2] / ".venv" / "rectools" / "bin" / "python"

RECTOOLS_PYTHON: Final = str(_RECTOOLS) if _RECTOOLS.exists() else None
"""The interpreter that `make rectools` sets up: RecTools needs an older NumPy than ours."""

_BERTOPIC: Final = Path(__file__).parents[2] / ".venv" / "bertopic" / "bin" / "python"

BERTOPIC_PYTHON: Final = str(_BERTOPIC) if _BERTOPIC.exists() else None
"""The interpreter that `make bertopic` sets up: UMAP, HDBSCAN and Numba are much to install for one peer."""
