"""Paces and outlooks: counted as a slow loop counts them, blind to what lies beyond, and learnt by the model."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dongcha.models.behaviour.model import BehaviourModel
from dongcha.models.behaviour.moments import asked_at, questions, with_questions
from dongcha.models.behaviour.network import NetworkConfig
from dongcha.models.behaviour.outlook import with_outlook
from dongcha.models.behaviour.paces import AGE, LATELY, PACES, SINCE, STEP, TIMES, paces
from dongcha.models.behaviour.timelines import BOUGHT, DAYS_AHEAD, LATER, MOST_AHEAD, PRODUCT, Timelines
from dongcha.models.behaviour.training import TrainingConfig

PRODUCTS = 5
histories = st.lists(
    st.lists(st.tuples(st.floats(0, 200), st.booleans(), st.integers(0, PRODUCTS - 1)), max_size=6),
    min_size=1,
    max_size=4,
)


def timelines_of(rows: list[list[tuple[float, bool, int]]], shift: float = 0.0) -> Timelines:
    flat = [event for row in rows for event in sorted(row)]
    starts = np.cumsum([0, *(len(row) for row in rows)])
    products = np.array([event[2] for event in flat], dtype=np.int64)
    bought = np.array([not event[1] for event in flat], dtype=np.int64)
    days = np.array([event[0] + shift for event in flat], dtype=np.float64)
    return Timelines(starts, {PRODUCT: products, BOUGHT: bought}, {PRODUCT: PRODUCTS, BOUGHT: 1}, days)


def code(count: float) -> int:
    return min(int(np.floor(np.log1p(count) / np.log(STEP) + 1e-9)), PACES - 1)


@given(histories)
def test_paces_are_as_a_slow_loop_counts_them(rows: list[list[tuple[float, bool, int]]]) -> None:
    timelines = timelines_of(rows, shift=15_000)
    found = paces(timelines.starts, timelines.days, timelines.fields[BOUGHT] == 0)  # type: ignore[arg-type]
    expected: dict[str, list[int]] = {name: [] for name in (TIMES, *LATELY, SINCE, AGE)}
    for row in rows:
        events = sorted(row)
        for k, (day, _, _) in enumerate(events):
            bought = {int(d) for d, b, _ in events if b and int(d) <= int(day)}
            expected[TIMES].append(code(len(bought)))
            expected[AGE].append(code(events[k][0] - events[0][0]))
            latest = max((d for d, b, _ in events if b and d <= day), default=events[0][0])
            expected[SINCE].append(code(day - latest))
            for name, within in LATELY.items():
                expected[name].append(code(len({d for d in bought if d > int(day) - within})))
    for name, codes in expected.items():
        assert found[name].tolist() == codes, name


@given(histories, st.floats(1, 250))
def test_an_outlook_is_as_a_slow_loop_sees_it(rows: list[list[tuple[float, bool, int]]], until: float) -> None:
    known = [[event for event in row if event[0] < until] for row in rows]
    asked = with_questions(timelines_of(known), 1.0, 3, until)
    told = with_outlook(asked, until, 3)
    assert asked.days is not None
    here = questions(asked)
    for name in (*DAYS_AHEAD, *LATER):
        assert (told.fields[name][~here] == told.sizes[name]).all()
    row_of = np.repeat(np.arange(len(asked)), asked.lengths())
    for place in np.flatnonzero(here):
        moment, row = asked.days[place], known[row_of[place]]
        for name, within in DAYS_AHEAD.items():
            then = {int(day) for day, bought, _ in row if bought and moment <= day < moment + within}
            # A day that the window cuts counts by its last purchase.
            cut = {int(moment), int(moment + within)}
            if moment + within > until:
                assert told.fields[name][place] == MOST_AHEAD
            else:
                low, high = min(len(then - cut), MOST_AHEAD - 1), min(len(then | cut), MOST_AHEAD - 1)
                assert low <= told.fields[name][place] <= high
        later = {product for day, bought, product in row if bought and moment <= day < moment + 90}
        drawn = {int(told.fields[name][place]) for name in LATER}
        assert drawn <= later if later else drawn == {PRODUCTS}


def test_what_is_not_known_to_be_bought_has_no_outlook() -> None:
    plain = Timelines(np.array([0, 2]), {PRODUCT: np.array([0, 1])}, {PRODUCT: 2}, np.array([0.0, 9.0]))
    assert with_outlook(plain, 100.0, 1) is plain
    assert set(plain.paced().fields) == {PRODUCT, "gap"}


def paced(customers: int, seed: int) -> tuple[Timelines, np.ndarray]:
    """Half buy every 5 days, half every 60, the same products; the same number of events is known of all."""
    random = np.random.default_rng(seed)
    quick = random.random(customers) < 0.5
    gaps = np.where(quick, 5, 60)[:, None] * random.uniform(0.5, 1.5, (customers, 12))
    days = 400 - random.uniform(0, 5, customers)[:, None] - np.cumsum(gaps, axis=1)[:, ::-1] + gaps[:, -1:]
    products = random.integers(0, PRODUCTS, days.size)
    fields = {PRODUCT: products, BOUGHT: np.zeros(days.size, dtype=np.int64)}
    starts = np.arange(customers + 1) * days.shape[1]
    return Timelines(starts, fields, {PRODUCT: PRODUCTS, BOUGHT: 1}, days.ravel()), quick


def test_the_state_knows_the_pace() -> None:
    import torch

    timelines, quick = paced(300, seed=1)
    asked = with_outlook(with_questions(timelines, 0.5, 1, 400.0), 400.0, 1)
    small = NetworkConfig(width=16, layers=1, heads=1, length=12, dropout=0.1)
    training = TrainingConfig(epochs=5, batch_rows=32, learning_rate=0.02, negatives=64, patience=5)
    model = BehaviourModel.fit(asked, seed=1, shape=small, training=training)

    states = model.vectors(asked_at(timelines, 400.0))
    with torch.inference_mode():
        ahead = model.network.heads["days_ahead_7"](torch.from_numpy(states)).softmax(dim=1).numpy()
    more = ahead @ np.arange(MOST_AHEAD)
    assert (more[quick].mean() - more[~quick].mean()) > 0.5


@settings(max_examples=20)
@given(histories)
def test_a_question_is_asked_after_the_newest_event_and_before_the_end(
    rows: list[list[tuple[float, bool, int]]],
) -> None:
    timelines = timelines_of(rows)
    asked = with_questions(timelines, 1e-9, 3, 300.0)
    assert asked.days is not None
    for row, events in enumerate(rows):
        mine = slice(asked.starts[row], asked.starts[row + 1])
        if events:
            assert max(event[0] for event in events) <= asked.days[mine][-1] <= 300
            assert questions(asked)[mine].tolist() == [False] * len(events) + [True]
