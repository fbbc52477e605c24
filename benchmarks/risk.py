"""Which orders are dangerous: on the Fraud Detection Handbook's transactions, and on the simulated shop.

    python -m benchmarks.risk FOLDER [--only handbook shop] [--customers 6000] [--seed 7] [--json]

FOLDER holds public data as its INDEX.md lists it.

`handbook`: 1,754,155 simulated card transactions, split as the handbook's "Baseline fraud detection system": seven days
to learn from, 2018-07-25 on, seven days in which their labels come in, seven days to test, without the cards that were
known to be defrauded by then. A transaction is an order of one line, its terminal stands for the product; a fraud is
known seven days after it. Ours are the insight's contenders on its own features; beside them the handbook's features
under its scaled logistic and under LightGBM as it comes, in the same run. The published figures are quoted. AUC,
average precision, card precision at 100 (the handbook's), recall at 1 % of the transactions; CPU seconds.

`shop`: a shop by `dongcha.sources.simulate` loaded into a workspace, `dongcha backtest risk` over its folds; and how
the promoted kind tells what was planted, rather than what was reported.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

import dongcha
from benchmarks.peers.fraud_handbook import AMOUNT, CUSTOMER, FRAUD, TERMINAL, TIME, card_precision, with_features
from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.evaluation import metrics
from dongcha.features.orders_as_of import DAY, Asked, Orders, Past, People
from dongcha.features.placed import (
    ACCOUNTS,
    BAD_AT,
    HIGHEST_PRICE,
    ITEMS,
    LINES,
    LIST_VALUE,
    MOST_PIECES,
    PLACED,
    SOLD,
    VALUE_UNITS,
)
from dongcha.features.placing import told
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.orders import WENT_BAD
from dongcha.insights.risk import Risk

FILE: Final = Path("credit_fraud/fraud_handbook_simulated_full.parquet")
START: Final = datetime(2018, 7, 25)
WEEK: Final = timedelta(days=7)
ALERTS: Final = 0.01
PUBLISHED: Final = {
    "published: logistic": (0.871, 0.606, 0.291),
    "published: random forest": (0.867, 0.658, 0.287),
    "published: XGBoost": (0.862, 0.639, 0.273),
}
Line = dict[str, Any]


def handbook(folder: Path, seed: int) -> Iterator[Line]:
    end = START + 3 * WEEK
    rows = pl.read_parquet(folder / FILE).filter(pl.col(TIME) < end)
    began = time.process_time()
    rows, names = with_features(rows)
    theirs = time.process_time() - began
    train, test = _split(rows)
    began = time.process_time()
    past, now = _examples(rows, train, test)
    yield {"cpu_seconds": {"their features": round(theirs, 1), "our features": round(time.process_time() - began, 1)}}
    for contender in Risk().contenders():
        began = time.process_time()
        contender.fit([past], now.facts, seed=seed)
        guess = contender.predict(now.facts)["risk_probability"].to_numpy()
        rule = f" ({contender.learned.names[0]})" if contender.name == "best_rule" else ""
        yield _line(f"dongcha: {contender.name}{rule}", test, guess, time.process_time() - began)
    X, Z = (part.select(names).to_numpy().astype(np.float64) for part in (train, test))
    y = train[FRAUD].to_numpy().astype(np.float64)
    for name, ask in (("handbook: logistic", _logistic), ("handbook: LightGBM", _lightgbm)):
        began = time.process_time()
        yield _line(name, test, ask(X, y, Z, seed), time.process_time() - began)
    for name, figures in PUBLISHED.items():
        yield {"who": name, **dict(zip(("auc", "average_precision", "card_precision_100"), figures, strict=True))}


def _split(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is learnt from, and what is tested: without the cards that were known by each day to be defrauded."""
    train = rows.filter(pl.col(TIME).is_between(START, START + WEEK, closed="left"))
    known = set(train.filter(pl.col(FRAUD) == 1)[CUSTOMER].to_list())
    days = []
    for day in range(WEEK.days):
        begin = START + 2 * WEEK + timedelta(days=day)
        # A day more has come in since the day before.
        came = rows.filter(pl.col(TIME).is_between(begin - WEEK - timedelta(days=1), begin - WEEK, closed="left"))
        known |= set(came.filter(pl.col(FRAUD) == 1)[CUSTOMER].to_list())
        there = rows.filter(pl.col(TIME).is_between(begin, begin + timedelta(days=1), closed="left"))
        days.append(there.filter(~pl.col(CUSTOMER).is_in(list(known))))
    return train, pl.concat(days)


def as_placed(rows: pl.DataFrame) -> pl.DataFrame:
    """The transactions as orders of one line."""
    moment = pl.col(TIME).dt.epoch("us")
    value = (pl.col(AMOUNT) * VALUE_UNITS).round(0).cast(pl.Int64)
    one = pl.lit(1.0)
    columns = {
        c.ORDER_ID: pl.col("TRANSACTION_ID").cast(pl.String),
        c.CUSTOMER_ID: pl.col(CUSTOMER).cast(pl.String),
        c.HAPPENED_AT: moment,
        c.KNOWN_AT: moment,
        c.VALUE: value,
        LIST_VALUE: value,
        **{ITEMS: one, LINES: one, MOST_PIECES: one, HIGHEST_PRICE: pl.col(AMOUNT)},
        c.PRODUCT_ID: pl.col(TERMINAL).cast(pl.String),
        SOLD: pl.lit(True),
        BAD_AT: pl.when(pl.col(FRAUD) == 1).then(moment + WEEK.days * DAY),
    }
    absent = {name: pl.lit(None) for name in PLACED if name not in columns}
    made = {**columns, **absent}
    orders = rows.select(made[name].cast(kind).alias(name) for name, kind in PLACED.items())
    return orders.sort(c.CUSTOMER_ID, c.HAPPENED_AT, c.ORDER_ID)


def _examples(rows: pl.DataFrame, train: pl.DataFrame, test: pl.DataFrame) -> tuple[Example, Example]:
    orders = as_placed(rows)
    past = Past(Orders.of(orders))
    wanted = pl.concat([train, test]).select(pl.col("TRANSACTION_ID").cast(pl.String).alias(c.ORDER_ID))
    asked = wanted.join(orders, on=c.ORDER_ID, how="left", maintain_order="left").select(*PLACED)
    features = told(Asked(Orders.of(asked), past, past, People(pl.DataFrame(schema=ACCOUNTS))))
    columns = [pl.Series(name, values).fill_nan(None) for name, values in features.items()]
    whole = asked.select(pl.col(c.ORDER_ID).alias(c.ENTITY_ID)).with_columns(columns)
    parts = ((train, whole.head(len(train)), START + 2 * WEEK), (test, whole.tail(len(test)), START + 3 * WEEK))
    made = []
    for part, told_of, at in parts:
        facts = Facts(AsOf(at.replace(tzinfo=UTC)), Horizon(WEEK.days), told_of)
        made.append(Example(facts, pl.DataFrame({WENT_BAD: part[FRAUD].cast(pl.Float64)})))
    return made[0], made[1]


def _logistic(X: np.ndarray, y: np.ndarray, Z: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(random_state=seed)).fit(X, y)
    return np.asarray(model.predict_proba(Z)[:, 1])


def _lightgbm(X: np.ndarray, y: np.ndarray, Z: np.ndarray, seed: int) -> np.ndarray:
    import lightgbm

    settings = {"objective": "binary", "verbose": -1, "seed": seed, "num_threads": 1, "deterministic": True}
    return np.asarray(lightgbm.train(settings, lightgbm.Dataset(X, y), 100).predict(Z))


def _line(who: str, test: pl.DataFrame, guess: np.ndarray, seconds: float) -> Line:
    bad = test[FRAUD].to_numpy().astype(np.float64)
    return {
        "who": who,
        "auc": metrics.auc(bad, guess),
        "average_precision": metrics.average_precision(bad, guess),
        "card_precision_100": card_precision(test, guess),
        "recall_at_1pct": metrics.recall_at(bad, guess, ALERTS),
        "cpu_seconds": round(seconds, 1),
    }


def simulated(customers: int, seed: int) -> Iterator[Line]:
    from dongcha.jobs.backtest import summary
    from dongcha.jobs.text_study import study_of
    from dongcha.sources.simulate import simulate, write

    with tempfile.TemporaryDirectory() as folder:
        made = simulate(customers, days=730, seed=seed)
        write(made, Path(folder, "raw"))
        shop = dongcha.new(Path(folder, "shop"))
        for name in ("orders", "products", "customers", "outcomes"):
            shop.load(Path(folder, "raw", f"{name}.parquet"), name)
        began = time.process_time()
        folds = shop.folds("risk")
        seconds = time.process_time() - began
        for (name,), part in summary(folds).group_by([c.CONTENDER], maintain_order=True):
            figures = dict(zip(part[c.METRIC], part[c.VALUE], strict=True))
            yield {"who": f"simulated, {len(folds)} folds: {name}", **figures}
        study = study_of(shop.desk, shop.insights["risk"], shop.as_of())
        planted = made.truth["orders"].filter("fraud")[c.ORDER_ID].implode()
        answers = []
        for fold in folds:
            example = study.example(fold.as_of, study.as_of)
            answer = study.fitted("boosting", fold.as_of).predict(example.facts)
            bad = answer[c.ENTITY_ID].is_in(planted).to_numpy().astype(np.float64)
            answers.append(metrics.average_precision(bad, answer["risk_probability"].to_numpy()))
        orders = int(sum(fold.n for fold in folds) / len(folds))
        yield {"who": "planted, not reported: boosting", "average_precision": float(np.mean(answers)), "orders": orders}
        yield {"cpu_seconds": round(seconds, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="+", choices=["handbook", "shop"], default=["handbook", "shop"])
    parser.add_argument("--customers", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    parts: dict[str, Callable[[], Iterator[Line]]] = {
        "handbook": lambda: handbook(options.folder, options.seed),
        "shop": lambda: simulated(options.customers, options.seed),
    }
    for name in options.only:
        for line in parts[name]():
            print(json.dumps(line) if options.json or "who" not in line else _row(line), flush=True)


def _row(line: Line) -> str:
    figures = {k: v for k, v in line.items() if k != "who"}
    return f"{line['who']:44} " + "  ".join(f"{k} {v:.4g}" for k, v in figures.items())


if __name__ == "__main__":
    main()
