"""Who answers: chosen on earlier folds, promoted only against the best baseline."""

from tests.small_shop import CameBack, Contrary, Rate, Recent

from dongcha.as_of import AsOf
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.contender import Role
from dongcha.insight_kit.contest import Fold, best, chosen_in, verdict


class Three(CameBack):
    kinds = (Contrary, Recent, Rate)


def folds(*briers: dict[str, float]) -> list[Fold]:
    return [
        Fold(k, AsOf.parse(f"2024-0{k}-01"), 10, {name: {"brier": value} for name, value in row.items()})
        for k, row in enumerate(briers, start=1)
    ]


INSIGHT: Insight = Three()
MIXED = folds(
    {"contrary": 0.3, "recent": 0.1, "rate": 0.2},
    {"contrary": 0.1, "recent": 0.2, "rate": 0.2},
    {"contrary": 0.1, "recent": 0.1, "rate": 0.2},
)


SWAPPED = {"contrary": 0.0, "recent": 9.0, "rate": 0.2}


def flat(fold: Fold) -> dict[str, float]:
    return {name: metrics["brier"] for name, metrics in fold.metrics.items()}


def test_the_first_fold_is_answered_by_the_first_declared() -> None:
    assert chosen_in(INSIGHT, MIXED, MIXED[0]) == "contrary"


def test_a_fold_s_choice_looks_at_earlier_folds_only() -> None:
    assert chosen_in(INSIGHT, MIXED, MIXED[1]) == "recent"
    changed = folds(flat(MIXED[0]), SWAPPED, SWAPPED)
    assert chosen_in(INSIGHT, changed, MIXED[1]) == "recent"


def test_less_is_better_where_the_metric_says_so() -> None:
    assert best(INSIGHT, MIXED, Role.CANDIDATE) == "recent"


def test_a_candidate_that_beats_every_baseline_is_promoted() -> None:
    decided = verdict(INSIGHT, MIXED)
    assert (decided.contender, decided.promoted) == ("recent", True)


def test_a_candidate_that_does_not_beat_the_baseline_is_not_promoted() -> None:
    decided = verdict(INSIGHT, folds({"contrary": 0.3, "recent": 0.2, "rate": 0.2}))
    assert (decided.contender, decided.promoted) == ("rate", False)
    assert "does not beat" in decided.why


def test_an_unacceptable_candidate_is_not_promoted_however_good_its_headline() -> None:
    class Strict(Three):
        def unacceptable(self, metrics: object) -> str:
            return "its total is off"

    decided = verdict(Strict(), MIXED)
    assert (decided.contender, decided.promoted) == ("rate", False)
    assert "its total is off" in decided.why


def test_without_a_fold_the_baseline_answers() -> None:
    assert verdict(INSIGHT, []).contender == "rate"
