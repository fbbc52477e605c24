"""The house stands: imports go downward only, help is quick to reach, no pickle, no clock below the faces."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "dongcha"
FILES = sorted(SOURCE.rglob("*.py"))


def test_imports_go_downward_only() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SOURCE)))
def test_every_file_opens_with_a_line_that_says_what_it_is_for(file: Path) -> None:
    assert re.match(r'"""\S.*', file.read_text("utf-8")), "the file has no opening docstring"


def test_only_the_assembly_has_a_clock() -> None:
    asking = [
        file for file in FILES if re.search(r"datetime\.now\(|time\.time\(|date\.today\(", file.read_text("utf-8"))
    ]
    assert asking == [SOURCE / "assemble" / "workspace.py"]


def test_nothing_is_pickled() -> None:
    assert not [
        file for file in FILES if re.search(r"import pickle|joblib|torch\.(load|save)\(", file.read_text("utf-8"))
    ]


HEAVY = ("torch", "lightgbm", "sklearn", "polars", "duckdb", "ibis", "deltalake", "scipy", "numpy", "pandas", "pyarrow")


def test_help_imports_nothing_heavy() -> None:
    look = f"import dongcha.cli.main, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
