"""The behaviour model: planted steps are learnt, the future is never seen, kills and files change nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dongcha.errors import MissingDataError
from dongcha.models.behaviour.encoders import ENCODERS
from dongcha.models.behaviour.losses import Sampler, product_loss
from dongcha.models.behaviour.model import BehaviourModel
from dongcha.models.behaviour.network import Network, NetworkConfig
from dongcha.models.behaviour.timelines import GAPS, KIND, PRODUCT, Timelines
from dongcha.models.behaviour.training import TrainingConfig, tensors
from dongcha.models.behaviour.warm_start import warm_start
from dongcha.models.ranking.sequences import Sequences

SMALL = NetworkConfig(width=16, length=12, dropout=0.1)
SHORT = TrainingConfig(epochs=3, batch_rows=64, negatives=64)


def planted(rows: int = 1200, items: int = 40, seed: int = 5) -> Sequences:
    """The next item depends on the last two: their sum. No count of single steps can know it."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(rows):
        row = random.integers(0, items, 2).tolist()
        while len(row) < random.integers(5, 10):
            row.append((row[-1] + row[-2]) % items if random.random() < 0.9 else int(random.integers(items)))
        made.append(row)
    return Sequences.of(made, items)


def dated(sequences: Sequences) -> Timelines:
    """With kinds of event and moments: some events have no product, gaps follow the kind."""
    random = np.random.default_rng(1)
    kinds = random.integers(0, 3, len(sequences.items))
    days = np.concatenate([np.cumsum(1.0 + 9.0 * kinds[a:b]) for a, b in bounds(sequences.starts)])
    products = np.where(random.random(len(kinds)) < 0.1, sequences.catalogue, sequences.items)
    return Timelines(sequences.starts, {PRODUCT: products, KIND: kinds}, {PRODUCT: sequences.catalogue, KIND: 3}, days)


def bounds(starts: np.ndarray) -> list[tuple[int, int]]:
    return list(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True))


@pytest.fixture(scope="module")
def shop() -> Sequences:
    return planted()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_no_state_sees_what_comes_after_it(shop: Sequences, encoder: str) -> None:
    torch.manual_seed(0)
    network = Network({PRODUCT: shop.catalogue}, replace(SMALL, encoder=encoder)).eval()
    for weight in network.read.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    codes = torch.randint(shop.catalogue, (4, 10))
    changed = codes.clone()
    changed[:, 6:] = (changed[:, 6:] + 1) % shop.catalogue
    before, after = network({PRODUCT: codes}), network({PRODUCT: changed})
    assert torch.allclose(before[:, :6], after[:, :6], atol=1e-5)
    assert not torch.allclose(before[:, 6:], after[:, 6:], atol=1e-3)


def test_what_a_row_is_padded_with_changes_nothing(shop: Sequences) -> None:
    model = BehaviourModel.fit(Timelines.of(shop), shape=SMALL, training=replace(SHORT, epochs=1))
    together = model.vectors(Timelines.of(shop))
    alone = [model.vectors(Timelines.of(shop.take(np.array([k]))))[0] for k in range(5)]
    assert np.allclose(together[:5], alone, atol=1e-5)


@pytest.mark.parametrize("encoder", [name for name in ENCODERS if name != "none"])
def test_an_order_of_two_steps_is_learnt(shop: Sequences, encoder: str) -> None:
    known, wanted = shop.without_last(), shop.last()
    long = TrainingConfig(epochs=25, batch_rows=64, learning_rate=0.01, negatives=256, patience=25)
    model = BehaviourModel.fit(
        Timelines.of(known), shape=NetworkConfig(encoder=encoder, width=32, layers=2, dropout=0.0), training=long
    )
    start = BehaviourModel.fit(Timelines.of(known), shape=NetworkConfig(width=32), training=replace(long, epochs=0))
    assert hits(model, known, wanted) > 1.5 * hits(start, known, wanted)


def hits(model: BehaviourModel, known: Sequences, wanted: np.ndarray) -> float:
    top, _ = model.top(model.vectors(Timelines.of(known)), 3).listed(3)
    return float((top == wanted[:, None]).any(axis=1).mean())


def test_the_same_seed_gives_the_same_model_and_another_another(shop: Sequences) -> None:
    one, two, three = (BehaviourModel.fit(dated(shop), seed=s, shape=SMALL, training=SHORT) for s in (1, 1, 2))
    assert np.array_equal(one.vectors(dated(shop)), two.vectors(dated(shop)))
    assert not np.allclose(one.vectors(dated(shop)), three.vectors(dated(shop)))


class Killed(Exception):
    pass


@pytest.mark.parametrize("share", [0.6, 0.9], ids=["in the third epoch", "in the last pass"])
def test_a_killed_training_goes_on_to_the_same_weights(shop: Sequences, tmp_path: Path, share: float) -> None:
    whole = BehaviourModel.fit(dated(shop), shape=SMALL, training=SHORT)

    def die(what: str, done: int, of: int) -> None:
        if done > share * of:
            raise Killed

    with pytest.raises(Killed):
        BehaviourModel.fit(dated(shop), shape=SMALL, training=SHORT, checkpoint=tmp_path, progress=die)
    steps: list[int] = []
    resumed = BehaviourModel.fit(
        dated(shop),
        shape=SMALL,
        training=SHORT,
        checkpoint=tmp_path,
        progress=lambda what, done, of: steps.append(done),
    )
    assert min(steps) > 0.45 * max(steps), "whole epochs are not run again"
    assert resumed.history == whole.history
    assert np.array_equal(resumed.vectors(dated(shop)), whole.vectors(dated(shop)))


def test_the_last_pass_learns_from_what_was_held_out(shop: Sequences) -> None:
    """The newest tenth of the time brings products that were never taken before it."""
    some = dated(shop)
    late = some.days > np.quantile(some.days, 0.9)
    size = shop.catalogue + 5
    none = some.fields[PRODUCT] == shop.catalogue
    new = np.where(late, shop.catalogue + np.arange(len(late)) % 5, some.fields[PRODUCT])
    grown = Timelines(some.starts, {PRODUCT: np.where(none, size, new)}, {PRODUCT: size}, some.days)
    without, with_it = (
        BehaviourModel.fit(grown, shape=SMALL, training=replace(SHORT, last_pass=rate)).network.bias.detach()
        for rate in (0.0, 1.0)
    )
    assert (with_it - without)[shop.catalogue :].mean() > 0


def test_what_is_saved_is_what_is_loaded(shop: Sequences, tmp_path: Path) -> None:
    model = BehaviourModel.fit(dated(shop), shape=SMALL, training=replace(SHORT, epochs=1))
    model.save(tmp_path)
    loaded = BehaviourModel.load(tmp_path)
    assert np.array_equal(loaded.vectors(dated(shop)), model.vectors(dated(shop)))
    assert loaded.history == model.history


def test_the_top_is_the_top_of_all_scores_but_the_seen(shop: Sequences) -> None:
    model = BehaviourModel.fit(Timelines.of(shop), shape=SMALL, training=replace(SHORT, epochs=1))
    vectors = model.vectors(Timelines.of(shop))
    scores = model.scores(vectors)
    scores[shop.rows(), shop.items] = -np.inf
    assert np.array_equal(model.top(vectors, 5, shop).listed(5)[1], -np.sort(-scores, axis=1)[:, :5])


def test_gaps_are_coded_by_days_and_each_first_has_none() -> None:
    days = np.array([100.0, 100.0, 107.0, 3.0, 500.0])
    some = Timelines(np.array([0, 3, 3, 5]), {PRODUCT: np.zeros(5, dtype=np.int64)}, {PRODUCT: 1}, days)
    gaps = some.gaps()
    assert gaps[[0, 3]].tolist() == [GAPS, GAPS]
    assert 0 == gaps[1] < gaps[2] < gaps[4] == GAPS - 1


def test_a_warm_start_puts_what_is_taken_together_together() -> None:
    random = np.random.default_rng(0)
    rows = [random.integers(0, 10, 5) + 10 * random.integers(0, 3) for _ in range(600)]
    vectors = warm_start(Sequences.of([row.tolist() for row in rows], 30), width=8, seed=0)
    alike = vectors @ vectors.T
    same = np.kron(np.eye(3), np.ones((10, 10))).astype(bool)
    assert alike[same].mean() > 5 * abs(alike[~same].mean())


@pytest.mark.parametrize(("products", "drawn", "near"), [(20_000, 15_000, 0.05), (500, 1_024, 1e-6)])
def test_the_drawn_loss_is_near_the_whole_softmax(products: int, drawn: int, near: float) -> None:
    """And the same where all products are no more than would be drawn."""
    torch.manual_seed(0)
    network = Network({PRODUCT: products}, SMALL).eval()
    network.products.data.normal_(std=0.3)
    states, target = torch.randn(200, 16), torch.randint(products, (200,))
    whole = torch.nn.functional.cross_entropy(network.product_scores(states), target)
    sampler = Sampler.of(Timelines.of(Sequences.of([list(range(products))], products)))
    assert product_loss(network, states, target, sampler, drawn).item() == pytest.approx(whole.item(), abs=near)


def test_the_contrast_tells_customers_apart(shop: Sequences) -> None:
    """A customer's state before the newest three events is more like the newest state than other customers' are."""
    random = np.random.default_rng(0)
    tastes = [random.choice(40, 4, replace=False) for _ in range(600)]
    known = Sequences.of([random.choice(taste, 12).tolist() for taste in tastes], 40)
    found = []
    for weight in (0.0, 1.0):
        training = replace(SHORT, epochs=6, learning_rate=0.01, contrast=weight)
        model = BehaviourModel.fit(Timelines.of(known), shape=SMALL, training=training)
        late, early = (model.vectors(Timelines.of(part)) for part in (known.newest(4), known.without_last(4)))
        late, early = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (late, early))
        alike = early @ late.T
        found.append(float((alike > np.diag(alike)[:, None]).mean()))
    assert found[1] < 0.75 * found[0], "the share of other customers that are nearer than oneself"


def test_too_short_histories_are_refused() -> None:
    with pytest.raises(MissingDataError, match="longer history"):
        BehaviourModel.fit(Timelines.of(Sequences.of([[0, 1], [2]], 3)), shape=SMALL, training=SHORT)


def test_rows_without_events_have_zeros_and_padding_is_none(shop: Sequences) -> None:
    model = BehaviourModel.fit(Timelines.of(shop), shape=SMALL, training=replace(SHORT, epochs=1))
    some = Timelines.of(Sequences.of([[], [1, 2]], shop.catalogue))
    assert not model.vectors(some)[0].any()
    assert model.vectors(some)[1].any()
    assert tensors(some.newest(np.array([0, 1]), 5))[PRODUCT].tolist() == [[shop.catalogue] * 2, [1, 2]]
