"""Trees explained in NumPy say what LightGBM's TreeSHAP says."""

import lightgbm
import numpy as np
import pytest

from dongcha.models.tree_pushes import TreePushes


def grown(leaves: int, missing: float, seed: int) -> tuple[lightgbm.Booster, np.ndarray]:
    random = np.random.default_rng(seed)
    X = random.normal(size=(1500, 12)).round(1)
    X[random.random(X.shape) < missing] = np.nan
    y = (np.nansum(X[:, :4], axis=1) * np.nan_to_num(X[:, 4]) + random.normal(size=len(X)) > 0).astype(float)
    settings = {"objective": "binary", "num_leaves": leaves, "verbose": -1, "num_threads": 1, "seed": seed}
    return lightgbm.train(settings, lightgbm.Dataset(X, y), 40), X


@pytest.mark.parametrize("leaves", [2, 4, 9])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_pushes_are_lightgbm_s(leaves: int, missing: float) -> None:
    booster, X = grown(leaves, missing, seed=leaves)
    asked = np.concatenate([X[:300], np.full((1, 12), np.nan)])
    expected = booster.predict(asked, pred_contrib=True)
    explained = TreePushes.of(booster.model_to_string())
    assert np.abs(explained(asked) - expected[:, :-1]).max() < 1e-10
    assert abs(explained.mean - expected[0, -1]) < 1e-10


def test_one_row_is_explained_as_among_many() -> None:
    booster, X = grown(6, 0.1, seed=1)
    explained = TreePushes.of(booster.model_to_string())
    assert np.array_equal(explained(X[:600])[417], explained(X[417:418])[0])


def test_trees_that_never_split_push_nothing() -> None:
    settings = {"objective": "binary", "verbose": -1, "min_data_in_leaf": 2000}
    X = np.random.default_rng(1).normal(size=(100, 3))
    booster = lightgbm.train(settings, lightgbm.Dataset(X, (X[:, 0] > 0).astype(float)), 3)
    assert not TreePushes.of(booster.model_to_string())(X).any()


def test_trees_too_large_for_it_are_refused() -> None:
    booster, _ = grown(200, 0.0, seed=3)
    with pytest.raises(ValueError, match="columns on the way"):
        TreePushes.of(booster.model_to_string())
