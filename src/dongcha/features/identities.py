"""Who is who: former and anonymous ids followed to the customer, and what was noted of one put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from dongcha import columns as c

if TYPE_CHECKING:
    import ibis.expr.types as ir

LINKS: Final[dict[str, pl.DataType]] = {c.ALIAS_ID: pl.String(), "person": pl.String()}
TOLD_AS: Final = "__told_as__"
"""The id that a row itself names."""
PLACE: Final = "__place__"


def people(told: pl.DataFrame) -> pl.DataFrame:
    """Rows of the table identities → columns as LINKS: each alias once, with the customer it leads to in the end.

    Of one alias the newest row counts; a null or the alias itself takes the link back. Where links go round in a
    circle, the newest of them says who it is.
    """
    order = (c.HAPPENED_AT, c.KNOWN_AT, c.MESSAGE_ID)
    newest = told.sort(order).with_row_index(PLACE).unique(c.ALIAS_ID, keep="last", maintain_order=True)
    links = newest.filter(pl.col(c.CUSTOMER_ID) != pl.col(c.ALIAS_ID)).select(c.ALIAS_ID, c.CUSTOMER_ID, PLACE)
    onward = pl.col(c.CUSTOMER_ID).is_in(links[c.ALIAS_ID].implode())
    # Nearly all lead from an anonymous id straight to a customer: only the others are worth a loop.
    straight = links.filter(~onward).select(c.ALIAS_ID, pl.col(c.CUSTOMER_ID).alias("person"))
    if len(straight) == len(links):
        return straight.cast(LINKS)  # type: ignore[arg-type]
    ends = _ends({alias: (to, place) for alias, to, place in links.rows()})
    followed = pl.DataFrame(sorted(ends.items()), schema=LINKS, orient="row")
    return followed.filter(pl.col("person") != pl.col(c.ALIAS_ID))


def _ends(links: dict[str, tuple[str, int]]) -> dict[str, str]:
    """Alias → where following its links ends."""
    ends: dict[str, str] = {}
    for alias in links:
        path: dict[str, None] = {}
        at = alias
        while at in links and at not in ends and at not in path:
            path[at] = None
            at = links[at][0]
        if at in path:
            walked = list(path)
            circle = walked[walked.index(at) :]
            at = links[max(circle, key=lambda k: links[k][1])][0]
        ends.update(dict.fromkeys(path, ends.get(at, at)))
    return ends


def resolved(rows: ir.Table, links: ir.Table) -> ir.Table:
    """The rows, each under the customer that its id leads to; an anonymous row too, once its visitor is known."""
    import ibis

    if c.CUSTOMER_ID not in rows.columns:
        return rows
    named = [rows[k] for k in (c.CUSTOMER_ID, c.ANONYMOUS_ID) if k in rows.columns]
    told = rows.mutate(**{TOLD_AS: ibis.coalesce(*named)})
    joined = told.left_join(links, told[TOLD_AS] == links[c.ALIAS_ID])
    person = ibis.coalesce(links["person"], told[c.CUSTOMER_ID])
    return joined.select(*({k: person.name(k) if k == c.CUSTOMER_ID else told[k] for k in rows.columns}.values()))


def current(rows: ir.Table, links: ir.Table | None) -> ir.Table:
    """The rows of customers as one row each: of every column the newest value that is not null.

    With `links`, what was noted under the customer's own id goes before what was noted under a former one.
    """
    import ibis

    columns = list(rows.columns)
    placed = rows.mutate(**{PLACE: rows[c.HAPPENED_AT]})
    if links is not None:
        told = resolved(rows.mutate(__own__=rows[c.CUSTOMER_ID]), links)
        order = (told["__own__"] == told[c.CUSTOMER_ID], told[c.HAPPENED_AT], told["__own__"])
        placed = told.mutate(**{PLACE: ibis.row_number().over(ibis.window(group_by=c.CUSTOMER_ID, order_by=order))})
    times = {k: placed[k].max() for k in (c.HAPPENED_AT, c.KNOWN_AT)}
    others = [k for k in columns if k not in {c.CUSTOMER_ID, *times}]
    newest = {k: placed[k].argmax(placed[PLACE], where=placed[k].notnull()) for k in others}
    return placed.group_by(c.CUSTOMER_ID).aggregate(**newest, **times).select(*columns)
