"""What is told of brands, categories and products: alerts, moods over time, topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dongcha import columns as c
from dongcha.cli.render import PROBABILITY, figure, sparkline, stdout, table
from dongcha.cli.words import say
from dongcha.insight_kit.telling import shortened

if TYPE_CHECKING:
    from polars import DataFrame

    from dongcha.assemble import Shop

PERIODS: Final = 40
"""How many weeks or days a line of moods shows."""
TOLD_WORDS: Final = 4
TOLD_TOPICS: Final = 6
MONTHS: Final = 12
SUREST: Final = 0.99
"""Nothing is told as surer than this."""


def draw_subjects(shop: Shop, as_of: str | None, answer: DataFrame, top: int, language: str) -> None:
    """Alerts first, the surest first, each a sentence; then the moods over time; of one subject its topics too."""
    insight = shop.insights["brand"]
    cutoff = str(shop.last_score("brand", as_of)["as_of"])[:10]
    stdout().print(f"[bold]{insight.question[language]}[/]  ({say('as_of', language)} {cutoff})")
    there = set(answer[c.ENTITY_ID])
    draw_alerts(shop, [alert for alert in shop.alerts(as_of=as_of) if alert[c.SUBJECT_ID] in there][:top], language)
    rows = [
        (
            named(shop, row[c.ENTITY_ID], language),
            figure(int(sum(pair[c.VALUE] for pair in row["texts_over_time"] or []))),
            _mood(row["brand_mood"]),
            insight.say(row["mood_alert"], language),
            figure(min(row["mood_turned"], SUREST), PROBABILITY),
            sparkline([pair[c.VALUE] for pair in row["mood_over_time"] or []][-PERIODS:]),
        )
        for row in answer.head(top).iter_rows(named=True)
    ]
    keys = ("subject", "reviews", "mood_now", "mood_is", "how_sure", "over_time")
    table("", [say(key, language) for key in keys], rows)
    if len(answer) == 1:
        _draw_topics(shop, as_of, answer[c.ENTITY_ID][0], language)


def draw_alerts(shop: Shop, alerts: list[dict[str, Any]], language: str) -> None:
    """Each alert as a sentence, with the topic, the words and reviews that explain it."""
    if not alerts:
        stdout().print(f"  {say('no_alerts', language)}")
    for alert in alerts:
        values = {
            "subject": named(shop, alert[c.SUBJECT_ID], language),
            "before": _mood(alert["before"]),
            "now": _mood(alert["mood"]),
            "since": alert["since"],
            "sure": figure(min(alert["sure"], SUREST), PROBABILITY),
            "reviews": f"{alert['reviews_since']:,}",
        }
        mark = "[red]▼[/]" if alert["alert"] == "falling" else "[green]▲[/]"
        lines = [say(f"alert_{alert['alert']}", language, **values), _topic_line(alert["topic"], language)]
        told = "; ".join(_moved(w["word"], w["before"], w["since"]) for w in alert["words"][:TOLD_WORDS])
        if told:
            lines.append(f"{say('more_said', language)} {told}")
        stdout().print(f"  {mark} [bold]{lines[0]}[/]", soft_wrap=True)
        for line in filter(None, lines[1:]):
            stdout().print(f"    {line}", markup=False, soft_wrap=True)
        for example in alert["examples"]:
            stdout().print(f"    «{shortened(example[c.TEXT], 120)}»", markup=False, soft_wrap=True)


def named(shop: Shop, subject: str, language: str) -> str:
    """A subject in words: its kind and its name.

    Products are called by their name where they have one.
    """
    kind, name = subject.split("/", maxsplit=1)
    if kind == "shop":
        return say("whole_shop", language)
    shown = shop.product_names.get(name, name) if kind == "product" else name
    return f"{say(f'kind_{kind}', language)} {shown}"


def _topic_line(topic: dict[str, Any] | None, language: str) -> str:
    if topic is None:
        return ""
    values = {"topic": topic["topic"], "before": figure(topic["share_before"], PROBABILITY)}
    values |= {"since": figure(topic["share"], PROBABILITY), "mood": _mood(topic["mood"])}
    if topic["share"] > topic["share_before"]:
        return say("topic_more", language, **values)
    return say("topic_mood", language, **values, was=_mood(topic["mood_before"]))


def _moved(what: str, before: float, since: float) -> str:
    return f"{what} ({figure(before, PROBABILITY)} → {figure(since, PROBABILITY)})"


def _mood(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}"


def _draw_topics(shop: Shop, as_of: str | None, subject: str, language: str) -> None:
    """The topics of one subject: their shares month by month, and how they feel."""
    import polars as pl

    from dongcha.as_of import AsOf
    from dongcha.profiles.alerts import topic_shares

    said, topics = shop.opinions(AsOf(shop.last_score("brand", as_of)["as_of"]))
    shares = topic_shares(said, topics, subject)
    months = shares[c.MONTH].unique().sort().to_list()[-MONTHS:]
    late = {month: place for place, month in enumerate(months)}
    rows = []
    for (topic,), part in shares.sort(c.MONTH).group_by(["topic"], maintain_order=True):
        by_month = [0.0] * len(months)
        for row in part.iter_rows(named=True):
            if row[c.MONTH] in late:
                by_month[late[row[c.MONTH]]] = row["share"]
        mood = part.select(pl.col("mood").dot("reviews") / pl.col("reviews").sum()).item()
        rows.append((int(part["reviews"].sum()), topic, by_month, mood))
    shown = [
        (topic, f"{count:,}", _mood(mood), sparkline(by_month, 0.1), figure(by_month[-1], PROBABILITY))
        for count, topic, by_month, mood in sorted(rows, key=lambda row: (-row[0], str(row[1])))[:TOLD_TOPICS]
    ]
    if shown:
        keys = ("topic", "reviews", "feels", "share_by_month", "share_now")
        table("", [say(key, language) for key in keys], shown)
