"""What TensorBoard is told of a training is what the model remembers of it."""

import sys
from pathlib import Path

import numpy as np
import pytest

from dongcha.errors import UsageError
from dongcha.models.behaviour.logs import logged
from dongcha.models.behaviour.model import BehaviourModel
from dongcha.models.behaviour.network import NetworkConfig
from dongcha.models.behaviour.timelines import KIND, PRODUCT, Timelines
from dongcha.models.behaviour.training import TrainingConfig


def test_the_logs_hold_every_epoch_of_the_history(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    random = np.random.default_rng(0)
    fields = {PRODUCT: random.integers(0, 20, 800), KIND: random.integers(0, 3, 800)}
    some = Timelines(np.arange(0, 801, 8), fields, {PRODUCT: 20, KIND: 3}, np.tile(np.arange(8.0), 100))
    training = TrainingConfig(epochs=3, batch_rows=50, negatives=16, contrast=0.1)
    model = BehaviourModel.fit(some, shape=NetworkConfig(width=8), training=training, logs=tmp_path)
    read = EventAccumulator(str(tmp_path)).Reload()
    names = {"loss", "product", "kind", "gap", "contrast", "ndcg", "learning_rate"}
    assert {f"behaviour/{name}" for name in names} <= set(read.Tags()["scalars"])
    for name in names:
        told = [event.value for event in read.Scalars(f"behaviour/{name}")]
        assert told == pytest.approx([epoch[name] for epoch in model.history], rel=1e-5)


def test_without_tensorboard_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UsageError, match=r"dongcha\[logs\]"), logged(tmp_path):
        pass


def test_no_folder_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with logged(None) as log:
        log(0, {"loss": 1.0})
