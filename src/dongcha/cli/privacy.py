"""Commands that a customer's rights ask for: erase."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dongcha.cli.options import HERE, Json, Workspace, opened
from dongcha.errors import UsageError


def erase(
    customer_id: Annotated[str, typer.Argument(metavar="CUSTOMER_ID")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
    workspace: Workspace = HERE,
    json: Json = False,
) -> None:
    """Let everything about one customer leave the workspace, for good; older versions of the tables go with it."""
    from dataclasses import asdict

    from dongcha.cli.render import print_json, stdout, table

    if not yes:
        if json or not sys.stdin.isatty():
            raise UsageError("Erasing can't be undone, and nobody is there to be asked.", "Say --yes.")
        typer.confirm(f"Erase everything about '{customer_id}'? This can't be undone.", abort=True)
    with opened(workspace) as shop:
        done = shop.erase(customer_id)
        shop.inbox.close()
    if json:
        print_json(asdict(done))
        return
    if not done.ids:
        stdout().print(f"[green]✓[/] Erased before, on {done.until:%Y-%m-%d}; nothing has come since.")
        return
    table("Erased", ("where", "rows or files"), [(where, f"{n:,}") for where, n in done.rows.items()])
    stdout().print(f"[green]✓[/] Nothing is left of them here. In the audit log they are {done.name}.", soft_wrap=True)
    stdout().print(
        "[cyan]i[/] Models learnt from them among others, and hold none of their rows; the next dongcha run learns "
        "without them. Backups, and files of your own, are yours to look through.",
        soft_wrap=True,
    )


COMMANDS = (erase,)
