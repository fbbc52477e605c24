"""What was concluded, read back: scores, reasons, groups, moods, a customer's profile, an audience."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from dongcha import columns as c
from dongcha.as_of import AsOf
from dongcha.assemble.workspace import Workspace
from dongcha.errors import MissingDataError

if TYPE_CHECKING:
    import polars as pl

    from dongcha.insight_kit.base import Insight
    from dongcha.insight_kit.telling import Reader


class Conclusions(Workspace):
    """A workspace whose ledger is read, as of the newest answers or those of a cutoff."""

    def as_of(self, moment: str | AsOf | None = None) -> AsOf:
        """The cutoff asked for; by default the midnight after the last order."""
        if moment is None:
            return self.desk.end()
        return moment if isinstance(moment, AsOf) else AsOf.parse(moment)

    def last_score(self, name: str, as_of: str | AsOf | None = None) -> dict[str, Any]:
        """The run that made the newest answer of an insight (at a cutoff)."""
        from dongcha.jobs.score import JOB

        cutoff = None if as_of is None else self.as_of(as_of)
        run = self.ledger.latest_run(JOB, self.insights[name].name, cutoff)
        if run is None:
            when = "" if cutoff is None else f" as of {cutoff}"
            raise MissingDataError(f"{name} was never scored{when}.", "Run it first: dongcha run.")
        return run

    def scores(self, name: str, *, as_of: str | AsOf | None = None) -> pl.DataFrame:
        """The newest answer of an insight (at a cutoff): entity_id + one column per output.

        Raises MissingDataError where it was never scored.
        """
        from dongcha.insight_kit.outputs import from_rows
        from dongcha.warehouse.ledger import SCORES

        return from_rows(self.insights[name].yields, self.ledger.of_run(SCORES, self.last_score(name, as_of)[c.RUN_ID]))

    def reasons(self, name: str, *, as_of: str | AsOf | None = None) -> pl.DataFrame:
        """The reasons behind the newest answer of an insight (at a cutoff)."""
        from dongcha.warehouse.ledger import REASONS

        return self.ledger.of_run(REASONS, self.last_score(name, as_of)[c.RUN_ID]).sort(c.ENTITY_ID, c.RANK)

    def reasons_by_entity(self, name: str, *, as_of: str | AsOf | None = None) -> dict[str, list[dict[str, Any]]]:
        """Entity → its reasons, strongest first: feature, value, typical, effect."""
        by_entity: dict[str, list[dict[str, Any]]] = {}
        for row in self.reasons(name, as_of=as_of).iter_rows(named=True):
            kept = {k: row[k] for k in (c.FEATURE, c.VALUE, c.TYPICAL, c.EFFECT)}
            by_entity.setdefault(row[c.ENTITY_ID], []).append(kept)
        return by_entity

    def groups(self, name: str, *, as_of: str | AsOf | None = None) -> pl.DataFrame:
        """The groups of an insight, largest first: size, share, mean of every other insight's numbers, movement.

        `came` and `left` count moves since one horizon before, where that date was scored too (`run` does). Groups of
        texts have their mean `rating` instead, and `trend`, the share of the last horizon over that of all time.
        """
        from dongcha.profiles.groups import net_movement, rated_since, summarise, with_trend

        column = next(output.name for output in self.insights[name].yields if output.kind == "group")
        now = self.scores(name, as_of=as_of)
        entity = self.insights[name].entity
        others = [self.scores(k.name) for k in self._scored_of(entity) if k.name != name]
        if entity == c.TEXT_ID:
            since = AsOf(self.last_score(name, as_of)[c.AS_OF]) - self.desk.plan.horizon
            return with_trend(summarise(now, column, [*others, rated_since(self.said, since)]))
        found = summarise(now, column, others)
        moves = self.movement(name, as_of=as_of)
        if moves is None:
            return found
        return found.join(net_movement(moves), left_on=column, right_on="group", how="left", maintain_order="left")

    def aspects(self, name: str = "sentiment", *, as_of: str | AsOf | None = None) -> pl.DataFrame:
        """What is praised and what is blamed, what most texts name first; see `profiles.aspects.summarise_aspects`."""
        from dongcha.insight_kit.outputs import FELT
        from dongcha.profiles.aspects import summarise_aspects

        column = next(output.name for output in self.insights[name].yields if output.unit == FELT)
        return summarise_aspects(self.scores(name, as_of=as_of), column, self.said)

    def movement(self, name: str, *, as_of: str | AsOf | None = None) -> pl.DataFrame | None:
        """Who went from which group to which over the last horizon: from, to, customers; None if not scored then."""
        from dongcha.profiles.groups import movement

        column = next(output.name for output in self.insights[name].yields if output.kind == "group")
        cutoff = AsOf(self.last_score(name, as_of)[c.AS_OF])
        try:
            before = self.scores(name, as_of=cutoff - self.desk.plan.horizon)
        except MissingDataError:
            return None
        return movement(before, self.scores(name, as_of=cutoff), column)

    def alerts(self, *, as_of: str | AsOf | None = None) -> list[dict[str, Any]]:
        """Whose mood is turning, the surest first, and why; see `dongcha.profiles.alerts`."""
        from dongcha.profiles.alerts import alerts

        cutoff = AsOf(self.last_score("brand", as_of)[c.AS_OF])
        said, topics = self.opinions(cutoff)
        reasons = self.reasons_by_entity("brand", as_of=as_of)
        return alerts(self.scores("brand", as_of=as_of), said, topics, reasons, cutoff)

    def opinions(self, as_of: AsOf) -> tuple[pl.DataFrame, pl.DataFrame]:
        """What reviews say of each subject before a cutoff, with its `mood`; and the topic of each text.

        A review's mood is its rating's; without one, what `sentiment` says of it. Topics are those of the newest answer
        of `topics`, no rows where there is none.
        """
        import polars as pl

        from dongcha.features.opinions import opinions, rated_mood
        from dongcha.features.point_in_time import Snapshot
        from dongcha.features.texts import reviews

        snapshot = Snapshot(self.lake, as_of)
        best = getattr(self.insights["brand"].config, "best_rating", 5.0)
        said = opinions(snapshot, reviews(snapshot)).with_columns(rated_mood(best).alias("mood"))
        scored = {insight.name for insight in self._scored_of(c.TEXT_ID)}
        if "sentiment" in scored:
            felt = self.scores("sentiment").select(c.ENTITY_ID, "sentiment")
            said = said.join(felt, left_on=c.TEXT_ID, right_on=c.ENTITY_ID, how="left", maintain_order="left")
            said = said.with_columns(pl.coalesce("mood", "sentiment").alias("mood")).drop("sentiment")
        none = pl.DataFrame(schema={c.ENTITY_ID: pl.String, "topic": pl.String})
        return said, self.scores("topics").select(c.ENTITY_ID, "topic") if "topics" in scored else none

    def profile(self, customer_id: str, *, language: str | None = None) -> dict[str, Any]:
        """Everything known and concluded about one customer, and their story; see `dongcha.profiles.profile`."""
        from dongcha.features.point_in_time import Snapshot
        from dongcha.profiles.profile import profile

        snapshot = Snapshot(self.lake, self.as_of())
        return profile(snapshot, self.ledger, list(self.insights), customer_id, self.reader(language))

    def audience(self, rule: str) -> pl.DataFrame:
        """The customers who match a rule over the catalogue's outputs; see `dongcha.profiles.audience`."""
        from dongcha.profiles.audience import audience

        return audience(rule, [self.scores(k.name) for k in self._scored_of(c.CUSTOMER_ID)])

    def reader(self, language: str | None = None) -> Reader:
        """To whom things are told: in the language, by default the shop's own."""
        from dongcha.insight_kit.telling import Reader

        days = self.desk.plan.horizon.days
        return Reader(language or self.settings.shop.language, self.currency, days, self.product_names)

    @cached_property
    def said(self) -> pl.DataFrame:
        """Everything that customers said: columns as `features.texts.TEXTS`, by text_id."""
        from dongcha.features.point_in_time import Snapshot
        from dongcha.features.texts import texts

        return texts(Snapshot(self.lake, self.as_of()))

    @cached_property
    def product_names(self) -> dict[str, str]:
        """Product id → name, of those products that have one."""
        from dongcha.features.point_in_time import Snapshot
        from dongcha.features.sequence import catalogue

        named = catalogue(Snapshot(self.lake, self.as_of())).drop_nulls(c.NAME)
        return dict(zip(named[c.PRODUCT_ID], named[c.NAME], strict=True))

    @property
    def currency(self) -> str:
        """The code money is shown in: the setting, else the one that most orders name, else an empty text."""
        from dongcha.jobs.status import currencies

        return self.settings.shop.currency or next(iter(currencies(self.desk)), "")

    def _scored_of(self, entity: str) -> list[Insight]:
        """The insights that have answered, of those that answer for this kind of entity."""
        from dongcha.jobs.score import JOB

        return [k for k in self.insights if k.entity == entity and self.ledger.latest_run(JOB, k.name) is not None]
