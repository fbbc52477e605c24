"""What is served from files is what torch says: the same vectors, nearly the same lists in int8, and no torch."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dongcha.models.behaviour.encoders import ENCODERS
from dongcha.models.behaviour.model import BehaviourModel
from dongcha.models.behaviour.network import NetworkConfig
from dongcha.models.behaviour.timelines import CATEGORY, KIND, PRODUCT, Timelines
from dongcha.models.behaviour.training import TrainingConfig
from dongcha.models.ranking.sequences import Sequences

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from dongcha.models.behaviour.export import by_row, export
from dongcha.models.behaviour.serving import Served, _highest

ITEMS, GROUPS = 300, 15
SHAPE = NetworkConfig(width=32, length=12, dropout=0.1)


def shop(rows: int = 500, seed: int = 0) -> Timelines:
    """Each customer likes one group of products; rows of 0 to 15 events, some without a product."""
    random = np.random.default_rng(seed)
    lengths = random.integers(0, 16, rows)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    liked = np.repeat(random.integers(0, GROUPS, rows), lengths)
    group = np.where(random.random(len(liked)) < 0.8, liked, random.integers(0, GROUPS, len(liked)))
    products = group + GROUPS * random.integers(0, ITEMS // GROUPS, len(liked))
    products[random.random(len(liked)) < 0.1] = ITEMS
    fields = {PRODUCT: products, KIND: random.integers(0, 3, len(liked)), CATEGORY: group}
    days = np.concatenate([np.sort(random.uniform(0, 90, n)) for n in lengths])
    return Timelines(starts, fields, {PRODUCT: ITEMS, KIND: 3, CATEGORY: GROUPS}, days)


@pytest.fixture(scope="module", params=list(ENCODERS))
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[BehaviourModel, Path]:
    training = TrainingConfig(epochs=4, batch_rows=64, negatives=128, learning_rate=0.01)
    model = BehaviourModel.fit(shop(), shape=replace(SHAPE, encoder=request.param), training=training)
    folder = tmp_path_factory.mktemp(request.param)
    export(model, folder)
    return model, folder


def test_vectors_and_lists_in_fp32_are_those_of_torch(trained: tuple[BehaviourModel, Path]) -> None:
    model, folder = trained
    served, some = Served.open(folder, "fp32"), shop(seed=1)
    vectors = model.vectors(some)
    assert np.allclose(served.vectors(some), vectors, atol=1e-4)
    ours, theirs = served.top(vectors, 10, some.products()), model.top(vectors, 10, some.products())
    assert np.array_equal(ours.starts, theirs.starts)
    assert np.array_equal(ours.items, theirs.items)
    assert np.allclose(ours.scores, theirs.scores, atol=1e-4)


def test_lists_in_int8_are_nearly_those_in_fp32(trained: tuple[BehaviourModel, Path]) -> None:
    _, folder = trained
    some = shop(seed=1)
    some = Timelines.where(some, np.repeat(some.lengths() > 1, some.lengths()))
    lists = [
        set(served.top(served.vectors(some), 10, some.products()).keys().tolist())
        for served in (Served.open(folder, "fp32"), Served.open(folder, "int8"))
    ]
    assert len(lists[0] & lists[1]) > 0.95 * len(lists[0])


def test_one_customer_alone_has_the_vector_of_the_batch(trained: tuple[BehaviourModel, Path]) -> None:
    served, some = Served.open(trained[1], "fp32"), shop(seed=2)
    together = served.vectors(some)
    for row in range(8):
        alone = some.where(np.repeat(np.arange(len(some)) == row, some.lengths()))
        assert np.allclose(served.vectors(alone)[row], together[row], atol=1e-5)
        assert bool(together[row].any()) == bool(some.lengths()[row])


def test_no_list_holds_what_was_seen(trained: tuple[BehaviourModel, Path]) -> None:
    served = Served.open(trained[1])
    seen = Sequences.of([list(range(0, ITEMS - 4)), []], ITEMS)
    found = served.top(np.ones((2, SHAPE.width), np.float32), 10, seen)
    assert np.diff(found.starts).tolist() == [4, 10]
    assert found.items[:4].tolist() == list(range(ITEMS - 4, ITEMS))


@pytest.mark.parametrize("products", [10, 127, 5_000])
def test_the_highest_are_found_whatever_the_order_and_ties(products: int) -> None:
    random = np.random.default_rng(products)
    real = random.normal(size=(4, products)).astype(np.float32)
    for scores in (real, np.sort(real), -np.sort(real), np.rint(real), np.where(real > 0, real, -np.inf)):
        found = np.take_along_axis(scores, _highest(scores, 10), axis=1)
        assert np.array_equal(-np.sort(-found), -np.sort(-scores)[:, :10])


def test_fields_that_are_not_read_are_not_asked_for(trained: tuple[BehaviourModel, Path]) -> None:
    served, some = Served.open(trained[1]), shop(seed=1)
    more = Timelines(some.starts, {**some.fields, "unread": some.fields[KIND]}, {**some.sizes, "unread": 3}, some.days)
    assert np.array_equal(served.vectors(more), served.vectors(some))


def test_rows_in_int8_are_at_most_half_a_step_off() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 16)).astype(np.float32)
    vectors[0] = 0
    coded, scales = by_row(vectors)
    assert (np.abs(coded * scales[:, None] - vectors) <= 0.501 * scales[:, None]).all()
    assert not coded[0].any()


def test_serving_needs_no_torch(trained: tuple[BehaviourModel, Path]) -> None:
    script = (
        "import sys; from pathlib import Path; import numpy as np\n"
        "from dongcha.models.behaviour.serving import Served\n"
        f"served = Served.open(Path({str(trained[1])!r}))\n"
        f"served.top(np.ones((1, {SHAPE.width}), np.float32), 3)\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
