"""Commands about insight: run, train, score, backtest, show, models, audit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dongcha import columns as c
from dongcha.cli.options import HERE, AsOfOption, Insights, Json, LanguageOption, Workspace, opened
from dongcha.errors import UsageError

STARS = ("praised_stars", "blamed_stars")
EXAMPLE = 60
"""Characters of an example sentence."""

if TYPE_CHECKING:
    import polars as pl

    from dongcha.assemble import Shop
    from dongcha.insight_kit.base import Insight
    from dongcha.insight_kit.outputs import Output


def run(as_of: AsOfOption = None, workspace: Workspace = HERE, json: Json = False) -> None:
    """Do everything that can be done: backtest, train, promote, score. Repeats only what changed."""
    from dataclasses import asdict

    from dongcha.cli.render import print_json, table

    with opened(workspace) as shop:
        outcomes = shop.run(as_of=as_of)
    if json:
        print_json([asdict(outcome) for outcome in outcomes])
    else:
        rows = [(o.insight, *_outcome(o)) for o in outcomes]
        table("Run", ("insight", "what", "version", "answers by", "customers", "why"), rows, left=4)
    if any(outcome.failed for outcome in outcomes):
        raise typer.Exit(1)


def _outcome(outcome: Any) -> tuple[str, ...]:
    if outcome.skipped or outcome.failed:
        return ("failed" if outcome.failed else "skipped", "", "", "", outcome.failed or outcome.skipped)
    done = "unchanged" if outcome.unchanged else "trained, scored"
    trained, scored = outcome.trained, outcome.scored
    return (done, scored.version, trained.contender, f"{scored.rows:,}", trained.why)


def train(insights: Insights = None, as_of: AsOfOption = None, workspace: Workspace = HERE, json: Json = False) -> None:
    """Fit models on everything known; promote those that beat champion and baseline."""
    from dataclasses import asdict

    from dongcha.cli.render import print_json, table

    with opened(workspace) as shop:
        made = shop.train(*(insights or ()), as_of=as_of)
    if json:
        print_json({name: asdict(trained) for name, trained in made.items()})
        return
    rows = [(name, t.version, t.contender, t.champion, t.why) for name, t in made.items()]
    table("Trained", ("insight", "version", "answers by", "champion", "why"), rows, left=4)


def score(insights: Insights = None, as_of: AsOfOption = None, workspace: Workspace = HERE, json: Json = False) -> None:
    """Let the champions answer for every customer, with reasons, into the ledger."""
    from dataclasses import asdict

    from dongcha.cli.render import print_json, table

    with opened(workspace) as shop:
        made = shop.score(*(insights or ()), as_of=as_of)
    if json:
        print_json({name: asdict(scored) for name, scored in made.items()})
        return
    rows = [(n, s.version, f"{s.rows:,}", "unchanged" if s.unchanged else "scored") for n, s in made.items()]
    table("Scored", ("insight", "version", "customers", "what"), rows, left=2)


def backtest(
    insights: Insights = None,
    folds: Annotated[int | None, typer.Option(help="How many cutoffs; by default the workspace's.", min=1)] = None,
    as_of: AsOfOption = None,
    workspace: Workspace = HERE,
    json: Json = False,
) -> None:
    """Test every contender at rolling cutoffs, each fitted only on what was known then."""
    from dongcha.cli.render import print_json

    with opened(workspace) as shop:
        rows = shop.backtest(*(insights or ()), as_of=as_of, folds=folds)
        declared = {insight.name: insight for insight in shop.insights.pick(insights or [])}
    if json:
        print_json(rows)
        return
    for name, insight in declared.items():
        _draw_folds(insight, [row for row in rows if row["insight"] == name])


def _draw_folds(insight: Any, rows: list[dict[str, Any]]) -> None:
    from dongcha.cli.render import stdout, table

    if not rows:
        stdout().print(f"{insight.name}: the history is too short for a backtest.")
        return
    metrics = list(rows[0]["metrics"])
    roles = (("candidates", ""), ("baselines", " (baseline)"))
    lines = [
        (
            row["as_of"],
            f"{row['n']:,}",
            name + mark + (" ←" if name == row["contender"] else ""),
            *_cells(found, metrics),
        )
        for row in rows
        for role, mark in roles
        for name, found in row[role].items()
    ]
    means = [
        (
            "mean",
            "",
            name + mark,
            *_cells({m: sum(r[role][name][m] for r in rows) / len(rows) for m in metrics}, metrics),
        )
        for role, mark in roles
        for name in rows[0][role]
    ]
    chosen = (
        "mean",
        "",
        "as chosen ←",
        *_cells({m: sum(r["metrics"][m] for r in rows) / len(rows) for m in metrics}, metrics),
    )
    title = f"{insight.name}: {len(rows)} folds, {rows[0]['horizon_days']} days ahead (← chosen on earlier folds)"
    table(title, ("as of", "n", "contender", *metrics), [*lines, *means, chosen], left=1)
    promoted = rows[0]["promoted"]
    stdout().print(
        f"  {'[green]✓[/] promoted: ' + promoted if promoted else '[yellow]![/] no candidate beats the baselines'}"
    )


def _cells(found: dict[str, float], metrics: list[str]) -> list[str]:
    return [f"{found[m]:,.0f}" if abs(found[m]) >= 100 else f"{found[m]:.3f}" for m in metrics]


def show(
    insight: Annotated[str, typer.Argument(metavar="INSIGHT")],
    as_of: AsOfOption = None,
    customer: Annotated[str | None, typer.Option(help="Only this one, by its id.", metavar="ID")] = None,
    top: Annotated[int, typer.Option(help="How many rows.", min=1)] = 20,
    csv: Annotated[Path | None, typer.Option(help="Write every row there instead.", metavar="FILE")] = None,
    language: LanguageOption = None,
    workspace: Workspace = HERE,
    json: Json = False,
) -> None:
    """The newest answers of an insight, highest first, each with its reasons."""
    from dongcha.cli.subjects import draw_subjects
    from dongcha.insight_kit.outputs import FELT, flat

    with opened(workspace) as shop:
        answer = _answer(shop, insight, as_of, customer)
        if csv is not None:
            flat(answer).write_csv(csv)
        elif json:
            _print_answers(shop, insight, as_of, answer)
        else:
            speech = language or shop.settings.shop.language
            if shop.insights[insight].entity == c.SUBJECT_ID:
                draw_subjects(shop, as_of, answer, top, speech)
                return
            if customer is None and shop.insights[insight].yields[0].kind == "group":
                draw_groups(shop, insight, as_of, speech)
            _draw_answers(shop, insight, as_of, answer.head(top), speech)
            if customer is None and any(output.unit == FELT for output in shop.insights[insight].yields):
                draw_aspects(shop, insight, as_of, speech, top)


def _answer(shop: Shop, name: str, as_of: str | None, customer: str | None) -> pl.DataFrame:
    import polars as pl

    answer = shop.scores(name, as_of=as_of)
    if shop.insights[name].entity == c.TEXT_ID:
        said = shop.said.select(pl.col(c.TEXT_ID).alias(c.ENTITY_ID), c.TEXT)
        answer = answer.join(said, on=c.ENTITY_ID, how="left", maintain_order="left")
    if customer is not None:
        answer = answer.filter(pl.col(c.ENTITY_ID) == customer)
        if answer.is_empty():
            raise UsageError(
                f"{name} has no answer for '{customer}'.", "A customer is scored after the first purchase."
            )
    numbers = [o.name for o in shop.insights[name].yields if o.kind == "value"]
    return answer.sort(numbers[0], descending=True, nulls_last=True, maintain_order=True) if numbers else answer


def _print_answers(shop: Shop, name: str, as_of: str | None, answer: pl.DataFrame) -> None:
    from dongcha.cli.render import print_json

    reasons = shop.reasons_by_entity(name, as_of=as_of)
    told = [{**row, "reasons": reasons.get(row[c.ENTITY_ID], [])} for row in answer.iter_rows(named=True)]
    if shop.insights[name].entity == c.SUBJECT_ID:
        explained = {alert[c.SUBJECT_ID]: alert for alert in shop.alerts(as_of=as_of)}
        told = [{**row, "alert": explained.get(row[c.ENTITY_ID])} for row in told]
    print_json(told)


def _draw_answers(shop: Shop, name: str, as_of: str | None, answer: pl.DataFrame, language: str) -> None:
    from dongcha.cli.render import table, word_line
    from dongcha.cli.words import say
    from dongcha.features.declare import catalogue
    from dongcha.insight_kit.telling import shortened

    insight, reasons = shop.insights[name], shop.reasons_by_entity(name, as_of=as_of)
    features, of_texts, reader = catalogue(), insight.entity == c.TEXT_ID, shop.reader(language)

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
        say("text" if of_texts else "customer", language),
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


def audit(workspace: Workspace = HERE, json: Json = False) -> None:
    """Who changed which champion, when and why."""
    from dongcha.cli.render import print_json, table

    with opened(workspace) as shop:
        rows = shop.ledger.audit().to_dicts()
    if json:
        print_json(rows)
        return
    lines = [
        (f"{r['made_at']:%Y-%m-%d %H:%M}", r["insight"], r["version"], r["action"], r["actor"], r["why"]) for r in rows
    ]
    table("Audit", ("when", "insight", "version", "action", "who", "why"), lines, left=6)


models = typer.Typer(
    help="Versions of models: list, card, promote, rollback.", no_args_is_help=True, rich_markup_mode=None
)
InsightName = Annotated[str, typer.Argument(metavar="INSIGHT")]


@models.command("list")
def models_list(workspace: Workspace = HERE, json: Json = False) -> None:
    """Every version, its headline beside the baseline's, and which is the champion."""
    from dongcha.cli.render import print_json, table

    with opened(workspace) as shop:
        rows = shop.models()
    if json:
        print_json(rows)
        return
    lines = [
        (r["insight"], r["version"], "★" if r["champion"] else "", r["contender"], r["as_of"], r["why"]) for r in rows
    ]
    table("Models", ("insight", "version", "", "answers by", "as of", "why"), lines, left=6)


@models.command("card")
def models_card(
    insight: InsightName,
    version: Annotated[str | None, typer.Argument(metavar="[VERSION]")] = None,
    workspace: Workspace = HERE,
    json: Json = False,
) -> None:
    """The model card of a version, by default the champion's."""
    from dongcha.cli.card import draw
    from dongcha.cli.render import print_json

    with opened(workspace) as shop:
        card = shop.card(insight, version)
        language = shop.settings.shop.language
    if json:
        print_json(card)
    else:
        draw(card, language)


@models.command("promote")
def models_promote(
    insight: InsightName,
    version: Annotated[str, typer.Argument()],
    why: Annotated[str, typer.Option(help="For the audit log.")] = "",
    workspace: Workspace = HERE,
) -> None:
    """Let a version answer from now on."""
    from dongcha.cli.render import stdout

    with opened(workspace) as shop:
        stdout().print(f"[green]✓[/] {insight} {shop.promote(insight, version, why=why)} is the champion.")


@models.command("rollback")
def models_rollback(
    insight: InsightName,
    version: Annotated[str | None, typer.Argument(metavar="[VERSION]")] = None,
    why: Annotated[str, typer.Option(help="For the audit log.")] = "",
    workspace: Workspace = HERE,
) -> None:
    """Let the champion before this one (or VERSION) answer again."""
    from dongcha.cli.render import stdout

    with opened(workspace) as shop:
        stdout().print(f"[green]✓[/] {insight} {shop.rollback(insight, version, why=why)} is the champion again.")


COMMANDS = (run, train, score, backtest, show, audit)
GROUPS = {"models": models}
