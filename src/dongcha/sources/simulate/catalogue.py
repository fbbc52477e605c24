"""The products: prices, brands, hidden taste vectors, companions and substitutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.sources.simulate.clock import Flags, Floats, Ints
from dongcha.sources.simulate.frames import conform, ids, moment, money, pick
from dongcha.sources.simulate.plan import LATENT_FACTORS
from dongcha.sources.simulate.words import Words

PRICE_SPREAD: Final = 0.5
"""Standard deviation of the log price within a category."""
COST_SHARE: Final = (0.45, 0.65)
POPULARITY_SPREAD: Final = 0.8
BRAND_SHARES: Final = (0.4, 0.3, 0.2, 0.1)
QUALITY_SPREAD: Final = 0.45
SUBSTITUTES: Final = 5


@dataclass(frozen=True)
class Catalogue:
    """The products as arrays: one entry per product, or per category where said."""

    ids: pl.Series
    category: Ints
    brand: Ints
    """Index into `brands`."""
    brands: tuple[str, ...]
    nouns: tuple[str, ...]
    names: tuple[str, ...]
    adjectives: tuple[str, ...]
    price: Floats
    cost: Floats
    dearness: Floats
    """Log price in standard deviations within the category."""
    popularity: Floats
    latent: Floats
    """(products, LATENT_FACTORS)."""
    quality: Floats
    refill_days: Ints
    gift: Flags
    members: Ints
    """(categories, largest category): the products of a category, −1 where there are fewer."""
    companion: Ints
    """The product that tends to follow."""
    substitutes: Ints
    """(products, SUBSTITUTES): the nearest products of the same category, nearest first."""

    def __len__(self) -> int:
        return len(self.price)


def stock_the_shelves(rng: np.random.Generator, products: int, words: Words) -> Catalogue:
    """Draw `products` products over the language's categories."""
    kinds = words.categories
    category = np.arange(products) % len(kinds)
    noun, adjective = _names(rng, category, words)
    brand_in = rng.choice(len(BRAND_SHARES), products, p=BRAND_SHARES)
    typical = np.array([k.price for k in kinds])[category]
    # A noun has its own price level, so that dearness can be told from the name.
    level = rng.normal(0, PRICE_SPREAD, (len(kinds), max(len(k.nouns) for k in kinds)))[category, noun]
    price = np.round(typical * np.exp(0.6 * level + rng.normal(0, 0.8 * PRICE_SPREAD, products)), 1)
    members = _members(category, len(kinds))
    latent = rng.normal(0, 1, (products, LATENT_FACTORS)) / np.sqrt(LATENT_FACTORS)
    dearness = _dearness(price, category, len(kinds))
    return Catalogue(
        ids=ids("p", np.arange(1, products + 1), 5),
        category=category,
        brand=category * len(BRAND_SHARES) + brand_in,
        brands=tuple(brand for k in kinds for brand in k.brands),
        nouns=tuple(kinds[k].nouns[n] for k, n in zip(category, noun, strict=True)),
        names=tuple(
            _full_name(words, *map(int, parts)) for parts in zip(category, brand_in, adjective, noun, strict=True)
        ),
        adjectives=tuple(words.adjectives[a % len(words.adjectives)] for a in adjective),
        price=price,
        cost=np.round(price * rng.uniform(*COST_SHARE, products), 2),
        dearness=dearness,
        popularity=rng.normal(0, POPULARITY_SPREAD, products),
        latent=latent,
        quality=np.clip(rng.normal(0.15, QUALITY_SPREAD, products), -1, 1),
        refill_days=np.array([k.refill_days for k in kinds])[category],
        gift=np.array([k.gift for k in kinds])[category],
        members=members,
        companion=_companions(rng, price, members, np.array([k.price for k in kinds])),
        substitutes=_substitutes(latent, dearness, category),
    )


def _names(rng: np.random.Generator, category: Ints, words: Words) -> tuple[Ints, Ints]:
    """Noun and adjective of each product, no pair twice in a category until all are used."""
    noun, adjective = np.zeros_like(category), np.zeros_like(category)
    for k, kind in enumerate(words.categories):
        of = np.flatnonzero(category == k)
        pairs = len(kind.nouns) * len(words.adjectives)
        drawn = np.concatenate([rng.permutation(pairs) + again * pairs for again in range(len(of) // pairs + 1)])
        noun[of], adjective[of] = drawn[: len(of)] % len(kind.nouns), drawn[: len(of)] // len(kind.nouns)
    return noun, adjective


def _full_name(words: Words, category: int, brand: int, adjective: int, noun: int) -> str:
    kind = words.categories[category]
    again, adjective = divmod(adjective, len(words.adjectives))
    parts = [kind.brands[brand], words.adjectives[adjective], kind.nouns[noun]]
    parts += [f"No. {again + 1}"] if again else []
    return ("" if words.language == "zh" else " ").join(parts)


def _members(category: Ints, categories: int) -> Ints:
    groups = [np.flatnonzero(category == k) for k in range(categories)]
    members = np.full((categories, max(map(len, groups))), -1)
    for k, group in enumerate(groups):
        members[k, : len(group)] = group
    return members


def _dearness(price: Floats, category: Ints, categories: int) -> Floats:
    logs = np.log(price)
    z = np.zeros_like(logs)
    for k in range(categories):
        of = category == k
        z[of] = (logs[of] - logs[of].mean()) / max(float(logs[of].std()), 1e-9)
    return z


def _companions(rng: np.random.Generator, price: Floats, members: Ints, typical: Floats) -> Ints:
    """A product's companion: about as dear, in the paired category (of a like price level), another brand or noun."""
    companion = np.arange(len(price))
    by_price = np.argsort(typical)
    pairs = {int(a): int(b) for a, b in zip(by_price[::2], by_price[1::2], strict=False)}
    pairs |= {b: a for a, b in pairs.items()}
    for k, row in enumerate(members):
        own, other = row[row >= 0], members[pairs.get(k, k)]
        other = other[other >= 0]
        ranks = np.arange(len(own)) * len(other) // max(len(own), 1)
        jitter = np.clip(ranks + rng.integers(-1, 2, len(own)), 0, len(other) - 1)
        companion[own[np.argsort(price[own])]] = other[np.argsort(price[other])][jitter]
    return companion


def _substitutes(latent: Floats, dearness: Floats, category: Ints) -> Ints:
    found = np.tile(np.arange(len(category))[:, None], (1, SUBSTITUTES))
    traits = np.concatenate([latent, 0.5 * dearness[:, None]], axis=1)
    for k in np.unique(category):
        of = np.flatnonzero(category == k)
        apart = ((traits[of, None, :] - traits[None, of, :]) ** 2).sum(2)
        nearest = of[np.argsort(apart, axis=1, kind="stable")][:, 1 : SUBSTITUTES + 1]
        found[of, : nearest.shape[1]] = nearest
    return found


def products_table(catalogue: Catalogue, words: Words, start: date) -> pl.DataFrame:
    """The contract's products."""
    says = zip(catalogue.nouns, catalogue.adjectives, catalogue.brand, strict=True)
    names = [k.name for k in words.categories]
    return conform(
        c.PRODUCTS,
        {
            c.PRODUCT_ID: catalogue.ids,
            c.NAME: pl.Series(catalogue.names),
            c.CATEGORY: pick(names, catalogue.category),
            c.BRAND: pick(catalogue.brands, catalogue.brand),
            c.PRICE: money(catalogue.price),
            c.CURRENCY: words.currency,
            c.COST: money(catalogue.cost),
            c.DESCRIPTION: pl.Series(
                [words.describe.format(noun=n, adjective=a, brand=catalogue.brands[b]) for n, a, b in says]
            ),
            c.HAPPENED_AT: moment(start, np.zeros(len(catalogue))),
        },
    )
