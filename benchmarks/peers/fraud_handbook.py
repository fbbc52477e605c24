"""The Fraud Detection Handbook's own features and measures, written from its chapters 3 and 4 with Polars.

fraud-detection-handbook.github.io: "Baseline feature transformation" and "Performance metrics". Windows hold the
transaction itself, as there; a terminal's share of frauds looks seven days less far.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

DAYS: Final = (1, 7, 30)
DELAY: Final = 7
TIME, CUSTOMER, TERMINAL, AMOUNT, FRAUD = "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD"


def with_features(transactions: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """The transactions in time with the handbook's 15 features, and their names."""
    rows = transactions.sort(TIME, "TRANSACTION_ID")
    rows = rows.with_columns(
        (pl.col(TIME).dt.weekday() >= 6).cast(pl.Int8).alias("TX_DURING_WEEKEND"),
        (pl.col(TIME).dt.hour() <= 6).cast(pl.Int8).alias("TX_DURING_NIGHT"),
        pl.lit(1).alias("one"),
    )
    made = [AMOUNT, "TX_DURING_WEEKEND", "TX_DURING_NIGHT"]
    for days in DAYS:
        count, total = (_rolling(name, days, CUSTOMER) for name in ("one", AMOUNT))
        names = [f"CUSTOMER_ID_NB_TX_{days}DAY_WINDOW", f"CUSTOMER_ID_AVG_AMOUNT_{days}DAY_WINDOW"]
        rows = rows.with_columns(count.alias(names[0]), (total / count).alias(names[1]))
        made += names
    early = {name: _rolling(name, DELAY, TERMINAL) for name in ("one", FRAUD)}
    for days in DAYS:
        seen = _rolling("one", DELAY + days, TERMINAL) - early["one"]
        bad = _rolling(FRAUD, DELAY + days, TERMINAL) - early[FRAUD]
        names = [f"TERMINAL_ID_NB_TX_{days}DAY_WINDOW", f"TERMINAL_ID_RISK_{days}DAY_WINDOW"]
        rows = rows.with_columns(seen.alias(names[0]), (bad / seen).fill_nan(0.0).fill_null(0.0).alias(names[1]))
        made += names
    return rows, made


def _rolling(name: str, days: int, by: str) -> pl.Expr:
    return pl.col(name).cast(pl.Float64).rolling_sum_by(TIME, f"{days}d").over(by)


def card_precision(tested: pl.DataFrame, guess: NDArray[np.float64], top: int = 100) -> float:
    """Mean over the days of the share of frauds among the `top` cards by their highest guess.

    A card found is out of the game on the days after.
    """
    rows = tested.select(CUSTOMER, FRAUD, pl.col(TIME).dt.date().alias("day")).with_columns(pl.Series("guess", guess))
    found: set[int] = set()
    shares = []
    for _, day in rows.sort("day").group_by("day", maintain_order=True):
        there = day.filter(~pl.col(CUSTOMER).is_in(list(found)))
        cards = there.group_by(CUSTOMER).agg(pl.col("guess").max(), pl.col(FRAUD).max())
        looked = cards.sort("guess", CUSTOMER, descending=[True, False]).head(top)
        shares.append(float(looked[FRAUD].sum()) / top)
        found |= set(looked.filter(pl.col(FRAUD) == 1)[CUSTOMER].to_list())
    return float(np.mean(shares))
