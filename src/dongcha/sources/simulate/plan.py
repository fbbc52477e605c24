"""Everything that is planted in the shop, as one frozen config."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

LATENT_FACTORS: Final = 6
"""Length of the hidden taste vectors of customers and products."""
IMPOSTORS: Final = "impostors"
NEWCOMERS: Final = "newcomers"


@dataclass(frozen=True)
class GroupPlan:
    """One planted group: how often it orders, how long it stays, what its baskets look like."""

    name: str
    share: float
    orders_per_year: float
    rate_shape: float
    """Shape of the gamma that customers' own rates are drawn from: the larger, the more alike they are."""
    dropouts_per_year: float
    regularity: int
    """Erlang shape of the gaps between orders: 1 is Poisson, 3 is a habit."""
    mean_lines: float
    tier: float
    """Pull towards dear (+) or cheap (−) products, in logits per standard deviation of log price."""
    deal_share: float
    """Share of lines bought on a deal outside festivals."""
    price_sensitivity: float
    """Mean of the hidden trait, 0 to 1."""
    breadth: float
    """Dirichlet concentration over categories: small is one or two categories, large is all of them."""
    festival_pull: float
    """How strongly festivals move the rate: exponent on the festival factor."""
    year_end_pull: float
    """Multiplies the rate in November and December, before normalising to a mean of 1."""
    persuadable: float
    sleeping_dog: float
    half_life_days: float = 0.0
    """Days in which the rate halves after the first order; 0 never."""
    arrives_from: float = 0.0
    """First orders fall after this share of the window."""
    gift_share: float = 0.04
    """Share of orders sent to another city as a present."""


GROUPS: Final = (
    GroupPlan(
        "loyal_regulars", 0.22, 9.0, 5.0, 0.15, 3, 2.6, 0.1, 0.15, 0.3, 1.2, 0.4, 1.1,
        persuadable=0.10, sleeping_dog=0.05,
    ),
    GroupPlan(
        "big_ticket_rare_buyers", 0.12, 2.4, 4.0, 0.20, 1, 1.2, 2.6, 0.08, 0.1, 0.25, 0.3, 1.2,
        persuadable=0.10, sleeping_dog=0.30,
    ),
    GroupPlan(
        "bargain_hunters", 0.20, 5.5, 3.0, 0.50, 1, 2.2, -1.6, 0.75, 0.85, 0.6, 2.2, 1.2,
        persuadable=0.60, sleeping_dog=0.03,
    ),
    GroupPlan(
        NEWCOMERS, 0.15, 6.5, 3.0, 1.6, 1, 1.3, -0.3, 0.35, 0.5, 0.2, 0.7, 1.1,
        persuadable=0.45, sleeping_dog=0.05, arrives_from=0.70,
    ),
    GroupPlan(
        "slipping_away", 0.16, 16.0, 5.0, 0.60, 2, 1.9, 0.2, 0.25, 0.4, 0.6, 0.5, 1.0,
        persuadable=0.30, sleeping_dog=0.10, half_life_days=120.0,
    ),
    GroupPlan(
        "gift_season_buyers", 0.14, 3.6, 4.0, 0.25, 1, 2.4, 0.8, 0.20, 0.3, 0.5, 1.0, 14.0,
        persuadable=0.25, sleeping_dog=0.05, gift_share=0.30,
    ),
    GroupPlan(
        IMPOSTORS, 0.01, 300.0, 8.0, 150.0, 1, 1.6, 2.2, 0.02, 0.0, 0.5, 0.0, 1.0,
        persuadable=0.0, sleeping_dog=0.0, gift_share=0.8,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class CampaignPlan:
    """The randomised campaigns: half of who may be mailed is treated, half is held out."""

    starts: tuple[float, ...] = (0.25, 0.45, 0.65, 0.85)
    """When each campaign goes out, as a share of the window."""
    treated_share: float = 0.5
    effect_days: int = 30
    """The rate is changed on the days 1 to `effect_days` after the exposure."""
    persuadable_lift: float = 1.2
    """Relative change of the order rate: +1.2 is 2.2 times as many orders."""
    sleeping_dog_lift: float = -0.6
    cost: float = 0.35
    open_share: float = 0.45
    click_share: float = 0.30
    """Of the opened."""


@dataclass(frozen=True)
class TalkPlan:
    """Reviews and conversations: how many, how moody, and the brand whose mood turns."""

    review_share: float = 0.13
    mood_noise: float = 0.35
    shifted_from: float = 0.60
    """When the mood of one brand turns, as a share of the window."""
    mood_shift: float = -0.9
    """Added to the mood (−1…1) of that brand's reviews from then on."""
    labelled_intents: float = 0.6
    conversation_share: float = 0.07
    """Orders that lead to a conversation with the service desk."""


@dataclass(frozen=True)
class MishapPlan:
    """What goes wrong: fraud, returns, cancelled attempts, empty shelves."""

    takeover_share: float = 0.0025
    """Orders of old accounts that somebody else placed."""
    takeover_after_days: float = 120.0
    chargeback_days: tuple[float, float] = (14.0, 60.0)
    detection_days: tuple[float, float] = (3.0, 14.0)
    detected_share: float = 0.25
    """Frauds found by the shop itself (`fraud`); the rest come back as a `chargeback`."""
    honest_chargebacks: float = 0.0005
    fraud_night_share: float = 0.65
    fraud_mismatch_share: float = 0.75
    fraud_quantity: int = 3
    return_share: float = 0.06
    return_days: tuple[float, float] = (3.0, 30.0)
    cancelled_share: float = 0.015
    """Orders preceded by an attempt that was cancelled within the hour."""
    stock_out_share: float = 0.4
    """Products that run out once in the window."""
    stock_out_days: tuple[int, int] = (14, 42)
    substituted_share: float = 0.6
    """Lines for a product that ran out which go to its nearest substitute; the rest are lost."""


@dataclass(frozen=True)
class ShopPlan:
    """What is planted, in one place; the defaults make the demo shop."""

    groups: tuple[GroupPlan, ...] = GROUPS
    campaigns: CampaignPlan = field(default_factory=CampaignPlan)
    talk: TalkPlan = field(default_factory=TalkPlan)
    mishaps: MishapPlan = field(default_factory=MishapPlan)
    opening_share: float = 0.40
    """Customers of a settled group who first order in the opening tenth of the window."""
    follow_share: float = 0.25
    """Lines that are the companion of the customer's previous line: the planted item-to-item transitions."""
    taste_pull: float = 1.0
    """Weight of the taste vectors in choosing a product."""
    replenish_share: float = 0.5
    """Purchases of a consumable that are bought again when it has run out."""
    festival_deal_share: float = 0.4
    """Added to the chance of a deal during a festival, times the price sensitivity."""
    yearly_swing: float = 0.12
    """Amplitude of the common yearly wave of the order rate, highest at the end of November."""
    weekdays: tuple[float, ...] = (0.95, 0.90, 0.92, 0.97, 1.08, 1.15, 1.03)
    """Order rate from Monday to Sunday, relative to the mean."""
    browse_per_order: float = 2.5
    """Visits without an order, per order expected of a living customer."""
    browse_after_stopping: float = 0.12
    """What is left of the visits once a customer has stopped ordering."""
    store_share: float = 0.12
    """Orders placed in a physical store (or with a clerk): they leave no events."""
    anonymous_share: float = 0.12
    """Visits made before logging in."""
    consent_share: float = 0.85
