"""Any insight's answers, drawn from the kinds of output that it yields, so that a new one shows with no edit here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.dashboard import charts, look, maps, parts
from dongcha.dashboard.said import example_text
from dongcha.dashboard.said import named as subject
from dongcha.dashboard.shell import Page, top
from dongcha.dashboard.view import View
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.outputs import Output, Ranking

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS: Final = 20
LISTED: Final = 10
GROUPS: Final = 20
LABELS: Final = 15
LINES: Final = 6
MAPPED: Final = 2500
ENTITIES: Final = {
    c.CUSTOMER_ID: "customer",
    c.PRODUCT_ID: "product",
    c.ORDER_ID: "order",
    c.TEXT_ID: "text",
    c.SUBJECT_ID: "subject",
}
"""What an insight is about → the key of its word."""
FEW: Final = 2
"""Dimensions of a map."""


@dataclass(frozen=True)
class Told:
    """An insight's answer, and for whom it is drawn."""

    view: View
    insight: Insight
    answer: pl.DataFrame

    def named(self, entities: list[str]) -> dict[str, str]:
        """What some of its entities are called: customers and products by name, texts by what they say."""
        view, kind = self.view, self.insight.entity
        if kind == c.CUSTOMER_ID:
            called = view.data.people().called(entities)
            return {entity: view.who(entity, called.get(entity)) for entity in entities}
        if kind == c.PRODUCT_ID:
            return {entity: view.data.product_names().get(entity, entity) for entity in entities}
        if kind == c.SUBJECT_ID:
            return {entity: subject(view, entity) for entity in entities}
        if kind == c.TEXT_ID:
            said = view.data.said().filter(pl.col(c.TEXT_ID).is_in(entities))
            return {key: example_text(view, text) for key, text in said.select(c.TEXT_ID, c.TEXT).iter_rows()}
        return {entity: entity for entity in entities}


def page_of(name: str) -> Page:
    """The page of an insight that has none of its own."""

    async def draw(view: View, arguments: Mapping[str, str]) -> None:
        await draw_insight(view, view.data.insight(name))

    return Page(f"/insights/{name}", name, "insights", "group_more", draw, tells=(name,))


async def draw_insight(view: View, insight: Insight) -> None:
    """Every output in turn, then the highest rows with their reasons, then what the answer is not for."""
    as_of = await view.fetch(lambda d: d.scored_as_of(insight.name))
    top(view, insight.question[view.language], view.say("as_of", as_of=as_of) if as_of else "")
    answer = await view.fetch(lambda d: d.need(insight.name))
    told = Told(view, insight, answer)
    draws = {"value": _value, "group": _group, "ranking": _ranking, "series": _series, "vector": _vector}
    outputs = [output for output in insight.yields if answer[output.name].is_not_null().any()]
    with parts.grid():
        for place, output in enumerate(outputs):
            last_alone = len(outputs) % 2 == 1 and place == len(outputs) - 1
            await draws[output.kind](told, output, 12 if last_alone else 6)
    await _rows(told)
    limits = insight.limits.get(view.language)
    if limits:
        with parts.grid(), parts.card(view.say("limits"), limits):
            pass


async def _value(told: Told, output: Output, width: int) -> None:
    """How the numbers are spread."""
    view = told.view
    values = told.answer[output.name].drop_nulls().to_numpy()
    times, unit = _scale(view, output)
    edges = round_edges(values * times)
    counts, _ = np.histogram(np.clip(values * times, edges[0], edges[-1]), edges)
    labels = [f"{edge:g}" for edge in edges[:-1]]
    middle = float(np.median(values))
    title = view.say(
        "value_title",
        name=view.first_up(output.title(view.language)),
        middle=view.value(middle, output.unit),
        high=view.value(float(np.quantile(values, 0.9)), output.unit),
    )
    option = charts.columns(look.palette(view.dark), labels, {view.say("count"): counts.tolist()}, x_name=unit)
    frame = pl.DataFrame({"from": edges[:-1] / times, "to": edges[1:] / times, "count": counts})
    sub = view.say("value_sub", n=view.number(len(values)), unit=unit or view.say("plain_number"))
    parts.chart_card(view, title, sub, option, frame, output.name, width=width)


def round_edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Some 20 round numbers, evenly apart, that hold all but the highest hundredth of the values."""
    low, high = float(values.min()), float(np.quantile(values, 0.99))
    exact = max(high - low, abs(high) * 1e-6, 1e-9) / BINS
    size = 10.0 ** np.floor(np.log10(exact))
    step = size * next(round_ for round_ in (1, 2, 2.5, 5, 10) if round_ * size >= exact * (1 - 1e-9))
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    return np.asarray(np.round(np.arange(first, max(last, first + 1) + 1) * step, 10), np.float64)


def _scale(view: View, output: Output) -> tuple[float, str]:
    if output.unit in {"probability", "share"}:
        return 100, "%"
    return 1, view.currency if output.unit == "money" else view.unit_of(output.unit)


async def _group(told: Told, output: Output, width: int) -> None:
    """How many are in each."""
    view, insight, answer = told.view, told.insight, told.answer
    sizes = answer[output.name].drop_nulls().value_counts().sort("count", output.name, descending=[True, False])
    shown = sizes.head(GROUPS)
    if sizes.is_empty():
        return
    labels = [view.topic(insight.say(name, view.language)) for name in shown[output.name]]
    share = shown["count"][0] / int(sizes["count"].sum())
    title = view.say(
        "group_title",
        name=view.first_up(output.title(view.language)),
        n=len(sizes),
        group=labels[0],
        share=view.percent(share),
    )
    option = charts.bars(look.palette(view.dark), labels, shown["count"].to_list(), name=output.title(view.language))
    parts.chart_card(view, title, view.say("group_sub"), option, sizes, output.name, width=width)


async def _ranking(told: Told, output: Output, width: int) -> None:
    """What is listed most."""
    view, insight, answer = told.view, told.insight, told.answer
    labels = answer[output.name].explode().drop_nulls().struct.field(c.LABEL)
    counted = labels.value_counts().sort("count", c.LABEL, descending=[True, False])
    if counted.is_empty():
        return
    names = view.data.product_names() if isinstance(output, Ranking) and output.of == c.PRODUCT_ID else {}
    shown = counted.head(LABELS)
    labels_told = [names.get(k) or insight.say(k, view.language) for k in shown[c.LABEL]]
    title = view.say("ranking_title", name=view.first_up(output.title(view.language)), first=labels_told[0])
    option = charts.bars(
        look.palette(view.dark), labels_told, shown["count"].to_list(), name=output.title(view.language)
    )
    parts.chart_card(view, title, view.say("ranking_sub"), option, counted, output.name, width=width, kind="tall")


async def _series(told: Told, output: Output, width: int) -> None:
    """The longest few, as lines."""
    view, answer = told.view, told.answer
    longest = (
        answer.filter(pl.col(output.name).is_not_null())
        .sort(pl.col(output.name).list.len(), descending=True)
        .head(LINES)
    )
    names = await view.fetch(lambda _: told.named(longest[c.ENTITY_ID].to_list()))
    lines = {
        names.get(row[c.ENTITY_ID], row[c.ENTITY_ID]): [
            (pair[c.LABEL], round(pair[c.VALUE], 4)) for pair in row[output.name]
        ]
        for row in longest.iter_rows(named=True)
    }
    title = view.say("series_title", name=view.first_up(output.title(view.language)), n=view.number(len(answer)))
    option = charts.lines(look.palette(view.dark), lines, _scale(view, output)[1])
    frame = longest.select(c.ENTITY_ID, output.name)
    parts.chart_card(view, title, view.say("series_sub", n=len(lines)), option, frame, output.name, width=width)


async def _vector(told: Told, output: Output, width: int) -> None:
    """A map of the two directions in which the vectors differ most."""
    view, whole = told.view, told.answer.drop_nulls(output.name)
    shown = whole.sample(MAPPED, seed=1) if len(whole) > MAPPED else whole
    vectors = shown[output.name].to_numpy()
    centred = vectors - vectors.mean(axis=0)
    _, strengths, ways = np.linalg.svd(centred, full_matrices=False)
    places = centred @ ways[:FEW].T
    share = float((strengths[:FEW] ** 2).sum() / max(float((strengths**2).sum()), 1e-12))
    if places.shape[1] < FEW:
        return
    names = await view.fetch(lambda _: told.named(shown[c.ENTITY_ID].to_list()))
    points = [
        (round(float(x), 4), round(float(y), 4), names.get(entity, entity), entity)
        for (x, y), entity in zip(places, shown[c.ENTITY_ID], strict=True)
    ]
    title = view.say("vector_title", name=view.first_up(output.title(view.language)), share=view.percent(share))
    option = maps.scatter(look.palette(view.dark), {"": points}, bare=True)
    sub = view.say("vector_sub", n=view.number(len(shown)), size=vectors.shape[1])
    frame = pl.DataFrame({c.ENTITY_ID: shown[c.ENTITY_ID], "x": places[:, 0], "y": places[:, 1]})
    parts.chart_card(view, title, sub, option, frame, output.name, width=width, kind="tall")


async def _rows(told: Told) -> None:
    """The first rows by the first number, each with its reasons."""
    view, insight, answer = told.view, told.insight, told.answer
    shown = [output for output in insight.yields if output.kind in {"value", "group", "ranking"}]
    if not shown:
        return
    first = next((output for output in shown if output.kind == "value"), shown[0])
    if first.kind == "value":
        answer = answer.sort(first.name, c.ENTITY_ID, descending=[True, False], nulls_last=True)
    listed = answer[c.ENTITY_ID].head(LISTED).to_list()
    names, reasons = await view.fetch(lambda d: (told.named(listed), d.reasons_of(insight.name, listed)))
    rows = []
    for row in answer.head(LISTED).iter_rows(named=True):
        entity = row[c.ENTITY_ID]
        who: str = names.get(entity, entity)
        if insight.entity == c.CUSTOMER_ID:
            who = parts.link(who, f"/customers/{quote(entity, safe='')}")
        cells = [view.told(insight.name, output, row[output.name]) for output in shown]
        rows.append((who, *cells, view.because(reasons.get(entity, []))))
    titles = [(view.first_up(o.title(view.language)), "num" if o.kind == "value" else "") for o in shown]
    what = ENTITIES.get(insight.entity, "subject")
    columns = [(view.say(what), "why" if what == "text" else "key"), *titles, (view.say("reasons"), "why")]
    title = view.say("rows_title", name=first.title(view.language))
    with parts.grid():
        parts.table_card(
            view, title, view.say("rows_sub", n=view.number(len(answer))), columns, rows, answer, insight.name
        )
