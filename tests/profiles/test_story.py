"""A customer's story: said in the reader's language, advice only where something is to be done."""

from datetime import UTC, date, datetime

import pytest

from dongcha import columns as c
from dongcha.insight_kit.telling import Chapter, Reader
from dongcha.insights.churn import Churn
from dongcha.insights.next_action import NextAction
from dongcha.insights.recommendation import Recommendation
from dongcha.insights.segmentation import Segmentation
from dongcha.insights.sentiment import Sentiment
from dongcha.insights.topics import Topics
from dongcha.profiles.story import story

ENGLISH = Reader("en", "GBP", 90, {"p1": "Tea", "p2": "Mug"})
CHINESE = Reader("zh", "CNY", 90, {"p1": "茶"})


ABOUT = [{c.LABEL: "box", c.VALUE: 0.9}, {c.LABEL: "delivery", c.VALUE: -0.8}, {c.LABEL: "size", c.VALUE: 0.0}]


def text(mood: str, day: int) -> dict[str, object]:
    moment = datetime(2024, 5, day, tzinfo=UTC)
    return {
        c.HAPPENED_AT: moment,
        c.TEXT: "It broke",
        "mood": mood,
        "sentiment": 0.0,
        "topic": "#1 box, post",
        "aspects": ABOUT,
    }


def found(**more: object) -> dict[str, object]:
    empty = {"customer": {}, "summary": {}, "favourites": {}, "texts": [], "insights": []}
    return {c.CUSTOMER_ID: "c1", c.AS_OF: "2024-06-01", **empty, **more}


@pytest.mark.parametrize(("chance", "advised"), [(0.9, True), (0.1, False)])
def test_only_who_may_leave_is_to_be_written_to(chance: float, advised: bool) -> None:
    told = Churn().tell({"churn_probability": chance}, ENGLISH)
    assert f"{chance:.0%}".replace("%", " %") in told.sentence
    assert bool(told.advice) == advised


def test_a_bad_newest_text_wants_an_answer_an_older_one_does_not() -> None:
    bad_now = Sentiment().tell_texts([text("bad", 9), text("good", 1)], ENGLISH)
    assert "2024-05-09" in bad_now.advice
    assert "It broke" in bad_now.advice
    bad_before = Sentiment().tell_texts([text("good", 9), text("bad", 1)], ENGLISH)
    assert (bad_before.advice, bad_before.sentence) == ("", bad_now.sentence)
    assert Sentiment().tell_texts([], ENGLISH).sentence == ""
    assert "It broke" in Sentiment().tell_texts([text("bad", 9)], CHINESE).advice


def test_what_texts_praise_and_blame_is_told() -> None:
    told = Sentiment().tell_texts([text("good", 9)], ENGLISH).sentence
    assert told == "Last texts: 1, of them 1 good and 0 bad; praised: box; blamed: delivery"


@pytest.mark.parametrize(
    ("because", "advice"),
    [("p1", "Offer Tea again"), ("p2", "Offer Tea: they bought Mug"), ("popular", "Offer Tea, which sells well now")],
)
def test_an_offer_says_what_led_to_it(because: str, advice: str) -> None:
    listed = [{c.LABEL: "p1", c.VALUE: 1.0}, {c.LABEL: "p9", c.VALUE: 0.5}]
    answer = {"recommendations": listed, "recommended_because": [{c.LABEL: because, c.VALUE: 1.0}]}
    told = Recommendation().tell(answer, ENGLISH)
    assert told.sentence == "Would want Tea and p9"
    assert told.advice == advice


def test_nothing_known_of_what_comes_is_not_told() -> None:
    answer = {"next_actions": [], "next_action_days": None, "next_action_probability": None}
    assert NextAction().tell(answer, ENGLISH).sentence == ""


def test_chapters_hold_who_buys_feels_next_and_do_with_reasons() -> None:
    churn = {
        "insight": "churn",
        "answer": {"churn_probability": 0.8},
        "reasons": [{c.FEATURE: "recency_days", c.VALUE: 80.0, c.TYPICAL: 20.0, c.EFFECT: 1.0}],
    }
    segment = {"insight": "segmentation", "answer": {"segment": "loyal"}, "reasons": []}
    told = story(
        found(
            customer={c.NAME: "Ann", c.BIRTH_DATE: date(1990, 6, 2), c.CITY: "Leeds", c.COUNTRY: "GB"},
            summary={"orders": 3.0, "spend": 60.0},
            favourites={
                "categories": [{c.CATEGORY: "Tea", "lines": 3}],
                "products": [{c.PRODUCT_ID: "p1", "lines": 2}],
            },
            texts=[text("bad", 9)],
            insights=[churn, segment],
        ),
        [Churn(), Segmentation(), Sentiment(), Topics()],
        ENGLISH,
    )
    assert list(told) == [chapter.value for chapter in Chapter]
    assert told["who"][0]["text"] == "Ann, 33, Leeds (GB)"
    assert "loyal" in told["who"][1]["text"]
    assert [line["text"] for line in told["buys"]][1:] == ["Buys mostly Tea (3)", "Again and again Tea (2)"]
    assert told["next"][0]["because"] == "↑ last order 80 days ago"
    assert [line["text"][:5] for line in told["do"]] == ["Write", "Answe"]


def test_of_somebody_unknown_nothing_is_made_up() -> None:
    told = story(found(), [Churn(), Sentiment(), Topics()], CHINESE)
    assert told == {"who": [{"text": "c1", "because": ""}], "buys": [], "feels": [], "next": [], "do": []}
