"""The one place that wires settings → engine → lake → ledger → registry; it alone knows everybody and the time."""

from dongcha.assemble.shop import Shop
from dongcha.assemble.workspace import new_workspace, utc_now

__all__ = ["Shop", "new_workspace", "utc_now"]
