"""Latent groups: their number is found, sizes order them, files change nothing, too few rows are refused."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from dongcha.errors import MissingDataError
from dongcha.models.generative.groups import LatentGroups
from dongcha.models.grouping.k_means import KMeansConfig

CONFIG = KMeansConfig((2, 3, 4), bootstraps=3, restarts=3)


def blobs() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(2)
    truth = random.choice(3, 300, p=[0.2, 0.5, 0.3])
    silent = random.normal(0, 0.01, 300)
    return np.column_stack([random.normal(0, 0.3, (300, 2)) + 3 * np.eye(3)[truth][:, :2], silent]), truth


def test_the_number_of_groups_is_found_and_the_largest_comes_first() -> None:
    points, truth = blobs()
    groups = LatentGroups.fit(points, config=CONFIG)
    assert len(groups.centres) == 3
    assert adjusted_rand_score(truth, groups.predict(points)) > 0.95
    assert (np.diff(np.bincount(groups.predict(points))) <= 0).all()
    assert groups.stability > 0.95


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    points, _ = blobs()
    groups = LatentGroups.fit(points, config=CONFIG)
    groups.save(tmp_path)
    loaded = LatentGroups.load(tmp_path)
    assert np.array_equal(loaded.predict(points), groups.predict(points))
    assert loaded.tried == groups.tried


def test_fewer_rows_than_groups_are_refused() -> None:
    with pytest.raises(MissingDataError, match="too few"):
        LatentGroups.fit(np.zeros((5, 2)), config=CONFIG)
