"""The options that many commands share, each written once; and how a command opens its workspace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dongcha.assemble import Shop

Workspace = Annotated[Path, typer.Option("--workspace", "-w", help="The workspace's folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="The cutoff, as 2011-09-10; by default the midnight after the last order.")
]
Insights = Annotated[
    list[str] | None, typer.Argument(help="Insights by name; all of them by default.", metavar="[INSIGHT]…")
]
LanguageOption = Annotated[str | None, typer.Option("--language", help="en or zh; by default the shop's.")]
HERE = Path()


@contextmanager
def opened(workspace: Path) -> Iterator[Shop]:
    """The workspace, with a progress bar on stderr while something long is going on."""
    from dongcha.assemble import Shop
    from dongcha.cli.render import progress_bar
    from dongcha.jobs.reporting import telling

    with progress_bar() as advance:
        yield Shop(workspace, progress=telling(advance))
