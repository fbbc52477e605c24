"""The contract's stock: a weekly count of every product, empty while it is out."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.sources.simulate.frames import conform, moment, money
from dongcha.sources.simulate.mishaps import WEEK
from dongcha.sources.simulate.scene import Scene, Trade

COVER_WEEKS: Final = 4.0
LEAD_TIME_DAYS: Final = (5, 22)


def stock_table(rng: np.random.Generator, scene: Scene, trade: Trade) -> pl.DataFrame:
    """Counts at the start of each week, filled up to four mean weeks, less what the week before took."""
    lines, products = trade.lines, len(scene.catalogue)
    out = trade.stock_outs.covers(products, scene.days)
    weeks = np.arange(0, scene.days, WEEK)
    week = trade.orders.day[lines.order] // WEEK
    counts = np.bincount(lines.product * len(weeks) + week, lines.quantity, products * len(weeks))
    sold = np.asarray(counts, dtype=float).reshape(products, len(weeks))
    full = np.ceil(COVER_WEEKS * sold.mean(1, keepdims=True)) + 2
    before = np.concatenate([np.zeros((products, 1)), sold[:, :-1]], axis=1)
    noise = rng.integers(0, 3, sold.shape)
    on_hand = np.where(out[:, weeks], 0.0, np.maximum(full - before - noise, 1.0))
    lead = np.asarray(rng.integers(*LEAD_TIME_DAYS, size=products))
    product, place = np.divmod(np.arange(products * len(weeks)), len(weeks))
    frame = conform(
        c.STOCK,
        {
            c.PRODUCT_ID: scene.catalogue.ids.gather(product),
            c.ON_HAND: pl.Series(on_hand.ravel()),
            c.ON_ORDER: pl.Series((full - np.minimum(on_hand, full)).ravel()),
            c.LEAD_TIME_DAYS: pl.Series(lead[product].astype(float)),
            c.UNIT_COST: money(scene.catalogue.cost[product]),
            c.HAPPENED_AT: moment(scene.start, weeks[place]),
        },
    )
    return frame.sort(c.HAPPENED_AT, c.PRODUCT_ID)
