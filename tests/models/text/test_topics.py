import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score

from dongcha.models.text.topics import NONE, Topics

WORDS = {
    "delivery": "courier parcel delivered late tracking doorstep van shipped",
    "size": "waist sleeves shoulders tight loose length hips snug",
    "refund": "refund invoice charged bank cancelled receipt billing payment",
    "taste": "sweet bitter flavour aroma roasted creamy delicious chocolate",
    "screen": "screen pixels brightness display resolution scratches monitor glare",
}
CHINESE = {"delivery": "快递 物流 送货 包裹 小哥 签收 发货 配送", "fruit": "苹果 新鲜 水果 好吃 橙子 香甜 葡萄 果肉"}
COMMON = "shop bought month friend yesterday"
FOUR = ("delivery", "size", "refund", "taste")


def said(topics, each, seed, words=WORDS, common=COMMON):
    """`each` texts of every topic: four of its words, two that everybody says; and each text's topic."""
    random = np.random.default_rng(seed)
    rows = [(topic, random.choice(words[topic].split(), 4, replace=False)) for topic in topics for _ in range(each)]
    texts = [" ".join([*own, *random.choice(common.split(), 2, replace=False)]) for _, own in rows]
    return texts, [topic for topic, _ in rows]


def named(topics):
    """Number → the planted topic most of whose words lead it."""
    found = {}
    for topic in topics.topics:
        shared = {name: len(set(topic.words[:8]) & set(own.split())) for name, own in (WORDS | CHINESE).items()}
        found[topic.number] = max(shared, key=lambda name: shared[name])
    return found


@pytest.fixture(scope="module")
def texts():
    return said(FOUR, 60, 0)[0]


@pytest.fixture(scope="module")
def found(texts):
    return Topics.fit(texts)


# -- what is found


def test_planted_topics_are_found_and_counted(texts, found):
    planted = said(FOUR, 60, 0)[1]
    assert len(found.topics) == 4
    assert adjusted_mutual_info_score(planted, found.place(texts).numbers) > 0.95
    assert sorted(named(found).values()) == sorted(FOUR)
    assert {topic.language for topic in found.topics} == {"en"}


def test_a_topic_is_told_by_its_own_words_not_by_everybodys(found):
    for topic in found.topics:
        assert set(topic.words[:8]) == set(WORDS[named(found)[topic.number]].split())
        assert not set(topic.words[:8]) & set(COMMON.split())


def test_shares_are_those_of_the_texts(texts, found):
    numbers = found.place(texts).numbers
    assert [topic.share for topic in found.topics] == [np.mean(numbers == topic.number) for topic in found.topics]
    assert found.topics[0].share == max(topic.share for topic in found.topics)


def test_texts_without_topics_bear_none_out():
    random = np.random.default_rng(3)
    words = " ".join(WORDS.values()).split()
    assert not Topics.fit([" ".join(random.choice(words, 5, replace=False)) for _ in range(300)]).topics


def test_as_many_topics_as_asked(texts):
    assert len(Topics.fit(texts, topics=2).topics) == 2


# -- what must not matter


def test_the_order_of_texts_has_no_effect(texts, found):
    order = np.random.default_rng(1).permutation(len(texts))
    shuffled = [texts[k] for k in order]
    again = Topics.fit(shuffled)
    assert again.topics == found.topics
    assert (again.place(shuffled).numbers == found.place(texts).numbers[order]).all()


def test_a_text_said_often_is_learnt_from_once(texts, found):
    again = Topics.fit([*texts, *texts[:1] * 500])
    assert [topic.words for topic in again.topics] == [topic.words for topic in found.topics]
    assert max(topic.share for topic in again.topics) > 0.7


def test_the_same_seed_finds_the_same(texts, found):
    again = Topics.fit(texts, seed=0)
    assert again.topics == found.topics
    np.testing.assert_array_equal(again.place(texts).weights, found.place(texts).weights)


def test_another_text_changes_no_placement(texts, found):
    alone = found.place(texts[:1])
    assert alone.numbers[0] == found.place(texts).numbers[0]
    np.testing.assert_allclose(alone.weights[0], found.place(texts).weights[0], rtol=1e-6)


# -- languages


def test_languages_do_not_mix():
    english, _ = said(("delivery", "taste"), 60, 0)
    chinese, _ = said(("delivery", "fruit"), 60, 1, CHINESE, "购买 朋友 昨天")
    both = Topics.fit([*english, *chinese])
    assert sorted((topic.language, named(both)[topic.number]) for topic in both.topics) == [
        ("en", "delivery"),
        ("en", "taste"),
        ("zh", "delivery"),
        ("zh", "fruit"),
    ]
    for topic in both.topics:
        assert {word.isascii() for word in topic.words} == {topic.language == "en"}
    assert len({topic.number for topic in both.topics}) == 4
    assert set(both.place(chinese).numbers) <= {t.number for t in both.topics if t.language == "zh"} | {NONE}


def test_a_handful_in_another_language_gets_no_topics(texts):
    french = ["Le colis est arrivé très en retard chez moi", "La taille est vraiment trop petite pour moi"] * 3
    assert {topic.language for topic in Topics.fit([*texts, *french]).topics} == {"en"}


# -- each text


def test_a_text_of_two_things_weighs_both(found):
    placed = found.place(["courier parcel tracking refund invoice bank"])
    column = {named(found)[topic.number]: k for k, topic in enumerate(found.topics)}
    assert placed.weights[0].sum() == pytest.approx(1)
    assert placed.weights[0, column["delivery"]] > 0.3
    assert placed.weights[0, column["refund"]] > 0.3


@pytest.mark.parametrize("text", ["", "   ", "😍😍😍", "bought shop friend", "zebras gallop over savannahs", "12 34"])
def test_a_text_of_no_topic_gets_none(found, text):
    placed = found.place([text])
    assert placed.numbers.tolist() == [NONE]
    assert not placed.weights.any()


def test_words_nobody_knows_count_against_a_topic(found):
    known, strange = found.place(["courier parcel", "courier parcel zebras gallop over wide savannahs"]).evidence
    assert strange < known


def test_the_nearest_texts_speak_of_the_topic_alone_and_do_not_win_by_length(found):
    number = next(number for number, name in named(found).items() if name == "size")
    clear, mixed, long = "waist sleeves hips tight", "waist hips snug shop bought month", "waist shop " * 50
    placed = found.place([mixed, long, "courier parcel", clear])
    assert placed.nearest(number).tolist() == [3, 0, 1]
    assert placed.nearest(number, 1).tolist() == [3]


# -- later


def test_a_refit_keeps_the_numbers_of_what_is_still_there(found):
    later, _ = said(("taste", "refund", "delivery"), 80, 5)
    again = Topics.fit(later, earlier=found, seed=9)
    assert {named(again)[t.number]: t.number for t in again.topics} == {
        name: number for number, name in named(found).items() if name != "size"
    }
    assert not any(topic.new for topic in again.topics)


def test_a_refit_gives_what_it_did_not_know_a_number_never_used(found):
    gone = Topics.fit(said(("taste", "refund"), 80, 5)[0], earlier=found)
    assert gone.next_number == found.next_number
    back = Topics.fit(said(("taste", "refund", "screen"), 80, 6)[0], earlier=gone)
    new = [topic for topic in back.topics if topic.new]
    assert [(named(back)[topic.number], topic.number) for topic in new] == [("screen", found.next_number)]
    assert back.next_number == found.next_number + 1


def test_later_texts_that_fit_nothing_come_together_under_a_new_number(texts, found):
    later, planted = said(("delivery", "screen"), 60, 7)
    grown = found.with_new(later)
    assert grown.topics[:4] == found.topics
    new = grown.topics[4:]
    assert [(named(grown)[topic.number], topic.new) for topic in new] == [("screen", True)]
    assert new[0].number == found.next_number
    assert new[0].share == pytest.approx(0.5, abs=0.05)
    assert (found.place(texts).numbers == grown.place(texts).numbers).all()
    assert (grown.place(later).numbers == new[0].number).tolist() == [topic == "screen" for topic in planted]
    assert not any(topic.new for topic in grown.with_new(later).topics)


def test_later_texts_of_what_is_known_bring_nothing_new(found):
    assert found.with_new(said(FOUR, 60, 8)[0]).topics == found.topics


def test_a_language_that_comes_later_gets_its_own_topics(found):
    grown = found.with_new(said(("delivery", "fruit"), 60, 1, CHINESE, "购买 朋友 昨天")[0])
    assert grown.topics[:4] == found.topics
    assert {(topic.language, topic.new) for topic in grown.topics[4:]} == {("zh", True)}


# -- stored


def test_what_is_loaded_places_alike(texts, found, tmp_path):
    grown = found.with_new(said(("screen",), 60, 7)[0])
    grown.save(tmp_path)
    loaded = Topics.load(tmp_path)
    assert loaded.topics == grown.topics
    assert loaded.next_number == grown.next_number
    for one, other in zip(vars(loaded.place(texts)).values(), vars(grown.place(texts)).values(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert loaded.with_new(said(("screen",), 60, 9)[0]).topics == grown._marked(new=False).topics


def test_no_text_is_stored(texts, found, tmp_path):
    found.save(tmp_path)
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not any(text.encode() in stored for text in texts)
    assert set(json.loads((tmp_path / "topics.json").read_text("utf-8"))) == {"languages", "next_number"}


# -- an encoder


class ByTheirEnd:
    """Sees only how a text ends."""

    def __init__(self):
        self.asked = 0

    def encode(self, texts):
        self.asked += len(texts)
        strings = np.array([text.endswith("piano") for text in texts], dtype=np.float32)
        return np.column_stack([strings, 1 - strings])


def test_an_encoder_groups_the_texts_and_is_not_needed_to_place_them():
    texts = [
        f"the {a} was {b} like a {end}"
        for a in WORDS["size"].split()
        for b in WORDS["taste"].split()
        for end in ("violin and piano", "drum and guitar")
    ]
    encoder = ByTheirEnd()
    found = Topics.fit(texts, topics=2, encoder=encoder)
    assert encoder.asked == len(texts)
    assert {frozenset(topic.words[:2]) for topic in found.topics} == {
        frozenset({"violin", "piano"}),
        frozenset({"drum", "guitar"}),
    }
    numbers = found.place(texts).numbers
    assert len(set(numbers)) == 2
    assert adjusted_mutual_info_score([text.split()[-1] for text in texts], numbers) == 1


# -- anything


@pytest.mark.parametrize(
    "texts", [[], [""], ["good"] * 400, ["too small", "too late", "too dear"], ["courier parcel late " * 6_000] * 3]
)
def test_too_little_to_tell_gives_no_topics(texts):
    found = Topics.fit(texts)
    assert found.topics == ()
    assert found.place(texts).numbers.tolist() == [NONE] * len(texts)
    assert found.with_new(texts).topics == ()


def test_a_very_long_text_is_read_like_another(found):
    assert named(found)[int(found.place(["refund invoice bank payment " * 4_000]).numbers[0])] == "refund"


WILD = st.lists(
    st.one_of(st.text(max_size=30), st.sampled_from(said(FOUR, 3, 0)[0]), st.just("快递 很 快")), max_size=60
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(WILD, WILD, st.one_of(st.none(), st.integers(0, 5)))
def test_nothing_raises_and_every_text_is_answered(texts, later, topics):
    found = Topics.fit(texts, topics=topics).with_new(later)
    placed = found.place(later)
    assert placed.numbers.shape == (len(later),)
    assert placed.weights.shape == (len(later), len(found.topics))
    assert set(placed.numbers) <= {topic.number for topic in found.topics} | {NONE}
    sums = placed.weights.sum(axis=1)
    np.testing.assert_allclose(sums, placed.numbers != NONE, atol=1e-5)
    assert np.isfinite(placed.evidence).all()
