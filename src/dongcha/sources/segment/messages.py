"""Messages of Segment's HTTP API, as its SDKs send them, made rows of the contract.

Pure: the same message received at the same moment gives the same rows. What a message may hold is in Segment's
specification (segment.com/docs/connections/spec, and its e-commerce part for orders and reviews).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from dongcha import columns as c
from dongcha.sources.segment.orders import ordered, refunded
from dongcha.sources.segment.people import traits_of
from dongcha.sources.segment.values import (
    Refused,
    Row,
    as_id,
    as_moment,
    as_number,
    as_text,
    first,
    given,
    iso,
    number_of,
    packed,
)
from dongcha.warehouse.inbox import Message
from dongcha.warehouse.tables import Kind, table

TYPES: Final = ("track", "identify", "page", "screen", "group", "alias")
LONGEST_MESSAGE_ID: Final = 100
DEEDS: Final = (c.EVENTS, c.ORDERS, c.REVIEWS)
"""The tables whose rows are told as soon as they were received."""
_REQUIRED: Final = {name: [k.name for k in table(name).columns if k.required] for name in DEEDS}
CLOCKS_DIFFER: Final = timedelta(days=1)
"""How far ahead of our clock a message may lie, after its sender's clock was corrected."""


@dataclass(frozen=True)
class Told:
    """One row that a message became: the table, and its fields as text that reads back exactly."""

    table: str
    row: Row


def spread(body: Mapping[str, Any]) -> list[Any]:
    """The messages of a batch, each with what the batch says for all: `sentAt`, and `context` where it has none.

    Raises Refused where `batch` is no list.
    """
    batch = body.get("batch")
    if not isinstance(batch, list):
        raise Refused("batch", None, "the body has no list called batch")
    shared = {k: body[k] for k in ("sentAt", "context") if body.get(k) is not None}
    return [{**shared, **given(message)} if isinstance(message, dict) else message for message in batch]


def message_id(message: Any, text: bytes) -> str | None:
    """The id that tells a message sent again: its own, else a digest of its `text` where it says when it was.

    None where it has neither: two such messages can't be told from one that was sent twice.
    """
    fields = message if isinstance(message, dict) else {}
    own = fields.get("messageId")
    if isinstance(own, str) and 0 < len(own) <= LONGEST_MESSAGE_ID and "\x00" not in own:
        return own
    if own is None and not _timed(fields):
        return None
    # The time of sending is another when the same is sent again.
    unsent = text if own is not None or "sentAt" not in fields else orjson.dumps({**fields, "sentAt": None})
    return "made-" + hashlib.blake2b(unsent, digest_size=16).hexdigest()


def customer_of(message: Any) -> str:
    """Whom a message is about: the user id, else the anonymous id, else an empty text."""
    fields = message if isinstance(message, dict) else {}
    return as_id(fields.get("userId")) or as_id(fields.get("anonymousId")) or ""


def rows_of(message: Any, received_at: datetime, made_id: str | None = None) -> list[Told]:
    """The rows that a message becomes, at least one. `made_id` is the id of a message that has none of its own.

    `happened_at` is the message's `timestamp`, moved by how far its sender's clock (`sentAt`) was off ours, and never
    after `received_at`, which is `known_at`. Raises Refused with the field and the reason.
    """
    if not isinstance(message, dict):
        raise Refused(None, None, "this is not a JSON object")
    kind = message.get("type")
    if kind not in TYPES:
        raise Refused("type", as_text(kind), f"type is none of {', '.join(TYPES)}")
    for name in ("properties", "traits", "context"):
        if not isinstance(message.get(name, {}), dict | None):
            raise Refused(name, as_text(message[name]), f"{name} is not an object")
    scene = _Scene(message, _id_of(message, made_id), _happened(message, received_at), received_at)
    return _READERS[str(kind)](scene)


def deeds_of(received: Message) -> list[dict[str, Any]]:
    """What a message says that somebody did: its rows of DEEDS, each with its `table`, typed; none if refused.

    Moments are aware datetimes, numbers floats. A row that lacks what its table requires is left out.
    """
    if received.refused:
        return []
    try:
        told = rows_of(orjson.loads(received.body), received.received_at, received.id)
    except (Refused, orjson.JSONDecodeError):
        return []
    typed = [(k.table, _typed(k.table, k.row)) for k in told if k.table in DEEDS]
    return [{c.TABLE: name, **row} for name, row in typed if all(row[k] is not None for k in _REQUIRED[name])]


def _typed(name: str, row: Row) -> dict[str, Any]:
    return {column.name: _value(column.kind, row.get(column.name)) for column in table(name).columns}


def _value(kind: Kind, text: str | None) -> Any:
    if kind is Kind.TIME:
        return as_moment(text)
    if text is None or kind not in (Kind.NUMBER, Kind.MONEY, Kind.INTEGER):
        return text
    number = as_number(text)
    return None if number is None else int(number) if kind is Kind.INTEGER else float(number)


@dataclass(frozen=True)
class _Scene:
    """A message, checked as far as all kinds are alike."""

    message: Mapping[str, Any]
    id: str
    happened_at: datetime
    received_at: datetime

    @property
    def user(self) -> str | None:
        return as_id(self.message.get("userId"))

    @property
    def anonymous(self) -> str | None:
        return as_id(self.message.get("anonymousId"))

    @property
    def someone(self) -> str:
        """Who bought, wrote or told of themselves: a visitor does that under the anonymous id."""
        someone = self.user or self.anonymous
        if someone is None:
            raise Refused("userId", as_text(self.message.get("userId")), "there is neither a userId nor an anonymousId")
        return someone

    @property
    def properties(self) -> dict[str, Any]:
        return given(self.message.get("properties"))

    @property
    def context(self) -> dict[str, Any]:
        return self.message.get("context") or {}

    def told(self, table: str, row: Row) -> Told:
        stamp = {c.HAPPENED_AT: iso(self.happened_at), c.KNOWN_AT: iso(self.received_at)}
        return Told(table, {**row, **stamp, c.SOURCE: "api"})


def _track(scene: _Scene) -> list[Told]:
    name = as_text(scene.message.get("event"))
    if not isinstance(scene.message.get("event"), str) or not name:
        raise Refused("event", name, "event is missing")
    someone, properties = scene.someone, scene.properties
    if name == c.PRODUCT_REVIEWED:
        return [scene.told(c.REVIEWS, _review(someone, scene.id, properties))]
    if name == c.ORDER_COMPLETED:
        lines = ordered(someone, properties)
        return [*(scene.told(c.ORDERS, line) for line in lines), _event(scene, name, properties)]
    if name in (c.ORDER_REFUNDED, c.ORDER_CANCELLED):
        return [scene.told(c.ORDERS, line) for line in refunded(someone, scene.id, properties)]
    return [_event(scene, name, properties)]


def _identify(scene: _Scene) -> list[Told]:
    traits = {**given(scene.context.get("traits")), **given(scene.message.get("traits"))}
    told = [scene.told(c.CUSTOMERS, {c.CUSTOMER_ID: scene.someone, **traits_of(traits)})]
    if scene.user and scene.anonymous and scene.user != scene.anonymous:
        told.append(_link(scene, scene.anonymous, scene.user))
    return told


def _alias(scene: _Scene) -> list[Told]:
    previous = as_id(scene.message.get("previousId"))
    if previous is None or scene.user is None:
        missing = "previousId" if previous is None else "userId"
        raise Refused(missing, as_text(scene.message.get(missing)), f"an alias needs a {missing}")
    # An id that is said to be itself is nobody else: that takes a link back.
    return [_link(scene, previous, scene.user if scene.user != previous else None)]


def _page(scene: _Scene) -> list[Told]:
    return _seen(scene, c.PAGE_VIEWED, "web")


def _screen(scene: _Scene) -> list[Told]:
    return _seen(scene, c.SCREEN_VIEWED, "mobile")


def _seen(scene: _Scene, event: str, channel: str) -> list[Told]:
    named = {k: scene.message[k] for k in ("name", "category") if scene.message.get(k) is not None}
    return [_event(scene, event, {**named, **scene.properties}, channel)]


def _group(scene: _Scene) -> list[Told]:
    group = as_id(scene.message.get("groupId"))
    if group is None:
        raise Refused("groupId", as_text(scene.message.get("groupId")), "groupId is missing")
    traits = given(scene.message.get("traits"))
    return [_event(scene, c.GROUP_JOINED, {**traits, "groupId": group})]


_READERS: Final = {
    "track": _track,
    "identify": _identify,
    "alias": _alias,
    "page": _page,
    "screen": _screen,
    "group": _group,
}


def _event(scene: _Scene, event: str, properties: dict[str, Any], channel: str | None = None) -> Told:
    """One row a message, so that counting rows counts what was done; a product where one alone is meant."""
    if scene.user is None and scene.anonymous is None:
        scene.someone  # noqa: B018  (says what is missing)
    left = dict(properties)
    products = left.get("products")
    product = as_id(first(left, "product_id", "productId", "sku"))
    if product is None and isinstance(products, list) and len(products) == 1 and isinstance(products[0], dict):
        product = as_id(first(products[0], "product_id", "productId", "sku"))
    campaign = scene.context.get("campaign")
    if isinstance(campaign, dict) and campaign:
        left.setdefault("campaign", campaign)
    row = {
        c.MESSAGE_ID: scene.id,
        c.CUSTOMER_ID: scene.user,
        c.ANONYMOUS_ID: scene.anonymous,
        c.EVENT: event,
        c.PRODUCT_ID: product,
        c.SESSION_ID: as_id(first(left, "session_id", "sessionId") or scene.context.get("sessionId")),
        c.CHANNEL: as_text(left.get("channel") or scene.message.get("channel") or channel),
        c.VALUE: next((n for k in ("value", "revenue", "total") if (n := as_number(left.get(k))) is not None), None),
    }
    return scene.told(c.EVENTS, {**row, c.EXTRAS: packed(left)})


def _review(someone: str, own_id: str, properties: dict[str, Any]) -> Row:
    row = {
        c.REVIEW_ID: as_id(first(properties, "review_id", "reviewId")) or own_id,
        c.CUSTOMER_ID: someone,
        c.PRODUCT_ID: as_id(first(properties, "product_id", "productId", "sku")),
        c.RATING: number_of("rating", first(properties, "rating", "score", "stars")),
        c.TITLE: as_text(first(properties, "title", "review_title")),
        c.TEXT: as_text(first(properties, "review_body", "text", "body", "review")),
        c.LANGUAGE: as_text(properties.get("language")),
    }
    return {**row, c.EXTRAS: packed(properties)}


def _link(scene: _Scene, alias: str, customer: str | None) -> Told:
    row: Row = {c.MESSAGE_ID: scene.id, c.ALIAS_ID: alias, c.CUSTOMER_ID: customer}
    return scene.told(c.IDENTITIES, row)


def _id_of(message: Mapping[str, Any], made_id: str | None) -> str:
    own = message.get("messageId")
    if own is None and made_id is not None:
        return made_id
    if not isinstance(own, str) or not own.strip():
        raise Refused("messageId", as_text(own), "messageId is not a text")
    if len(own) > LONGEST_MESSAGE_ID:
        raise Refused("messageId", own, f"messageId is over {LONGEST_MESSAGE_ID} characters")
    if "\x00" in own:
        raise Refused("messageId", own.replace("\x00", ""), "messageId holds a null character")
    return own


def _timed(message: Mapping[str, Any]) -> bool:
    return bool(message.get("timestamp") or message.get("originalTimestamp"))


def _happened(message: Mapping[str, Any], received_at: datetime) -> datetime:
    told = message.get("timestamp") or message.get("originalTimestamp")
    if told is None:
        return received_at
    moment = as_moment(told)
    if moment is None:
        raise Refused("timestamp", as_text(told), "timestamp is not an ISO 8601 time")
    sent = as_moment(message.get("sentAt"))
    try:
        moment = moment if sent is None else moment + (received_at - sent)
    except OverflowError:
        raise Refused("timestamp", as_text(told), "timestamp is not a time of this era") from None
    if moment > received_at + CLOCKS_DIFFER:
        raise Refused("timestamp", as_text(told), "timestamp lies in the future")
    return min(moment, received_at).astimezone(UTC)
