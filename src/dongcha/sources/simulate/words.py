"""The shape of a language's words: what a shop needs to speak it."""

from __future__ import annotations

from dataclasses import dataclass

Phrases = tuple[str, ...]


def listed(text: str) -> Phrases:
    """The words of a text, for long lists of short names."""
    return tuple(text.split())


@dataclass(frozen=True)
class CategoryWords:
    """One category: nouns of its products, its brands, a typical price, and how it is bought."""

    name: str
    nouns: Phrases
    brands: Phrases
    price: float
    refill_days: int = 0
    """Days until a consumable runs out; 0 for goods that last."""
    gift: bool = False


@dataclass(frozen=True)
class Festival:
    """A yearly shopping festival: from (month, day) to (month, day), both included, and its pull on the rate."""

    name: str
    first: tuple[int, int]
    last: tuple[int, int]
    factor: float


@dataclass(frozen=True)
class People:
    """Names and places."""

    women: Phrases
    men: Phrases
    families: Phrases
    family_first: bool
    mail_names: Phrases
    """Latin spelling per family name, for e-mail addresses."""
    cities: Phrases
    country: str
    phone_prefixes: Phrases
    mail_hosts: Phrases


@dataclass(frozen=True)
class Aspect:
    """What a review can talk about: praise and blame, from strong words to mild ones."""

    name: str
    praise: Phrases
    blame: Phrases


@dataclass(frozen=True)
class ReviewWords:
    """The pieces of a review; openers end where the product's noun follows."""

    aspects: tuple[Aspect, ...]
    happy_openers: Phrases
    unhappy_openers: Phrases
    neutral_openers: Phrases
    happy_closers: Phrases
    unhappy_closers: Phrases
    happy_titles: Phrases
    unhappy_titles: Phrases
    neutral_titles: Phrases
    happy_emoji: Phrases
    unhappy_emoji: Phrases
    but: str
    and_also: str
    stop: str


@dataclass(frozen=True)
class IntentWords:
    """One thing customers ask: how they say it, how the desk replies, and how moody they are."""

    name: str
    asks: Phrases
    replies: Phrases
    mood: float


@dataclass(frozen=True)
class DeskWords:
    """Conversations with the service desk."""

    intents: tuple[IntentWords, ...]
    greetings: Phrases
    happy_ends: Phrases
    unhappy_ends: Phrases
    goodbyes: Phrases


@dataclass(frozen=True)
class Page:
    """One page of the knowledge base."""

    slug: str
    title: str
    text: str


@dataclass(frozen=True)
class Words:
    """All the words of a shop in one language."""

    language: str
    currency: str
    utc_offset_hours: int
    people: People
    adjectives: Phrases
    categories: tuple[CategoryWords, ...]
    festivals: tuple[Festival, ...]
    channels: Phrases
    """Online channels, the commonest first."""
    store: str
    describe: str
    """Description of a product, with {noun}, {adjective} and {brand}."""
    reviews: ReviewWords
    desk: DeskWords
    pages: tuple[Page, ...]
