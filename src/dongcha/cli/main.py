"""`dongcha`: the command line. Heavy parts are imported by the command that needs them, so that help is quick."""

from __future__ import annotations

import os
import sys

import typer

from dongcha import __version__
from dongcha.cli import access, data, demo, inbox, insight, models, people, privacy, service
from dongcha.errors import DongchaError
from dongcha.jobs.reporting import reported

app = typer.Typer(
    name="dongcha",
    help="Dongcha (洞察): from a shop's raw data to who is leaving, who is worth what, who is alike, and why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def _top(version: bool = typer.Option(False, "--version", help="Print the version and stop.")) -> None:
    if version:
        print(f"dongcha {__version__}")
        raise typer.Exit


for module in (demo, data, inbox, insight, models, people, privacy, service):
    for command in module.COMMANDS:
        app.command()(command)
for name, commands in {**models.GROUPS, **access.GROUPS}.items():
    app.add_typer(commands, name=name)


def main() -> None:
    """Run the command line; a refusal is one sentence on stderr and its exit code."""
    with reported():
        _main()


def _main() -> None:
    try:
        app()
    except DongchaError as refused:
        from dongcha.cli.render import stderr

        stderr().print(f"[bold red]✗[/] {_escaped(refused.what)}", highlight=False, soft_wrap=True)
        if refused.mend:
            stderr().print(f"  [cyan]→[/] {_escaped(refused.mend)}", highlight=False, soft_wrap=True)
        sys.exit(refused.exit_code)
    except BrokenPipeError:
        # The reader (head, less) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


if __name__ == "__main__":
    main()
