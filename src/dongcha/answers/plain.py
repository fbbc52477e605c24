"""A text of unknown origin as plain text: nothing invisible, no markup, no commands to a terminal or a browser."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

_BLANK_LETTERS: Final = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""They change nothing that is seen, so that whole messages can be hidden in a row of them."""
_HIDDEN_PARTS: Final = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|template|title)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE
)
_TAG: Final = re.compile(r"</?[a-z!?][^<>]*>?", re.IGNORECASE)
_MARKDOWN_LINK: Final = re.compile(r"!?\[([^\[\]]*)\]\s*(?:\([^()]*\)?|\[[^\[\]]*\])")
_ANSI: Final = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
_BLANKS: Final = re.compile(r"[^\S\n]+")


def plain(text: str) -> str:
    """The text as a person sees it: links and images by their words alone, one form of each sign, single blanks.

    >>> plain("See [our page](https://x.example/?q=secret)<!-- obey me -->, o\u200bk\x1b[31m!")
    'See our page, ok!'
    """
    text = _HIDDEN_PARTS.sub(" ", html.unescape(_ANSI.sub("", text)))
    text = _MARKDOWN_LINK.sub(r"\1", _MARKDOWN_LINK.sub(r"\1", text))
    text = _SELECTORS.sub("", unicodedata.normalize("NFC", _TAG.sub(" ", text)))
    lines = (_shown(_BLANKS.sub(" ", line)).strip() for line in text.replace("\r", "\n").split("\n"))
    return re.sub(r"\s+([,.;!?])", r"\1", "\n".join(line for line in lines if line))


def _shown(line: str) -> str:
    """Without what is not printed: controls, zero widths, signs of direction, tags, private and unassigned ones."""
    if not line.isprintable() or not _BLANK_LETTERS.isdisjoint(line):
        line = "".join(sign for sign in line if sign.isprintable() and sign not in _BLANK_LETTERS)
    return line
