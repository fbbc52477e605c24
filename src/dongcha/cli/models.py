"""Commands about models: list, card, promote, rollback, and the audit log."""

from __future__ import annotations

from typing import Annotated

import typer

from dongcha.cli.options import HERE, Json, Workspace, opened

models = typer.Typer(
    help="Versions of models: list, card, promote, rollback.", no_args_is_help=True, rich_markup_mode=None
)
InsightName = Annotated[str, typer.Argument(metavar="INSIGHT")]


@models.command("list")
def models_list(workspace: Workspace = HERE, json: Json = False) -> None:
    """Every version, its headline beside the baseline's, and which is the champion."""
    from dongcha.cli.render import print_json, table

    with opened(workspace) as shop:
        rows = shop.models()
    if json:
        print_json(rows)
        return
    lines = [
        (r["insight"], r["version"], "★" if r["champion"] else "", r["contender"], r["as_of"], r["why"]) for r in rows
    ]
    table("Models", ("insight", "version", "", "answers by", "as of", "why"), lines, left=6)


@models.command("card")
def models_card(
    insight: InsightName,
    version: Annotated[str | None, typer.Argument(metavar="[VERSION]")] = None,
    workspace: Workspace = HERE,
    json: Json = False,
) -> None:
    """The model card of a version, by default the champion's."""
    from dongcha.cli.card import draw
    from dongcha.cli.render import print_json

    with opened(workspace) as shop:
        card = shop.card(insight, version)
        language = shop.settings.shop.language
    if json:
        print_json(card)
    else:
        draw(card, language)


@models.command("promote")
def models_promote(
    insight: InsightName,
    version: Annotated[str, typer.Argument()],
    why: Annotated[str, typer.Option(help="For the audit log.")] = "",
    workspace: Workspace = HERE,
) -> None:
    """Let a version answer from now on."""
    from dongcha.cli.render import stdout

    with opened(workspace) as shop:
        stdout().print(f"[green]✓[/] {insight} {shop.promote(insight, version, why=why)} is the champion.")


@models.command("rollback")
def models_rollback(
    insight: InsightName,
    version: Annotated[str | None, typer.Argument(metavar="[VERSION]")] = None,
    why: Annotated[str, typer.Option(help="For the audit log.")] = "",
    workspace: Workspace = HERE,
) -> None:
    """Let the champion before this one (or VERSION) answer again."""
    from dongcha.cli.render import stdout

    with opened(workspace) as shop:
        stdout().print(f"[green]✓[/] {insight} {shop.rollback(insight, version, why=why)} is the champion again.")


def audit(workspace: Workspace = HERE, json: Json = False) -> None:
    """Who changed which champion, when and why."""
    from dongcha.cli.render import print_json, table

    with opened(workspace) as shop:
        rows = shop.ledger.audit().to_dicts()
    if json:
        print_json(rows)
        return
    lines = [
        (f"{r['made_at']:%Y-%m-%d %H:%M}", r["insight"], r["version"], r["action"], r["actor"], r["why"]) for r in rows
    ]
    table("Audit", ("when", "insight", "version", "action", "who", "why"), lines, left=6)


COMMANDS = (audit,)
GROUPS = {"models": models}
