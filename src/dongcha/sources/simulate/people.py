"""The customers: hidden traits, and the names and places everybody sees."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.sources.simulate.clock import DAYS_PER_YEAR, Flags, Floats, Ints
from dongcha.sources.simulate.frames import conform, ids, moment, pick
from dongcha.sources.simulate.plan import IMPOSTORS, LATENT_FACTORS, GroupPlan, ShopPlan
from dongcha.sources.simulate.words import CategoryWords, Words

OPENING: Final = 0.1
LAST_ARRIVAL: Final = 0.97
"""Nobody's first order falls after this share of the window."""
TIER_SPREAD: Final = 0.4
SENSITIVITY_WEIGHT: Final = 12.0
TASTE_FLOOR: Final = 0.02
BROWSES_FIRST: Final = 0.3
"""Customers who register some days before their first order; the others register while ordering."""
DEAR_CATEGORY: Final = 90.0
PREFERRED: Final = 4.0
ADULT_YEARS: Final = (18, 78)
RESPONSES: Final = ("persuadable", "sleeping_dog", "indifferent")
GENDERS: Final = ("female", "male")
CITY_SKEW: Final = 0.9
EMAIL_KNOWN: Final = 0.95
BIRTH_DATE_KNOWN: Final = 0.7


@dataclass(frozen=True)
class People:
    """The customers as arrays: (customers,) unless said. No model may see any of these."""

    ids: pl.Series
    group: Ints
    arrival: Floats
    """Day and fraction of the first order."""
    created: Floats
    stopped: Floats
    """Day at which the customer stopped for good; may lie after the window."""
    rate: Floats
    """Orders per day at an average season, while nothing has faded."""
    hazard: Floats
    """Chance per day of stopping for good."""
    regularity: Ints
    half_life: Floats
    """Days; infinite where the rate does not fade."""
    mean_lines: Floats
    tier: Floats
    deal_share: Floats
    sensitivity: Floats
    taste: Floats
    """(customers, categories): chances that add up to 1."""
    latent: Floats
    """(customers, LATENT_FACTORS)."""
    response: Ints
    """Index into RESPONSES."""
    lift: Floats
    """Relative change of the order rate while a campaign works."""
    grumpiness: Floats
    """Added to the mood of all of a customer's reviews."""
    gift_share: Floats
    consent: Flags
    impostor: Flags
    city: Ints

    def __len__(self) -> int:
        return len(self.group)


def people_the_shop(rng: np.random.Generator, customers: int, plan: ShopPlan, words: Words, season: Floats) -> People:
    """Draw the hidden traits of `customers` customers; `season` is (groups, days)."""
    groups, days = plan.groups, season.shape[1]
    group = rng.permutation(_apportion(customers, np.array([g.share for g in groups])))

    def of(trait: str) -> Floats:
        return np.asarray(np.array([getattr(g, trait) for g in groups], dtype=float)[group])

    arrival = _arrivals(rng, group, plan, season, days)
    hazard = of("dropouts_per_year") / DAYS_PER_YEAR
    sensitivity = of("price_sensitivity")
    response = _responses(rng, of("persuadable"), of("sleeping_dog"))
    lifts = np.array([plan.campaigns.persuadable_lift, plan.campaigns.sleeping_dog_lift, 0.0])
    half_life = of("half_life_days")
    late = rng.random(customers) < BROWSES_FIRST
    return People(
        ids=ids("c", np.arange(1, customers + 1), 6),
        group=group,
        arrival=arrival,
        created=np.maximum(arrival - np.where(late, rng.exponential(6.0, customers), 0.0), 0.0),
        stopped=arrival + rng.exponential(1.0, customers) / hazard,
        rate=rng.gamma(of("rate_shape")) / of("rate_shape") * of("orders_per_year") / DAYS_PER_YEAR,
        hazard=hazard,
        regularity=of("regularity").astype(np.int64),
        half_life=np.where(half_life > 0, half_life, np.inf),
        mean_lines=of("mean_lines"),
        tier=of("tier") + rng.normal(0, TIER_SPREAD, customers),
        deal_share=of("deal_share"),
        sensitivity=rng.beta(SENSITIVITY_WEIGHT * sensitivity + 0.5, SENSITIVITY_WEIGHT * (1 - sensitivity) + 0.5),
        taste=_tastes(rng, group, groups, words.categories),
        latent=rng.normal(0, 1.6, (customers, LATENT_FACTORS)),
        response=response,
        lift=lifts[response],
        grumpiness=rng.normal(0, 0.18, customers),
        gift_share=of("gift_share"),
        consent=rng.random(customers) < plan.consent_share,
        impostor=np.array([g.name == IMPOSTORS for g in groups])[group],
        city=rng.choice(len(words.people.cities), customers, p=_city_shares(len(words.people.cities))),
    )


def _apportion(customers: int, shares: Floats) -> Ints:
    """Group of each customer, the group sizes as near to the shares as whole people allow."""
    edges = np.cumsum(shares) / shares.sum()
    return np.searchsorted(edges, (np.arange(customers) + 0.5) / customers).astype(np.int64)


def _arrivals(rng: np.random.Generator, group: Ints, plan: ShopPlan, season: Floats, days: int) -> Floats:
    """First orders: settled groups partly in the opening tenth, all others in season."""
    arrival = np.zeros(len(group))
    last = LAST_ARRIVAL * days
    for g, row in enumerate(season):
        of = np.flatnonzero(group == g)
        first = plan.groups[g].arrives_from * days
        run = np.concatenate([[0.0], np.cumsum(row)])
        begin, end = np.interp([first, last], np.arange(days + 1), run)
        drawn = np.interp(rng.uniform(float(begin), float(end), len(of)), run, np.arange(days + 1))
        opening = (first == 0) & (rng.random(len(of)) < plan.opening_share)
        arrival[of] = np.where(opening, rng.uniform(0, OPENING * days, len(of)), drawn)
    return arrival


def _responses(rng: np.random.Generator, persuadable: Floats, sleeping_dog: Floats) -> Ints:
    u = rng.random(len(persuadable))
    return np.where(u < persuadable, 0, np.where(u < persuadable + sleeping_dog, 1, 2))


def _tastes(
    rng: np.random.Generator, group: Ints, groups: tuple[GroupPlan, ...], categories: tuple[CategoryWords, ...]
) -> Floats:
    base = np.stack([_leaning(g, categories) for g in groups])
    breadth = np.array([g.breadth for g in groups])
    drawn = rng.gamma(base[group] * breadth[group][:, None]) + TASTE_FLOOR * base[group]
    return np.asarray(drawn / drawn.sum(1, keepdims=True))


def _leaning(group: GroupPlan, categories: tuple[CategoryWords, ...]) -> Floats:
    """What a group likes: dear goods for its tier, presents for gift-givers, refills for those who come often."""
    dear = np.array([k.price / categories[0].price * 9.5 >= DEAR_CATEGORY for k in categories])
    presents = np.array([k.gift for k in categories])
    refills = np.array([k.refill_days > 0 for k in categories])
    often = group.regularity > 1
    liked = (dear & (group.tier > 2)) | (presents & (group.gift_share > 0.2)) | (refills & often)
    weight = np.where(liked, PREFERRED, 1.0) * np.where(dear & (group.tier < 2), 0.15, 1.0)
    return np.asarray(weight / weight.mean())


def _city_shares(cities: int) -> Floats:
    shares = 1 / np.arange(1, cities + 1) ** CITY_SKEW
    return np.asarray(shares / shares.sum())


def customers_table(
    rng: np.random.Generator, people: People, words: Words, start: date, created_second: Floats
) -> pl.DataFrame:
    """The contract's customers; `created_second` counts from the start of the window."""
    n, names = len(people), words.people
    man = rng.random(n) < 0.45
    family = rng.integers(len(names.families), size=n)
    given = np.where(man, rng.integers(len(names.men), size=n), rng.integers(len(names.women), size=n) + len(names.men))
    mail = _mail(rng, names.mail_names or names.families, family, names.mail_hosts)
    days_old = rng.integers(ADULT_YEARS[0] * 365, ADULT_YEARS[1] * 365, n)
    created = moment(start, np.zeros(n), created_second)
    mail_known, birth_known = (pl.Series(rng.random(n) < share) for share in (EMAIL_KNOWN, BIRTH_DATE_KNOWN))
    birth = pl.Series([start] * n) - pl.Series(days_old * 86_400_000).cast(pl.Duration("ms"))
    return conform(
        c.CUSTOMERS,
        {
            c.CUSTOMER_ID: people.ids,
            c.CREATED_AT: created,
            c.NAME: _full_names(pick(names.families, family), pick(names.men + names.women, given), names.family_first),
            c.EMAIL: mail.set(~mail_known, None),
            c.PHONE: pick(names.phone_prefixes, rng.integers(len(names.phone_prefixes), size=n))
            + ids(" ", rng.integers(0, 10**6, n), 6),
            c.GENDER: pick(GENDERS, man.astype(np.int64)),
            c.BIRTH_DATE: birth.cast(pl.Date).set(~birth_known, None),
            c.CITY: pick(names.cities, people.city),
            c.COUNTRY: names.country,
            c.LANGUAGE: words.language,
            c.CONSENT: pl.Series(people.consent),
            c.HAPPENED_AT: created,
        },
    )


def _full_names(family: pl.Series, given: pl.Series, family_first: bool) -> pl.Series:
    return family + given if family_first else given + " " + family


def _mail(rng: np.random.Generator, latin: tuple[str, ...], family: Ints, hosts: tuple[str, ...]) -> pl.Series:
    """Addresses on hosts that exist only in examples; the running number keeps them apart."""
    n = len(family)
    place = pick(latin, family).str.to_lowercase() + ids(".", np.arange(1, n + 1) * 7 % 10**6 + 10, 2)
    return place + "@" + pick(hosts, rng.integers(len(hosts), size=n))
