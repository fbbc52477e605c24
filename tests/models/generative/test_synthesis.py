"""Made-up customers: like the real ones in the large, made of events that exist, the same for the same seed."""

import numpy as np
import pytest
from made_customers import CATEGORIES, customers
from scipy.stats import ks_2samp

from dongcha.models.behaviour.timelines import CATEGORY, GAP, KIND, PRODUCT, Timelines
from dongcha.models.generative.network import VaeConfig
from dongcha.models.generative.vae import Vae

CONFIG = VaeConfig(latent=4, width=24, length=14, steps=240, batch_rows=32, product_groups=8, events_weight=1.0)

Made = tuple[Timelines, np.ndarray]


@pytest.fixture(scope="module")
def real() -> Made:
    timelines, table, _ = customers()
    return timelines, table


@pytest.fixture(scope="module")
def vae(real: Made) -> Vae:
    return Vae.fit(*real, config=CONFIG)


@pytest.fixture(scope="module")
def made(vae: Vae) -> Made:
    return vae.sample(600, seed=5)


def shares(codes: np.ndarray, size: int) -> np.ndarray:
    counts = np.bincount(codes, minlength=size + 1)
    return np.asarray(counts / counts.sum())


@pytest.mark.parametrize("field", [KIND, CATEGORY, GAP])
def test_events_are_as_common_as_among_real_customers(real: Made, made: Made, field: str) -> None:
    one, other = real[0].coded(), made[0].coded()
    difference = shares(one.fields[field], one.sizes[field]) - shares(other.fields[field], one.sizes[field])
    assert np.abs(difference).sum() / 2 < 0.1


def test_numbers_are_spread_as_those_of_real_customers(real: Made, made: Made) -> None:
    for column in (0, 1):
        assert ks_2samp(real[1][:, column], made[1][:, column]).statistic < 0.15
    assert abs(np.isnan(real[1][:, 2]).mean() - np.isnan(made[1][:, 2]).mean()) < 0.1
    assert ks_2samp(real[0].lengths(), made[0].lengths()).statistic < 0.15


def test_every_made_up_event_is_one_that_exists(made: Made) -> None:
    fields = made[0].fields
    bought = fields[KIND] == 0
    assert (fields[PRODUCT][bought] % CATEGORIES == fields[CATEGORY][bought]).all()
    assert (fields[CATEGORY][~bought] == CATEGORIES).all()


def test_a_made_up_customer_stays_with_a_taste_as_real_ones_do(real: Made, made: Made) -> None:
    def loyalty(timelines: Timelines) -> float:
        rows = np.repeat(np.arange(len(timelines)), timelines.lengths())
        counts = np.zeros((len(timelines), CATEGORIES + 1))
        np.add.at(counts, (rows, timelines.fields[CATEGORY]), 1)
        pairs = counts[:, :-1].reshape(len(counts), -1, 2).sum(axis=2)
        return float((pairs.max(axis=1) / np.maximum(pairs.sum(axis=1), 1)).mean())

    assert loyalty(made[0]) > loyalty(real[0]) - 0.1


def test_the_same_seed_makes_the_same_customers(vae: Vae, made: Made) -> None:
    again, other = vae.sample(600, seed=5), vae.sample(600, seed=6)
    assert np.array_equal(again[0].fields[PRODUCT], made[0].fields[PRODUCT])
    assert np.array_equal(again[1], made[1], equal_nan=True)
    assert not np.array_equal(other[1], made[1], equal_nan=True)


def test_days_rise_within_each_customer_from_nothing(made: Made) -> None:
    timelines = made[0]
    assert timelines.days is not None
    firsts = timelines.starts[:-1][timelines.lengths() > 0]
    steps = np.diff(timelines.days, prepend=0.0)
    steps[firsts] = 0.0
    assert (steps >= 0).all()
    assert (timelines.days[firsts] == 0).all()
