"""`dongcha serve`: the API and the dashboard, on this machine unless it is told otherwise."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dongcha.cli.options import HERE, Workspace
from dongcha.errors import UsageError

if TYPE_CHECKING:
    from dongcha.assemble import Shop

PORT = 8600
GRACE_SECONDS = 10
"""How long requests under way may take to finish once the server is told to stop."""
MOST_CONNECTIONS = 1024


def serve(
    host: Annotated[str, typer.Option(help="The address to listen at; elsewhere than here it needs a key.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="0: any that is free.", min=0, max=65535)] = PORT,
    json_logs: Annotated[
        bool | None, typer.Option("--json-logs/--text-logs", help="By default JSON where stderr is no terminal.")
    ] = None,
    workspace: Workspace = HERE,
) -> None:
    """Serve the API and the dashboard. SIGTERM or Ctrl-C ends it after what is under way."""
    from dongcha.assemble import Shop

    serve_shop(Shop(workspace), host, port, json_logs=json_logs)


def serve_shop(shop: Shop, host: str, port: int, *, json_logs: bool | None = None) -> None:
    """Serve a workspace until the process is told to stop."""
    import uvicorn

    from dongcha.api.app import create_app
    from dongcha.api.door import is_loopback
    from dongcha.api.logs import start_logging
    from dongcha.cli.render import stderr
    from dongcha.dashboard import mount

    here = is_loopback(host)
    if shop.access.unguarded and not here:
        raise UsageError(
            f"Whoever reaches {host} would read every customer: this workspace has no key and no person.",
            f"Make one first: dongcha keys add NAME --scope read -w {shop.folder}; or leave --host out.",
        )
    listening = _listen(host, port)
    start_logging(as_json=not sys.stderr.isatty() if json_logs is None else json_logs)
    app = create_app(shop)
    mount(app, shop)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        limit_concurrency=MOST_CONNECTIONS,
    )
    port = listening.getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    stderr().print(f"{shop.settings.shop.name}: http://{shown}:{port}  (API: /docs)", markup=False, soft_wrap=True)
    if shop.access.unguarded:
        stderr().print(
            "Open to everybody on this machine until the first key or person: dongcha keys add, dongcha users add.",
            soft_wrap=True,
        )
    elif not here:
        stderr().print("Keys and passwords come unencrypted: put a proxy with TLS before it.", soft_wrap=True)
    uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; UsageError where it cannot."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise UsageError(
            f"Nobody can listen at {host}, port {port}: {error.strerror}.", "Choose another: dongcha serve --port 8601."
        ) from None


COMMANDS = (serve,)
