"""Is the mood about a brand, product or category turning, and why?"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, ClassVar, Final

import numpy as np
import polars as pl
from pydantic import Field

from dongcha import columns as c
from dongcha.features.labels import reviewed
from dongcha.features.opinions import rated_mood
from dongcha.insight_kit.base import REASON_SCHEMA, Insight, InsightConfig, Metric, Needs
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.moods import MOOD
from dongcha.insight_kit.outputs import Group, Series, Value
from dongcha.insights.brand.contenders import (
    ALERT,
    CHANGE,
    FALLING,
    LEVEL,
    RISING,
    SINCE,
    STEADY,
    TURNED,
    LongRunMean,
    RecentMean,
    ThreeSigma,
    TurningLevel,
    Watch,
    kind_of,
    said_of,
)
from dongcha.insights.brand.series import ERROR, OVER_TIME, TEXTS
from dongcha.insights.brand.words import told_words, usual, why

AFTER: Final = "mood_after"
AFTER_TEXTS: Final = "texts_after"
SAID: Final = {FALLING: "下降", RISING: "上升", STEADY: "平稳"}


class BrandConfig(InsightConfig):
    """The best rating that a review can have, as in `sentiment`; how likely a turn must be to raise an alert."""

    best_rating: Annotated[float, Field(ge=1, le=5)] = 5.0
    alert_at: Annotated[float, Field(gt=0, lt=1)] = 0.5


class Brand(Insight):
    """The mood of all that is reviewed, now and over time, and an alert where its level has turned.

    Answers for the shop, its brands, categories and products, by their reviews: what stars said, or where many have no
    stars what stars taught words. Judged by what is said in the horizon: an alarm that is right comes nearer to it than
    the long run does, one that is wrong is further off. Not promised: that a turn has the cause that its words suggest.
    """

    name = "brand"
    question: ClassVar[dict[str, str]] = {
        "en": "Is the mood about a brand, product or category turning, and why?",
        "zh": "对某个品牌、商品或品类的情绪是否正在转变？为什么？",
    }
    entity = c.SUBJECT_ID
    needs = Needs((c.REVIEWS,), (), reviewed)
    yields = (
        Group(ALERT, english="mood is", chinese="情绪走势"),
        Value(TURNED, "probability", 0, 1, "how sure", "把握"),
        Value(LEVEL, "", -1, 1, "mood now, −1 to 1", "当前情绪（−1 至 1）"),
        Value(CHANGE, "", -2, 2, "change", "变化"),
        Value(SINCE, "days", 0, english="days since the turn", chinese="转变至今（天）"),
        Series(OVER_TIME, "", -1, 1, "mood over time", "情绪变化"),
        Series(ERROR, "", 0, 1, "standard error", "标准误"),
        Series(TEXTS, "", 0, english="reviews", chinese="评价数"),
    )
    judged_by = (
        Metric("mood_rmse", more_is_better=False),
        Metric("mood_mae", more_is_better=False),
        Metric("alerts"),
        Metric("alerts_right"),
    )
    limits: ClassVar[dict[str, str]] = {
        "en": "By what reviewers say, who are not all customers. Not for judging staff; words are a lead, not a cause.",
        "zh": "仅依据写评价者所言，他们不代表全部客户。不可用于考核员工；词语只是线索，并非原因。",
    }

    Config = BrandConfig
    config: BrandConfig

    def contenders(self) -> tuple[Contender, ...]:
        options = (self.config.best_rating, self.config.alert_at)
        return (TurningLevel(*options), ThreeSigma(*options), LongRunMean(*options), RecentMean(*options))

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        """The mean mood by ratings in the horizon, null where none was given, and how many there were."""
        felt = happened.with_columns(rated_mood(self.config.best_rating).alias(MOOD)).drop_nulls(MOOD)
        counted = felt.group_by(c.SUBJECT_ID).agg(
            pl.col(MOOD).mean().alias(AFTER), pl.len().cast(pl.Float64).alias(AFTER_TEXTS)
        )
        return facts.matched(counted, c.SUBJECT_ID).select(AFTER, pl.col(AFTER_TEXTS).fill_null(0.0))

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        """How far the level is from the mean mood of the horizon, each subject by its reviews in it.

        `alerts`: the share of subjects that are not steady; `alerts_right`: of those of which something was said in
        the horizon, the share for which it was nearer to the new level than to the old.
        """
        after, texts = example.label(AFTER), example.label(AFTER_TEXTS)
        level, change = answer[LEVEL].to_numpy(), answer[CHANGE].to_numpy()
        told = texts > 0
        off = np.abs(after - level)[told]
        alarmed = (answer[ALERT] != STEADY).to_numpy()
        right = (np.abs(after - level) < np.abs(after - (level - change)))[told & alarmed]
        weight = texts[told] / max(texts[told].sum(), 1.0)
        return {
            "mood_rmse": float(np.sqrt(weight @ off**2)) if told.any() else float("nan"),
            "mood_mae": float(weight @ off) if told.any() else float("nan"),
            "alerts": float(alarmed.mean()) if len(alarmed) else float("nan"),
            "alerts_right": float(right.mean()) if len(right) else float("nan"),
        }

    def examine(self, example: Example, answer: pl.DataFrame, groups: pl.Series | None) -> dict[str, Any]:
        """By kind of subject: how many, how many on alert, how far off."""
        kinds = np.array([kind_of(subject) for subject in example.facts.entities])
        after, texts = example.label(AFTER), example.label(AFTER_TEXTS)
        off = np.abs(after - answer[LEVEL].to_numpy())
        rows = []
        for kind in np.unique(kinds):
            mine, told = kinds == kind, (kinds == kind) & (texts > 0)
            alarmed = int((answer[ALERT].to_numpy()[mine] != STEADY).sum())
            mae = float(np.average(off[told], weights=texts[told])) if told.any() else None
            rows.append({"kind": str(kind), "subjects": int(mine.sum()), "alerts": alarmed, "mood_mae": mae})
        return {"by_kind": rows}

    def reasons(self, contender: Contender, facts: Facts, *, top: int = 3) -> pl.DataFrame:
        """Of each subject that is not steady, the words that are said more since the turn and took the mood along.

        `value` and `typical`: the share of reviews that hold the word, since the turn and before it.
        """
        assert isinstance(contender, Watch)
        alarmed = contender.predict(facts).filter(pl.col(ALERT) != STEADY)
        if alarmed.is_empty():
            return pl.DataFrame(schema=REASON_SCHEMA)
        felt = contender.moods.of(said_of(facts)).drop_nulls(MOOD)
        held = told_words(felt)
        shares, rows = usual(held.values()), []
        for subject, change, level, days in alarmed.select(c.ENTITY_ID, CHANGE, LEVEL, SINCE).iter_rows():
            mine = felt.filter(pl.col(c.SUBJECT_ID) == subject)
            turned = facts.as_of.moment - timedelta(days=days)
            before, since = (
                mine.filter(part) for part in (pl.col(c.HAPPENED_AT) < turned, pl.col(c.HAPPENED_AT) >= turned)
            )
            found = why(before, since, held, shares, level - change)[:top]
            rows += [(subject, rank, *told) for rank, told in enumerate(found, start=1)]
        return pl.DataFrame(rows, schema=REASON_SCHEMA, orient="row")

    def say(self, text: str | None, language: str) -> str:
        return SAID.get(text or "", text or "–") if language == "zh" else text or "–"
