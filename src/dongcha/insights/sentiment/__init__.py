"""How does this text feel?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final

import numpy as np
import polars as pl
from pydantic import Field

from dongcha import columns as c
from dongcha.evaluation import metrics
from dongcha.evaluation.calibration import expected_calibration_error, reliability_table
from dongcha.features.labels import written
from dongcha.features.opinions import rated_mood
from dongcha.insight_kit.base import REASON_SCHEMA, Insight, InsightConfig, Metric, Needs
from dongcha.insight_kit.contender import Contender
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.outputs import FELT, PRAISED, Group, Ranking, Value
from dongcha.insight_kit.telling import Chapter, Reader, Told, shortened
from dongcha.insights.sentiment.moods import (
    ASPECTS,
    MOOD,
    MOODS,
    RATED,
    SENTIMENT,
    CommonMood,
    Mood,
    NaiveBayes,
    RatingTaught,
)
from dongcha.models.text.language import languages

FEWEST_OF_A_LANGUAGE: Final = 20
MOST_TOLD: Final = 3


class SentimentConfig(InsightConfig):
    """The best rating that a review can have: 5 where they count stars, 1 where a thumb points down (0) or up (1)."""

    best_rating: Annotated[float, Field(ge=1, le=5)] = 5.0


class Sentiment(Insight):
    """From -1, bad, to 1, good, for every review and message: the chance that it is good less that it is bad.

    Taught by the shop's own reviews: what stars came with which words. Messages are read by the same words and, as far
    as no review held them, by a word list, with no mood thought likelier beforehand. Judged on reviews that came after
    the cutoff, against their stars; its aspects, what the shop's texts praise and blame, are shown beside. Not
    promised: that a rating tells the feeling. Irony, and stars given for the carrier, are learnt as they come.
    """

    name = "sentiment"
    question: ClassVar[dict[str, str]] = {"en": "How does this text feel?", "zh": "这段文字的情绪如何？"}
    entity = c.TEXT_ID
    needs = Needs((c.REVIEWS,), (), written)
    yields = (
        Value(SENTIMENT, "", -1, 1, "mood, from −1 to 1", "情绪（−1 至 1）"),
        Group(MOOD, english="mood", chinese="情绪"),
        Ranking(ASPECTS, FELT, -1, 1, english="about", chinese="谈及"),
    )
    judged_by = (
        Metric("macro_f1"),
        Metric("accuracy"),
        Metric("auc"),
        Metric("brier", more_is_better=False),
        Metric("calibration_error", more_is_better=False),
    )
    limits: ClassVar[dict[str, str]] = {
        "en": "Learnt from this shop's stars; irony, and stars for something else, mislead it. Not for judging staff.",
        "zh": "由本店评分学得；反讽或为其他原因打的分会误导它。不可用于考核员工。",
    }

    chapter = Chapter.FEELS
    Config = SentimentConfig
    config: SentimentConfig

    def contenders(self) -> tuple[Contender, ...]:
        return (RatingTaught(), NaiveBayes(), CommonMood())

    def label(self, facts: Facts, happened: pl.DataFrame) -> pl.DataFrame:
        """-1 for a rating below the middle, 0 for the middle, 1 above it; null where none was given."""
        felt = rated_mood(self.config.best_rating).sign().alias(RATED)
        return facts.matched(happened, c.TEXT_ID).select(felt)

    def judge(self, contender: Contender, example: Example, answer: pl.DataFrame) -> dict[str, float]:
        """Over the texts that came with a rating."""
        return measured(*_rated(example, answer))

    def examine(self, example: Example, answer: pl.DataFrame, groups: pl.Series | None) -> dict[str, Any]:
        moods, sentiment, named = _rated(example, answer)
        known = np.isfinite(example.label(RATED))
        spoken = np.array(languages([t for t, there in zip(example.facts.said, known, strict=True) if there]))
        common = [k for k in np.unique(spoken) if (spoken == k).sum() >= FEWEST_OF_A_LANGUAGE]
        parts = {k: (moods[spoken == k], sentiment[spoken == k], named[spoken == k]) for k in common}
        return {
            "calibration": reliability_table((moods + 1) / 2, (sentiment + 1) / 2),
            "by_language": [{"language": k, "texts": len(part[0]), **measured(*part)} for k, part in parts.items()],
        }

    def reasons(self, contender: Contender, facts: Facts, *, top: int = 3) -> pl.DataFrame:
        """The words that moved each answer most; an effect above 0 pushes towards good."""
        assert isinstance(contender, Mood)
        rows = [
            (entity, rank, word, 1.0, 0.0, push)
            for entity, words in zip(facts.entities, contender.words(facts.said, top), strict=True)
            for rank, (word, push) in enumerate(words, start=1)
        ]
        return pl.DataFrame(rows, schema=REASON_SCHEMA, orient="row").filter(pl.col(c.EFFECT) != 0)

    def tell_texts(self, texts: Sequence[Mapping[str, Any]], reader: Reader) -> Told:
        """How many of them are good and bad; a bad newest one wants an answer."""
        felt = [text for text in texts if text[MOOD] is not None]
        if not felt:
            return Told()
        good, bad = (sum(text[MOOD] == mood for text in felt) for mood in ("good", "bad"))
        sentence = reader.pick(
            f"Last texts: {len(felt)}, of them {good} good and {bad} bad",
            f"最近 {len(felt)} 条文字中，好评 {good} 条，差评 {bad} 条",
        )
        for english, chinese, way in (("praised", "称赞", 1), ("blamed", "批评", -1)):
            named = _named_most(felt, way)
            sentence += reader.pick(
                f"; {english}: {reader.listed(named)}", f"；{chinese}：{reader.listed(named)}"
            ) * bool(named)
        newest = felt[0]
        if newest[MOOD] != "bad":
            return Told(sentence)
        day, quoted = f"{newest[c.HAPPENED_AT]:%Y-%m-%d}", shortened(newest[c.TEXT])
        advice = reader.pick(f"Answer what they said on {day}: “{quoted}”", f"回应其 {day} 所说：“{quoted}”")
        return Told(sentence, advice)

    def say(self, text: str | None, language: str) -> str:
        return MOODS.get(text or "", text or "–") if language == "zh" else text or "–"


def _rated(example: Example, answer: pl.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the texts that have a rating: its sign, the answer's sentiment, and its mood as a sign."""
    known = np.isfinite(example.label(RATED))
    named = answer[MOOD].replace_strict(list(MOODS), [-1, 0, 1], return_dtype=pl.Int64).to_numpy()
    return example.label(RATED)[known].astype(np.int64), answer[SENTIMENT].to_numpy()[known], named[known]


def measured(moods: np.ndarray, sentiment: np.ndarray, named: np.ndarray) -> dict[str, float]:
    """Macro-F1 and accuracy of the named mood; AUC of good against bad; Brier score and calibration error.

    For the last two bad counts 0, neutral a half and good 1, against the sentiment brought to the same scale.
    """
    sure, felt, told = moods != 0, (moods + 1) / 2, (sentiment + 1) / 2
    both = len(np.unique(moods[sure])) == 2
    return {
        "macro_f1": metrics.macro_f1(moods, named),
        "accuracy": float(np.mean(moods == named)) if len(moods) else float("nan"),
        "auc": metrics.auc(felt[sure], told[sure]) if both else float("nan"),
        "brier": metrics.brier(felt, told) if len(moods) else float("nan"),
        "calibration_error": expected_calibration_error(felt, told) if len(moods) else float("nan"),
    }


def _named_most(texts: Sequence[Mapping[str, Any]], way: int) -> list[str]:
    """The aspects that the texts praise (1) or blame (-1) most often, at most MOST_TOLD."""
    pairs = [pair for text in texts for pair in text.get(ASPECTS) or []]
    named = Counter(pair[c.LABEL] for pair in pairs if way * pair[c.VALUE] >= PRAISED)
    return [name for name, _ in named.most_common(MOST_TOLD)]
