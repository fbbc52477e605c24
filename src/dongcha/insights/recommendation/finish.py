"""From scores to a list: what may not be recommended goes, what is said twice is varied, and why each is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from dongcha.insight_kit.facts import Facts
from dongcha.insight_kit.outputs import listed_pairs
from dongcha.insights.recommendation.rankers import Rankers
from dongcha.models.ranking.diversify import diversify
from dongcha.models.ranking.scored import Scored
from dongcha.models.ranking.sequences import Sequences, among, distinct

if TYPE_CHECKING:
    from dongcha.insights.recommendation.contenders import RecommendationConfig

LISTED: Final = 10
RECOMMENDED: Final = "recommendations"
BECAUSE: Final = "recommended_because"
REPEATABLE: Final = 0.05
"""What was bought is recommended again where at least this share of its buyers come back for it."""
HEARD: Final = 30
"""A customer's newest purchases that a recommendation may be traced to."""
POPULAR: Final = "popular"


def finished(found: Scored, rankers: Rankers, facts: Facts, config: RecommendationConfig) -> pl.DataFrame:
    """entity_id, `recommendations` and `recommended_because`: lists of at most 10 (label, value), best first.

    A label of `recommended_because` names the bought product that led to the recommendation of the same place: the
    product itself where it is to be bought again, "popular" where nothing in the history did. Its value is the share of
    the evidence which that product gave.
    """
    histories = rankers.histories(facts)
    allowed = _allowed(found, rankers, histories, config)
    wanted = _filled(allowed, rankers, histories)
    if config.diversity:
        items = diversify(wanted, rankers.vectors, LISTED, config.diversity)
    else:
        items, _ = wanted.listed(LISTED)
    scores = _scores_of(wanted, items)
    leads, shares = _because(rankers, histories, items)
    products = rankers.counts.history.products
    there = items >= 0
    lists = (
        listed_pairs(name, _names(products, places[there], otherwise), numbers[there], there.sum(axis=1).tolist())
        for name, places, numbers, otherwise in (
            (RECOMMENDED, items, scores, ""),
            (BECAUSE, leads, shares, POPULAR),
        )
    )
    return facts.entities.to_frame().hstack(list(lists))


def _allowed(found: Scored, rankers: Rankers, histories: Sequences, config: RecommendationConfig) -> Scored:
    """Without what is out of stock, and what was bought and is not bought twice."""
    again = rankers.repeats.chance >= REPEATABLE if config.bought_again else np.zeros(found.catalogue, dtype=bool)
    bought = among(found.keys(), histories.keys())
    return found.kept(~rankers.out_of_stock[found.items] & (~bought | again[found.items]))


def _filled(found: Scored, rankers: Rankers, histories: Sequences) -> Scored:
    """Lists too short are filled from what sells lately, below all else: a new customer gets that alone."""
    missing = found.lengths() < LISTED
    if not missing.any():
        return found
    popular = rankers.recent.scores(histories)
    popular = popular.kept(missing[popular.rows()] & ~among(popular.keys(), found.keys()))
    popular = popular.kept(~rankers.out_of_stock[popular.items] & ~among(popular.keys(), histories.keys()))
    lowest = np.zeros(len(found), dtype=np.float32)
    has = found.lengths() > 0
    if has.any():
        lowest[has] = np.minimum.reduceat(found.scores, found.starts[:-1][has])
    most = max(float(rankers.recent.taken.max(initial=0)), 1.0)
    below = lowest[popular.rows()] - 2 + popular.scores / most
    keys = np.concatenate([found.keys(), popular.keys()])
    order = np.argsort(keys)
    scores = np.concatenate([found.scores, below]).astype(np.float32)[order]
    rows, items = keys[order] // found.catalogue, keys[order] % found.catalogue
    return Scored(items, scores, np.searchsorted(rows, np.arange(len(found) + 1)), found.catalogue)


def _scores_of(found: Scored, items: np.ndarray) -> np.ndarray:
    keys = np.arange(len(items))[:, None] * found.catalogue + np.maximum(items, 0)
    return found.at(keys.ravel()).reshape(items.shape)


def _because(rankers: Rankers, histories: Sequences, items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each listed item the bought item that led to it most, -1 for none, and its share of the evidence."""
    newest = histories.newest(HEARD).padded(HEARD)
    owned = newest < histories.catalogue
    heard = np.where(owned, newest, 0)
    # Of the few that were heard alone: to look through every product's neighbours takes as long as there are products.
    few = distinct(heard.ravel())
    pairs = np.searchsorted(few, heard)[:, None, :] * histories.catalogue + np.maximum(items, 0)[:, :, None]
    led_by = Scored.rows_of(rankers.neighbours.following, few)
    weight = led_by.at(pairs.ravel()).reshape(pairs.shape) * owned[:, None, :]
    best = weight.argmax(axis=2)
    strength = np.take_along_axis(weight, best[:, :, None], 2)[:, :, 0]
    total = weight.sum(axis=2)
    leads = np.where(strength > 0, np.take_along_axis(heard, best, 1), -1)
    shares = np.where(total > 0, strength / np.maximum(total, 1e-9), 0.0)
    itself = among(np.arange(len(items))[:, None] * histories.catalogue + items, histories.keys())
    itself &= items >= 0
    return np.where(itself, items, leads), np.where(itself, 1.0, shares)


def _names(products: pl.Series, items: np.ndarray, otherwise: str) -> list[str]:
    """The products' ids; `otherwise` where an item is -1."""
    return [products[item] if item >= 0 else otherwise for item in items.tolist()]
