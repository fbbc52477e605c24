"""What the dashboard says: every phrase in both languages, with the same values, and every key that is asked for."""

import re
from pathlib import Path
from string import Formatter

import dongcha.dashboard
from dongcha.dashboard.words import PARTS, WORDS

SOURCE = Path(dongcha.dashboard.__file__).parent


def values(phrase: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(phrase) if name}


def test_every_phrase_is_said_in_both_languages_with_the_same_values() -> None:
    for key, (english, chinese) in WORDS.items():
        assert english.strip(), key
        assert chinese.strip(), key
        assert values(english) == values(chinese), key


def test_no_phrase_is_told_twice() -> None:
    assert sum(map(len, PARTS)) == len(WORDS)


def test_what_is_chinese_is_not_left_in_english() -> None:
    same = {key for key, (english, chinese) in WORDS.items() if english == chinese}
    assert not same


def test_every_key_that_a_page_asks_for_is_there() -> None:
    code = "\n".join(file.read_text("utf-8") for file in SOURCE.rglob("*.py") if file.parent.name != "words")
    asked = set(re.findall(r'\.say\(\s*"(\w+)"', code)) | set(re.findall(r'"(page_\w+|group_\w+|door_\w+)"', code))
    assert asked - WORDS.keys() <= {"page_"}
    assert len(asked) > 150


def test_every_key_is_asked_for() -> None:
    code = "\n".join(file.read_text("utf-8") for file in SOURCE.rglob("*.py") if file.parent.name != "words")
    code = code.replace("'", '"')
    made = tuple(re.findall(r'f"(\w+_)\{', code))
    assert {key for key in WORDS if f'"{key}"' not in code and not key.startswith(made)} == set()
