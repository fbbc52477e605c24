"""One question, answered: what the asker may see, what is found, how sure, and whether a person should take over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from dongcha import columns as c
from dongcha.answers.asker import Asker
from dongcha.answers.escalation import Mood, reasons
from dongcha.answers.finder import TABLES, Passage
from dongcha.answers.grounding import ungrounded
from dongcha.answers.index import Index, asked
from dongcha.answers.own_orders import asks_about_own, is_known, own_orders
from dongcha.answers.phrasing import NoWords, phrase
from dongcha.answers.plain import plain
from dongcha.answers.say import say
from dongcha.errors import UnknownError, UsageError
from dongcha.features.point_in_time import Snapshot
from dongcha.models.text.bm25 import content
from dongcha.models.text.language import languages
from dongcha.models.text.sentences import joined, sentences
from dongcha.settings import AnswersSection

CHARACTERS_READ: Final = 2_000
SENTENCES: Final = 3
NEAREST: Final = 3
MODEL: Final = "model"
EXTRACT: Final = "extract"
NOBODY: Final = "nobody"


@dataclass(frozen=True)
class Source:
    """A passage, and the chance that it answers the question; 1 for the customer's own orders, which were looked up."""

    table: str
    source_id: str
    title: str
    url: str
    passage: str
    sure: float


@dataclass(frozen=True)
class Answer:
    """What came of a question. Without `known`, `text` says so and `sources` are the nearest, not an answer."""

    question: str
    language: str
    text: str
    known: bool
    sure: float
    sources: tuple[Source, ...]
    intent: str | None
    intent_sure: float | None
    mood: str | None
    mood_value: float | None
    escalate: bool
    why: tuple[str, ...]
    by: str
    """Whose words: `extract` (the sources'), `model` (a language model's, covered by the sources), or `nobody`."""
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


@dataclass(frozen=True)
class Desk:
    """What answering needs: the facts as of a cutoff, what was learnt of them, settings, and how texts feel."""

    facts: Snapshot
    index: Index
    settings: AnswersSection
    feel: Callable[[str], Mood]


def answer(desk: Desk, question: str, asker: Asker) -> Answer:
    """Answer from what the asker may see, or say that it is not known.

    Raises UsageError where nothing is asked, or by a customer whom no table knows.
    """
    said = plain(question[:CHARACTERS_READ])
    if not said:
        raise UsageError("No question was asked.", 'For example: dongcha ask "How do I return something?"')
    if asker.customer_id is not None and not is_known(desk.facts, asker.customer_id):
        raise UnknownError(f"No table knows a customer '{asker.customer_id}'.", "Ask without --customer, as staff.")
    language = "zh" if languages([said])[0] == "zh" else "en"
    own, notes = _own(desk, said, asker, language)
    found = _found(desk, said, asker)
    sure_ones = [source for source in found if source.sure >= desk.settings.least_sure]
    written = [source for source in sure_ones if source.table != c.MESSAGES]
    given = [*own, *(written[:1] or sure_ones[:1])]
    known = bool(given) or bool(notes and asker.customer_id)
    nearest = sorted(found, key=lambda source: source.table != c.DOCUMENTS)[:NEAREST]
    parts = [*notes, *(_quoted(said, source, language) for source in given)]
    if not known:
        parts.append(_unknown(nearest, language))
    intent, intent_sure = _intent(desk, said)
    mood = desk.feel(said)
    why = tuple(reasons(said, mood, intent, desk.settings.people_for, known=known, language=language))
    result = Answer(
        question=said,
        language=language,
        text="\n".join(parts),
        known=known,
        sure=max((source.sure for source in (*own, *found)), default=0.0),
        sources=tuple([*own, *sure_ones[:NEAREST]] if known else nearest),
        intent=intent,
        intent_sure=intent_sure,
        mood=mood.name,
        mood_value=mood.value,
        escalate=bool(why),
        why=why,
        by=EXTRACT if given else NOBODY,
    )
    return _phrased(desk.settings, result, given) if given and desk.settings.base_url else result


def _own(desk: Desk, question: str, asker: Asker, language: str) -> tuple[list[Source], list[str]]:
    """The asker's own orders, where the question is about them; or what to say instead."""
    if not asks_about_own(question):
        return [], []
    if asker.customer_id is None:
        return [], [say("name_the_customer", language)] if desk.facts.has(c.ORDERS) else []
    passages, note = own_orders(desk.facts, asker.customer_id, question, language)
    return [_source(passage, 1.0) for passage in passages], [note] if note else []


def _found(desk: Desk, question: str, asker: Asker) -> list[Source]:
    """The best passage of each source that the asker may see, surest first; of equals the shop's own pages first."""
    best: dict[tuple[str, str], Source] = {}
    for candidate in desk.index.finder.candidates(question, asker.tables):
        source = _source(candidate.passage, desk.index.sureness.chance(candidate))
        key = (source.table, source.source_id)
        if key not in best or best[key].sure < source.sure:
            best[key] = source
    return sorted(best.values(), key=lambda source: (-source.sure, TABLES.index(source.table)))


def _source(passage: Passage, sure: float) -> Source:
    return Source(passage.table, passage.source_id, passage.title, passage.url, passage.text, sure)


def _intent(desk: Desk, question: str) -> tuple[str | None, float | None]:
    if desk.index.intents is None:
        return None, None
    (name,), (sure,) = desk.index.intents.told([asked(question)])
    return (name, float(sure)) if sure >= desk.settings.least_sure else (None, float(sure))


def _unknown(nearest: Sequence[Source], language: str) -> str:
    titles = ", ".join(dict.fromkeys(source.title for source in nearest if source.title))
    near = say("nearest", language, titles=titles) if titles else say("nothing_near", language)
    return say("unknown", language, nearest=near)


def _quoted(question: str, source: Source, language: str) -> str:
    """A colleague's sentence was said of another customer's matter: it is given as that."""
    best = best_sentences(question, source)
    return say("colleagues", language, text=best) if source.table == c.MESSAGES else best


def best_sentences(question: str, source: Source, most: int = SENTENCES) -> str:
    """Those sentences of a passage that share most with the question, in the passage's order."""
    if source.table == c.ORDERS:
        return source.passage
    told, asked_for = sentences(source.passage), set(content(question))
    shared = [len(asked_for & set(content(sentence))) for sentence in told]
    kept = sorted(sorted(range(len(told)), key=lambda k: (-shared[k], k))[:most])
    return joined([told[k] for k in kept])


def _phrased(settings: AnswersSection, result: Answer, given: Sequence[Source]) -> Answer:
    """The answer in a language model's words, where the sources cover them; else as it was, and why."""
    passages = ["\n".join(part for part in (source.title, source.passage) if part) for source in given]
    try:
        words = phrase(settings, result.question, passages)
    except NoWords as failed:
        return replace(result, notes=(say("model_failed", result.language, reason=failed),))
    lacking = ungrounded(words, passages)
    if lacking:
        return replace(result, notes=(say("model_refused", result.language, reason=lacking),))
    return replace(result, text=plain(words), by=MODEL)
