"""How things look in a terminal: tables, numbers, bars; and JSON for machines."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from dongcha.insight_kit.telling import arrow

WIDE = 160
MONEY = "money"
PROBABILITY = "probability"
DAYS = "days"
STARS = "stars"
BLOCKS = "▁▂▃▄▅▆▇█"
FIRST = 4
"""How many places of a ranking a line shows."""


@cache
def stdout() -> Console:
    """Where answers go; what is not a terminal is as wide as a table likes."""
    return Console(highlight=False, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE)


@cache
def stderr() -> Console:
    """Where everything else goes, so that answers can be piped."""
    return Console(stderr=True, highlight=False)


def print_json(content: Any) -> None:
    """Print `content` as JSON on stdout; moments as ISO 8601, money as numbers."""
    import orjson

    option = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    sys.stdout.buffer.write(orjson.dumps(content, default=_plain, option=option) + b"\n")
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    from decimal import Decimal

    if isinstance(value, Decimal):
        return float(value)
    return str(value)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, left: int = 1) -> None:
    """Print a table: the first `left` columns flush left, numbers flush right, long text wrapped."""
    drawn = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    body = [["" if cell is None else str(cell) for cell in row] for row in rows]
    for place, name in enumerate(columns):
        texts = place < left or any(len(row[place]) > 24 for row in body)
        drawn.add_column(name, justify="left" if texts else "right", overflow="fold", header_style="bold cyan")
    for row in body:
        drawn.add_row(*row)
    stdout().print(drawn)


def figure(value: Any, unit: str = "", currency: str = "") -> str:
    """A value as people write it.

    >>> figure(0.634, "probability"), figure(1234.5, "money", "GBP"), figure(None)
    ('63 %', '1,234.50 GBP', '–')
    """
    if value is None:
        return "–"
    if not isinstance(value, int | float) or isinstance(value, bool):
        return _plain_text(value, unit)
    if unit == PROBABILITY:
        return f"{value:.0%}".replace("%", " %")
    if unit == MONEY:
        return f"{value:,.2f} {currency}".strip()
    if unit == DAYS:
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"


def _plain_text(value: Any, unit: str) -> str:
    if isinstance(value, list):
        return _listed(value, unit)
    return value.strftime("%Y-%m-%d") if isinstance(value, datetime | date) else str(value)


def _listed(value: list[Any], unit: str) -> str:
    """A ranking by its first few labels, with chances, stars, or + and − for praise and blame; a vector's length."""
    if not value or not isinstance(value[0], Mapping):
        return f"({len(value)})"
    return "; ".join(_label(pair, unit) for pair in value[:FIRST])


def _label(pair: Mapping[str, Any], unit: str) -> str:
    from dongcha.insight_kit.outputs import FELT, PRAISED

    if unit == PROBABILITY:
        return f"{pair['label']} {figure(pair['value'], unit)}"
    if unit == STARS:
        return f"{pair['label']} {pair['value']:.1f}"
    if unit == FELT and abs(pair["value"]) >= PRAISED:
        return f"{pair['label']} {'+' if pair['value'] > 0 else '−'}"
    return str(pair["label"])


def word_line(reasons: Iterable[Mapping[str, Any]]) -> str:
    """Reasons that are words of a text as one line."""
    return "  ".join(f"{arrow(reason)} {reason['feature'].replace('not_', 'not ')}" for reason in reasons)


def sparkline(values: Sequence[float], width: float = 0.5) -> str:
    """Numbers over time as a line of blocks, from their lowest to their highest, `width` apart at least.

    >>> sparkline([0.4, 0.4, 0.35, -0.1, -0.1])
    '███▁▁'
    """
    if not values:
        return ""
    spare = max(width - (max(values) - min(values)), 0.0) / 2
    low, high = min(values) - spare, max(values) + spare
    return "".join(BLOCKS[min(int((value - low) / (high - low) * len(BLOCKS)), len(BLOCKS) - 1)] for value in values)


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on stderr that appears with the first step and leaves nothing behind."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    looks = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*looks, console=stderr(), transient=True, disable=not stderr().is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def advance(what: str, done: int, of: int) -> None:
            job = what.split(":", maxsplit=1)[0]
            if job not in tasks:
                tasks[job] = bar.add_task(what, total=of)
            bar.update(tasks[job], description=what, completed=done, total=max(of, 1))

        yield advance
