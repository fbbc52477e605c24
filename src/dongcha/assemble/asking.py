"""Questions of customers and staff, answered from what is loaded."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from dongcha import __version__
from dongcha.as_of import AsOf
from dongcha.assemble.conclusions import Conclusions

if TYPE_CHECKING:
    from dongcha.answers import answering
    from dongcha.answers.answering import Answer
    from dongcha.answers.escalation import Mood
    from dongcha.models.text.encoders import Encoder


class Asking(Conclusions):
    """A workspace that answers questions; see `dongcha.answers`."""

    def ask(
        self, question: str, customer: str | None = None, *, staff: bool = True, as_of: str | AsOf | None = None
    ) -> Answer:
        """A question answered from what the asker may see; see `dongcha.answers`.

        With `customer` that customer asks, whose identity is for the caller to have checked, and their own orders are
        read; without, staff asks, or anybody (`staff=False`), and nobody's are. Raises UsageError where nothing is
        asked or no table knows the customer, MissingDataError where nothing to answer from is loaded.
        """
        from dongcha.answers.answering import answer
        from dongcha.answers.asker import Asker

        asker = Asker.customer(customer) if customer else Asker.staff() if staff else Asker.anybody()
        return answer(self.answering_desk(self.as_of(as_of)), question, asker)

    def answering_desk(self, as_of: AsOf) -> answering.Desk:
        """What answers questions as of a cutoff; learnt once for the same facts and settings, then read back."""
        from dongcha.answers import answering
        from dongcha.answers.index import Index, kept, name_of
        from dongcha.features.point_in_time import Snapshot
        from dongcha.jobs.study import CODE_VERSION

        if as_of not in self._desks:
            facts, settings = Snapshot(self.lake, as_of), self.settings.answers
            made_by = f"{__version__} {CODE_VERSION} {settings.encoder} {settings.encoder_url} {self.settings.seed}"
            name = name_of(facts, made_by)
            encoder = self._encoder()
            self.desk.progress("Learning to answer", 0, 1)
            index = kept(
                self.folder / "answers", name, encoder, lambda: Index.build(facts, encoder, self.settings.seed)
            )
            self.desk.progress("Learning to answer", 1, 1)
            self._desks[as_of] = answering.Desk(facts, index, settings, self._feeling(as_of))
        return self._desks[as_of]

    @cached_property
    def _desks(self) -> dict[AsOf, answering.Desk]:
        return {}

    def _encoder(self) -> Encoder | None:
        from dongcha.models.text.encoders import EndpointEncoder, SentenceEncoder

        settings = self.settings.answers
        if not settings.encoder:
            return None
        if settings.encoder_url:
            return EndpointEncoder(settings.encoder_url, settings.encoder, settings.key_variable)
        return SentenceEncoder(settings.encoder)

    def _feeling(self, as_of: AsOf) -> Callable[[str], Mood]:
        """How texts feel, by the promoted model of moods."""
        from dongcha.answers.feeling import feeling, no_feeling

        insight = next((k for k in self.insights if k.name == "sentiment"), None)
        version = insight and self.ledger.champion(insight.name)
        if not insight or not version:
            return no_feeling
        return feeling(insight, self.desk.models.load(insight, version), as_of, self.desk.plan.horizon)
