"""Families of products by their names: known answers, any order, and what is saved comes back."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from dongcha.models.grouping.families import Families

NAMES = ["LUNCH BAG RED", "Jumbo bag", "PAPER BAGS", "shopping bag", "CAKE STAND", "OAK STAND", "LAMP STANDS", "GLOBE"]


def test_the_last_word_says_what_a_thing_is_and_plurals_count_with_it() -> None:
    families = Families.fit(NAMES)
    assert families.words == ("BAG", "STAND")
    assert families.of(["Red bag, large", "STANDS", "bag stand", "globe", "", None]) == [
        "BAG",
        "STAND",
        "STAND",
        None,
        None,
        None,
    ]


def test_a_word_that_rarely_ends_a_name_is_no_family() -> None:
    colours = [f"PINK {thing}" for thing in ("CUP", "JAR", "BOWL", "RUG", "LAMP", "FORK", "KNIFE", "SPOON", "VASE")]
    families = Families.fit([*colours, *colours, "TIN PINK", "BOX PINK", "POT PINK", *NAMES])
    assert "PINK" not in families.words


def test_chinese_names_are_told_by_their_last_two_characters() -> None:
    families = Families.fit(["红色雨伞", "折叠雨伞", "儿童雨伞", "保温水杯", "玻璃水杯", "大水杯"])
    assert families.of(["黑雨伞", "Kestrel 水杯", "地图"]) == ["雨伞", "水杯", None]


def test_no_more_families_than_asked_for() -> None:
    assert Families.fit(NAMES, most=1).words == ("BAG",)


@given(st.permutations(NAMES))
def test_the_order_of_names_changes_nothing(names: list[str]) -> None:
    assert Families.fit(names) == Families.fit(NAMES)


def test_saved_and_loaded(tmp_path: Path) -> None:
    families = Families.fit(["红色雨伞", "折叠雨伞", "儿童雨伞", *NAMES])
    families.save(tmp_path)
    assert Families.load(tmp_path) == families
