"""The planted arrays as frames, in the shape that `Truth` reads and benchmarks join."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.sources.simulate.campaigns import campaign_names
from dongcha.sources.simulate.clock import Floats
from dongcha.sources.simulate.frames import ids, moment, pick
from dongcha.sources.simulate.mishaps import KINDS
from dongcha.sources.simulate.people import RESPONSES
from dongcha.sources.simulate.reviewing import SHIFT_ASPECT, Reviews, shifted_brand
from dongcha.sources.simulate.scene import Scene, Trade
from dongcha.sources.simulate.talking import Conversations

BEYOND_DAYS: Final = 400
"""Days after the window for which the season is kept, so that a horizon may reach over its end."""


def shop_frames(scene: Scene, season: Floats) -> dict[str, pl.DataFrame]:
    """The window, the groups, the campaigns, and the seasons: (groups, days and BEYOND_DAYS more)."""
    plan, days = scene.plan, scene.days
    groups, span = [g.name for g in plan.groups], season.shape[1]
    number, day = np.divmod(np.arange(season.size), span)
    campaigns, n = plan.campaigns, len(plan.campaigns.starts)
    return {
        "shop": pl.DataFrame({"start": [scene.start], "days": [days], c.LANGUAGE: [scene.words.language]}),
        "groups": pl.DataFrame([{"group_number": i, **_own(g)} for i, g in enumerate(plan.groups)]),
        "seasons": pl.DataFrame(
            {"group_number": number, "group": pick(groups, number), "day": day, "factor": season.ravel()}
        ),
        "campaigns": pl.DataFrame(
            {
                c.CAMPAIGN: campaign_names(campaigns),
                "day": [int(s * days) for s in campaigns.starts],
                "effect_days": [campaigns.effect_days] * n,
                "treated_share": [campaigns.treated_share] * n,
            },
            schema={c.CAMPAIGN: pl.String, "day": pl.Int64, "effect_days": pl.Int64, "treated_share": pl.Float64},
        ),
    }


def _own(group: Any) -> dict[str, Any]:
    return {name: getattr(group, name) for name in group.__dataclass_fields__}


def customers_frame(scene: Scene, order_value: Floats, first_second: Floats) -> pl.DataFrame:
    """Hidden traits: one row per customer, in the order of the customers table."""
    people, start, days = scene.people, scene.start, scene.days
    n = len(people)
    stopped = moment(start, np.minimum(people.stopped, days))
    return pl.DataFrame(
        {
            c.CUSTOMER_ID: people.ids,
            "group": pick([g.name for g in scene.plan.groups], people.group),
            "group_number": people.group,
            "first_order_at": moment(start, np.zeros(n), first_second),
            "stopped_at": stopped.set(pl.Series(people.stopped >= days), None),
            "arrival_day": people.arrival,
            "stopped_day": people.stopped,
            "rate_per_day": people.rate,
            "dropout_per_day": people.hazard,
            "regularity": people.regularity,
            "half_life_days": people.half_life,
            "order_value": order_value,
            "price_sensitivity": people.sensitivity,
            "deal_share": people.deal_share,
            "tier": people.tier,
            "response": pick(RESPONSES, people.response),
            "lift": people.lift,
            "may_be_mailed": people.consent & ~people.impostor,
            "grumpiness": people.grumpiness,
            "taste": people.taste,
            "latent": people.latent,
        }
    )


def order_frames(scene: Scene, trade: Trade) -> dict[str, pl.DataFrame]:
    """Orders with clock and fraud label; lines that were companions or refills."""
    orders, lines, sales = trade.orders, trade.lines, trade.sales
    return {
        "orders": pl.DataFrame(
            {
                c.ORDER_ID: sales.ids,
                c.CUSTOMER_ID: scene.people.ids.gather(orders.customer),
                "customer_number": orders.customer,
                "day": orders.day,
                "clock": orders.clock,
                "fraud": trade.fraud.fraudulent,
                "kind": pick(KINDS, trade.fraud.kind),
            }
        ),
        "lines": pl.DataFrame(
            {
                c.ORDER_ID: sales.ids.gather(lines.order),
                c.LINE: sales.line_number,
                "companion": lines.follows,
                "refill": lines.refill,
            }
        ),
    }


def catalogue_frames(scene: Scene) -> dict[str, pl.DataFrame]:
    """Products' hidden traits, their companions, their substitutes."""
    catalogue = scene.catalogue
    n, near = catalogue.substitutes.shape
    return {
        "products": pl.DataFrame(
            {
                c.PRODUCT_ID: catalogue.ids,
                c.CATEGORY: pick([k.name for k in scene.words.categories], catalogue.category),
                "quality": catalogue.quality,
                "popularity": catalogue.popularity,
                "dearness": catalogue.dearness,
                "refill_days": catalogue.refill_days,
                "gift": catalogue.gift,
                "latent": catalogue.latent,
            }
        ),
        "transitions": pl.DataFrame(
            {
                c.PRODUCT_ID: catalogue.ids,
                "next_product_id": catalogue.ids.gather(catalogue.companion),
                "probability": np.full(n, scene.plan.follow_share),
            }
        ),
        "substitutes": pl.DataFrame(
            {
                c.PRODUCT_ID: catalogue.ids.gather(np.repeat(np.arange(n), near)),
                "rank": np.tile(np.arange(1, near + 1), n),
                "substitute_id": catalogue.ids.gather(catalogue.substitutes.ravel()),
            }
        ),
    }


def mishap_frames(scene: Scene, trade: Trade) -> dict[str, pl.DataFrame]:
    """Stock-outs, and the demand that met them."""
    catalogue, stock_outs, lost = scene.catalogue, trade.stock_outs, trade.lost
    instead = pl.Series(lost.instead)
    return {
        "stock_outs": pl.DataFrame(
            {
                c.PRODUCT_ID: catalogue.ids.gather(stock_outs.product),
                "from": moment(scene.start, stock_outs.first),
                "until": moment(scene.start, stock_outs.end),
            }
        ),
        "lost_demand": pl.DataFrame(
            {
                c.ORDER_ID: trade.sales.ids.gather(lost.order),
                c.PRODUCT_ID: catalogue.ids.gather(lost.product),
                "bought_instead": catalogue.ids.gather(instead.set(instead < 0, None)),
            }
        ),
    }


def exposures_frame(scene: Scene) -> pl.DataFrame:
    """Who was reached by which campaign, and what it does to the order rate if treated."""
    people, exposures = scene.people, scene.exposures
    return pl.DataFrame(
        {
            c.CUSTOMER_ID: people.ids.gather(exposures.customer),
            "customer_number": exposures.customer,
            c.CAMPAIGN: pick(campaign_names(scene.plan.campaigns), exposures.campaign),
            "day": exposures.day,
            "treated": exposures.treated,
            "lift": people.lift[exposures.customer],
        }
    )


def talk_frames(scene: Scene, trade: Trade, reviews: Reviews, talks: Conversations) -> dict[str, pl.DataFrame]:
    """Moods, topics and aspects of reviews; intents and moods of conversations; the brand whose mood turns."""
    plan, words, catalogue = scene.plan.talk, scene.words, scene.catalogue
    aspects = [a.name for a in words.reviews.aspects]
    review_ids = ids("v", np.arange(1, len(reviews.line) + 1), 7)
    row, place = np.nonzero(reviews.aspect >= 0)
    return {
        "reviews": pl.DataFrame(
            {"review_id": review_ids, "mood": reviews.mood, "topic": pick(aspects, reviews.aspect[:, 0])}
        ),
        "review_aspects": pl.DataFrame(
            {
                "review_id": review_ids.gather(row),
                "aspect": pick(aspects, reviews.aspect[row, place]),
                "mood": reviews.aspect_mood[row, place],
            }
        ),
        "conversations": pl.DataFrame(
            {
                c.CONVERSATION_ID: ids("t", np.arange(1, len(talks.order) + 1), 7),
                c.INTENT: pick([i.name for i in words.desk.intents], talks.intent),
                "mood": talks.mood,
            }
        ),
        "brand_mood": pl.DataFrame(
            {
                c.BRAND: [catalogue.brands[shifted_brand(catalogue, trade.lines)]],
                "from": moment(scene.start, np.array([np.ceil(plan.shifted_from * scene.days)])),
                "shift": [plan.mood_shift],
                "aspect": [aspects[SHIFT_ASPECT]],
            }
        ),
    }
