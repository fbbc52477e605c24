"""Who matches a rule over the catalogue's outputs; `warehouse.rules` says how rules are written."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import polars as pl
import polars.selectors as cs

from dongcha import columns as c
from dongcha.errors import MissingDataError
from dongcha.warehouse.rules import Kind, in_polars


def audience(rule: str, answers: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The entities that match `rule`: entity_id (sorted) + every answer's numbers and texts.

    `answers`: frames with entity_id. An unknown value matches nothing. Raises UsageError where the rule cannot be
    read, naming the place; MissingDataError where nothing was scored.
    """
    if not answers:
        raise MissingDataError("Nothing was scored yet.", "Run it first: dongcha run.")
    plain = [answer.select(~cs.nested()) for answer in answers]
    everyone = reduce(lambda left, right: left.join(right, on=c.ENTITY_ID, how="full", coalesce=True), plain)
    kinds = {name: Kind.TEXT if kind == pl.String else Kind.NUMBER for name, kind in everyone.schema.items()}
    return everyone.filter(in_polars(rule, kinds).fill_null(False)).sort(c.ENTITY_ID)
