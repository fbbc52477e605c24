"""Rankers: planted next items are found, what is seen is left out, and a learnt judge beats what it judges."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dongcha.errors import MissingDataError
from dongcha.models.ranking import scored as scored_module
from dongcha.models.ranking.blend import Blend, candidates
from dongcha.models.ranking.next_item import NextItem
from dongcha.models.ranking.popularity import Popularity
from dongcha.models.ranking.repeats import Repeats, RepeatsConfig
from dongcha.models.ranking.scored import Scored, stacked
from dongcha.models.ranking.sequences import Sequences
from dongcha.models.ranking.transitions import Transitions, TransitionsConfig

CATALOGUE = 12
ragged = st.lists(st.lists(st.integers(0, CATALOGUE - 1), max_size=7), max_size=8)


@given(ragged, st.integers(0, 3))
def test_sequences_do_what_lists_do(rows: list[list[int]], count: int) -> None:
    some = Sequences.of(rows, CATALOGUE)
    assert [some[k].tolist() for k in range(len(some))] == rows
    assert some.last().tolist() == [row[-1] if row else -1 for row in rows]
    shorter, newest = some.without_last(count), some.newest(count)
    assert [shorter[k].tolist() for k in range(len(rows))] == [row[: max(len(row) - count, 0)] for row in rows]
    assert [newest[k].tolist() for k in range(len(rows))] == [row[-count:] if count else [] for row in rows]
    backwards = np.arange(len(rows))[::-1]
    assert [some.take(backwards)[k].tolist() for k in range(len(rows))] == rows[::-1]
    counts = some.matrix().toarray()
    assert all(counts[k].tolist() == np.bincount(row, minlength=CATALOGUE).tolist() for k, row in enumerate(rows))
    padded = some.padded(3)
    assert all(row[-3:] == [x for x in padded[k].tolist() if x < CATALOGUE] for k, row in enumerate(rows))


def test_a_shorter_sequence_is_asked_when_what_it_lacks_came() -> None:
    plain = Sequences.of([[1, 2, 3], [4], []], CATALOGUE)
    timed = replace(plain, days=np.array([1.0, 5.0, 9.0, 3.0]))
    assert timed.asked_at().tolist() == [9.0, 3.0, 0.0]
    shorter = timed.without_last()
    assert (shorter.asked_at().tolist(), shorter.days.tolist()) == ([9.0, 3.0, 0.0], [1.0, 5.0])
    assert timed.without_last(2).asked_at().tolist() == [5.0, 3.0, 0.0]
    assert shorter.take(np.array([2, 0])).asked_at().tolist() == [0.0, 9.0]
    with pytest.raises(ValueError, match="no moments"):
        plain.asked_at()


scored = st.lists(st.dictionaries(st.integers(0, CATALOGUE - 1), st.sampled_from([0.5, 1.0, 2.0, 3.0])), max_size=6)


def as_scored(rows: list[dict[int, float]]) -> Scored:
    items = [item for row in rows for item in sorted(row)]
    scores = [row[item] for row in rows for item in sorted(row)]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
    return Scored(np.array(items, dtype=np.int64), np.array(scores, dtype=np.float32), starts, CATALOGUE)


@given(scored, st.integers(1, 4))
def test_scored_does_what_dictionaries_do(rows: list[dict[int, float]], count: int) -> None:
    some = as_scored(rows)
    best = [sorted(row, key=lambda item: (-row[item], item))[:count] for row in rows]
    items, scores = some.listed(count)
    assert [[x for x in row if x >= 0] for row in items.tolist()] == best
    assert np.isinf(scores[items < 0]).all()
    assert [some.top(count).items[a:b].tolist() for a, b in pairs(some.top(count).starts)] == [sorted(b) for b in best]
    every = np.arange(len(rows) * CATALOGUE)
    expected = [row.get(item, -1.0) for row in rows for item in range(CATALOGUE)]
    assert some.at(every, otherwise=-1.0).tolist() == expected
    seen = Sequences.of([list(row)[:1] for row in rows], CATALOGUE)
    left = some.without(seen)
    assert not set(left.keys()) & set((seen.rows() * CATALOGUE + seen.items).tolist())
    both = stacked([some, left])
    assert both.keys().tolist() == [*some.keys().tolist(), *(left.keys() + len(some) * CATALOGUE).tolist()]
    assert both.scores.tolist() == [*some.scores.tolist(), *left.scores.tolist()]


@given(ragged, st.integers(0, 3))
def test_what_histories_hold_is_what_their_matrix_says(rows: list[list[int]], seed: int) -> None:
    some = Sequences.of(rows, CATALOGUE)
    weights = np.random.default_rng(seed).integers(1, 9, len(some.items)).astype(np.float32)
    for given_weights in (None, weights):
        held, matrix = Scored.held(some, given_weights), some.matrix(given_weights)
        assert (held.matrix() != matrix).nnz == 0
        assert held.keys().tolist() == some.keys().tolist()


@given(scored, st.integers(0, 3))
def test_what_items_lead_to_is_a_product_of_matrices(rows: list[dict[int, float]], seed: int) -> None:
    from scipy.sparse import random as random_matrix

    some = as_scored(rows)
    links = random_matrix(CATALOGUE, 5, 0.4, "csr", dtype=np.float32, random_state=seed)
    every = np.random.default_rng(seed).permutation(CATALOGUE)
    assert (Scored.rows_of(Scored.of(links).matrix(), every).matrix() != links[every]).nnz == 0
    found = some.led(links)
    assert np.allclose(found.matrix().toarray(), (some.matrix() @ links).toarray())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scored_module, "SIDE_BY_SIDE", 0)
        many = some.led(links)
    assert (found.keys().tolist(), found.scores.tolist()) == (many.keys().tolist(), many.scores.tolist())


def pairs(starts: np.ndarray) -> list[tuple[int, int]]:
    return list(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True))


def test_transitions_have_known_answers() -> None:
    taken = Sequences.of([[0, 1, 2], [0, 1], [3, 1]], catalogue=4)
    forward = TransitionsConfig(reach=1, backward=0.0, from_power=1.0, to_power=0.0, fading=0.5)
    found = Transitions(forward).fit(taken).scores(Sequences.of([[3, 0], []], catalogue=4))
    # After 0 always came 1; after 3, one place farther back, came 1 too.
    assert (found.items.tolist(), found.scores.tolist(), found.starts.tolist()) == ([1], [1.0 + 0.5], [0, 1, 1])


def planted(rows: int = 3000, items: int = 60, seed: int = 3) -> Sequences:
    """Half of the steps go to the item's own follower, half anywhere, the common items more often."""
    random = np.random.default_rng(seed)
    follower = random.permutation(items)
    weight = 1 / np.arange(1, items + 1)
    made = []
    for _ in range(rows):
        row = [int(random.integers(items))]
        while len(row) < random.integers(4, 9):
            follows = random.random() < 0.5
            row.append(int(follower[row[-1]] if follows else random.choice(items, p=weight / weight.sum())))
        made.append(row)
    return Sequences.of(made, items)


def recall(found: Scored, wanted: np.ndarray, count: int = 3) -> float:
    return float((found.listed(count)[0] == wanted[:, None]).any(axis=1).mean())


@pytest.fixture(scope="module")
def shop() -> Sequences:
    return planted()


def test_the_judge_beats_every_ranker_it_judges(shop: Sequences, tmp_path: Path) -> None:
    known, wanted = shop.without_last(), shop.last()
    new = ~np.array([wanted[k] in known[k] for k in range(len(known))])
    before, then = known.without_last(), known.last()
    readings = (TransitionsConfig(reach=1, backward=0.0), TransitionsConfig(reach=8, backward=1.0, to_power=0.5))
    early = [Transitions(reading).fit(before) for reading in readings]
    judge = Blend.fit(early, Popularity().fit(before), before, then, seed=1, each=20)
    late, popular = [Transitions(reading).fit(known) for reading in readings], Popularity().fit(known)
    blended = judge.scores(late, popular, known)
    alone = [recall(ranker.scores(known).without(known), wanted[:]) for ranker in [*late, popular]]
    assert recall(blended, wanted) > max(alone)
    assert recall(blended.top(3), wanted) <= new.mean()
    judge.save(tmp_path)
    assert np.array_equal(Blend.load(tmp_path).scores(late, popular, known).scores, blended.scores)


def test_candidates_are_never_what_was_seen(shop: Sequences) -> None:
    known = shop.without_last()
    found = candidates([Transitions().fit(known)], Popularity().fit(known), known, 10)
    assert not np.isin(found.keys, known.rows() * known.catalogue + known.items).any()


def test_a_judge_without_anything_to_learn_from_is_refused() -> None:
    lonely = Sequences.of([[0], [1], [2]], catalogue=9)
    with pytest.raises(MissingDataError, match="longer history"):
        Blend.fit([Transitions().fit(lonely)], Popularity().fit(lonely), lonely, np.array([5, 6, 7]))


def habits(rows: int = 1200, items: int = 40, seed: int = 4) -> tuple[Sequences, Sequences]:
    """Rows that take their own two items again and again among others; and the four items they take next."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(rows):
        own = random.choice(items // 2, 2, replace=False)
        row = [int(random.choice(own)) if random.random() < 0.6 else int(random.integers(items)) for _ in range(16)]
        made.append(row)
    return Sequences.of([row[:12] for row in made], items), Sequences.of([row[12:] for row in made], items)


def test_several_wanted_items_and_repeats(tmp_path: Path) -> None:
    histories, wanted = habits()
    learn, ask = np.arange(800), np.arange(800, 1200)
    known = histories.take(learn)
    rankers, popular = [Transitions().fit(known), Repeats(RepeatsConfig(ahead=4.0)).fit(known)], Popularity().fit(known)
    found = {}
    for unseen_only in (True, False):
        judge = Blend.fit(rankers, popular, known, wanted.take(learn), each=40, unseen_only=unseen_only)
        judge.save(tmp_path)
        top = Blend.load(tmp_path).scores(rankers, popular, histories.take(ask)).top(2)
        found[unseen_only] = np.isin(top.keys(), wanted.take(ask).keys()).mean()
    assert found[False] > 0.7
    assert found[True] < 0.2


def test_one_wanted_item_is_a_list_of_one(shop: Sequences) -> None:
    known, wanted = shop.without_last(2).take(np.arange(500)), shop.without_last().last()[:500]
    rankers, popular = [Transitions().fit(known)], Popularity().fit(known)
    as_list = Sequences.of([[item] for item in wanted.tolist()], known.catalogue)
    judges = [Blend.fit(rankers, popular, known, one, each=10) for one in (wanted, as_list)]
    assert np.array_equal(*[judge.scores(rankers, popular, known).scores for judge in judges])


def test_with_too_little_to_learn_from_the_rankers_agreement_decides(shop: Sequences, tmp_path: Path) -> None:
    known = shop.without_last()
    rankers, popular = [Transitions().fit(known), Popularity().fit(known)], Popularity().fit(known)
    judge = Blend.fit(rankers, popular, known.take(np.arange(12)), shop.last()[:12], each=10)
    assert judge.booster is None
    judge.save(tmp_path)
    found = Blend.load(tmp_path).scores(rankers, popular, known)
    assert recall(found, shop.last()) > recall(popular.scores(known).without(known), shop.last())


def test_rows_are_judged_alike_alone_and_among_many(shop: Sequences) -> None:
    many = shop.take(np.arange(2500))
    rankers, popular = [Transitions().fit(shop)], Popularity().fit(shop)
    judge = Blend.fit(rankers, popular, many.without_last(), many.last(), each=5)
    found, alone = judge.scores(rankers, popular, many), judge.scores(rankers, popular, many.take(np.array([2400])))
    assert np.array_equal(found.listed(5)[0][2400], alone.listed(5)[0][0])


def test_next_items_of_rows_too_short_for_a_behaviour_model() -> None:
    short = Sequences.of([[k % 4, 4 + k % 4] for k in range(200)] + [[k % 4] for k in range(9)], 9)
    found = NextItem.fit(short).scores(Sequences.of([[0], [3], []], 9))
    assert found.listed(1)[0][:, 0].tolist()[:2] == [4, 7]
