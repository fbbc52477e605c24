"""What every model of a probability keeps, and how near each comes to the planted truth."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tests.models.tabular.planted import planted

from dongcha.errors import MissingDataError
from dongcha.models.tabular.blend import Blend
from dongcha.models.tabular.boosting import BoostedProbability
from dongcha.models.tabular.logistic import Logistic
from dongcha.models.tabular.neural_net import NeuralNet

MODELS = (Logistic, BoostedProbability, Blend, NeuralNet)
LEARNT, NEW = planted(seed=0), planted(seed=1)
FITTED: dict[Any, Any] = {}

pytestmark = pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.__name__)


def fitted(kind: Any) -> Any:
    if kind not in FITTED:
        FITTED[kind] = kind.fit(LEARNT.X, LEARNT.happened, seed=3)
    return FITTED[kind]


def test_the_planted_order_is_found_nearly_as_well_as_can_be(kind: Any) -> None:
    best = roc_auc_score(NEW.happened, NEW.chance)
    assert roc_auc_score(NEW.happened, fitted(kind).predict(NEW.X)) > best - 0.015


def test_probabilities_are_honest_in_total(kind: Any) -> None:
    chance = fitted(kind).predict(NEW.X)
    assert ((chance > 0) & (chance < 1)).all()
    assert chance.mean() == pytest.approx(NEW.chance.mean(), abs=0.02)


def test_contributions_sum_to_the_logit_but_for_a_constant(kind: Any) -> None:
    model = fitted(kind)
    rest = model.predict_logit(NEW.X[:300]) - model.contributions(NEW.X[:300]).sum(axis=1)
    assert np.ptp(rest) < 0.02


def test_columns_that_say_nothing_move_little(kind: Any) -> None:
    pushes = np.abs(fitted(kind).contributions(NEW.X[:300])).mean(axis=0)
    assert pushes[2:].max() < pushes[:2].min() / 2


def test_the_same_seed_gives_the_same_answer(kind: Any) -> None:
    again = kind.fit(LEARNT.X, LEARNT.happened, seed=3)
    assert np.array_equal(again.predict(NEW.X), fitted(kind).predict(NEW.X))


def test_a_weight_of_two_moves_the_answer_as_a_second_copy_does(kind: Any) -> None:
    heavy = np.where(LEARNT.happened > 0, 3.0, 1.0)
    assert kind.fit(LEARNT.X, LEARNT.happened, sample_weight=heavy).predict(NEW.X).mean() > NEW.chance.mean() + 0.05


def test_what_is_saved_is_what_is_loaded(kind: Any, tmp_path: Path) -> None:
    fitted(kind).save(tmp_path)
    assert np.allclose(kind.load(tmp_path).predict(NEW.X), fitted(kind).predict(NEW.X), atol=1e-9)
    assert {file.suffix for file in tmp_path.iterdir()} <= {".json", ".txt", ".onnx", ".safetensors"}


def test_rows_that_are_wholly_missing_get_an_answer(kind: Any) -> None:
    assert np.isfinite(fitted(kind).predict(np.full((2, 4), np.nan))).all()


def test_a_column_that_is_wholly_missing_or_constant_is_borne(kind: Any) -> None:
    X = np.column_stack([LEARNT.X, np.full(len(LEARNT.X), np.nan), np.full(len(LEARNT.X), 7.0)])
    assert np.isfinite(kind.fit(X, LEARNT.happened).predict(X)).all()


def test_one_class_alone_is_refused(kind: Any) -> None:
    with pytest.raises(MissingDataError, match="0s and 1s"):
        kind.fit(LEARNT.X, np.ones(len(LEARNT.X)))
