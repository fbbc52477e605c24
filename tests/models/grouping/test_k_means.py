"""k-means: planted groups are found, their number too, and small changes change little."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from dongcha.errors import MissingDataError
from dongcha.models.grouping.k_means import FARTHEST, KMeans, KMeansConfig


def planted_groups(groups: int = 4, rows: int = 1200) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(7)
    truth = random.integers(0, groups, rows)
    centres = np.array([[0, 0, 0], [3, 0, 1], [0, 3, 2], [3, 3, 3], [1, 5, 0]])[:groups]
    return np.exp(centres[truth] + random.normal(0, 0.25, (rows, 3))), truth


def test_planted_groups_are_found_with_their_number() -> None:
    X, truth = planted_groups()
    found = KMeans.fit(X)
    assert found.groups == 4
    assert adjusted_rand_score(truth, found.predict(X)) > 0.95
    assert found.stability > 0.95


def test_units_change_nothing() -> None:
    X, _ = planted_groups()
    assert np.array_equal(KMeans.fit(X).predict(X), KMeans.fit(X * [100, 0.01, 7]).predict(X * [100, 0.01, 7]))


def test_an_outlier_changes_little() -> None:
    X, _ = planted_groups()
    wild = X.copy()
    wild[0] = 1e9
    assert adjusted_rand_score(KMeans.fit(X).predict(X)[1:], KMeans.fit(wild).predict(wild)[1:]) > 0.95


def test_groups_are_numbered_by_size() -> None:
    X, _ = planted_groups()
    sizes = np.bincount(KMeans.fit(X).predict(X))
    assert (np.diff(sizes) <= 0).all()


def test_missing_values_and_ties_are_borne() -> None:
    X, _ = planted_groups()
    X[::7, 1] = np.nan
    tied = np.column_stack([X, np.ones(len(X)), np.full(len(X), np.nan), np.arange(len(X)) % 2])
    found = KMeans.fit(tied)
    assert np.isfinite(found.centres).all()
    assert np.abs(found.scale.transform(tied)).max() <= FARTHEST


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    X, _ = planted_groups()
    found = KMeans.fit(X)
    found.save(tmp_path)
    loaded = KMeans.load(tmp_path)
    assert np.array_equal(loaded.predict(X), found.predict(X))
    assert (loaded.tried, loaded.stability) == (found.tried, found.stability)


def test_a_group_too_small_to_act_on_rules_its_number_out() -> None:
    X, _ = planted_groups()
    found = KMeans.fit(X, config=KMeansConfig(groups=(3, 4), smallest_share=0.3))
    assert [choice.allowed for choice in found.tried if choice.groups == 4] == [False]


def test_fewer_rows_than_groups_are_refused() -> None:
    with pytest.raises(MissingDataError, match="too few"):
        KMeans.fit(np.ones((5, 2)))
