"""Segment's HTTP API: its messages made rows of the contract."""

from dongcha.sources.segment.messages import (
    LONGEST_MESSAGE_ID,
    TYPES,
    Told,
    customer_of,
    deeds_of,
    message_id,
    rows_of,
    spread,
)
from dongcha.sources.segment.values import Refused, Row, as_moment

__all__ = [
    "LONGEST_MESSAGE_ID",
    "TYPES",
    "Refused",
    "Row",
    "Told",
    "as_moment",
    "customer_of",
    "deeds_of",
    "message_id",
    "rows_of",
    "spread",
]
