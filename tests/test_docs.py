"""The docs are tests: links resolve, quoted commands exist, insights and settings are all told."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from dongcha.cli.main import app
from dongcha.features import page as features_page
from dongcha.insight_kit.registry import Registry
from dongcha.settings import TEMPLATE, Settings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").rglob("*.md"))]
CLI: Any = typer.main.get_command(app)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def quoted_commands() -> list[str]:
    found = []
    for page in PAGES:
        text = page.read_text("utf-8")
        found += re.findall(r"`dongcha ([^`]+)`", text) + re.findall(r"^dongcha ([^#\n]+)", text, re.MULTILINE)
    return sorted({" ".join(command.split()) for command in found})


@pytest.mark.parametrize("command", quoted_commands())
def test_every_quoted_command_is_one(command: str) -> None:
    words = re.sub(r'"[^"]*"', "X", command).split()
    found = CLI
    while words and words[0] in getattr(found, "commands", {}):
        found = found.commands[words.pop(0)]
    known = {option for parameter in found.params for option in parameter.opts}
    assert not hasattr(found, "commands") or not words or words[0].startswith("-"), f"no such command: {words}"
    assert {word for word in words if word.startswith("-")} <= known | {"--version", "--help"}


def test_every_command_is_in_the_guide_or_the_readme() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    told = {name for name in CLI.commands if re.search(rf"dongcha {name}\b|make {name}\b", text)}
    assert set(CLI.commands) - told <= {"score", "train"}


def test_every_insight_has_a_page_that_names_what_it_yields() -> None:
    for insight in Registry({}):
        text = (ROOT / "docs" / "insights" / f"{insight.name}.md").read_text("utf-8")
        assert all(f"`{output.name}`" in text for output in insight.yields)
        assert all(f"`{contender.name}`" in text for contender in insight.contenders())


def test_every_setting_is_in_the_template() -> None:
    for name in (
        *Settings().shop.model_fields_set,
        *type(Settings().shop).model_fields,
        *type(Settings().time).model_fields,
        *type(Settings().answers).model_fields,
        *type(Settings().serve).model_fields,
    ):
        assert f"{name} = " in TEMPLATE


def test_the_page_of_features_is_up_to_date() -> None:
    assert (ROOT / "docs" / "insights" / "features.md").read_text("utf-8").strip() == features_page.page().strip()


def test_both_readmes_say_the_same_sections() -> None:
    english, chinese = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh.md"))
    assert len(re.findall(r"^## ", english, re.MULTILINE)) == len(re.findall(r"^## ", chinese, re.MULTILINE))
    assert all(command in text for command in ("make demo", "make test") for text in (english, chinese))


def test_no_tracked_file_names_this_machine() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    here = re.compile("/" + "work/|pypi" + r"\.org|files\.python" + "hosted")
    named = [name for name in listed if here.search((ROOT / name).read_text("utf-8", errors="ignore"))]
    assert named == []
