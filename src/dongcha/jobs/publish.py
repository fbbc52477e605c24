"""Publishing: what lake and ledger hold about each customer, written into the serving view, whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final, Protocol, TypeVar

import orjson
import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.errors import MissingDataError, StoreError
from dongcha.features.point_in_time import Snapshot
from dongcha.insight_kit.base import Insight
from dongcha.jobs.study import Desk
from dongcha.warehouse.rules import Kind
from dongcha.warehouse.view import View
from dongcha.warehouse.view_file import FORMAT, Writer, replacing

AT_A_TIME: Final = 20_000
"""Customers whose portraits are in memory at once."""
KINDS: Final = {"value": Kind.NUMBER, "group": Kind.TEXT}
"""Kinds of output by which customers can be searched and sorted."""

Row = dict[str, Any]


class Portrayed(Protocol):
    """What `profiles.portraits.Portraits` offers; jobs and profiles do not import each other."""

    snapshot: Snapshot
    runs: Mapping[Insight, Row]

    @property
    def products(self) -> pl.DataFrame: ...
    def customers(self) -> list[str]: ...
    def of(self, customers: Sequence[str]) -> Iterator[Row]: ...
    def timelines(self, customers: Sequence[str]) -> pl.DataFrame: ...
    def entities(self, insight: Insight) -> list[str]: ...
    def concluded(self, insight: Insight, entities: Sequence[str]) -> dict[str, Row]: ...


P = TypeVar("P", bound=Portrayed)


@dataclass(frozen=True)
class Published:
    """What a publishing did: the view's run, how many customers it holds; whether that view was there already."""

    run: str
    customers: int
    seconds: float
    unchanged: bool


def publish(
    desk: Desk,
    view: View,
    portray: Callable[[], P],
    tell: Callable[[P], Row],
    settings: object,
    *,
    again: bool = False,
) -> Published:
    """Make the serving view anew, where the one that is there was not made from the same facts and answers.

    `tell`: what the view says of the whole shop (`overview`, `groups`, `currency`); `settings`: what else it depends
    on. `again`: make it whatever is there. Raises StoreError where the view cannot be written; the old one stays.
    """
    started = perf_counter()
    with replacing(view.file) as new:
        # Looked at only now that it is our turn: who waited longest must not publish the oldest facts.
        portraits = portray()
        fingerprint = _fingerprint(desk, portraits, settings)
        there = None if again else _there(view)
        if there is not None and there["fingerprint"] == fingerprint:
            return Published(there["run"], there["overview"]["customers"], perf_counter() - started, unchanged=True)
        made_at = desk.clock()
        outputs = {o.name: KINDS[o.kind] for one in _about_customers(portraits) for o in one.yields if o.kind in KINDS}
        with Writer(new, outputs) as writer:
            _fill(writer, portraits, desk)
            about = tell(portraits)
            about["overview"] |= {"customers": writer.customers, "means": writer.means(), "counts": writer.counts()}
            run = f"{made_at:%Y%m%dT%H%M%S}-{fingerprint[:8]}"
            writer.finish(
                {**_stamp(desk, portraits), **about, "run": run, "fingerprint": fingerprint, "outputs": outputs}
            )
    return Published(run, writer.customers, perf_counter() - started, unchanged=False)


def _about_customers(portraits: Portrayed) -> list[Insight]:
    return [insight for insight in portraits.runs if insight.entity == c.CUSTOMER_ID]


def _fill(writer: Writer, portraits: Portrayed, desk: Desk) -> None:
    everybody = portraits.customers()
    desk.progress("Publish", 0, len(everybody))
    for some in _in_parts(everybody):
        timelines = {row.pop(c.CUSTOMER_ID): row for row in portraits.timelines(some).iter_rows(named=True)}
        for found in portraits.of(some):
            answers = {told["insight"]: _bare(told) for told in found.pop("insights")}
            writer.add_customer(found, answers, timelines.get(found[c.CUSTOMER_ID]))
        desk.progress("Publish", writer.customers, len(everybody))
    writer.add_products(portraits.products.iter_rows(named=True))
    for insight in portraits.runs:
        if insight.entity != c.CUSTOMER_ID:
            writer.add_answers(insight.name, _everything(portraits, insight))


def _everything(portraits: Portrayed, insight: Insight) -> Iterator[tuple[str, Row]]:
    """All that an insight about no customers answers, in the order of ids."""
    for some in _in_parts(portraits.entities(insight)):
        for entity, told in portraits.concluded(insight, some).items():
            yield entity, _bare(told)


def _in_parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + AT_A_TIME] for start in range(0, len(ids), AT_A_TIME))


def _bare(told: Row) -> Row:
    """Without what is the same of every answer of a run."""
    return {"answer": told["answer"], "reasons": told["reasons"]}


def _there(view: View) -> Row | None:
    """What the present view says of itself; None where there is none that can be read."""
    try:
        return view.about
    except (MissingDataError, StoreError):
        return None


def _fingerprint(desk: Desk, portraits: Portrayed, settings: object) -> str:
    """The same for the same facts, answers and settings; answers at earlier cutoffs tell how customers moved."""
    answered = sorted(desk.ledger.runs("score")[c.RUN_ID])
    made_of = [FORMAT, desk.dongcha_version, str(portraits.snapshot.as_of), portraits.snapshot.versions, answered]
    catalogue = [insight.name for insight in portraits.runs]
    return hashlib.sha256(orjson.dumps([made_of, catalogue, settings], option=orjson.OPT_SORT_KEYS)).hexdigest()


def _stamp(desk: Desk, portraits: Portrayed) -> Row:
    runs = {
        insight.name: {
            "entity": insight.entity,
            **{k: run[k] for k in (c.RUN_ID, c.VERSION, c.MADE_AT, "rows")},
            c.AS_OF: str(AsOf(run[c.AS_OF])),
        }
        for insight, run in portraits.runs.items()
    }
    return {
        c.AS_OF: str(portraits.snapshot.as_of),
        c.MADE_AT: desk.clock(),
        "dongcha_version": desk.dongcha_version,
        "table_versions": portraits.snapshot.versions,
        "runs": runs,
    }
