"""What a viewer sees of a person: enough to tell two apart, not enough to reach or know them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from dongcha import columns as c
from dongcha.privacy.redaction import redacted

DOT: Final = "•••"


def masked_name(name: str) -> str:
    """Its first letters.

    >>> masked_name("Oscar Moore"), masked_name("李小明")
    ('O. M.', '李••')
    """
    if not name.isascii() and " " not in name:
        return name[:1] + "•" * (len(name) - 1)
    return " ".join(f"{part[0]}." for part in name.split())


def masked_email(email: str) -> str:
    """Its first letter and its last domain.

    >>> masked_email("oscar@mail.example.com")
    'o•••@•••.com'
    """
    return re.sub(r"^(.).*@.*(\.[^.]+)$", rf"\1{DOT}@{DOT}\2", email) if "@" in email else DOT


def masked_phone(phone: str) -> str:
    """Its last two digits.

    >>> masked_phone("+44 7511 142875")
    '•••75'
    """
    return DOT + phone[-2:]


def masked(known: Mapping[str, Any]) -> dict[str, Any]:
    """What a table of customers knows of one, masked: names and addresses shortened, the day of birth its year."""
    found = dict(known)
    ways = {c.NAME: masked_name, c.EMAIL: masked_email, c.PHONE: masked_phone}
    for column, way in ways.items():
        if isinstance(found.get(column), str):
            found[column] = way(found[column])
    if isinstance(found.get(c.BIRTH_DATE), date):
        found[c.BIRTH_DATE] = found[c.BIRTH_DATE].year
    found.pop(c.EXTRAS, None)
    return found


def masked_profile(found: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The same of a whole profile: also the story that names the customer, and what they wrote.

    `names`: those of all customers, none of which may stand in a text.
    """
    name = found["customer"].get(c.NAME) or ""
    story = {
        chapter: [{k: v.replace(name, masked_name(name)) if name else v for k, v in line.items()} for line in lines]
        for chapter, lines in found["story"].items()
    }
    texts = [text | {c.TEXT: redacted(text[c.TEXT] or "", names)} for text in found["texts"]]
    return dict(found) | {"customer": masked(found["customer"]), "story": story, "texts": texts}
