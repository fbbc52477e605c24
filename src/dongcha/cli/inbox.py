"""Commands about events that were sent: flush."""

from __future__ import annotations

from dongcha.cli.options import HERE, Json, Workspace, opened


def flush(workspace: Workspace = HERE, json: Json = False) -> None:
    """Move the events that wait in the inbox into the lake; `serve` does so by itself."""
    from dataclasses import asdict

    from dongcha.cli.render import print_json, stdout

    with opened(workspace) as shop:
        done = shop.flush()
        shop.inbox.close()
    if json:
        print_json(asdict(done))
        return
    rows = ", ".join(f"{n:,} {table}" for table, n in done.rows.items()) or "nothing new"
    refused = f", {done.quarantined:,} quarantined" if done.quarantined else ""
    stdout().print(f"[green]✓[/] {done.messages:,} messages: {rows}{refused}", highlight=False)


COMMANDS = (flush,)
