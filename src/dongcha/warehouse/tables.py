"""The contract: what each of the ten tables must hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.errors import UnknownError, UsageError


class Kind(Enum):
    """What a column's values are, and how the lake keeps them."""

    ID = "id"
    TEXT = "text"
    TIME = "time"
    DATE = "date"
    MONEY = "money"
    NUMBER = "number"
    INTEGER = "integer"
    FLAG = "flag"
    JSON = "json"


MONEY_DIGITS: Final = 18
MONEY_DECIMALS: Final = 4
TIME_TYPE: Final = pl.Datetime("us", "UTC")

POLARS_TYPES: Final[dict[Kind, pl.DataType]] = {
    Kind.ID: pl.String(),
    Kind.TEXT: pl.String(),
    Kind.TIME: TIME_TYPE,
    Kind.DATE: pl.Date(),
    Kind.MONEY: pl.Decimal(MONEY_DIGITS, MONEY_DECIMALS),
    Kind.NUMBER: pl.Float64(),
    Kind.INTEGER: pl.Int64(),
    Kind.FLAG: pl.Boolean(),
    Kind.JSON: pl.String(),
}

ALWAYS: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""When an undated row of a describing table (customers, products, documents) is taken to have become true."""


@dataclass(frozen=True)
class Column:
    """One column: its name, kind, whether a row without it is refused, and the names files use for it."""

    name: str
    kind: Kind
    required: bool = False
    also_called: tuple[str, ...] = ()
    lowest: float | None = None
    highest: float | None = None

    @property
    def dtype(self) -> pl.DataType:
        return POLARS_TYPES[self.kind]


@dataclass(frozen=True)
class Table:
    """One table: its key (unique together), its columns, and whether its rows describe or happen."""

    name: str
    key: tuple[str, ...]
    own_columns: tuple[Column, ...]
    describes: bool = False
    """True where a row describes a thing and may be undated; False where a row is a thing that happened."""
    columns: tuple[Column, ...] = field(init=False)

    def __post_init__(self) -> None:
        happened = Column(c.HAPPENED_AT, Kind.TIME, required=not self.describes, also_called=HAPPENED_ALIASES)
        common = (happened, Column(c.KNOWN_AT, Kind.TIME), Column(c.SOURCE, Kind.TEXT), Column(c.EXTRAS, Kind.JSON))
        object.__setattr__(self, "columns", self.own_columns + common)

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Column name → Polars dtype, in the order the lake keeps."""
        return {column.name: column.dtype for column in self.columns}

    def column(self, name: str) -> Column:
        """The column called `name`; UsageError lists what there is."""
        for column in self.columns:
            if column.name == name:
                return column
        raise UsageError(
            f"Table {self.name} has no column '{name}'.", f"It has: {', '.join(k.name for k in self.columns)}."
        )


HAPPENED_ALIASES: Final = ("timestamp", "time", "date", "datetime", "occurred_at", "event_time", "时间", "日期")


def _id(name: str, *also: str, required: bool = False) -> Column:
    return Column(name, Kind.ID, required, also)


def _text(name: str, *also: str, required: bool = False) -> Column:
    return Column(name, Kind.TEXT, required, also)


def _money(name: str, *also: str, required: bool = False, lowest: float | None = None) -> Column:
    return Column(name, Kind.MONEY, required, also, lowest)


CUSTOMER = _id(
    c.CUSTOMER_ID,
    "customerid",
    "user_id",
    "userid",
    "client_id",
    "household_id",
    "客户id",
    "客户编号",
    "会员id",
    required=True,
)
CUSTOMER_IF_KNOWN = _id(*(CUSTOMER.name, *CUSTOMER.also_called))
PRODUCT_IF_KNOWN = _id(c.PRODUCT_ID, "productid", "sku", "item_id", "stock_code", "stockcode", "商品id", "商品编号")
CURRENCY = _text(c.CURRENCY, "币种")

_TABLES = (
    Table(
        c.CUSTOMERS,
        (c.CUSTOMER_ID,),
        (
            CUSTOMER,
            Column(c.CREATED_AT, Kind.TIME, also_called=("signup_date", "registered_at", "注册时间")),
            _text(c.NAME, "full_name", "姓名"),
            _text(c.EMAIL, "e_mail", "邮箱"),
            _text(c.PHONE, "mobile", "手机", "电话"),
            _text(c.GENDER, "sex", "性别"),
            Column(c.BIRTH_DATE, Kind.DATE, also_called=("birthday", "dob", "生日")),
            _text(c.CITY, "城市"),
            _text(c.COUNTRY, "国家"),
            _text(c.LANGUAGE, "语言"),
            Column(c.CONSENT, Kind.FLAG, also_called=("opt_in",)),
        ),
        describes=True,
    ),
    Table(
        c.PRODUCTS,
        (c.PRODUCT_ID,),
        (
            _id(*(PRODUCT_IF_KNOWN.name, *PRODUCT_IF_KNOWN.also_called), required=True),
            _text(c.NAME, "product_name", "商品名称"),
            _text(c.CATEGORY, "product_category", "类目", "品类"),
            _text(c.BRAND, "品牌"),
            _money(c.PRICE, "unit_price", "价格", lowest=0),
            CURRENCY,
            _money(c.COST, "成本", lowest=0),
            _text(c.IMAGE_URL),
            _text(c.DESCRIPTION, "描述"),
        ),
        describes=True,
    ),
    Table(
        c.EVENTS,
        (c.MESSAGE_ID,),
        (
            _id(c.MESSAGE_ID, "messageid", "event_id", required=True),
            CUSTOMER_IF_KNOWN,
            _id(c.ANONYMOUS_ID, "anonymousid", "visitor_id"),
            _text(c.EVENT, "event_name", "event_type", "事件", required=True),
            PRODUCT_IF_KNOWN,
            _id(c.SESSION_ID, "sessionid"),
            _text(c.CHANNEL, "渠道"),
            Column(c.VALUE, Kind.NUMBER),
        ),
    ),
    Table(
        c.ORDERS,
        (c.ORDER_ID, c.LINE),
        (
            _id(c.ORDER_ID, "orderid", "invoice", "invoice_no", "invoiceno", "订单号", "订单id", required=True),
            Column(c.LINE, Kind.INTEGER, required=True, also_called=("line_no", "order_item_id", "行号")),
            CUSTOMER_IF_KNOWN,
            PRODUCT_IF_KNOWN,
            Column(c.QUANTITY, Kind.NUMBER, required=True, also_called=("qty", "数量")),
            _money(c.PRICE, "unit_price", "unitprice", "单价", required=True, lowest=0),
            _money(c.DISCOUNT, "折扣"),
            CURRENCY,
            _text(c.STATUS, "order_status", "状态"),
        ),
    ),
    Table(
        c.REVIEWS,
        (c.REVIEW_ID,),
        (
            _id(c.REVIEW_ID, "reviewid", required=True),
            CUSTOMER_IF_KNOWN,
            PRODUCT_IF_KNOWN,
            Column(c.RATING, Kind.NUMBER, also_called=("score", "stars", "overall", "评分"), lowest=0, highest=5),
            _text(c.TITLE, "summary", "标题"),
            _text(c.TEXT, "review_text", "comment", "内容", "评论"),
            _text(c.LANGUAGE, "语言"),
        ),
    ),
    Table(
        c.MESSAGES,
        (c.MESSAGE_ID,),
        (
            _id(c.MESSAGE_ID, "messageid", required=True),
            _id(c.CONVERSATION_ID, "conversationid", "ticket_id", required=True),
            CUSTOMER_IF_KNOWN,
            _text(c.SENDER, "role", "from", required=True),
            _text(c.TEXT, "message", "body", "内容", required=True),
            _text(c.INTENT, "意图"),
        ),
    ),
    Table(
        c.EXPOSURES,
        (c.EXPOSURE_ID,),
        (
            _id(c.EXPOSURE_ID, required=True),
            CUSTOMER,
            _text(c.CAMPAIGN, "campaign_id", "活动", required=True),
            _text(c.VARIANT, "arm", "treatment", required=True),
            _text(c.CHANNEL, "渠道"),
            _money(c.COST, "成本", lowest=0),
        ),
    ),
    Table(
        c.OUTCOMES,
        (c.OUTCOME_ID,),
        (
            _id(c.OUTCOME_ID, required=True),
            CUSTOMER_IF_KNOWN,
            _id(c.ORDER_ID, "orderid"),
            _text(c.NAME, "outcome", required=True),
            Column(c.VALUE, Kind.NUMBER),
        ),
    ),
    Table(
        c.STOCK,
        (c.PRODUCT_ID, c.HAPPENED_AT),
        (
            _id(*(PRODUCT_IF_KNOWN.name, *PRODUCT_IF_KNOWN.also_called), required=True),
            Column(c.ON_HAND, Kind.NUMBER, required=True),
            Column(c.ON_ORDER, Kind.NUMBER),
            Column(c.LEAD_TIME_DAYS, Kind.NUMBER, lowest=0),
            _money(c.UNIT_COST, lowest=0),
        ),
    ),
    Table(
        c.DOCUMENTS,
        (c.DOCUMENT_ID,),
        (
            _id(c.DOCUMENT_ID, required=True),
            _text(c.TITLE, "标题"),
            _text(c.TEXT, "内容", required=True),
            _text(c.LANGUAGE, "语言"),
            _text(c.URL),
        ),
        describes=True,
    ),
)

CONTRACT: Final[dict[str, Table]] = {table.name: table for table in _TABLES}


def table(name: str) -> Table:
    """The contract's table called `name`; UsageError lists the ten."""
    if name not in CONTRACT:
        raise UnknownError(f"There is no table '{name}'.", f"The tables are: {', '.join(CONTRACT)}.")
    return CONTRACT[name]
