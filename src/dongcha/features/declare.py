"""How a feature is declared: one expression over one grain, with its unit and its words in two languages.

    from dongcha.features.declare import Unit, declare
    from dongcha.features.grains import baskets

    declare(
        "largest_order_items", baskets, Unit.ITEMS, lambda b: b.items.max(),
        en=("Items in the largest order", "largest order had {value} items"),
        zh=("最大一单的件数", "最大一单 {value} 件"),
    )

That is all, whoever writes it: what we ship enters by the same door. A package outside names its module under the
entry point `dongcha.features`, and the catalogue finds it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

from dongcha import columns as c
from dongcha.errors import ContractError, UsageError

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from dongcha.features.point_in_time import Snapshot

SHIPPED: Final = ("purchasing", "rhythm", "basket", "engagement", "calendar", "placing")
ENTRY_POINTS: Final = "dongcha.features"
LANGUAGES: Final = ("en", "zh")


class Unit(StrEnum):
    """What a feature counts; it also says how the number is written for a person."""

    DAYS = "days"
    MONEY = "money"
    ORDERS = "orders"
    ITEMS = "items"
    TIMES = "times"
    SHARE = "share"
    RATIO = "ratio"
    STARS = "stars"
    YES_NO = "yes or no"
    HOUR = "hour of the day"


@dataclass(frozen=True)
class Grain:
    """A table of a snapshot with one kind of row per customer: what the features of one scan are taken from."""

    name: str
    tables: tuple[str, ...]
    """The lake's tables it reads; all must be loaded."""
    build: Callable[[Snapshot], ir.Table]


def grain(*tables: str) -> Callable[[Callable[[Snapshot], ir.Table]], Grain]:
    """Make a grain of a function from a snapshot to a table that has `customer_id`."""
    return lambda build: Grain(build.__name__, tables, build)


@dataclass(frozen=True)
class Feature:
    """One number about one customer, as of a moment; or about another `entity`, an order as of its own moment.

    `expression` aggregates the rows of `grain`; where `grain` is None it combines the features named in `of`, and of
    an order it works on the arrays of `features.placing`, which are told from the tables that `reads` names.
    `absent` is the value of a buyer who has no row at all in the grain; None means: does not apply (null).
    `relative` marks what depends on other customers' rows too.
    """

    name: str
    unit: Unit
    family: str
    expression: Callable[..., ir.Value]
    docs: Mapping[str, str]
    phrases: Mapping[str, str]
    grain: Grain | None = None
    of: tuple[str, ...] = ()
    absent: float | None = None
    relative: bool = False
    entity: str = c.CUSTOMER_ID
    reads: tuple[str, ...] = ()

    @property
    def phrase_en(self) -> str:
        return self.phrases["en"]

    @property
    def phrase_zh(self) -> str:
        return self.phrases["zh"]

    @property
    def tables(self) -> frozenset[str]:
        """The lake's tables that must be loaded for this feature to be told."""
        if self.grain is not None:
            return frozenset(self.grain.tables)
        if self.reads:
            return frozenset(self.reads)
        return frozenset().union(*(lookup(part).tables for part in self.of))

    def say(self, value: float | None, language: str = "en", currency: str = "") -> str:
        """The feature's phrase with `value` written for a reader of `language`.

        >>> lookup("recency_days").say(41.7)
        'last order 42 days ago'
        >>> lookup("spend").say(1234.5, "zh", "GBP")
        '累计消费 1,234.50 GBP'
        """
        language = "zh" if language.startswith("zh") else "en"
        if value is None or math.isnan(value):
            return _NOT_KNOWN[language].format(self.docs[language])
        return self.phrases[language].format(value=written(value, self.unit, language, currency))


_NOT_KNOWN: Final = {"en": "{}: does not apply", "zh": "{}：不适用"}
_YES_NO: Final = {"en": ("no", "yes"), "zh": ("否", "是")}


def written(value: float, unit: Unit, language: str = "en", currency: str = "") -> str:
    """A number as a person writes it: rounded to what its unit deserves, thousands apart.

    >>> written(0.1234, Unit.SHARE), written(1234567.0, Unit.ITEMS), written(3.25, Unit.DAYS)
    ('12 %', '1,234,567', '3.2')
    """
    match unit:
        case Unit.YES_NO:
            return _YES_NO[language][value >= 0.5]
        case Unit.SHARE:
            return f"{_rounded(100 * value, 1 if abs(value) < 0.1 else 0)} %"
        case Unit.MONEY:
            return f"{value:,.2f} {currency}".rstrip()
        case Unit.HOUR:
            return f"{value:02.0f}:00"
        case Unit.RATIO | Unit.STARS:
            return _rounded(value, 2)
        case _:
            return _rounded(value, 1 if abs(value) < 10 else 0)


def _rounded(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_DECLARED: Final[dict[str, Feature]] = {}


def declare(
    name: str,
    grain: Grain,
    unit: Unit,
    expression: Callable[[Any], Any],
    *,
    en: tuple[str, str],
    zh: tuple[str, str],
    absent: float | None = None,
    relative: bool = False,
) -> Feature:
    """Declare a feature as an aggregate over a grain; `en` and `zh` are (what it is, how a reason says it)."""
    docs, phrases = _words(en, zh)
    return _entered(Feature(name, unit, _family(expression), expression, docs, phrases, grain, (), absent, relative))


def derive(
    name: str,
    of: tuple[str, ...],
    unit: Unit,
    expression: Callable[..., Any],
    *,
    en: tuple[str, str],
    zh: tuple[str, str],
) -> Feature:
    """Declare a feature as a combination of others: `expression` gets their columns in the order of `of`."""
    docs, phrases = _words(en, zh)
    relative = any(lookup(part).relative for part in of)
    return _entered(Feature(name, unit, _family(expression), expression, docs, phrases, of=of, relative=relative))


def declare_of_orders(
    name: str,
    unit: Unit,
    expression: Callable[..., Any],
    *,
    en: tuple[str, str],
    zh: tuple[str, str],
    also: tuple[str, ...] = (),
    relative: bool = False,
) -> Feature:
    """Declare a feature of an order: `expression` takes a `features.placing.Asked` and gives one number an order.

    `also`: the tables beside orders without which it does not apply.
    """
    docs, phrases = _words(en, zh)
    reads = (c.ORDERS, *also)
    declared = Feature(
        name, unit, _family(expression), expression, docs, phrases, relative=relative, entity=c.ORDER_ID, reads=reads
    )
    return _entered(declared)


def _words(en: tuple[str, str], zh: tuple[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    return {"en": en[0], "zh": zh[0]}, {"en": en[1], "zh": zh[1]}


def _family(expression: Callable[..., Any]) -> str:
    """The name of the file that declares it, or what that file gives as FAMILY."""
    return str(getattr(expression, "__globals__", {}).get("FAMILY", expression.__module__.rpartition(".")[2]))


def _entered(feature: Feature) -> Feature:
    if feature.name in _DECLARED:
        raise ContractError(f"The feature '{feature.name}' is declared twice.", "Give one of the two another name.")
    _DECLARED[feature.name] = feature
    return feature


@cache
def _load_declarations() -> None:
    for module in SHIPPED:
        import_module(f"dongcha.features.{module}")
    for entry in entry_points(group=ENTRY_POINTS):
        entry.load()


def catalogue() -> dict[str, Feature]:
    """Every declared feature by name, ours and those of installed packages."""
    _load_declarations()
    return dict(_DECLARED)


def family(name: str) -> tuple[str, ...]:
    """The names of one family's features, in the order they were declared.

    >>> family("calendar")[:2]
    ('season_sine', 'season_cosine')
    """
    names = tuple(feature.name for feature in catalogue().values() if feature.family == name)
    if not names:
        known = ", ".join(sorted({feature.family for feature in catalogue().values()}))
        raise UsageError(f"There is no feature family '{name}'.", f"The families are: {known}.")
    return names


SEASON: Final = ("season_sine", "season_cosine")
"""The same for everybody at one moment: with a year or two of history they tell cutoffs apart, not seasons."""


def about_customers() -> tuple[str, ...]:
    """The names of all features that tell customers apart, in the order they were declared."""
    return _about(c.CUSTOMER_ID)


def about_orders() -> tuple[str, ...]:
    """The names of all features of an order, in the order they were declared."""
    return _about(c.ORDER_ID)


def _about(entity: str) -> tuple[str, ...]:
    return tuple(name for name, feature in catalogue().items() if feature.entity == entity and name not in SEASON)


def lookup(name: str) -> Feature:
    """The feature called `name`; UsageError where there is none."""
    found = _DECLARED.get(name) or catalogue().get(name)
    if found is None:
        raise UsageError(f"There is no feature '{name}'.", "docs/insights/features.md lists what there is.")
    return found


def with_parts(features: Iterable[Feature]) -> list[Feature]:
    """The features and all they are derived from, parts first, each once."""
    ordered: dict[str, Feature] = {}
    for feature in features:
        parts = with_parts(lookup(part) for part in feature.of)
        ordered.update({part.name: part for part in (*parts, feature)})
    return list(ordered.values())
