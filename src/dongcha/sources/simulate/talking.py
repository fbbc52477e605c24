"""The contract's messages and documents: conversations with the service desk, and the pages it answers from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.sources.simulate.clock import Floats, Ints
from dongcha.sources.simulate.frames import conform, draw_phrase, ids, moment, pick
from dongcha.sources.simulate.ordering import seconds
from dongcha.sources.simulate.scene import Scene, Trade
from dongcha.sources.simulate.words import Words

INTENT_SHARES: Final = np.array([0.26, 0.13, 0.11, 0.11, 0.08, 0.13, 0.07, 0.07, 0.04])
LATEST_DAY: Final = 12
MOOD_SPREAD: Final = 0.35
AGENTS: Final = {"en": ("Amy", "Ben", "Chloe", "Dev", "Erin"), "zh": ("小禾", "小满", "阿青", "小雨", "阿南")}
CUSTOMER: Final = "customer"
AGENT: Final = "agent"
TURNS: Final = ((CUSTOMER, 0.0), (AGENT, 60.0), (AGENT, 150.0), (CUSTOMER, 260.0), (AGENT, 330.0))
"""Who speaks when, in seconds after the first line."""


@dataclass(frozen=True)
class Conversations:
    """The planted part of the conversations: (conversations,)."""

    order: Ints
    line: Ints
    day: Ints
    second: Floats
    intent: Ints
    mood: Floats


def converse(rng: np.random.Generator, scene: Scene, trade: Trade) -> Conversations:
    """Draw which orders lead to a conversation, about what, and in what mood."""
    words, orders, days = scene.words, trade.orders, scene.days
    order = np.flatnonzero((rng.random(len(orders)) < scene.plan.talk.conversation_share) & trade.honest)
    day = orders.day[order] + rng.integers(1, LATEST_DAY, len(order))
    order, day = order[day < days], day[day < days]
    second = seconds(rng, len(order), words.utc_offset_hours) - TURNS[-1][1]
    by_time = np.lexsort((second, day))
    order, day, second = order[by_time], day[by_time], second[by_time]
    intent = rng.choice(len(words.desk.intents), len(order), p=INTENT_SHARES / INTENT_SHARES.sum())
    mood = np.array([i.mood for i in words.desk.intents])[intent] + MOOD_SPREAD * rng.normal(size=len(order))
    line = np.searchsorted(trade.lines.order, order)
    return Conversations(order, line, day, second, intent, np.clip(mood, -1, 1))


def messages_table(rng: np.random.Generator, scene: Scene, trade: Trade, talks: Conversations) -> pl.DataFrame:
    """The contract's messages: five lines a conversation; some conversations carry the desk's label."""
    n, turns, words = len(talks.order), len(TURNS), scene.words
    said = [_customer_asks, _agent_greets, _agent_replies, _customer_ends, _agent_ends]
    texts = pl.concat([_filled(say(rng, words, talks), scene, trade, talks) for say in said])
    labelled = rng.random(n) < scene.plan.talk.labelled_intents
    of, turn = np.tile(np.arange(n), turns), np.repeat(np.arange(turns), n)
    intents = [i.name for i in words.desk.intents]
    frame = conform(
        c.MESSAGES,
        {
            c.MESSAGE_ID: ids("m", of * turns + turn + 1, 8),
            c.CONVERSATION_ID: ids("t", of + 1, 7),
            c.CUSTOMER_ID: scene.people.ids.gather(trade.orders.customer[talks.order[of]]),
            c.SENDER: pick([sender for sender, _ in TURNS], turn),
            c.TEXT: texts,
            c.INTENT: pick(intents, np.where(labelled, talks.intent, -1)[of]),
            c.HAPPENED_AT: moment(scene.start, talks.day[of], talks.second[of] + np.array([t for _, t in TURNS])[turn]),
        },
    )
    return frame.sort(c.HAPPENED_AT, c.MESSAGE_ID)


def _customer_asks(rng: np.random.Generator, words: Words, talks: Conversations) -> pl.Series:
    return draw_phrase(rng, talks.intent, *(i.asks for i in words.desk.intents))


def _agent_greets(rng: np.random.Generator, words: Words, talks: Conversations) -> pl.Series:
    return draw_phrase(rng, np.zeros_like(talks.intent), words.desk.greetings)


def _agent_replies(rng: np.random.Generator, words: Words, talks: Conversations) -> pl.Series:
    return draw_phrase(rng, talks.intent, *(i.replies for i in words.desk.intents))


def _customer_ends(rng: np.random.Generator, words: Words, talks: Conversations) -> pl.Series:
    """Contented or not, as the planted mood has it, give or take what the answer did."""
    unhappy = talks.mood + 0.3 + 0.15 * rng.normal(size=len(talks.mood)) < 0
    return draw_phrase(rng, unhappy.astype(np.int64), words.desk.happy_ends, words.desk.unhappy_ends)


def _agent_ends(rng: np.random.Generator, words: Words, talks: Conversations) -> pl.Series:
    return draw_phrase(rng, np.zeros_like(talks.intent), words.desk.goodbyes)


def _filled(text: pl.Series, scene: Scene, trade: Trade, talks: Conversations) -> pl.Series:
    """Put the noun, the order and the agent where the phrase leaves room for them."""
    agents = AGENTS[scene.words.language]
    frame = pl.DataFrame(
        {
            "text": text,
            "{noun}": pick(scene.catalogue.nouns, trade.lines.product[talks.line]).str.to_lowercase(),
            "{order}": trade.sales.ids.gather(talks.order),
            "{agent}": pick(agents, talks.order % len(agents)),
        }
    )
    filled = pl.col("text")
    for slot in ("{noun}", "{order}", "{agent}"):
        filled = filled.str.replace(slot, pl.col(slot), literal=True)
    return frame.select(filled).to_series()


def documents_table(words: Words, start: date) -> pl.DataFrame:
    """The contract's documents: the knowledge base, true since the window's start."""
    pages, n = words.pages, len(words.pages)
    return conform(
        c.DOCUMENTS,
        {
            c.DOCUMENT_ID: pl.Series([f"doc-{page.slug}" for page in pages]),
            c.TITLE: pl.Series([page.title for page in pages]),
            c.TEXT: pl.Series([page.text for page in pages]),
            c.LANGUAGE: words.language,
            c.URL: pl.Series([f"https://shop.example/help/{page.slug}" for page in pages]),
            c.HAPPENED_AT: moment(start, np.zeros(n)),
        },
    )
