"""Commands about facts: new, load, status, doctor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dongcha.cli.options import HERE, Json, Workspace, opened
from dongcha.errors import UsageError

if TYPE_CHECKING:
    from dongcha.jobs.ingest import LoadReport


def new(folder: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Make a workspace: a folder with a commented dongcha.toml."""
    from dongcha.assemble import new_workspace
    from dongcha.cli.render import stdout

    file = new_workspace(folder)
    stdout().print(f"[green]✓[/] {file} is ready. Next: dongcha load FILE --as orders -w {folder}", soft_wrap=True)


def load(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="csv, tsv, parquet, json, jsonl, xlsx; each also .gz.")
    ],
    table: Annotated[str | None, typer.Option("--as", help="The table these files belong to.", metavar="TABLE")] = None,
    layout: Annotated[
        str | None, typer.Option(help="A known public layout instead: online-retail, olist, …", metavar="NAME")
    ] = None,
    mapped: Annotated[
        list[str] | None, typer.Option("--map", help="Our field = the file's column.", metavar="FIELD=COLUMN")
    ] = None,
    constants: Annotated[
        list[str] | None, typer.Option("--set", help="One value for every row.", metavar="FIELD=VALUE")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")] = False,
    workspace: Workspace = HERE,
    json: Json = False,
) -> None:
    """Load files into a table. Rows that break the contract go to quarantine; loading twice changes nothing."""
    if (table is None) == (layout is None):
        raise UsageError("Say what the files hold.", "Either --as TABLE (orders, customers, …) or --layout NAME.")
    reports: list[LoadReport] = []
    with opened(workspace) as shop:
        for file in files:
            if layout is not None:
                reports += shop.load_layout(layout, file, dry_run=dry_run)
            else:
                reports.append(
                    shop.load(
                        file, table or "", map=_pairs("--map", mapped), set=_pairs("--set", constants), dry_run=dry_run
                    )
                )
    _tell(reports, dry_run, json)


def _pairs(option: str, given: list[str] | None) -> dict[str, str]:
    pairs = [text.partition("=") for text in given or []]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise UsageError(f"{option} {name}{equals}{value} is not a pair.", f"Write it as {option} field=value.")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _tell(reports: list[LoadReport], dry_run: bool, json: bool) -> None:
    from dongcha.cli.render import print_json, stdout, table

    if json:
        print_json([report.as_dict() for report in reports])
        return
    columns = ("file", "table", "read", "accepted", "quarantined", "new", "changed", "unchanged")
    rows = [[_short(r.file), r.table, *(f"{n:,}" for n in _counts(r))] for r in reports]
    table("Would load" if dry_run else "Loaded", columns, rows, left=2)
    for report in reports:
        if report.erased:
            stdout().print(f"  [cyan]i[/] {report.table}: {report.erased:,} rows are of customers who were erased")
        for reason, count in report.reasons.items():
            stdout().print(
                f"  [yellow]![/] {report.table}: {count:,} rows quarantined: {reason}", soft_wrap=True, markup=True
            )
        for notice in report.notices:
            stdout().print(f"  [cyan]i[/] {report.table}: ", end="")
            stdout().print(notice, markup=False, soft_wrap=True)


def _counts(report: LoadReport) -> tuple[int, ...]:
    return (report.read, report.accepted, report.quarantined, report.new, report.changed, report.unchanged)


def _short(file: str) -> str:
    return Path(file).name


def status(workspace: Workspace = HERE, json: Json = False) -> None:
    """Tables, rows, freshness, quality findings, quarantine, and who answers which question."""
    from dongcha.cli.render import print_json

    with opened(workspace) as shop:
        found = shop.status()
    if json:
        print_json(found)
    else:
        _draw_status(found, workspace)


def _draw_status(found: dict[str, Any], workspace: Path) -> None:
    from dongcha.cli.render import figure, stdout, table

    if not found["tables"]:
        stdout().print(f"Nothing is loaded yet. Next: dongcha load FILE --as orders -w {workspace}", soft_wrap=True)
    else:
        rows = [
            (t["table"], f"{t['rows']:,}", figure(t["first"]), figure(t["last"]), "; ".join(t["findings"]))
            for t in found["tables"]
        ]
        table("Tables", ("table", "rows", "first", "last", "findings"), rows)
    if found["quarantine"]:
        refused = [(_short(q["file"]), q["table"], f"{q['rows']:,}", q["reason"]) for q in found["quarantine"]]
        table("Quarantine", ("file", "table", "rows", "reason"), refused, left=2)
    answering = [
        (
            k["insight"],
            k["champion"] or "–",
            k["contender"] or "–",
            figure(k["scored_as_of"]),
            f"{k['rows']:,}",
            _lack(k),
        )
        for k in found["insights"]
    ]
    table("Insights", ("insight", "champion", "answers by", "scored as of", "customers", ""), answering, left=3)


def _lack(insight: dict[str, Any]) -> str:
    return f"lacks {', '.join(insight['lacks'])}" if insight["lacks"] else ""


def doctor(workspace: Workspace = HERE, json: Json = False) -> None:
    """Check the machine, the workspace and the insights; exit code 1 where something is wrong."""
    from dongcha.cli.render import print_json, stdout

    with opened(workspace) as shop:
        checks = shop.doctor()
    if json:
        print_json(checks)
    else:
        for check in checks:
            stdout().print(f"{'[green]✓[/]' if check['ok'] else '[red]✗[/]'} {check['check']}: ", end="")
            stdout().print(check["found"], markup=False, soft_wrap=True)
    if not all(check["ok"] for check in checks):
        raise typer.Exit(1)


COMMANDS = (new, load, status, doctor)
