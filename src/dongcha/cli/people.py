"""Commands about customers, and what they ask: profile, audience, ask."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dongcha import columns as c
from dongcha.cli.options import HERE, Json, LanguageOption, Workspace, opened

if TYPE_CHECKING:
    from dongcha.answers.answering import Answer
    from dongcha.assemble import Shop


def profile(
    customer_id: Annotated[str, typer.Argument(metavar="CUSTOMER_ID")],
    language: LanguageOption = None,
    workspace: Workspace = HERE,
    json: Json = False,
) -> None:
    """One customer's story: who, what they buy, what they feel, what next, what to do, and why."""
    from dongcha.cli.render import print_json

    with opened(workspace) as shop:
        found = shop.profile(customer_id, language=language)
        if json:
            print_json(found)
        else:
            _draw(shop, found, language or shop.settings.shop.language)


def _draw(shop: Shop, found: dict[str, Any], language: str) -> None:
    from dongcha.cli.render import figure, stdout, table
    from dongcha.cli.words import say

    as_of = f"({say('as_of', language)} {found['as_of']})"
    stdout().print(f"[bold]{say('customer', language)} {found['customer_id']}[/]  {as_of}")
    for chapter, lines in found["story"].items():
        if lines:
            stdout().print(f"\n[bold cyan]{say(f'story_{chapter}', language)}[/]")
        for line in lines:
            stdout().print(f"  {line['text']}", markup=False, soft_wrap=True)
            if line["because"]:
                stdout().print(f"    {line['because']}", markup=False, soft_wrap=True, style="dim")
    rows = [
        (o["order_id"], figure(o["happened_at"]), f"{o['lines']}", figure(o["value"], "money", shop.currency))
        for o in found["orders"]
    ]
    table(say("recent_orders", language), [say(k, language) for k in ("order", "date", "lines", "value")], rows, left=2)
    _draw_texts(shop, found["texts"], language)


def _draw_texts(shop: Shop, texts: list[dict[str, Any]], language: str) -> None:
    """What the customer said lately, with what the insights about texts say of it."""
    from dongcha.cli.render import figure, table
    from dongcha.cli.tables import say_answer
    from dongcha.cli.words import say
    from dongcha.insight_kit.telling import shortened

    told = [(k, o) for k in shop.insights if k.entity == c.TEXT_ID for o in k.yields if texts and o.name in texts[0]]
    rows = [
        (
            figure(row[c.HAPPENED_AT]),
            shortened(row[c.TEXT]),
            figure(row[c.RATING]),
            *(say_answer(shop, insight, output, row[output.name], language) for insight, output in told),
        )
        for row in texts
    ]
    columns = [say(k, language) for k in ("date", "text", "stars")] + [o.title(language) for _, o in told]
    if rows:
        table(say("said", language), columns, rows, left=2)


def audience(
    rule: Annotated[str, typer.Argument(help='For example: "churn_probability > 0.6 and lifetime_value > 500".')],
    csv: Annotated[Path | None, typer.Option(help="Write the customers there.", metavar="FILE")] = None,
    top: Annotated[int, typer.Option(help="How many rows to print.", min=1)] = 20,
    workspace: Workspace = HERE,
    json: Json = False,
) -> None:
    """The customers who match a rule over everything the insights answer."""
    from dongcha.cli.render import figure, print_json, stdout, table

    with opened(workspace) as shop:
        found = shop.audience(rule)
        units = {output.name: output.unit for insight in shop.insights for output in insight.yields}
        currency = shop.currency
    if csv is not None:
        found.write_csv(csv)
    if json:
        print_json(found.to_dicts())
        return
    stdout().print(f"[bold]{len(found):,}[/] customers match." + (f" Written to {csv}." if csv else ""), soft_wrap=True)
    rows = [
        [figure(value, units.get(k, ""), currency) for k, value in row.items()]
        for row in found.head(top).iter_rows(named=True)
    ]
    table("", found.columns, rows)


def ask(
    question: Annotated[str, typer.Argument(help='For example: "How do I return something?"')],
    customer: Annotated[
        str | None, typer.Option(help="The customer who asks, by id: answered from their own orders too.", metavar="ID")
    ] = None,
    workspace: Workspace = HERE,
    json: Json = False,
) -> None:
    """A question answered from pages, products, reviews and past conversations; without --customer, staff asks."""
    from dongcha.cli.render import print_json

    with opened(workspace) as shop:
        found = shop.ask(question, customer)
    if json:
        print_json(found.to_dict())
    else:
        _draw_answer(found)


def _draw_answer(found: Answer) -> None:
    from dongcha.cli.render import figure, stdout, table
    from dongcha.cli.words import say
    from dongcha.insight_kit.telling import shortened

    language = found.language
    stdout().print(found.text, markup=False, soft_wrap=True)
    for note in found.notes:
        stdout().print(note, markup=False, style="dim", soft_wrap=True)
    rows = [
        (f"{s.table}/{s.source_id}", s.title, shortened(s.passage, 300), s.url, figure(s.sure, "probability"))
        for s in found.sources
    ]
    if rows:
        columns = [say(k, language) for k in ("source", "title", "passage", "link", "sure")]
        stdout().print()
        table(say("sources" if found.known else "nearest", language), columns, rows, left=4)
    facts = [
        (say("sure", language), figure(found.sure, "probability")),
        (say("intent", language), found.intent or "–"),
        (say("feels", language), "–" if found.mood is None else f"{found.mood} ({found.mood_value:+.2f})"),
        (say("person", language), "; ".join(found.why) or "–"),
    ]
    for name, told in facts:
        stdout().print(f"{name}: {told}", markup=False, soft_wrap=True)


COMMANDS = (profile, audience, ask)
