"""Answers as tables: groups, topics, aspects, and single values for a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dongcha import columns as c

if TYPE_CHECKING:
    import polars as pl

    from dongcha.assemble import Shop
    from dongcha.insight_kit.base import Insight
    from dongcha.insight_kit.outputs import Output

STARS: Final = ("praised_stars", "blamed_stars")
NAMED: Final = {c.TEXT_ID: "text", c.ORDER_ID: "order"}
EXAMPLE: Final = 60
"""Characters of an example sentence."""


def draw_answers(shop: Shop, name: str, as_of: str | None, answer: pl.DataFrame, language: str) -> None:
    """Answers row by row, each with its reasons."""
    from dongcha.cli.render import table, word_line
    from dongcha.cli.words import say
    from dongcha.features.declare import catalogue
    from dongcha.insight_kit.telling import Reader, shortened

    insight, reasons = shop.insights[name], shop.reasons_by_entity(name, as_of=as_of)
    features, of_texts, reader = catalogue(), insight.entity == c.TEXT_ID, Reader(language, shop.currency)

    def why(entity: str) -> str:
        mine = reasons.get(entity, [])[:3]
        return word_line(mine) if of_texts else reader.because(mine, features)

    rows = [
        (
            shortened(row[c.TEXT] or row["entity_id"]) if of_texts else row["entity_id"],
            *(say_answer(shop, insight, output, row[output.name], language) for output in insight.yields),
            why(row["entity_id"]),
        )
        for row in answer.iter_rows(named=True)
    ]
    columns = (
        say(NAMED.get(insight.entity, "customer"), language),
        *(output.title(language) for output in insight.yields),
        say("reasons", language),
    )
    cutoff = str(shop.last_score(name, as_of)["as_of"])[:10]
    table(f"{insight.question[language]}  ({say('as_of', language)} {cutoff})", columns, rows)


def draw_groups(shop: Shop, name: str, as_of: str | None, language: str) -> None:
    """The groups of an insight: size, share, what the other insights say of them, who came and left."""
    from dongcha.cli.render import figure, table
    from dongcha.cli.words import say

    insight, currency, days = shop.insights[name], shop.currency, shop.desk.plan.horizon.days
    if insight.entity == c.TEXT_ID:
        draw_text_groups(shop, insight, as_of, language)
        return
    rows = [
        (
            insight.say(row[insight.yields[0].name], language),
            f"{row['size']:,}",
            figure(row["share"], "probability"),
            figure(row.get("lifetime_value"), "money", currency),
            figure(row.get("churn_probability"), "probability"),
            f"+{row['came']:,} −{row['left']:,}" if row.get("came") is not None else "–",
        )
        for row in shop.groups(name, as_of=as_of).iter_rows(named=True)
    ]
    keys = ("group", "size", "share", "mean_worth", "mean_risk", "moved")
    table("", [say(k, language, days=days) for k in keys], rows)


def draw_text_groups(shop: Shop, insight: Insight, as_of: str | None, language: str, most: int | None = None) -> None:
    """The largest groups of texts: how many, their share and whether it grows, their stars, how they feel."""
    from dongcha.cli.render import figure, table
    from dongcha.cli.words import say

    found, column = shop.groups(insight.name, as_of=as_of), insight.yields[0].name
    rows = [
        (
            insight.say(row[column], language),
            f"{row['size']:,}",
            figure(row["share"], "probability"),
            "–" if row["trend"] is None else f"{row['trend'] - 1:+.0%}".replace("%", " %"),
            figure(row["rating"]),
            figure(row.get("sentiment")),
        )
        for row in found.head(most or len(found)).iter_rows(named=True)
    ]
    days = shop.desk.plan.horizon.days
    titles = [say(k, language, days=days) for k in ("texts", "share", "trend", "stars", "feels")]
    table("", (insight.yields[0].title(language), *titles), rows)


def draw_aspects(shop: Shop, name: str, as_of: str | None, language: str, most: int) -> None:
    """What is praised and what is blamed: how many texts name it, how it is felt, in their own words."""
    from dongcha.cli.render import figure, table
    from dongcha.cli.words import say
    from dongcha.insight_kit.telling import shortened

    rows = [
        (
            row["aspect"],
            f"{row['texts']:,}",
            figure(row["polarity"]),
            figure(row["praised"], "probability"),
            figure(row["blamed"], "probability"),
            *("–" if row[k] is None else f"{row[k]:+.1f}" for k in STARS),
            *(shortened(row[k] or "–", EXAMPLE) for k in ("praise", "blame")),
        )
        for row in shop.aspects(name, as_of=as_of).head(most).iter_rows(named=True)
    ]
    titles = ("aspect", "texts", "feels", "praised", "blamed", *STARS, "praise", "blame")
    if rows:
        table(say("aspects", language), [say(k, language) for k in titles], rows)


def say_answer(shop: Shop, insight: Insight, output: Output, value: Any, language: str) -> str:
    """One value of an answer for a reader: groups and labels in their language, products by name."""
    from dongcha.cli.render import figure
    from dongcha.insight_kit.outputs import Ranking

    if output.kind == "group":
        return insight.say(value, language)
    if isinstance(output, Ranking) and value:
        names = shop.product_names if output.of == c.PRODUCT_ID else {}
        value = [{**p, c.LABEL: names.get(p[c.LABEL]) or insight.say(p[c.LABEL], language)} for p in value]
    return figure(value, output.unit, shop.currency)
