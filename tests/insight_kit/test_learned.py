"""What a fit is shown: all of a small history, a stable sample of a large one."""

import numpy as np
import polars as pl

from dongcha import columns as c
from dongcha.as_of import AsOf, Horizon
from dongcha.insight_kit.facts import Example, Facts
from dongcha.insight_kit.learned import held_out, sampled


def example(day: int, entities: int) -> Example:
    features = pl.DataFrame({c.ENTITY_ID: [f"c{k:05}" for k in range(entities)], "orders": [1.0] * entities})
    return Example(Facts(AsOf.parse(f"2024-01-{day:02}"), Horizon(30), features), pl.DataFrame())


PAST = [example(1, 4_000), example(15, 6_000)]


def test_a_small_history_is_learnt_from_whole() -> None:
    assert [int(kept.sum()) for kept in sampled(PAST, most=10_000)] == [4_000, 6_000]


def test_of_a_large_one_a_fair_sample_is_and_the_same_every_time() -> None:
    kept = sampled(PAST, most=1_000)
    assert all(abs(k.mean() - 0.1) < 0.02 for k in kept)
    assert all(np.array_equal(a, b) for a, b in zip(kept, sampled(PAST, most=1_000), strict=True))
    both = (kept[0] & kept[1][:4_000]).mean()
    assert abs(both - 0.01) < 0.01, "each cutoff draws its own"


def test_the_sample_does_not_decide_who_is_held_out() -> None:
    kept = np.concatenate(sampled(PAST, most=2_000))
    assert abs(held_out(PAST)[kept].mean() - held_out(PAST).mean()) < 0.04
