"""Trees read from ONNX say exactly what LightGBM says."""

from pathlib import Path

import lightgbm
import numpy as np
import pytest

from dongcha.models.trees import Trees, as_onnx, load_trees, save_trees

COLUMNS = 12


def some(rows: int, missing: float, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, COLUMNS)).astype(np.float32)
    X[random.random(X.shape) < missing] = np.nan
    return X


def learnt(objective: str, missing: float, **more: object) -> lightgbm.Booster:
    X = some(1500, missing, 0)
    y = np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 1]) ** 2
    y = y if objective in {"regression", "l1"} else (y > 1).astype(np.float64)
    data = lightgbm.Dataset(X, y, group=[30] * 50 if "rank" in objective else None)
    settings = {"objective": objective, "num_leaves": 7, "verbose": -1, "num_threads": 1, **more}
    return lightgbm.train(settings, data, 40)


@pytest.mark.parametrize("objective", ["regression", "l1", "binary", "rank_xendcg"])
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_raw_scores_are_lightgbm_s(objective: str, missing: float, tmp_path: Path) -> None:
    booster = learnt(objective, missing)
    save_trees(booster, tmp_path / "trees.txt")
    found = load_trees(tmp_path / "trees.txt")
    assert isinstance(found, Trees)
    asked = some(200, 0.3, 1)  # with missing values, whether there were any to learn from or not
    asked[:5, 0] = 0.0
    assert np.array_equal(found.predict(asked, raw_score=True), booster.predict(asked, raw_score=True))
    assert np.array_equal(found.predict(asked[:1], raw_score=True), booster.predict(asked[:1], raw_score=True))
    pushes = booster.predict(asked, pred_contrib=True)
    assert np.allclose(found.predict(asked, pred_contrib=True), pushes, rtol=0, atol=1e-12)


def test_trees_without_a_split_say_what_they_say(tmp_path: Path) -> None:
    booster = learnt("regression", 0.0, min_data_in_leaf=5000)
    save_trees(booster, tmp_path / "trees.txt")
    assert load_trees(tmp_path / "trees.txt").predict(some(3, 0, 1)) == pytest.approx(booster.predict(some(3, 0, 1)))


def test_what_was_saved_before_there_was_onnx_is_read_by_lightgbm(tmp_path: Path) -> None:
    booster = learnt("binary", 0.3)
    booster.save_model(str(tmp_path / "trees.txt"))
    asked = some(20, 0.3, 1)
    assert np.array_equal(load_trees(tmp_path / "trees.txt").predict(asked), booster.predict(asked))


def test_a_split_of_another_kind_is_refused() -> None:
    told = learnt("regression", 0.0).dump_model()
    told["tree_info"][0]["tree_structure"]["decision_type"] = "=="
    with pytest.raises(ValueError, match="=="):
        as_onnx(told)
