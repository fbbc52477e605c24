"""The declared features and the timeline of one customer at any moment, in milliseconds.

The same expressions that a snapshot runs over everybody, written once as SQL for SQLite (`recipe`) and asked of one
customer's few rows (`rows`, `asked`, `desk`): planning alone takes DuckDB a hundred times longer than SQLite takes for
all of it.
"""

from dongcha.features.one_customer.asked import OneCustomer as OneCustomer
from dongcha.features.one_customer.recipe import Recipe as Recipe
from dongcha.features.one_customer.recipe import market_of as market_of
from dongcha.features.one_customer.rows import FRESH as FRESH
from dongcha.features.one_customer.rows import OwnRows as OwnRows
from dongcha.features.one_customer.rows import Row as Row
from dongcha.features.one_customer.rows import Rows as Rows
from dongcha.features.one_customer.rows import as_kept as as_kept
