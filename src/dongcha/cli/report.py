"""What a manager would ask, answered from the ledger in a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dongcha import columns as c
from dongcha.cli.render import figure, stdout, table
from dongcha.cli.subjects import draw_alerts
from dongcha.cli.tables import draw_aspects, draw_groups, draw_text_groups, say_answer
from dongcha.cli.words import say
from dongcha.errors import MissingDataError
from dongcha.insight_kit.telling import Reader

if TYPE_CHECKING:
    import polars as pl

    from dongcha.assemble import Shop

TOP = 5

SHOWN_TOPICS = 8
SHOWN_ALERTS = 3


def print_report(shop: Shop, truth: Path | None = None) -> None:
    """Print the answers; `truth` is the folder of a simulated shop's hidden truth, to measure against."""
    report = Report(shop)
    report.customers()
    report.leaving()
    report.worth()
    report.wants()
    report.groups()
    report.voice()
    report.unhappy()
    report.turning()
    report.quality()
    if truth is not None:
        report.truth(truth)


class Report:
    """One shop's answers, question by question, in the shop's language."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.language = shop.settings.shop.language
        self.currency = shop.currency
        self.churn = _scores(shop, "churn")
        self.value = _scores(shop, "lifetime_value")
        self.segments = _scores(shop, "segmentation")
        self.wanted = _scores(shop, "recommendation")
        self.following = _scores(shop, "next_action")
        self.topics = _scores(shop, "topics")
        self.moods = _scores(shop, "sentiment")
        self.satisfaction = _scores(shop, "satisfaction")
        self.subjects = _scores(shop, "brand")
        self.horizon = shop.desk.plan.horizon

    def customers(self) -> None:
        """How many customers, how active, and what they brought in."""
        from dongcha.profiles.overview import overview

        found = overview(self.shop.lake, self.shop.as_of(), self.horizon)
        self._ask("how_many", name=self.shop.settings.shop.name, as_of=str(found.as_of))
        self._say("customers_line", buyers=f"{found.buyers:,}", new=f"{found.new:,}", days=found.days)
        change = _change(found.active, found.active_before)
        self._say("active_line", active=f"{found.active:,}", days=found.days, change=change)
        change = _change(found.revenue, found.revenue_before)
        self._say("revenue_line", revenue=self._money(found.revenue), days=found.days, change=change)

    def leaving(self) -> None:
        """Who is leaving, with reasons; those worth most first."""
        if self.churn is None:
            return
        import polars as pl

        expected = float(self.churn["churn_probability"].sum())
        self._ask("who_leaves")
        self._say(
            "leaving_line", n=f"{expected:,.0f}", share=f"{expected / len(self.churn):.0%}", days=self.horizon.days
        )
        worth = self._spent()
        at_risk = self.churn.join(worth, on=c.ENTITY_ID).sort(
            pl.col("churn_probability") * pl.col("spend"), c.ENTITY_ID, descending=[True, False]
        )
        reasons = self._reasons("churn")
        rows = [
            (
                row[c.ENTITY_ID],
                figure(row["churn_probability"], "probability"),
                self._money(row["spend"]),
                self._because(reasons.get(row[c.ENTITY_ID], [])),
            )
            for row in at_risk.head(TOP).iter_rows(named=True)
        ]
        columns = [say(k, self.language) for k in ("customer", "may_leave", "spent_so_far", "reasons")]
        table(say("worth_keeping", self.language), columns, rows)

    def worth(self) -> None:
        """What they will spend, with an interval, and how much of it the best tenth holds."""
        if self.value is None:
            return
        from dongcha.profiles.overview import concentration

        total = float(self.value["lifetime_value"].sum())
        self._ask("what_worth", days=self.horizon.days)
        share = concentration(self.value, "lifetime_value")
        self._say("worth_line", total=self._money(total), days=self.horizon.days, share=f"{share:.0%}")
        reasons = self._reasons("lifetime_value")
        best = self.value.sort("lifetime_value", c.ENTITY_ID, descending=[True, False])
        rows = [
            (
                row[c.ENTITY_ID],
                self._money(row["lifetime_value"]),
                f"{row['lifetime_value_low']:,.0f} – {row['lifetime_value_high']:,.0f}",
                self._because(reasons.get(row[c.ENTITY_ID], [])),
            )
            for row in best.head(TOP).iter_rows(named=True)
        ]
        table("", [say(k, self.language) for k in ("customer", "will_spend", "interval", "reasons")], rows)

    def wants(self) -> None:
        """What those of most worth will do next, and what to recommend to them."""
        if self.value is None or self.wanted is None:
            return
        self._ask("what_next")
        best = self.value.sort("lifetime_value", c.ENTITY_ID, descending=[True, False]).head(TOP)
        found = best.join(self.wanted, on=c.ENTITY_ID, how="left", maintain_order="left")
        if self.following is not None:
            found = found.join(self.following, on=c.ENTITY_ID, how="left", maintain_order="left")
        declared = {o.name: (insight, o) for insight in self.shop.insights for o in insight.yields}
        shown = {
            "next": "next_actions",
            "in_days": "next_action_days",
            "recommended": "recommendations",
            "because": "recommended_because",
        }
        there = {title: name for title, name in shown.items() if name in found.columns}
        rows = [
            (
                row[c.ENTITY_ID],
                *(say_answer(self.shop, *declared[name], row[name], self.language) for name in there.values()),
            )
            for row in found.iter_rows(named=True)
        ]
        table("", [say(k, self.language) for k in ("customer", *there)], rows)

    def groups(self) -> None:
        """The groups: size, worth, risk, and who moved."""
        if self.segments is None:
            return
        self._ask("which_groups")
        draw_groups(self.shop, "segmentation", None, self.language)

    def voice(self) -> None:
        """What customers talk about: how much, whether more of late, how it feels; what they praise and blame."""
        if self.topics is None:
            return
        self._ask("what_said")
        draw_text_groups(self.shop, self.shop.insights["topics"], None, self.language, SHOWN_TOPICS)
        if self.moods is not None:
            draw_aspects(self.shop, "sentiment", None, self.language, SHOWN_TOPICS)

    def unhappy(self) -> None:
        """Who bought lately, did not rate it, and would rate it lowest."""
        if self.satisfaction is None:
            return
        import polars as pl

        self._ask("who_unhappy")
        insight = self.shop.insights["satisfaction"]
        silent = self.satisfaction.filter(pl.col("unrated_purchases").list.len() > 0)
        rows = [
            (row[c.ENTITY_ID], *(say_answer(self.shop, insight, o, row[o.name], self.language) for o in insight.yields))
            for row in silent.sort("satisfaction", c.ENTITY_ID).head(TOP).iter_rows(named=True)
        ]
        table("", [say("customer", self.language), *(o.title(self.language) for o in insight.yields)], rows)

    def turning(self) -> None:
        """Whose mood is turning, the surest first, and why."""
        if self.subjects is None:
            return
        self._ask("turning")
        draw_alerts(self.shop, self.shop.alerts()[:SHOWN_ALERTS], self.language)

    def quality(self) -> None:
        """How good each answer was on rolling backtests, beside its best baseline."""
        from dongcha.jobs.backtest import quality

        self._ask("how_good")
        rows = [
            (
                line["insight"],
                line["metric"],
                f"{line['ours']:.3f}",
                f"{line['baseline']:.3f}",
                line["name"],
                line["folds"],
                line["by"],
            )
            for insight in self.shop.insights
            for line in quality(insight, self.shop.folds(insight.name))
        ]
        keys = ("insight", "metric", "ours", "baseline", "which_baseline", "folds", "answers_by")
        table("", [say(k, self.language) for k in keys], rows, left=2)

    def truth(self, folder: Path) -> None:
        """Beside the planted truth, which no model saw: only a simulated shop can tell this."""
        from dongcha.jobs.recovery import churn_recovery, read_truth, segment_recovery, taste_recovery

        self._ask("against_truth")
        planted, as_of = read_truth(folder), self.shop.as_of()
        if self.churn is not None:
            found = churn_recovery(self.churn, planted, as_of, self.horizon)
            observable = f"{found.best_observable:.3f}"
            self._say("churn_truth", ours=f"{found.ours:.3f}", observable=observable, best=f"{found.best:.3f}")
        if self.wanted is not None:
            tastes = taste_recovery(self.wanted, planted)
            figures = {name: f"{getattr(tastes, name):.1%}" for name in ("ours", "popular", "best")}
            self._say("taste_truth", **figures)
        if self.segments is not None:
            index, groups = segment_recovery(self.segments, planted)
            self._say("segment_truth", ours=f"{index:.2f}", groups=groups)

    # -- inside

    def _ask(self, key: str, **values: Any) -> None:
        stdout().print(f"\n[bold cyan]■ {say(key, self.language, **values)}[/]")

    def _say(self, key: str, **values: Any) -> None:
        stdout().print(f"  {say(key, self.language, **values)}", soft_wrap=True)

    def _money(self, value: float | None) -> str:
        return "–" if value is None else f"{value:,.0f} {self.currency}"

    def _reasons(self, name: str) -> dict[str, list[dict[str, Any]]]:
        return self.shop.reasons_by_entity(name)

    def _because(self, reasons: list[dict[str, Any]]) -> str:
        from dongcha.features.declare import catalogue

        return Reader(self.language, self.currency).because(reasons[:3], catalogue())

    def _spent(self) -> pl.DataFrame:
        from dongcha.features.point_in_time import Snapshot

        spent = Snapshot(self.shop.lake, self.shop.as_of()).features(["spend"])
        return spent.rename({c.CUSTOMER_ID: c.ENTITY_ID})


def _scores(shop: Shop, name: str) -> pl.DataFrame | None:
    try:
        return shop.scores(name)
    except MissingDataError:
        return None


def _change(now: float, before: float) -> str:
    if before <= 0:
        return "–"
    change = now / before - 1
    return f"[{'green' if change >= 0 else 'red'}]{change:+.0%}[/]"
