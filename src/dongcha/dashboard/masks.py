"""What a viewer sees of a customer's page: the customer masked, also where the story or a text names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dongcha import columns as c
from dongcha.privacy.masks import masked, masked_name
from dongcha.privacy.redaction import redacted


def masked_profile(found: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """A profile that may be shown to anybody; `names`: those of all customers, none of which may stand in a text."""
    name = found["customer"].get(c.NAME) or ""
    story = {
        chapter: [{k: v.replace(name, masked_name(name)) if name else v for k, v in line.items()} for line in lines]
        for chapter, lines in found["story"].items()
    }
    texts = [text | {c.TEXT: redacted(text[c.TEXT] or "", names)} for text in found["texts"]]
    return dict(found) | {"customer": masked(found["customer"]), "story": story, "texts": texts}
