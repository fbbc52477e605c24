"""The autoencoder over customers: planted groups and odd ones are found, and the latent is really used."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_customers import CATEGORIES, GROUPS, PRODUCTS, customers, take
from scipy.spatial import procrustes
from sklearn.cluster import KMeans as Lloyd
from sklearn.metrics import adjusted_rand_score, roc_auc_score

from dongcha.errors import MissingDataError
from dongcha.models.behaviour.timelines import CATEGORY, GAP, KIND, PRODUCT, Timelines
from dongcha.models.generative.groups import LatentGroups
from dongcha.models.generative.network import VaeConfig, divergence
from dongcha.models.generative.training import Rows
from dongcha.models.generative.vae import Vae
from dongcha.models.grouping.k_means import KMeansConfig, Scale

SMALL = VaeConfig(latent=4, width=24, length=14, steps=240, batch_rows=32, product_groups=8, events_weight=1.0)
SHORT = replace(SMALL, steps=1, fewest_epochs=3)

Shop = tuple[Timelines, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def shop() -> Shop:
    return customers()


@pytest.fixture(scope="module")
def vae(shop: Shop) -> Vae:
    return Vae.fit(shop[0], shop[1], seed=1, config=SMALL)


def rows_of(vae: Vae, timelines: Timelines, table: np.ndarray) -> Rows:
    return vae._rows(timelines, table)


def test_planted_groups_come_back_better_than_from_totals(shop: Shop, vae: Vae) -> None:
    timelines, table, truth = shop
    latent = Lloyd(GROUPS, n_init=5, random_state=0).fit_predict(vae.encode(timelines, table))
    totals = Lloyd(GROUPS, n_init=5, random_state=0).fit_predict(Scale.fit(table).transform(table))
    assert adjusted_rand_score(truth, latent) > 0.6
    assert adjusted_rand_score(truth, latent) > adjusted_rand_score(truth, totals) + 0.3


def test_customers_never_met_fall_into_the_same_groups(vae: Vae, shop: Shop) -> None:
    timelines, table, truth = customers(seed=4)
    groups = LatentGroups.fit(vae.picture(shop[0], shop[1]), config=KMeansConfig((GROUPS,), bootstraps=3, restarts=3))
    assert adjusted_rand_score(truth, groups.predict(vae.picture(timelines, table))) > 0.6


def test_another_training_paints_the_same_map(shop: Shop, vae: Vae) -> None:
    timelines, table, _ = shop
    again = Vae.fit(timelines, table, seed=2, config=SMALL)
    assert procrustes(vae.map(timelines, table), again.map(timelines, table))[2] < 0.15


def test_the_latent_is_used_though_the_decoder_sees_earlier_events(shop: Shop, vae: Vae) -> None:
    timelines, table, _ = customers(seed=4)
    batch = rows_of(vae, timelines, table).batch(np.arange(len(timelines)), SMALL.length)
    with torch.inference_mode():
        mean, log_variance = vae.network.place(batch)
        own = vae.network.told(batch, mean)
        anothers = vae.network.told(batch, mean.roll(1, dims=0))
    passed = divergence(mean, log_variance).mean(dim=0)
    assert (passed > 0.5 * SMALL.free_nats).all()
    assert passed.sum() > 1.0
    assert anothers.rows(1.0).mean() > own.rows(1.0).mean() + 1.0
    assert anothers.fields[CATEGORY].sum() > own.fields[CATEGORY].sum()
    assert anothers.fields[GAP].sum() > own.fields[GAP].sum()


def odd_ones(shop: Shop, kind: str) -> tuple[Timelines, np.ndarray, np.ndarray]:
    """A twentieth of the customers made odd in one way; and who they are."""
    timelines, table, _ = shop
    random = np.random.default_rng(0)
    odd = np.zeros(len(timelines), dtype=bool)
    odd[random.choice(len(timelines), len(timelines) // 20, replace=False)] = True
    events = np.repeat(odd, timelines.lengths())
    fields, table, days = {k: v.copy() for k, v in timelines.fields.items()}, table.copy(), timelines.days
    assert days is not None
    if kind == "spend":
        table[odd, 0] *= 12
    elif kind == "bot":
        since = np.where(events, 0.002, np.diff(days, prepend=0.0))
        days, fields[KIND] = np.cumsum(since), np.where(events, 1, fields[KIND])
        for name in (PRODUCT, CATEGORY):
            fields[name] = np.where(events, timelines.sizes[name], fields[name])
    else:
        chosen = random.integers(0, CATEGORIES, int(events.sum()))
        fields[CATEGORY][events], fields[KIND][events] = chosen, 0
        fields[PRODUCT][events] = (chosen + 1 + CATEGORIES * random.integers(0, 9, len(chosen))) % PRODUCTS
    return Timelines(timelines.starts, fields, timelines.sizes, days), table, odd


@pytest.mark.parametrize(("kind", "part"), [("spend", "spend"), ("bot", KIND), ("shuffled", CATEGORY)])
def test_odd_customers_rank_on_top_and_the_reason_is_told(shop: Shop, vae: Vae, kind: str, part: str) -> None:
    timelines, table, odd = odd_ones(shop, kind)
    assert roc_auc_score(odd, vae.anomaly(timelines, table)) > 0.85
    surprise = vae.surprise(timelines, table)
    parts = {**surprise.fields, **{f"{k}": surprise.columns[:, k] for k in range(3)}, "spend": surprise.columns[:, 0]}
    assert parts[part][odd].mean() > 1.5 > parts[part][~odd].mean()
    assert np.allclose(surprise.total, vae.anomaly(timelines, table))
    assert surprise.columns.shape == (len(timelines), 4)


def test_a_few_of_a_rare_kind_rank_on_top_though_the_model_can_tell_them() -> None:
    timelines, table, _ = customers(500)
    rare = np.arange(len(timelines)) < 8
    table[rare, 0], table[rare, 1] = 900.0, 3.0
    vae = Vae.fit(timelines, table, config=SMALL)
    assert roc_auc_score(rare, vae.anomaly(timelines, table)) > 0.9


def test_a_row_alone_stands_where_it_stands_among_others(shop: Shop, vae: Vae) -> None:
    timelines, table, _ = shop
    together = vae.encode(timelines, table), vae.anomaly(timelines, table)
    for row in range(5):
        one = take(timelines, np.array([row]))
        assert np.allclose(vae.encode(one, table[[row]])[0], together[0][row], atol=1e-4)
        assert np.allclose(vae.anomaly(one, table[[row]])[0], together[1][row], atol=1e-3)


def test_no_event_is_foretold_from_itself_or_later_ones(shop: Shop, vae: Vae) -> None:
    batch = rows_of(vae, shop[0], shop[1]).batch(np.arange(20), SMALL.length)
    events = torch.randn(4, 10, SMALL.width)
    changed = events.clone()
    changed[:, 6:] = torch.randn(4, 4, SMALL.width)
    place = vae.network.place(batch)[0][:4]
    before, after = vae.network.decode.states(place, events), vae.network.decode.states(place, changed)
    assert torch.allclose(before[:, :7], after[:, :7], atol=1e-5)
    assert not torch.allclose(before[:, 7:], after[:, 7:], atol=1e-3)


def test_only_the_newest_events_count(shop: Shop, vae: Vae) -> None:
    timelines, table, _ = customers(40, seed=8)
    short = Vae.fit(timelines, table, config=replace(SHORT, length=4))
    fields = {name: codes.copy() for name, codes in timelines.fields.items()}
    for row in np.flatnonzero(timelines.lengths() > 5):
        fields[CATEGORY][timelines.starts[row]] = 0
    changed = Timelines(timelines.starts, fields, timelines.sizes, timelines.days)
    assert np.array_equal(short.encode(changed, table), short.encode(timelines, table))


def test_the_same_seed_gives_the_same_model_and_another_another(shop: Shop) -> None:
    timelines, table = take(shop[0], np.arange(200)), shop[1][:200]
    one, two, three = (Vae.fit(timelines, table, seed=s, config=SHORT).encode(timelines, table) for s in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.allclose(one, three)


def test_what_is_saved_is_what_is_loaded(shop: Shop, vae: Vae, tmp_path: Path) -> None:
    timelines, table, _ = shop
    vae.save(tmp_path)
    loaded = Vae.load(tmp_path)
    assert np.array_equal(loaded.encode(timelines, table), vae.encode(timelines, table))
    assert np.array_equal(loaded.map(timelines, table), vae.map(timelines, table))
    assert np.allclose(loaded.anomaly(timelines, table), vae.anomaly(timelines, table))
    assert np.array_equal(loaded.sample(20, 1)[1], vae.sample(20, 1)[1], equal_nan=True)
    assert loaded.history == vae.history


class Killed(Exception):
    pass


def test_a_killed_training_goes_on_to_the_same_weights(shop: Shop, tmp_path: Path) -> None:
    timelines, table = take(shop[0], np.arange(200)), shop[1][:200]
    whole = Vae.fit(timelines, table, config=SHORT)

    def die_in_the_third_epoch(what: str, done: int, of: int) -> None:
        if done > 0.8 * of:
            raise Killed

    with pytest.raises(Killed):
        Vae.fit(timelines, table, config=SHORT, checkpoint=tmp_path, progress=die_in_the_third_epoch)
    steps: list[int] = []
    resumed = Vae.fit(
        timelines, table, config=SHORT, checkpoint=tmp_path, progress=lambda what, done, of: steps.append(done)
    )
    assert len(steps) < 0.5 * max(steps), "the first two epochs are not run again"
    assert np.array_equal(resumed.encode(timelines, table), whole.encode(timelines, table))


def test_timelines_alone_and_empty_rows_are_borne() -> None:
    timelines, _, _ = customers(60)
    starts = np.append(timelines.starts, timelines.starts[-1])
    with_empty = Timelines(starts, timelines.fields, timelines.sizes, timelines.days)
    vae = Vae.fit(with_empty, config=SHORT)
    assert vae.map(with_empty).shape == (61, 2)
    assert np.isfinite(vae.encode(with_empty)).all()
    assert np.isfinite(vae.anomaly(with_empty)).all()


def test_numbers_without_events_are_borne() -> None:
    _, table, _ = customers(60)
    nothing = Timelines(np.zeros(61, dtype=np.int64), {PRODUCT: np.empty(0, dtype=np.int64)}, {PRODUCT: 5})
    table[:, 1] = np.nan
    vae = Vae.fit(nothing, table, config=SHORT)
    assert np.isfinite(vae.anomaly(nothing, table)).all()
    made, numbers = vae.sample(5)
    assert made.lengths().tolist() == [0] * 5
    assert np.isnan(numbers[:, 1]).mean() >= 0.8


def test_other_codes_or_columns_are_refused(shop: Shop, vae: Vae) -> None:
    timelines, table, _ = shop
    with pytest.raises(ValueError, match="columns"):
        vae.encode(timelines, table[:, :2])
    with pytest.raises(ValueError, match="category"):
        vae.encode(
            Timelines(timelines.starts, timelines.fields, {**timelines.sizes, CATEGORY: 99}, timelines.days), table
        )
    with pytest.raises(MissingDataError, match="too few"):
        Vae.fit(take(timelines, np.arange(5)), table[:5])
