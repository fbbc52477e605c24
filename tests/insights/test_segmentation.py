"""Segmentation: planted groups come back, RFM cells are fifths, names tell what sets a group apart."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha import columns as c
from dongcha.assemble import Shop
from dongcha.evaluation.metrics import auc
from dongcha.features.point_in_time import Snapshot
from dongcha.insight_kit.contender import Contender
from dongcha.insights.segmentation import FEATURES, RFM_CELL, WORDS, Segmentation, name_groups
from dongcha.insights.segmentation.contenders import AxesGroups
from dongcha.jobs.recovery import segment_recovery
from dongcha.jobs.study import Study
from dongcha.models.grouping.k_means import Scale, explained
from dongcha.sources.simulate import Simulated


def fitted(shop: Shop, contender: str) -> tuple[Study, Contender]:
    cutoff = shop.as_of()
    study = Study(shop.desk, shop.insights["segmentation"], cutoff)
    model = study.insight.contender(contender)
    model.fit([], study.facts(cutoff), seed=7)
    return study, model


def answer(shop: Shop, contender: str) -> pl.DataFrame:
    study, model = fitted(shop, contender)
    return study.insight.answer(model, study.facts(shop.as_of()))


@pytest.fixture(scope="module")
def groups(large_shop: Shop) -> pl.DataFrame:
    return answer(large_shop, "k_means")


def test_planted_groups_are_found_better_than_by_recency_frequency_and_money(
    large_shop: Shop, simulated: Simulated, groups: pl.DataFrame
) -> None:
    ours, _ = segment_recovery(groups, simulated.secrets)
    textbook, _ = segment_recovery(answer(large_shop, "rfm_k_means"), simulated.secrets)
    cells, _ = segment_recovery(groups, simulated.secrets, RFM_CELL)
    assert ours > 0.15
    assert ours > 1.3 * textbook
    assert ours > 1.3 * cells


def test_every_fifth_of_recency_is_a_fifth_of_the_buyers(large_shop: Shop, groups: pl.DataFrame) -> None:
    facts = Snapshot(large_shop.lake, large_shop.as_of()).features(["recency_days"])
    recency = facts.rename({c.CUSTOMER_ID: c.ENTITY_ID})
    digits = groups.join(recency, on=c.ENTITY_ID).with_columns(digit=pl.col(RFM_CELL).str.slice(1, 1).cast(pl.Int64))
    shares = digits["digit"].value_counts()["count"].to_numpy() / len(digits)
    assert np.abs(shares - 0.2).max() < 0.02
    means = digits.group_by("digit").agg(pl.col("recency_days").mean()).sort("digit")["recency_days"].to_list()
    assert means == sorted(means, reverse=True)


centre = st.lists(st.floats(-3, 3), min_size=len(FEATURES), max_size=len(FEATURES))


@given(st.lists(centre, min_size=1, max_size=12))
def test_no_two_groups_have_one_name_and_every_word_has_chinese(centres: list[list[float]]) -> None:
    names = name_groups(np.array(centres), FEATURES)
    assert len(set(names)) == len(names)
    words = {word.rstrip(" 0123456789") for name in names for word in name.split(", ")}
    assert words <= WORDS.keys()


def test_a_numbered_name_is_said_in_chinese_too() -> None:
    names = name_groups(np.array([[1.0, 0.0], [1.2, 0.0]]), ["spend", "orders"])
    assert [Segmentation().say(name, "zh") for name in names] == ["高价值 1", "高价值 2"]


def test_what_groups_explain_has_known_answers() -> None:
    y = np.array([0.0, 0, 0, 1, 1, 1])[:, None]
    assert explained(np.array(["a", "a", "a", "b", "b", "b"]), y) == pytest.approx(1.0)
    assert explained(np.zeros(6), y) == pytest.approx(0.0)
    random = np.random.default_rng(0)
    luck = [explained(random.integers(0, 100, 1000), random.normal(size=(1000, 1))) for _ in range(50)]
    assert abs(np.mean(luck)) < 0.01


def test_the_map_puts_planted_groups_apart(groups: pl.DataFrame, simulated: Simulated) -> None:
    joined = groups.join(simulated.secrets.frames["customers"], left_on=c.ENTITY_ID, right_on=c.CUSTOMER_ID)
    places = joined.select("map_x", "map_y").to_numpy()
    assert explained(joined["group"].to_numpy(), places) > 0.1
    luck = np.random.default_rng(0).permutation(joined["group"].to_numpy())
    assert abs(explained(luck, places)) < 0.03


def test_planted_impostors_are_unusual(groups: pl.DataFrame, simulated: Simulated) -> None:
    joined = groups.join(simulated.secrets.frames["customers"], left_on=c.ENTITY_ID, right_on=c.CUSTOMER_ID)
    impostor = (joined["group"] == "impostors").to_numpy()
    assert auc(impostor, joined["anomaly"].to_numpy()) > 0.6


def test_a_saved_map_is_the_same_map(large_shop: Shop, groups: pl.DataFrame, tmp_path: Path) -> None:
    study, model = fitted(large_shop, "k_means")
    model.save(tmp_path)
    loaded = study.insight.contender("k_means")
    loaded.load(tmp_path)
    assert study.insight.answer(loaded, study.facts(large_shop.as_of())).equals(groups)


def test_the_map_is_learnt_once_for_all_contenders_and_not_to_be_judged(large_shop: Shop) -> None:
    study, model = fitted(large_shop, "k_means")
    judged = study.insight.answer(model, study.facts(large_shop.as_of()), to_judge=True)
    assert isinstance(model, AxesGroups)
    assert judged.columns == [c.ENTITY_ID, "segment", RFM_CELL]
    assert "drawn" not in vars(model.atlas)
    other = fitted(large_shop, "rfm_k_means")[1]
    assert isinstance(other, AxesGroups)
    assert model.atlas.drawn is other.atlas.drawn


@pytest.mark.parametrize("contender", ["k_means", "rfm_k_means"])
def test_without_products_the_map_and_the_unusual_are_told_from_the_axes(
    shop: Shop, contender: str, tmp_path: Path
) -> None:
    study = Study(shop.desk, shop.insights["segmentation"], shop.as_of())
    facts = study.facts(shop.as_of())
    assert facts.history is not None
    nameless = facts.history.timeline.with_columns(pl.lit(None, pl.String).alias(c.PRODUCT_ID))
    bare = replace(facts, history=replace(facts.history, find_timeline=lambda: nameless))
    model = study.insight.contender(contender)
    model.fit([], bare, seed=7)
    found = study.insight.answer(model, bare)
    model.save(tmp_path)
    loaded = study.insight.contender(contender)
    loaded.load(tmp_path)
    assert study.insight.answer(loaded, bare).equals(found)
    assert found["map_x"].std() > 0  # type: ignore[operator]
    ways = facts.matrix(FEATURES)
    far = np.abs(Scale.fit(ways).transform(ways)).max(axis=1)
    assert np.corrcoef(far, found["anomaly"].to_numpy())[0, 1] > 0.6
