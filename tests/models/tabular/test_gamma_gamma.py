"""Gamma-Gamma: the published answer, the planted truth, and the pull towards everybody's mean."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.public_data import public_data

from dongcha.errors import MissingDataError
from dongcha.models.tabular.gamma_gamma import GammaGamma

CDNOW = GammaGamma(p=6.25, q=3.74, v=15.44)


def test_the_published_parameters_of_cdnow_are_found() -> None:
    lines = pl.read_parquet(public_data("clv/cdnow.parquet")).filter(pl.col("Date") <= date(1997, 9, 30))
    days = lines.group_by("Id", "Date").agg(m=pl.col("Price").sum())
    again = (
        days.filter(pl.col("Date") > pl.col("Date").min().over("Id")).group_by("Id").agg(pl.len(), pl.col("m").mean())
    )
    found = GammaGamma.fit(again["len"], again["m"])
    assert [found.p, found.q, found.v] == pytest.approx([6.25, 3.74, 15.44], abs=0.01)


def test_planted_parameters_are_recovered() -> None:
    random, rows = np.random.default_rng(2), 20_000
    x = random.integers(1, 8, rows)
    rate = random.gamma(4.0, 1 / 60.0, rows)
    found = GammaGamma.fit(x, random.gamma(3.0 * x, 1 / rate) / x)
    assert [found.p, found.q, found.v] == pytest.approx([3.0, 4.0, 60.0], rel=0.08)


def test_the_less_a_customer_was_seen_the_nearer_to_everybody() -> None:
    everybody, once, often = CDNOW.expected_value(x=[0, 1, 50], m=[np.nan, 200.0, 200.0])
    assert everybody == pytest.approx(6.25 * 15.44 / 2.74)
    assert everybody < once < often < 200


def test_the_currency_changes_nothing() -> None:
    random = np.random.default_rng(4)
    x, m = random.integers(1, 6, 500), random.lognormal(3, 0.7, 500)
    pounds, pence = GammaGamma.fit(x, m), GammaGamma.fit(x, 100 * m)
    assert pence.expected_value(x, 100 * m) == pytest.approx(100 * pounds.expected_value(x, m), rel=1e-3)


def test_a_shop_where_nobody_came_back_is_refused() -> None:
    with pytest.raises(MissingDataError, match="nobody came back"):
        GammaGamma.fit([0, 0, 1], [5.0, 9.0, np.nan])


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    CDNOW.save(tmp_path)
    assert GammaGamma.load(tmp_path) == CDNOW
