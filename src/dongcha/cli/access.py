"""Commands about who may do what: keys of programs, people of the dashboard."""

from __future__ import annotations

import getpass
import sys
from datetime import datetime, timedelta
from typing import Annotated

import typer

from dongcha.access.scopes import Role, Scope
from dongcha.cli.options import HERE, Json, Workspace, opened

keys = typer.Typer(help="API keys: add, list, rotate, revoke, audit.", no_args_is_help=True, rich_markup_mode=None)
users = typer.Typer(
    help="People who log in: add, list, role, password, remove.", no_args_is_help=True, rich_markup_mode=None
)
Which = Annotated[str, typer.Argument(metavar="KEY", help="Its id, or its name where only one live key has it.")]
UserName = Annotated[str, typer.Argument(metavar="NAME")]
RoleOption = Annotated[
    Role, typer.Option(help="viewer: looks, personal data masked; analyst: all of it, and asks; admin: changes too.")
]


@keys.command("add")
def keys_add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What uses it: website, till.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; may be repeated.")],
    days: Annotated[int | None, typer.Option(help="Days until it expires; by default it does not.", min=1)] = None,
    rate: Annotated[float | None, typer.Option(help="Requests a second; 0: no limit; by default 500.", min=0)] = None,
    message_kb: Annotated[
        int | None, typer.Option(help="The largest message in KB; by default 32.", min=1, max=1024)
    ] = None,
    workspace: Workspace = HERE,
    json: Json = False,
) -> None:
    """Make a key. Its secret is printed once, and nowhere kept."""
    with opened(workspace) as shop:
        key, secret = shop.access.keys.add(
            name,
            scope,
            actor=_me(),
            expires_in=None if days is None else timedelta(days=days),
            rate=rate,
            message_bytes=None if message_kb is None else message_kb * 1024,
        )
    _tell(key.key_id, key.name, secret, json)


@keys.command("list")
def keys_list(workspace: Workspace = HERE, json: Json = False) -> None:
    """Every key: what it may do, until when, when it was last used and how often."""
    from dongcha.cli.render import print_json, table

    with opened(workspace) as shop:
        rows = shop.access.keys.listed()
    if json:
        print_json(rows)
        return
    lines = [
        (
            r["key_id"], r["name"], " ".join(r["scopes"]), r["state"], _when(r["expires_at"]), _when(r["last_used_at"]),
            f"{r['requests']:,}", f"{r['refused']:,}",
        )
        for r in rows
    ]  # fmt: skip
    table("Keys", ("id", "name", "scopes", "state", "expires", "last used", "requests", "refused"), lines, left=6)


@keys.command("rotate")
def keys_rotate(
    key: Which,
    overlap_hours: Annotated[float, typer.Option(help="How long the old one lives on.", min=0)] = 24.0,
    workspace: Workspace = HERE,
    json: Json = False,
) -> None:
    """A new secret with the same rights; the old one works until the overlap ends."""
    with opened(workspace) as shop:
        made, secret = shop.access.keys.rotate(key, actor=_me(), overlap=timedelta(hours=overlap_hours))
    _tell(made.key_id, made.name, secret, json)


@keys.command("revoke")
def keys_revoke(
    key: Which, why: Annotated[str, typer.Option(help="For the audit.")] = "", workspace: Workspace = HERE
) -> None:
    """Let a key open nothing any more; a running server knows within a second."""
    from dongcha.cli.render import stdout

    with opened(workspace) as shop:
        revoked = shop.access.keys.revoke(key, actor=_me(), why=why)
    stdout().print(f"[green]✓[/] {revoked.name} ({revoked.key_id}) opens nothing any more.")


@keys.command("audit")
def keys_audit(
    subject: Annotated[str, typer.Argument(metavar="[KEY|NAME]", help="Only one key's id, or one person.")] = "",
    workspace: Workspace = HERE,
    json: Json = False,
) -> None:
    """Who changed which key, person or job, when."""
    from dongcha.cli.render import print_json, table

    with opened(workspace) as shop:
        rows = shop.access.audit(subject)
    if json:
        print_json(rows)
        return
    lines = [
        (
            _when(r["made_at"]), r["actor"], r["action"], r["subject"],
            " ".join(f"{k}={v}" for k, v in r["detail"].items() if v not in (None, "")),
        )
        for r in rows
    ]  # fmt: skip
    table("Audit", ("when", "who", "did", "to", "how"), lines, left=5)


@users.command("add")
def users_add(name: UserName, role: RoleOption, workspace: Workspace = HERE) -> None:
    """Let somebody log in; the password is asked for, or read from a pipe."""
    from dongcha.cli.render import stdout

    with opened(workspace) as shop:
        person = shop.access.people.add(name, role, _password(), actor=_me())
    stdout().print(f"[green]✓[/] {person.name} may log in as {person.role}.")


@users.command("list")
def users_list(workspace: Workspace = HERE, json: Json = False) -> None:
    """Everybody who may log in."""
    from dongcha.cli.render import print_json, table

    with opened(workspace) as shop:
        rows = shop.access.people.listed()
    if json:
        print_json(rows)
        return
    lines = [(r["name"], r["role"], _when(r["made_at"]), _when(r["last_login_at"]), r["sessions"]) for r in rows]
    table("People", ("name", "role", "since", "last login", "sessions"), lines, left=4)


@users.command("role")
def users_role(name: UserName, role: RoleOption, workspace: Workspace = HERE) -> None:
    """Give somebody another role."""
    from dongcha.cli.render import stdout

    with opened(workspace) as shop:
        person = shop.access.people.set_role(name, role, actor=_me())
    stdout().print(f"[green]✓[/] {person.name} is {person.role} now.")


@users.command("password")
def users_password(name: UserName, workspace: Workspace = HERE) -> None:
    """Give somebody a new password; it ends their sessions."""
    from dongcha.cli.render import stdout

    with opened(workspace) as shop:
        shop.access.people.find(name)
        shop.access.people.set_password(name, _password(), actor=_me())
    stdout().print(f"[green]✓[/] {name} has a new password; their sessions are ended.")


@users.command("remove")
def users_remove(name: UserName, workspace: Workspace = HERE) -> None:
    """Let somebody log in no more; it ends their sessions."""
    from dongcha.cli.render import stdout

    with opened(workspace) as shop:
        shop.access.people.remove(name, actor=_me())
    stdout().print(f"[green]✓[/] {name} may not log in any more.")


def _tell(key_id: str, name: str, secret: str, json: bool) -> None:
    from dongcha.cli.render import print_json, stderr, stdout

    if json:
        print_json({"key_id": key_id, "name": name, "secret": secret})
        return
    stderr().print(f"[green]✓[/] {name} ({key_id}). Its secret, shown this once:", soft_wrap=True)
    stdout().print(secret, markup=False, soft_wrap=True)


def _password() -> str:
    """Asked twice at a terminal; else the first line of what is piped in. Never an option: others see those."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _when(at: datetime | None) -> str:
    return "–" if at is None else f"{at:%Y-%m-%d %H:%M}"


def _me() -> str:
    try:
        return f"{getpass.getuser()} at the command line"
    except (KeyError, OSError):
        return "the command line"


GROUPS = {"keys": keys, "users": users}
