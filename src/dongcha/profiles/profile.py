"""One customer: who they are, what they did, what we concluded and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dongcha.errors import UnknownError
from dongcha.features.point_in_time import Snapshot
from dongcha.insight_kit.base import Insight
from dongcha.insight_kit.telling import Reader
from dongcha.profiles.portraits import Portraits, known
from dongcha.profiles.story import story
from dongcha.warehouse.ledger import Ledger


def profile(
    snapshot: Snapshot, ledger: Ledger, insights: Sequence[Insight], customer_id: str, reader: Reader
) -> dict[str, Any]:
    """The customer's portrait (`Portraits.of`) and `story`, all of it as one would tell it; see `profiles.story`.

    Raises UnknownError where no table knows the customer.
    """
    if not known(snapshot.within(customer_id, customer_id)):
        raise UnknownError(
            f"No table knows a customer '{customer_id}' before {snapshot.as_of}.", "Look for one: dongcha show churn."
        )
    (found,) = Portraits(snapshot, ledger, insights).of([customer_id])
    return found | {"story": story(found, insights, reader)}
