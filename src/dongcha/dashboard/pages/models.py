"""Models: who answers, how good beside the baselines, what drifted, and the promotions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any, Final

import polars as pl
from nicegui import ui

from dongcha.dashboard import charts, look, parts
from dongcha.dashboard.shell import Page, top
from dongcha.dashboard.versions import versions_card
from dongcha.dashboard.view import View
from dongcha.errors import MissingDataError
from dongcha.evaluation.drift import SHIFTED

AUDITED: Final = 12
SHORT: Final = frozenset({"auc", "auprc", "mrr", "rmse", "mae", "ndcg", "f1", "ks", "wape", "npmi", "ari"})


async def draw(view: View, arguments: Mapping[str, str]) -> None:
    """All champions in a table, one model closely below it, the log last."""
    top(view, view.say("page_models"), view.say("models_lead"))
    models = await view.fetch(lambda d: d.models())
    if not models:
        raise MissingDataError(view.say("models_none"), "dongcha run")
    found = await view.fetch(lambda d: {m["insight"]: d.card(m["insight"]) for m in models})
    cards = {name: card for name, card in found.items() if card}
    with parts.grid():
        _champions(view, cards)
    with parts.grid(), ui.element("div").classes("w12"):
        options = {name: f"{name}: {view.data.insight(name).question[view.language]}" for name in cards}
        field = ui.select(options, value=next(iter(cards)), label=view.say("models_which"))
        field.props("outlined dense options-dense").style("width: min(560px, 100%)")
    chosen = ui.element("div").classes("stack")

    def choose() -> None:
        chosen.clear()
        name = str(field.value)
        with chosen:
            with parts.grid():
                _backtests(view, cards[name])
                _drift(view, cards[name])
            with parts.grid():
                _card(view, cards[name])
                versions_card(view, name, models)

    field.on_value_change(choose)
    choose()
    audit = await view.fetch(lambda d: d.audit())
    with parts.grid():
        _audit(view, audit)


def _means(card: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    return dict(card["mean_metrics"])


def _baselines(view: View, name: str) -> list[str]:
    return [k.name for k in view.data.insight(name).contenders() if k.role.value == "baseline"]


def _champions(view: View, cards: Mapping[str, dict[str, Any]]) -> None:
    rows, frame, beaten = [], [], 0
    for name, card in cards.items():
        insight, means = view.data.insight(name), _means(card)
        head, rivals = insight.headline, [k for k in _baselines(view, name) if k in means]
        ours = means.get(card["contender"], {}).get(head.name)
        best = max(
            (means[k][head.name] for k in rivals if means[k][head.name] == means[k][head.name]),
            key=head.goodness,
            default=None,
        )
        beaten += bool(card["beats_baseline"])
        told = ("beats", "good") if card["beats_baseline"] else ("beats_not", "warn")
        rows.append(
            (
                _called(view, name),
                card["contender"].replace("_", " "),
                _named(head.name),
                _metric(view, ours),
                _metric(view, best),
                parts.pill(view.say(told[0]), told[1]),
                card["as_of"][:10],
            )
        )
        frame.append(
            {
                "insight": name,
                "answered_by": card["contender"],
                "metric": head.name,
                "ours": ours,
                "best_baseline": best,
            }
        )
    columns = [
        (view.say("insight"), "key"),
        (view.say("by"), ""),
        (view.say("metric"), ""),
        (view.say("ours"), "num"),
        (view.say("baseline"), "num"),
        ("", ""),
        (view.say("trained"), "date"),
    ]
    title = view.say("champions_title", beaten=beaten, n=len(cards))
    parts.table_card(view, title, view.say("champions_sub"), columns, rows, pl.DataFrame(frame), "models")


def _called(view: View, name: str) -> parts.Markup:
    """An insight by the name that commands know it by, and its question."""
    return parts.Markup(
        f'{escape(name)}<span class="sub">{escape(view.data.insight(name).question[view.language])}</span>'
    )


def _named(metric: str) -> str:
    """A metric as it is written: probe_auc as "probe AUC", ndcg_at_10 as "NDCG@10"."""
    words = [word.upper() if word in SHORT else word for word in metric.replace("_at_", "@").split("_")]
    return re.sub(r"^(\w+)@", lambda found: f"{found[1].upper()}@", " ".join(words))


def _metric(view: View, value: float | None) -> str:
    if value is None or value != value:  # noqa: PLR0124 not a number
        return "–"
    return view.number(value, 0 if abs(value) >= 100 else 3)


def _backtests(view: View, card: Mapping[str, Any]) -> None:
    folds, head = card["folds"], card["headline"]
    if not folds:
        parts.note(view.say("folds_none"), view.say("folds_none_sub"), width=7)
        return
    rivals = _baselines(view, card["insight"])
    names = [card["contender"], *[k for k in folds[0]["metrics"] if k != card["contender"]]]
    lines = {
        f"{name.replace('_', ' ')}{' · ' + view.say('is_baseline') if name in rivals else ''}": [
            (f["as_of"][:10], round(f["metrics"][name][head], 4))
            for f in folds
            if name in f["metrics"] and f["metrics"][name][head] == f["metrics"][name][head]
        ]
        for name in names
    }
    insight = view.data.insight(card["insight"])
    way = view.say("more_is_better" if insight.headline.more_is_better else "less_is_better")
    means = _means(card)
    best = max((means[k][head] for k in rivals if k in means), key=insight.headline.goodness, default=None)
    title = view.say(
        "folds_title",
        metric=view.first_up(_named(head)),
        ours=_metric(view, means[card["contender"]][head]),
        best=_metric(view, best),
        n=len(folds),
    )
    rows = [{"as_of": f["as_of"], "n": f["n"], "contender": k, **v} for f in folds for k, v in f["metrics"].items()]
    option = charts.lines(look.palette(view.dark), lines, x="category")
    sub = view.say("folds_sub", metric=_named(head), way=way, days=card["horizon_days"])
    parts.chart_card(view, title, sub, option, pl.DataFrame(rows), f"backtest-{card['insight']}", width=7)


def _drift(view: View, card: Mapping[str, Any]) -> None:
    moved = card["quality"].get("drift") or []
    if not moved:
        parts.note(view.say("drift_none"), view.say("drift_none_sub"), width=5)
        return
    features = view.data.features()
    labels = [features[r["feature"]].docs[view.language] if r["feature"] in features else r["feature"] for r in moved]
    values = [round(r["stability_index"], 3) for r in moved]
    shifted = sum(v > SHIFTED for v in values)
    title = view.say("drift_title", n=shifted, feature=labels[0]) if shifted else view.say("drift_fine")
    option = charts.bars(look.palette(view.dark), labels, values, name=title)
    parts.chart_card(
        view,
        title,
        view.say("drift_sub", mark=SHIFTED),
        option,
        pl.DataFrame(moved),
        f"drift-{card['insight']}",
        width=5,
    )


def _card(view: View, card: Mapping[str, Any]) -> None:
    insight = view.data.insight(card["insight"])
    means = _means(card)
    metrics = [m.name for m in insight.judged_by if any(m.name in found for found in means.values())]
    rivals = _baselines(view, card["insight"])
    rows = [
        (
            parts.Markup(f"<b>{escape(name.replace('_', ' '))}</b>")
            if name == card["contender"]
            else name.replace("_", " "),
            view.say("is_baseline") if name in rivals else parts.Markup(""),
            *(_metric(view, found.get(m)) for m in metrics),
        )
        for name, found in means.items()
    ]
    columns = [(view.say("by"), ""), ("", "why"), *((_named(m), "num") for m in metrics)]
    trained = card["trained_on"]
    span = f"{trained[0]['as_of'][:10]} – {trained[-1]['as_of'][:10]}" if trained else "–"
    title = view.say("card_title", version=card["version"], by=card["contender"].replace("_", " "))
    with parts.card(title, card["why"], width=8):
        if rows:
            parts.table(columns, rows)
        facts = view.say("card_facts", n=len(trained), span=span, seed=card["seed"], dongcha=card["dongcha"])
        limits = card["limits"].get(view.language, "")
        ui.html(f'<p class="foot">{escape(facts)}</p><p class="foot">{escape(limits)}</p>', sanitize=False)


def _audit(view: View, audit: list[dict[str, Any]]) -> None:
    rows = [
        (f"{r['made_at']:%Y-%m-%d %H:%M}", r["insight"], r["version"], r["action"], r["actor"], r["why"]) for r in audit
    ]
    columns = [
        (view.say("when"), "date"),
        (view.say("insight"), "key"),
        (view.say("version"), ""),
        (view.say("action"), ""),
        (view.say("actor"), ""),
        (view.say("reasons"), "why"),
    ]
    frame = pl.DataFrame(audit) if audit else None
    parts.table_card(
        view, view.say("audit_title", n=len(rows)), view.say("audit_sub"), columns, rows[:AUDITED], frame, "audit"
    )


PAGE: Final = Page("/models", "page_models", "model_training", "group_machine", draw)
