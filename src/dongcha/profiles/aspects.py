"""What is praised and what is blamed: each aspect over all texts that name it, with their own words for it."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.insight_kit.outputs import PRAISED

ASPECT: Final = "aspect"
SENTENCE: Final = re.compile(r"[^.!?。！？\n]+[.!?。！？]*")
SHORTEST: Final = 3
"""Words, or Chinese characters twice that: less is hardly a sentence."""
FEWEST: Final = 10
RIDGE: Final = 1.0
"""How strongly effects of few texts are drawn to none."""
LOOKED_AT: Final = 20
"""Of so many texts that feel most strongly the shortest sentence is the example."""


def summarise_aspects(told: pl.DataFrame, column: str, said: pl.DataFrame) -> pl.DataFrame:
    """One row an aspect, those that most texts name first: aspect, texts (Int64), polarity, praised, blamed, examples.

    `told`: entity_id + `column`, lists of (label, value) with a polarity in [-1, 1]; `said`: columns as
    `features.texts.TEXTS`. `praised` and `blamed` are shares of the texts that name it; `praise` and `blame` (String) a
    sentence of each that holds its name, null where there is none. `praised_stars` and `blamed_stars`: by how much the
    rating of a text that praises or blames it differs, all other aspects alike (`_stars`).
    """
    pair = pl.col(column).struct
    each = (
        told.filter(pl.col(column).list.len() > 0)
        .explode(column)
        .select(c.ENTITY_ID, pair.field(c.LABEL).alias(ASPECT), pair.field(c.VALUE))
    )
    spoken = said.select(pl.col(c.TEXT_ID).alias(c.ENTITY_ID), c.TEXT, c.RATING)
    each = each.join(spoken, on=c.ENTITY_ID, how="left")
    value = pl.col(c.VALUE)
    found = each.group_by(ASPECT).agg(
        pl.len().cast(pl.Int64).alias("texts"),
        value.mean().alias("polarity"),
        (value >= PRAISED).mean().alias("praised"),
        (value <= -PRAISED).mean().alias("blamed"),
    )
    praise = _examples(each.filter(value >= PRAISED).sort(c.VALUE, c.ENTITY_ID, descending=[True, False]), "praise")
    blame = _examples(each.filter(value <= -PRAISED).sort(c.VALUE, c.ENTITY_ID), "blame")
    for beside in (praise, blame, _stars(each, spoken)):
        found = found.join(beside, on=ASPECT, how="left")
    return found.sort("texts", ASPECT, descending=[True, False])


def _stars(each: pl.DataFrame, spoken: pl.DataFrame) -> pl.DataFrame:
    """aspect, praised_stars, blamed_stars (Float64, null where FEWEST rated texts do not say so), by ridge regression.

    What goes with a rating, not what would come of a change: who is angry blames more than one thing.
    """
    rated = spoken.drop_nulls(c.RATING).select(c.ENTITY_ID, c.RATING).with_row_index("row")
    mood = pl.when(pl.col(c.VALUE) >= PRAISED).then(0).when(pl.col(c.VALUE) <= -PRAISED).then(1)
    told = each.select(c.ENTITY_ID, ASPECT, mood.alias("mood")).drop_nulls("mood").join(rated, on=c.ENTITY_ID)
    names = told[ASPECT].unique().sort()
    if names.is_empty():
        return pl.DataFrame(schema={ASPECT: pl.String, "praised_stars": pl.Float64, "blamed_stars": pl.Float64})
    columns = 2 * names.search_sorted(told[ASPECT]).to_numpy().astype(np.int64) + told["mood"].to_numpy()
    X = np.zeros((len(rated), 2 * len(names)))
    X[told["row"].to_numpy(), columns] = 1
    counts, y = X.sum(axis=0), rated[c.RATING].to_numpy()
    X -= X.mean(axis=0)
    effects = np.linalg.solve(X.T @ X + RIDGE * np.eye(X.shape[1]), X.T @ (y - y.mean()))
    effects = np.where(counts >= FEWEST, effects, np.nan).reshape(-1, 2)
    stars = {"praised_stars": effects[:, 0], "blamed_stars": effects[:, 1]}
    return pl.DataFrame({ASPECT: names, **stars}).fill_nan(None)


def _examples(strongest_first: pl.DataFrame, name: str) -> pl.DataFrame:
    rows = [
        (str(aspect), _example(str(aspect), part[c.TEXT].head(LOOKED_AT).drop_nulls().to_list()))
        for (aspect,), part in strongest_first.group_by(ASPECT, maintain_order=True)
    ]
    return pl.DataFrame(rows, {ASPECT: pl.String, name: pl.String}, orient="row")


def _example(aspect: str, texts: list[str]) -> str | None:
    """The shortest sentence that names the aspect."""
    sentences = [found.group().strip() for text in texts for found in SENTENCE.finditer(text)]
    naming = [k for k in sentences if aspect in k.casefold() and max(len(k.split()), len(k.encode()) / 6) > SHORTEST]
    return min(naming, key=len, default=None)
