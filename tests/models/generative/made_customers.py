"""Planted customers: three groups that differ in what they buy, how often, and how much they spend."""

import numpy as np

from dongcha.models.behaviour.timelines import CATEGORY, KIND, PRODUCT, Timelines

CATEGORIES = 6
PRODUCTS = 60
GROUPS = 3
PACE_DAYS = (4.0, 30.0, 12.0)
SPEND = (3.0, 3.1, 3.9)
LIKED = 0.75


def customers(rows: int = 600, seed: int = 3) -> tuple[Timelines, np.ndarray, np.ndarray]:
    """Timelines, a table of three columns with holes, and each row's group, which only the two together tell well.

    Products are of the category that their code says (code % CATEGORIES); events of kind 1 have no product.
    """
    random = np.random.default_rng(seed)
    group = random.integers(0, GROUPS, rows)
    lengths = random.integers(4, 14, rows)
    of = np.repeat(group, lengths)
    liked = random.random(len(of)) < LIKED
    category = np.where(liked, 2 * of + random.integers(0, 2, len(of)), random.integers(0, CATEGORIES, len(of)))
    product = category + CATEGORIES * random.integers(0, PRODUCTS // CATEGORIES, len(of))
    kind = (random.random(len(of)) < 0.15).astype(np.int64)
    days = np.cumsum(random.exponential(np.array(PACE_DAYS)[of]))
    fields = {
        PRODUCT: np.where(kind == 1, PRODUCTS, product),
        CATEGORY: np.where(kind == 1, CATEGORIES, category),
        KIND: kind,
    }
    starts = np.concatenate([[0], np.cumsum(lengths)])
    timelines = Timelines(starts, fields, {PRODUCT: PRODUCTS, CATEGORY: CATEGORIES, KIND: 2}, days)
    spend = np.exp(random.normal(np.array(SPEND)[group], 0.4))
    unknown = np.where(random.random(rows) < 0.2, np.nan, random.normal(40, 9, rows))
    return timelines, np.column_stack([spend, lengths.astype(float), unknown]), group


def take(timelines: Timelines, rows: np.ndarray) -> Timelines:
    """These rows, in this order."""
    lengths = timelines.lengths()[rows]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    at = np.repeat(timelines.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
    days = None if timelines.days is None else timelines.days[at]
    return Timelines(starts, {name: codes[at] for name, codes in timelines.fields.items()}, timelines.sizes, days)
