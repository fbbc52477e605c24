"""What is in deploy/ is held to what can be known without an engine to run it."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from dongcha.cli.main import app

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
CLI: Any = typer.main.get_command(app)
WITH_SYSTEMD = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")


def known(words: list[str]) -> bool:
    """Whether that is a command of ours, with options that it has."""
    found = CLI
    while words and words[0] in getattr(found, "commands", {}):
        found, words = found.commands[words[0]], words[1:]
    options = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return not hasattr(found, "commands") and {word for word in words if word.startswith("-")} <= options


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is there."""
    file = tmp_path / "dongcha.service"
    text = (DEPLOY / "dongcha.service").read_text("utf-8")
    file.write_text(re.sub(r"(?<=^ExecStart=)\S+", sys.executable, text, flags=re.MULTILINE), "utf-8")
    return file


@WITH_SYSTEMD
def test_systemd_finds_no_fault_in_the_unit(unit: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "dongcha.service" not in done.stderr


@WITH_SYSTEMD
def test_the_unit_leaves_little_open(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert exposure is not None, done.stderr
    assert float(exposure.group(1)) < 2


def test_the_unit_starts_a_command_that_there_is() -> None:
    text = (DEPLOY / "dongcha.service").read_text("utf-8")
    (started,) = re.findall(r"^ExecStart=\S+/dongcha (.+)$", text, re.MULTILINE)
    assert known(started.split())


def test_the_image_copies_what_is_there_and_starts_a_command_that_there_is() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    copied = [name for line in re.findall(r"^COPY (?!--)(.+)$", text, re.MULTILINE) for name in line.split()[:-1]]
    assert copied
    assert [name for name in copied if not (ROOT / name).exists()] == []
    started = json.loads(re.findall(r"^CMD (\[.+\])$", text, re.MULTILINE)[-1])
    assert known(started)
    assert re.search(r"^USER dongcha$", text, re.MULTILINE)


def test_only_the_proxy_can_be_reached() -> None:
    told = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    services = told["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert services["dongcha"]["networks"] == ["inside"]
    assert told["networks"]["inside"]["internal"] is True
    build = services["dongcha"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    comments = (DEPLOY / "compose.yaml").read_text("utf-8")
    assert known(re.findall(r"run --rm dongcha (.+)$", comments, re.MULTILINE)[0].split())
