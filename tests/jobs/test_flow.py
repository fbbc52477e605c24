"""From facts to conclusions: backtest, train, promote, score, roll back; only what changed is done again."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from tests.small_shop import START, CameBack, Hopeless, NeedsReviews, open_shop, order_lines, put

from dongcha.as_of import AsOf
from dongcha.assemble import Shop
from dongcha.errors import MissingDataError, StoreError, UsageError
from dongcha.jobs.study import Study
from dongcha.warehouse.ledger import RUNS


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return open_shop(tmp_path / "shop", None, CameBack(), NeedsReviews())


def study(shop: Shop, as_of: AsOf | None = None) -> Study:
    return Study(shop.desk, shop.insights["came_back"], as_of or shop.as_of())


def test_a_run_answers_for_every_buyer_and_says_what_the_others_lack(shop: Shop) -> None:
    outcomes = {outcome.insight: outcome for outcome in shop.run()}
    assert outcomes["came_back"].trained is not None
    assert "reviews" in outcomes["needs_reviews"].skipped
    scores = shop.scores("came_back")
    assert scores["entity_id"].to_list() == study(shop).facts(shop.as_of()).entities.to_list()
    assert scores["came_back_probability"].is_between(0, 1).all()


def test_running_again_does_nothing_again(shop: Shop) -> None:
    shop.run()
    before = shop.ledger.read(RUNS).collect().height
    assert all(outcome.unchanged for outcome in shop.run() if not outcome.skipped)
    assert shop.ledger.read(RUNS).collect().height == before


def test_new_facts_make_a_new_version(shop: Shop) -> None:
    shop.run()
    more = order_lines([{"order_id": "x", "customer_id": "c001", "happened_at": START + timedelta(days=310)}])
    put(shop.lake, more)
    (outcome,) = [o for o in shop.run() if not o.skipped]
    assert outcome.trained is not None
    assert (outcome.trained.version, outcome.unchanged) == ("v2", False)


def test_every_fold_is_fitted_on_labels_complete_before_it(shop: Shop) -> None:
    whole = study(shop)
    for cutoff in whole.fold_cutoffs():
        assert cutoff + shop.desk.plan.horizon <= whole.as_of
        assert all(example.facts.as_of + shop.desk.plan.horizon <= cutoff for example in whole.past(cutoff))


def test_rows_after_the_cutoff_change_no_fold_and_no_score(shop: Shop) -> None:
    cutoff = AsOf(START + timedelta(days=250))
    before = shop.backtest("came_back", as_of=cutoff)
    facts = study(shop, cutoff).facts(cutoff).features
    later = [
        {"order_id": f"n{k}", "customer_id": f"c{k:03}", "happened_at": cutoff.moment + timedelta(days=k)}
        for k in range(50)
    ]
    put(shop.lake, order_lines(later))
    assert study(shop, cutoff).facts(cutoff).features.equals(facts)
    assert shop.backtest("came_back", as_of=cutoff) == before


def test_an_order_that_was_learnt_late_is_not_in_a_label_it_was_not_yet_known_for(shop: Shop) -> None:
    whole = study(shop)
    cutoff = whole.fold_cutoffs()[-1]
    past = whole.past(cutoff)[-1].facts.as_of
    lost = whole.past(cutoff)[-1]
    silent = lost.facts.entities.filter(pl.Series(lost.label("came_back") == 0)).to_list()[0]
    row = {"order_id": "late", "customer_id": silent, "happened_at": past.moment + timedelta(days=1)}
    put(shop.lake, order_lines([{**row, "known_at": cutoff.moment + timedelta(days=1)}]))
    again = study(shop)
    place = again.facts(past).entities.to_list().index(silent)
    assert again.example(past, cutoff).label("came_back")[place] == 0
    assert again.example(past, again.as_of).label("came_back")[place] == 1


def test_what_does_not_beat_the_baseline_does_not_answer(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop", None, Hopeless())
    shop.run()
    card = shop.card("came_back")
    assert (card["contender"], card["beats_baseline"]) == ("rate", False)
    assert shop.backtest("came_back")[0]["promoted"] is None


def test_a_rollback_brings_the_earlier_champion_back_and_is_written_down(shop: Shop) -> None:
    shop.run()
    put(shop.lake, order_lines([{"order_id": "x", "customer_id": "c001", "happened_at": START + timedelta(days=290)}]))
    shop.run()
    shop.promote("came_back", "v2")
    assert shop.rollback("came_back", why="v2 looked odd") == "v1"
    assert shop.ledger.champion("came_back") == "v1"
    last = shop.ledger.audit("came_back").tail(1).row(0, named=True)
    assert (last["action"], last["why"]) == ("rollback", "v2 looked odd")


def test_a_version_that_is_not_there_cannot_answer(shop: Shop) -> None:
    shop.run()
    with pytest.raises(UsageError, match="no version 'v9'"):
        shop.promote("came_back", "v9")
    with pytest.raises(UsageError, match="no earlier champion"):
        shop.rollback("came_back")


def test_a_model_whose_files_are_gone_is_told_and_not_promoted(shop: Shop) -> None:
    shop.run()
    (shop.folder / "models" / "came_back" / "v1" / "rate.txt").unlink()
    with pytest.raises(StoreError, match="dongcha train came_back"):
        shop.promote("came_back", "v1")


def test_scoring_before_training_says_what_to_do(shop: Shop) -> None:
    with pytest.raises(MissingDataError, match="dongcha train came_back"):
        shop.score("came_back")
    with pytest.raises(MissingDataError, match="dongcha run"):
        shop.scores("came_back")


def test_without_orders_every_question_names_the_missing_table(tmp_path: Path) -> None:
    shop = open_shop(tmp_path / "shop", None, CameBack())
    empty = Shop(tmp_path)
    assert shop.status()["tables"][0]["table"] == "orders"
    with pytest.raises(MissingDataError, match="'orders' is not loaded"):
        empty.as_of()


def test_a_profile_tells_what_is_known_and_concluded(shop: Shop) -> None:
    shop.run()
    found = shop.profile("c001")
    assert found["summary"]["orders"] >= 1
    assert found["insights"][0]["answer"].keys() == {"came_back_probability"}
    with pytest.raises(UsageError, match="c999"):
        shop.profile("c999")


def test_the_doctor_finds_a_well_workspace_well_and_a_damaged_lake_ill(shop: Shop) -> None:
    shop.run()
    assert all(check["ok"] for check in shop.doctor())
    for file in shop.lake.files("orders"):
        Path(file.removeprefix("file://")).write_bytes(b"damaged")
    ill = {check["check"] for check in shop.doctor() if not check["ok"]}
    assert "lake" in ill
