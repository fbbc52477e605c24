"""What a text is for: learnt from labels, and unsure where it is none of them."""

from pathlib import Path

import numpy as np
import pytest
from tests.public_data import public_data

from dongcha.answers.elsewhere import ELSEWHERE
from dongcha.errors import MissingDataError
from dongcha.models.text.intents import Intents

THINGS = ("kettle", "lamp", "shirt", "vase", "rug", "chair", "mug", "towel")
ASKED = {
    "where": ("where is my {}", "has the {} been sent", "when will the {} arrive", "track my {} please"),
    "refund": ("i want my money back for the {}", "refund the {}", "how do i get a refund for this {}", "pay me back"),
    "broken": ("the {} is broken", "my {} came cracked", "the {} stopped working", "a faulty {} again"),
    "发票": ("{}能开发票吗", "发票抬头写错了", "怎么下载{}的发票", "需要公司发票"),
}
TEXTS = [(phrase.format(thing), name) for name, phrases in ASKED.items() for phrase in phrases for thing in THINGS]


@pytest.fixture(scope="module")
def model() -> Intents:
    return Intents.fit(*zip(*TEXTS, strict=True), elsewhere=ELSEWHERE, seed=3)


def test_new_texts_are_told_and_strange_ones_are_unsure(model: Intents) -> None:
    named, sure = model.told(["where is the blue sofa", "the sofa came broken", "沙发的发票怎么下载"])
    assert named == ["where", "broken", "发票"]
    _, strange = model.told(["who painted the mona lisa", "明天会下雪吗", ""])
    assert sure.min() > strange.max()


def test_chances_are_chances(model: Intents) -> None:
    chances = model.probabilities([text for text, _ in TEXTS[:5]] + [""])
    assert chances.shape == (6, 4)
    assert np.allclose(chances.sum(axis=1), 1)


def test_what_is_saved_reads_back_and_a_seed_repeats(model: Intents, tmp_path: Path) -> None:
    model.save(tmp_path)
    again, same = Intents.load(tmp_path), Intents.fit(*zip(*TEXTS, strict=True), elsewhere=ELSEWHERE, seed=3)
    asked = ["where is it", "发票", "???"]
    assert np.array_equal(model.told(asked)[1], again.told(asked)[1])
    assert np.array_equal(model.told(asked)[1], same.told(asked)[1])


def test_one_intent_is_too_few() -> None:
    with pytest.raises(MissingDataError, match="intents"):
        Intents.fit(["a b", "a c", "d e"], ["x", "x", "y"])


def test_bank_customers_intents_are_told(tmp_path: Path) -> None:
    """Five of the 77 intents."""
    import polars as pl

    shown, test = (
        pl.read_parquet(public_data(f"support_intents/banking77_{part}.parquet")) for part in ("train", "test")
    )
    some = sorted(shown["category"].unique())[:5]
    shown, test = (table.filter(pl.col("category").is_in(some)) for table in (shown, test))
    named, _ = Intents.fit(shown["text"].to_list(), shown["category"].to_list(), seed=1).told(test["text"].to_list())
    assert np.mean(np.array(named) == test["category"].to_numpy()) > 0.93
