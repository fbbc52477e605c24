"""The contract's reviews: a planted mood, the aspects it speaks of, and words that fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.sources.simulate.buying import Lines
from dongcha.sources.simulate.catalogue import Catalogue
from dongcha.sources.simulate.clock import Flags, Floats, Ints
from dongcha.sources.simulate.frames import conform, draw_phrase, ids, moment, pick
from dongcha.sources.simulate.ordering import seconds
from dongcha.sources.simulate.scene import Scene, Trade
from dongcha.sources.simulate.words import ReviewWords, Words

AFTER_DAYS: Final = (3, 21)
MEAN_MOOD: Final = 0.3
QUALITY_WEIGHT: Final = 0.7
RATING_NOISE: Final = 0.35
ASPECT_NOISE: Final = 0.35
ASPECT_SHARES: Final = (0.35, 0.40, 0.25)
"""How many reviews speak of one, two or three aspects."""
SHIFT_ASPECT: Final = 0
"""The aspect (the first: quality) that the brand whose mood turns is blamed for."""
SHIFT_BLAME: Final = 0.7
HAPPY: Final = 0.25
UNHAPPY: Final = -0.15
TITLED: Final = 0.6
SENTENCE_ENDS: Final = ("!", ".", "！", "。")


@dataclass(frozen=True)
class Reviews:
    """The planted part of the reviews: (reviews,), or (reviews, 3) for aspects."""

    line: Ints
    day: Ints
    second: Floats
    mood: Floats
    """−1 to 1."""
    rating: Ints
    aspect: Ints
    """The first is the topic; −1 where the review speaks of fewer than three."""
    aspect_mood: Floats


def shifted_brand(catalogue: Catalogue, lines: Lines) -> int:
    """The brand whose mood turns: the one that sells most."""
    return int(np.bincount(catalogue.brand[lines.product], minlength=len(catalogue.brands)).argmax())


def feel(rng: np.random.Generator, scene: Scene, trade: Trade) -> Reviews:
    """Draw who reviews what, how they feel, and about which aspects."""
    plan, catalogue, lines, orders = scene.plan.talk, scene.catalogue, trade.lines, trade.orders
    line = np.flatnonzero((rng.random(len(lines)) < plan.review_share) & trade.honest[lines.order])
    day = orders.day[lines.order[line]] + rng.integers(*AFTER_DAYS, len(line))
    line, day = line[day < scene.days], day[day < scene.days]
    second = seconds(rng, len(line), scene.words.utc_offset_hours)
    by_time = np.lexsort((second, day))
    line, day, second = line[by_time], day[by_time], second[by_time]
    product, n = lines.product[line], len(line)
    shifted = (catalogue.brand[product] == shifted_brand(catalogue, lines)) & (day >= plan.shifted_from * scene.days)
    grumpiness = scene.people.grumpiness[orders.customer[lines.order[line]]]
    mood = MEAN_MOOD + QUALITY_WEIGHT * catalogue.quality[product] + grumpiness
    mood = np.clip(mood + plan.mood_shift * shifted + plan.mood_noise * rng.normal(size=n), -1, 1)
    aspect, aspect_mood = _aspects(rng, mood, shifted & (rng.random(n) < SHIFT_BLAME))
    rating = np.clip(np.round(3.2 + 2.2 * mood + RATING_NOISE * rng.normal(size=n)), 1, 5).astype(np.int64)
    return Reviews(line, day, second, mood, rating, aspect, aspect_mood)


def _aspects(rng: np.random.Generator, mood: Floats, blamed: Flags, count: int = 8) -> tuple[Ints, Floats]:
    """One to three different aspects; the first feels as the review does, the others waver."""
    n = len(mood)
    order = rng.random((n, count))
    order[blamed, SHIFT_ASPECT] = -1.0
    aspect = np.argsort(order, axis=1)[:, :3]
    spoken = 1 + rng.choice(3, n, p=ASPECT_SHARES)
    wavering = ASPECT_NOISE * rng.normal(size=(n, 3)) * np.array([0.0, 1.0, 1.0])
    return np.where(np.arange(3) < spoken[:, None], aspect, -1), np.clip(mood[:, None] + wavering, -1, 1)


def reviews_table(rng: np.random.Generator, scene: Scene, trade: Trade, reviews: Reviews) -> pl.DataFrame:
    """The contract's reviews, numbered in time."""
    n, words, catalogue = len(reviews.line), scene.words, scene.catalogue
    order, product = trade.lines.order[reviews.line], trade.lines.product[reviews.line]
    title = draw_phrase(rng, _by_mood(reviews.mood), *_banks(words.reviews, "titles"))
    return conform(
        c.REVIEWS,
        {
            c.REVIEW_ID: ids("v", np.arange(1, n + 1), 7),
            c.CUSTOMER_ID: scene.people.ids.gather(trade.orders.customer[order]),
            c.PRODUCT_ID: catalogue.ids.gather(product),
            c.RATING: pl.Series(reviews.rating.astype(float)),
            c.TITLE: title.set(pl.Series(rng.random(n) >= TITLED), None),
            c.TEXT: _texts(rng, words, pick(catalogue.nouns, product), reviews),
            c.LANGUAGE: words.language,
            c.HAPPENED_AT: moment(scene.start, reviews.day, reviews.second),
        },
    )


def _by_mood(mood: Floats) -> Ints:
    """0 happy, 1 neutral, 2 unhappy."""
    return np.where(mood > HAPPY, 0, np.where(mood < UNHAPPY, 2, 1))


def _banks(words: ReviewWords, part: str) -> tuple[tuple[str, ...], ...]:
    """The happy, neutral and unhappy phrases of a part; happy or unhappy ones serve where there are no neutral ones."""
    happy, unhappy = getattr(words, f"happy_{part}"), getattr(words, f"unhappy_{part}")
    return happy, getattr(words, f"neutral_{part}", ("",)), unhappy


def _texts(rng: np.random.Generator, words: Words, noun: pl.Series, reviews: Reviews) -> pl.Series:
    """Opener, one to three aspects joined by and / but, closer, emoji."""
    says, bank = words.reviews, _by_mood(reviews.mood)
    gap = " " if words.language == "en" else ""
    opener = draw_phrase(rng, bank, *_banks(says, "openers"))
    parts = pl.DataFrame(
        {
            "opener": opener + pick(("", gap), (opener != "").to_numpy().astype(int)),
            "noun": noun.str.to_lowercase(),
            "first": _aspect_phrase(rng, words, reviews, 0, _starts_sentence(opener)),
            "second": _joined(rng, words, reviews, 1),
            "third": _joined(rng, words, reviews, 2),
            "closer": gap + draw_phrase(rng, bank, *_banks(says, "closers")),
            "emoji": draw_phrase(rng, bank, *_banks(says, "emoji")),
        }
    )
    opened = pl.col("opener").str.replace("{noun}", pl.col("noun"), literal=True)
    said = pl.concat_str(opened, "first", "second", "third", pl.lit(says.stop), "closer")
    return parts.select(pl.concat_str(said.str.strip_chars_end(), "emoji")).to_series()


def _starts_sentence(opener: pl.Series) -> Flags:
    ends = [opener.str.ends_with(mark) for mark in SENTENCE_ENDS]
    return np.asarray(np.logical_or.reduce([(opener == "").to_numpy(), *(e.to_numpy() for e in ends)]))


def _aspect_phrase(
    rng: np.random.Generator, words: Words, reviews: Reviews, place: int, capital: Flags | None = None
) -> pl.Series:
    """The phrase for the aspect at `place`: the stronger the feeling, the stronger the words; null where none."""
    aspects = words.reviews.aspects
    phrases = [phrase for a in aspects for phrase in (*a.praise, *a.blame)]
    phrases += [phrase[0].upper() + phrase[1:] for phrase in phrases]
    each = len(aspects[0].praise)
    mood = reviews.aspect_mood[:, place]
    strength = np.clip((1 - np.abs(mood)) * each + rng.uniform(-1.5, 1.5, len(mood)), 0, each - 1).astype(int)
    index = reviews.aspect[:, place] * 2 * each + np.where(mood < 0, each, 0) + strength
    if capital is not None:
        index += np.where(capital, len(phrases) // 2, 0)
    return pick(phrases, np.where(reviews.aspect[:, place] < 0, -1, index))


def _joined(rng: np.random.Generator, words: Words, reviews: Reviews, place: int) -> pl.Series:
    """The aspect at `place` behind "and", or "but" where the feeling turns; empty where there is none."""
    turns = (reviews.aspect_mood[:, place] < 0) != (reviews.aspect_mood[:, place - 1] < 0)
    joint = pick((words.reviews.and_also, words.reviews.but), turns)
    return (joint + _aspect_phrase(rng, words, reviews, place)).fill_null("")
