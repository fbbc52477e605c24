"""The contract of an insight as named properties: `check_insight` proves them for ours and for yours alike."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.errors import ContractError
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.contender import Contender, Role
from dongcha.insight_kit.facts import Example, Facts
from dongcha.models.text.tokens import tokenise, words

LANGUAGES: Final = ("en", "zh")
CLOSE: Final = 1e-6


@dataclass(frozen=True)
class Bench:
    """What the properties are checked on: past examples, the facts of now, and the same facts made again.

    `facts_with_future` are the facts of the same cutoff from a lake to which later rows were added.
    """

    past: Sequence[Example]
    now: Facts
    facts_with_future: Facts
    past_with_future: Sequence[Example]
    seed: int = 7


def check_declaration(insight: Insight) -> None:
    """Raise ContractError where the insight does not declare all it must."""
    for language in LANGUAGES:
        _require(bool(insight.question.get(language)), insight, f"asks no question in '{language}'")
    _require(bool(insight.yields), insight, "yields nothing")
    _require(bool(insight.judged_by), insight, "is judged by nothing")
    _require(insight.name.isidentifier() and insight.name.islower(), insight, "has a name that is not snake_case")
    roles = [contender.role for contender in insight.contenders()]
    _require(Role.BASELINE in roles, insight, "has no baseline to beat")
    _require(Role.CANDIDATE in roles, insight, "has no candidate")
    names = [contender.name for contender in insight.contenders()]
    _require(len(set(names)) == len(names), insight, "has two contenders of one name")


def check_insight(insight: Insight, bench: Bench) -> list[str]:
    """Prove every property for every contender; returns the names of what was proved.

    Raises ContractError naming the insight, the contender and the property that does not hold.
    """
    check_declaration(insight)
    proved = ["declaration_is_complete"]
    for contender in insight.contenders():
        contender.fit(bench.past, bench.now, seed=bench.seed)
        for prove in PROPERTIES:
            if prove.__name__ in getattr(type(contender), "excused", ()):
                continue
            _prove(prove, insight, contender, bench)
            proved.append(f"{contender.name}: {prove.__name__}")
    return proved


def _prove(
    prove: Callable[[Insight, Contender, Bench], None], insight: Insight, contender: Contender, bench: Bench
) -> None:
    try:
        prove(insight, contender, bench)
    except ContractError:
        raise
    except AssertionError as broken:
        raise ContractError(f"{insight.name}, {contender.name}: {prove.__name__} does not hold. {broken}") from broken


def _require(holds: bool, insight: Insight, what: str) -> None:
    if not holds:
        raise ContractError(f"The insight {insight.name} {what}.")


# -- the properties


def answer_is_as_declared(insight: Insight, contender: Contender, bench: Bench) -> None:
    """Every entity is answered for, in order, within the declared kinds and ranges."""
    insight.answer(contender, bench.now)


def same_seed_gives_the_same_answer(insight: Insight, contender: Contender, bench: Bench) -> None:
    """Fitting again changes nothing."""
    again = insight.contender(contender.name)
    again.fit(bench.past, bench.now, seed=bench.seed)
    _alike(insight.answer(contender, bench.now), insight.answer(again, bench.now))


def saved_and_loaded_answers_the_same(insight: Insight, contender: Contender, bench: Bench) -> None:
    """What is written to disk is the whole model, and none of it is pickle."""
    with tempfile.TemporaryDirectory() as folder:
        contender.save(Path(folder))
        for file in Path(folder).rglob("*"):
            assert file.is_dir() or not _looks_pickled(file), f"{file.name} is a pickle"
        loaded = insight.contender(contender.name)
        loaded.load(Path(folder))
    _alike(insight.answer(contender, bench.now), insight.answer(loaded, bench.now))


def row_order_has_no_effect(insight: Insight, contender: Contender, bench: Bench) -> None:
    """Who stands where in the table changes nobody's answer."""
    shuffled = replace(bench.now, features=bench.now.features.sample(fraction=1, shuffle=True, seed=1))
    _alike(insight.answer(contender, bench.now), insight.answer(contender, shuffled).sort(c.ENTITY_ID))


def future_rows_change_nothing(insight: Insight, contender: Contender, bench: Bench) -> None:
    """Rows that came after the cutoff change neither what is learnt nor what is answered."""
    later = insight.contender(contender.name)
    later.fit(bench.past_with_future, bench.facts_with_future, seed=bench.seed)
    _alike(insight.answer(contender, bench.now), insight.answer(later, bench.facts_with_future))


def a_single_entity_can_be_answered_for(insight: Insight, contender: Contender, bench: Bench) -> None:
    """Answering for one is the same as answering for all and picking one."""
    one = replace(bench.now, features=bench.now.features.head(1))
    _alike(insight.answer(contender, bench.now).head(1), insight.answer(contender, one))


def entities_with_no_known_feature_are_answered_for(insight: Insight, contender: Contender, bench: Bench) -> None:
    """Where every optional feature is unknown there still is an answer."""
    blank = bench.now.features.head(3).with_columns(pl.exclude(c.ENTITY_ID).mul(None).cast(pl.Float64))
    insight.answer(contender, replace(bench.now, features=blank))


def every_reason_names_a_needed_feature(insight: Insight, contender: Contender, bench: Bench) -> None:
    """Reasons speak of features that the insight declares, or of words that were said, and are finite."""
    reasons = insight.reasons(contender, bench.now)
    said = [] if bench.now.texts is None else bench.now.texts[c.TEXT].unique().to_list()
    held = {word for text in said for word in (*tokenise(text), *words(text))}
    unknown = set(reasons[c.FEATURE]) - set(insight.needs.features) - held
    assert not unknown, f"it names {sorted(unknown)}"
    assert reasons[c.EFFECT].is_finite().all(), "an effect is not finite"


PROPERTIES: Final = (
    answer_is_as_declared,
    same_seed_gives_the_same_answer,
    saved_and_loaded_answers_the_same,
    row_order_has_no_effect,
    future_rows_change_nothing,
    a_single_entity_can_be_answered_for,
    entities_with_no_known_feature_are_answered_for,
    every_reason_names_a_needed_feature,
)


def _looks_pickled(file: Path) -> bool:
    start = file.read_bytes()[:2]
    return start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")


def _alike(left: pl.DataFrame, right: pl.DataFrame) -> None:
    """Equal, numbers to CLOSE relative to their size (threads may add up in another order)."""
    assert left.columns == right.columns, f"columns differ: {left.columns} and {right.columns}"
    for name in left.columns:
        for row, (a, b) in enumerate(zip(left[name], right[name], strict=True)):
            assert _same(a, b), f"{name} differs in row {row}: {a} and {b}"


def _same(a: object, b: object) -> bool:
    if isinstance(a, pl.Series) and isinstance(b, pl.Series):
        return len(a) == len(b) and all(_same(one, other) for one, other in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= CLOSE * max(1.0, abs(a), abs(b))
    return bool(a == b)
