"""Changing the champion by hand: promote a version, or roll back to an earlier one."""

from __future__ import annotations

from dongcha import columns as c
from dongcha.errors import UnknownError, UsageError
from dongcha.insight_kit.base import Insight
from dongcha.jobs.study import Desk


def promote(desk: Desk, insight: Insight, version: str, why: str) -> str:
    """Make `version` the champion; UnknownError where there is no such version."""
    there = desk.ledger.versions(insight.name)
    if version not in there:
        raise UnknownError(f"{insight.name} has no version '{version}'.", f"It has: {', '.join(there) or 'none yet'}.")
    desk.models.load(insight, version)  # a version that cannot answer must not be promoted
    desk.ledger.promote(insight.name, version, made_at=desk.clock(), actor=desk.actor, why=why or "by hand")
    return version


def rollback(desk: Desk, insight: Insight, version: str | None, why: str) -> str:
    """Make `version`, by default the champion before the present one, answer again."""
    earlier = version or _before(desk, insight)
    if earlier not in desk.ledger.versions(insight.name):
        raise UnknownError(f"{insight.name} has no version '{earlier}' to go back to.", "See: dongcha models list.")
    desk.models.load(insight, earlier)
    desk.ledger.promote(
        insight.name, earlier, made_at=desk.clock(), actor=desk.actor, why=why or "by hand", action="rollback"
    )
    return earlier


def _before(desk: Desk, insight: Insight) -> str:
    champions = desk.ledger.audit(insight.name)[c.VERSION].to_list()
    earlier = [version for version in champions if version != champions[-1]] if champions else []
    if not earlier:
        raise UsageError(f"{insight.name} has no earlier champion.", "See: dongcha models list.")
    return str(earlier[-1])
