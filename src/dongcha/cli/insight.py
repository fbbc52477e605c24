"""Commands about insight: run, train, score, backtest, show, publish."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dongcha import columns as c
from dongcha.cli.options import HERE, AsOfOption, Insights, Json, LanguageOption, Workspace, opened
from dongcha.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from dongcha.assemble import Shop


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
    from dongcha.cli.tables import draw_answers, draw_aspects, draw_groups
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
            draw_answers(shop, insight, as_of, answer.head(top), speech)
            if customer is None and any(output.unit == FELT for output in shop.insights[insight].yields):
                draw_aspects(shop, insight, as_of, speech, top)


def _answer(shop: Shop, name: str, as_of: str | None, customer: str | None) -> pl.DataFrame:
    import polars as pl

    answer = shop.scores(name, as_of=as_of)
    if shop.insights[name].entity == c.TEXT_ID:
        said = shop.said.select(pl.col(c.TEXT_ID).alias(c.ENTITY_ID), c.TEXT)
        answer = answer.join(said, on=c.ENTITY_ID, how="left", maintain_order="left")
    if customer is not None:
        answer = answer.filter(pl.col(c.ENTITY_ID).is_in(_entities_of(shop, name, customer)))
        if answer.is_empty():
            raise UsageError(
                f"{name} has no answer for '{customer}'.", "A customer is scored after the first purchase."
            )
    numbers = [o.name for o in shop.insights[name].yields if o.kind == "value"]
    return answer.sort(numbers[0], descending=True, nulls_last=True, maintain_order=True) if numbers else answer


def _entities_of(shop: Shop, name: str, customer: str) -> list[str]:
    """What an insight answers about where one customer is meant: of orders, theirs; else the id that was given."""
    from dongcha.features.point_in_time import Snapshot
    from dongcha.profiles.orders import orders_of

    if shop.insights[name].entity != c.ORDER_ID:
        return [customer]
    orders = orders_of(Snapshot(shop.lake, shop.as_of()))
    return [customer, *orders.filter(orders[c.CUSTOMER_ID] == customer)[c.ORDER_ID]]


def _print_answers(shop: Shop, name: str, as_of: str | None, answer: pl.DataFrame) -> None:
    from dongcha.cli.render import print_json

    reasons = shop.reasons_by_entity(name, as_of=as_of)
    told = [{**row, "reasons": reasons.get(row[c.ENTITY_ID], [])} for row in answer.iter_rows(named=True)]
    if shop.insights[name].entity == c.SUBJECT_ID:
        explained = {alert[c.SUBJECT_ID]: alert for alert in shop.alerts(as_of=as_of)}
        told = [{**row, "alert": explained.get(row[c.ENTITY_ID])} for row in told]
    print_json(told)


def publish(workspace: Workspace = HERE, json: Json = False) -> None:
    """Make the serving view anew: what the REST API and the dashboard read. `run` and `score` do it by themselves."""
    from dataclasses import asdict

    from dongcha.cli.render import print_json, stdout

    with opened(workspace) as shop:
        made = shop.publish(again=True)
    if json:
        print_json(asdict(made))
    else:
        stdout().print(f"Published {made.customers:,} customers in {made.seconds:,.1f} s: {made.run}.", soft_wrap=True)


COMMANDS = (run, train, score, backtest, show, publish)
