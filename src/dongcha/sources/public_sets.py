"""Known public data sets, each brought to the contract: `dongcha load --layout NAME PATH`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from dongcha import columns as c
from dongcha.errors import InputError, UsageError
from dongcha.sources.formats.batch import BATCH_ROWS, Batch, as_numbers, as_text

REFUSE: Final = "__refuse__"
"""The column with which a layout refuses a row, saying why."""


@dataclass(frozen=True)
class Part:
    """One table's worth of a data set: rows under the contract's column names, in their own types."""

    file: str
    table: str
    rows: pl.DataFrame
    constants: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        return [name for name in self.rows.columns if name != REFUSE]

    def batches(self) -> Iterator[Batch]:
        """The rows as a file's would come, numbered from 1."""
        done = 0
        for rows in self.rows.iter_slices(BATCH_ROWS):
            refused = rows[REFUSE] if REFUSE in rows.columns else None
            numbers = as_numbers(range(done + 1, done + len(rows) + 1))
            done += len(rows)
            yield Batch(as_text(rows.select(self.columns)), numbers, refused=refused)


def layout_parts(layout: str, path: Path) -> list[Part]:
    """The parts of a data set in `path`, a file or a folder.

    Raises UsageError for a layout that is not known, InputError where a file of it is missing or of other columns.
    """
    if layout not in LAYOUTS:
        raise UsageError(f"There is no layout '{layout}'.", f"The layouts are: {', '.join(LAYOUTS)}.")
    if not path.exists():
        raise InputError(f"{path} is not there.", f"Name the file or folder of {layout}.")
    try:
        return LAYOUTS[layout](path)
    except pl.exceptions.ColumnNotFoundError as error:
        what = str(error).splitlines()[0]
        raise InputError(f"{path} is not laid out as {layout}: {what}.", "Use --as TABLE with --map instead.") from None


def _table(path: Path, *names: str) -> tuple[Path, pl.DataFrame]:
    """The first of these files in the folder, or the path itself where it is a file; InputError where none is there."""
    files = [path] if path.is_file() else [path / name for name in names]
    for file in files:
        if file.is_file():
            return file, _frame(file)
    raise InputError(f"{path} holds none of {', '.join(names)}.", "Name the folder that does.")


def _frame(file: Path) -> pl.DataFrame:
    try:
        if file.suffix == ".parquet":
            return pl.read_parquet(file)
        return pl.read_csv(file, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{file} cannot be read: {str(error).splitlines()[0]}.", "Download it anew.") from None


# -- Online Retail (UCI, CC BY 4.0)

_SERVICES: Final = r"^(POST|DOT|C2|M|m|D|S|B|PADS|BANK CHARGES|AMAZONFEE|CRUK|gift_.*|DCGS.*)$"


def online_retail(path: Path) -> list[Part]:
    """One British shop's order lines, 2010-12 to 2011-12; times are local and kept as if UTC, as published splits do.

    Lines without a customer are kept: they tell what sells. Stock write-offs (price 0, nobody bought) and bad-debt
    adjustments (price below 0) are no orders and are refused. Postage and fees are products of category "service".
    """
    file, raw = _table(path, "online_retail.parquet", "online_retail.csv", "Online Retail.csv")
    nobody = pl.col("CustomerID").is_null()
    price = pl.col("UnitPrice").cast(pl.Float64)
    quantity = pl.col("Quantity").cast(pl.Float64)
    orders = raw.select(
        pl.col("InvoiceNo").alias(c.ORDER_ID),
        (pl.int_range(pl.len()).over("InvoiceNo") + 1).alias(c.LINE),
        pl.col("CustomerID").alias(c.CUSTOMER_ID),
        pl.col("StockCode").alias(c.PRODUCT_ID),
        pl.col("Quantity").alias(c.QUANTITY),
        pl.col("UnitPrice").alias(c.PRICE),
        pl.col("InvoiceDate").alias(c.HAPPENED_AT),
        pl.when(quantity < 0).then(pl.lit("returned")).otherwise(pl.lit("completed")).alias(c.STATUS),
        pl.when(price < 0)
        .then(pl.lit("a bad-debt adjustment, not an order: its price is below 0"))
        .when((price == 0) & nobody)
        .then(pl.lit("a stock adjustment, not an order: it has no price and no customer"))
        .alias(REFUSE),
    )
    named = raw.filter(pl.col("Description").is_not_null()).group_by("StockCode", "Description").len()
    likeliest = named.sort("len", "Description", descending=[True, False]).unique("StockCode", keep="first")
    products = likeliest.sort("StockCode").select(
        pl.col("StockCode").alias(c.PRODUCT_ID),
        pl.col("Description").str.strip_chars().alias(c.NAME),
        pl.when(pl.col("StockCode").str.contains(_SERVICES)).then(pl.lit("service")).alias(c.CATEGORY),
    )
    last = raw.filter(~nobody).sort("InvoiceDate").unique("CustomerID", keep="last").sort("CustomerID")
    customers = last.select(pl.col("CustomerID").alias(c.CUSTOMER_ID), pl.col("Country").alias(c.COUNTRY))
    pounds = {c.CURRENCY: "GBP"}
    return [
        Part(str(file), c.ORDERS, orders, pounds),
        Part(str(file), c.PRODUCTS, products, pounds),
        Part(str(file), c.CUSTOMERS, customers),
    ]


# -- CDNOW (Fader & Hardie)


def cdnow(path: Path) -> list[Part]:
    """CD purchases of the customers who first bought in early 1997, the full cohort or its 1/10 sample.

    A row is one order of one line, whose price is all that was spent; how many CDs it held is kept in `extras`.
    """
    file, raw = _table(path, "cdnow_master.parquet", "cdnow_master.csv", "cdnow.parquet")
    names = {"Id": "customer_id", "Date": "date", "CDs": "cds", "Price": "spent"}
    raw = raw.rename({old: new for old, new in names.items() if old in raw.columns})
    orders = raw.select(
        pl.format("{}-{}", pl.int_range(1, pl.len() + 1), "customer_id").alias(c.ORDER_ID),
        pl.lit(1).alias(c.LINE),
        pl.col("customer_id").alias(c.CUSTOMER_ID),
        pl.lit(1).alias(c.QUANTITY),
        pl.col("spent").alias(c.PRICE),
        pl.col("date").alias(c.HAPPENED_AT),
        pl.col("cds"),
    )
    return [Part(str(file), c.ORDERS, orders, {c.CURRENCY: "USD"})]


# -- The Complete Journey (dunnhumby)


def complete_journey(path: Path) -> list[Part]:
    """Grocery baskets of 2,377 households in 2017, with campaigns and coupons.

    `sales_value` is what the shop received after its own discount, so price × quantity is the value before it.
    """
    sold_in, sold = _table(path, "transactions_sample.parquet", "transactions.parquet", "transactions.csv")
    number = pl.col("quantity").cast(pl.Float64)
    units = pl.when(number > 0).then(number).otherwise(1.0)
    paid, off = (pl.col(k).cast(pl.Float64) for k in ("sales_value", "retail_disc"))
    # A unit price has 4 decimals; what rounding it leaves over goes into the discount, so that the value is exact.
    unit = ((paid + off) / units).round(4)
    orders = sold.select(
        pl.col("basket_id").alias(c.ORDER_ID),
        (pl.int_range(pl.len()).over("basket_id") + 1).alias(c.LINE),
        pl.col("household_id").alias(c.CUSTOMER_ID),
        pl.col("product_id").alias(c.PRODUCT_ID),
        units.alias(c.QUANTITY),
        unit.alias(c.PRICE),
        (unit * units - paid).round(4).alias(c.DISCOUNT),
        pl.col("transaction_timestamp").alias(c.HAPPENED_AT),
        pl.col("store_id", "coupon_disc", "coupon_match_disc", "week"),
    )
    parts = [Part(str(sold_in), c.ORDERS, orders, {c.CURRENCY: "USD"})]
    if path.is_file():
        return parts
    products_in, products = _table(path, "products.parquet", "products.csv")
    named = products.with_columns(pl.col("product_type").alias(c.NAME), pl.col("product_category").alias(c.CATEGORY))
    parts.append(Part(str(products_in), c.PRODUCTS, named.drop("product_type", "product_category")))
    people_in, people = _table(path, "demographics.parquet", "demographics.csv")
    parts.append(Part(str(people_in), c.CUSTOMERS, people.rename({"household_id": c.CUSTOMER_ID})))
    return [*parts, *_campaigns(path)]


def _campaigns(path: Path) -> list[Part]:
    sent_in, sent = _table(path, "campaigns.parquet", "campaigns.csv")
    _, campaigns = _table(path, "campaign_descriptions.parquet", "campaign_descriptions.csv")
    exposures = sent.join(campaigns, on="campaign_id", how="left", maintain_order="left").select(
        pl.format("{}-{}", "campaign_id", "household_id").alias(c.EXPOSURE_ID),
        pl.col("household_id").alias(c.CUSTOMER_ID),
        pl.col("campaign_id").alias(c.CAMPAIGN),
        pl.lit("coupons").alias(c.VARIANT),
        pl.col("start_date").alias(c.HAPPENED_AT),
        pl.col("campaign_type", "end_date"),
    )
    used_in, used = _table(path, "coupon_redemptions.parquet", "coupon_redemptions.csv")
    outcomes = used.select(
        pl.format("{}-{}-{}-{}", pl.int_range(1, pl.len() + 1), "campaign_id", "household_id", "coupon_upc").alias(
            c.OUTCOME_ID
        ),
        pl.col("household_id").alias(c.CUSTOMER_ID),
        pl.lit("coupon_redeemed").alias(c.NAME),
        pl.lit(1).alias(c.VALUE),
        pl.col("redemption_date").alias(c.HAPPENED_AT),
        pl.col("campaign_id", "coupon_upc"),
    )
    return [Part(str(sent_in), c.EXPOSURES, exposures), Part(str(used_in), c.OUTCOMES, outcomes)]


# -- Olist (CC BY-NC-SA 4.0)


def olist(path: Path) -> list[Part]:
    """A Brazilian marketplace: items joined to their orders, people by `customer_unique_id`, reviews, products.

    An order whose items are not in the data is no order line and is not loaded; an item whose order is not there has
    no moment and is refused.
    """
    _, orders = _table(path, "orders.parquet", "olist_orders_dataset.csv")
    _, people = _table(path, "customers.parquet", "olist_customers_dataset.csv")
    items_in, items = _table(path, "order_items.parquet", "olist_order_items_dataset.csv")
    known = orders.join(people.select("customer_id", "customer_unique_id"), on="customer_id", how="left")
    when = known.select("order_id", "customer_unique_id", "order_status", "order_purchase_timestamp")
    joined = items.join(when, on="order_id", how="left", maintain_order="left")
    lines = joined.select(
        pl.col("order_id").alias(c.ORDER_ID),
        pl.col("order_item_id").alias(c.LINE),
        pl.col("customer_unique_id").alias(c.CUSTOMER_ID),
        pl.col("product_id").alias(c.PRODUCT_ID),
        pl.lit(1).alias(c.QUANTITY),
        pl.col("price").alias(c.PRICE),
        pl.col("order_status").alias(c.STATUS),
        pl.col("order_purchase_timestamp").alias(c.HAPPENED_AT),
        pl.col("seller_id", "freight_value"),
    )
    return [
        Part(str(items_in), c.ORDERS, lines, {c.CURRENCY: "BRL"}),
        *_olist_people(path, orders, people, known),
        *_olist_products(path),
    ]


def _olist_people(path: Path, orders: pl.DataFrame, people: pl.DataFrame, known: pl.DataFrame) -> list[Part]:
    file, _ = _table(path, "customers.parquet", "olist_customers_dataset.csv")
    one_each = people.unique("customer_unique_id", keep="last", maintain_order=True).select(
        pl.col("customer_unique_id").alias(c.CUSTOMER_ID),
        pl.col("customer_city").alias(c.CITY),
        pl.lit("Brazil").alias(c.COUNTRY),
        pl.col("customer_state"),
    )
    reviews_in, reviews = _table(path, "order_reviews.parquet", "olist_order_reviews_dataset.csv")
    of_whom = known.select("order_id", "customer_unique_id").unique("order_id")
    said = reviews.join(of_whom, on="order_id", how="left", maintain_order="left").select(
        pl.format("{}-{}", "review_id", "order_id").alias(c.REVIEW_ID),
        pl.col("customer_unique_id").alias(c.CUSTOMER_ID),
        pl.col("review_score").alias(c.RATING),
        pl.col("review_comment_title").alias(c.TITLE),
        pl.col("review_comment_message").alias(c.TEXT),
        pl.lit("pt").alias(c.LANGUAGE),
        pl.col("review_creation_date").alias(c.HAPPENED_AT),
        pl.col("order_id"),
    )
    return [Part(str(file), c.CUSTOMERS, one_each), Part(str(reviews_in), c.REVIEWS, said)]


def _olist_products(path: Path) -> list[Part]:
    file, products = _table(path, "products_full.parquet", "products.parquet", "olist_products_dataset.csv")
    _, english = _table(path, "category_translation.parquet", "product_category_name_translation.csv")
    named = products.join(english, on="product_category_name", how="left", maintain_order="left")
    category = pl.coalesce("product_category_name_english", "product_category_name").alias(c.CATEGORY)
    kept = pl.exclude("product_category_name", "product_category_name_english")
    return [Part(str(file), c.PRODUCTS, named.select(category, kept))]


# -- Amazon reviews (McAuley)


def amazon_reviews(path: Path) -> list[Part]:
    """Product reviews with rating, text, reviewer and item; a file, or a folder of such files."""
    files = [path] if path.is_file() else sorted(path.glob("*.parquet"))
    if not files:
        raise InputError(f"{path} holds no Parquet file.", "Name the file of reviews.")
    return [_amazon(file) for file in files]


def _amazon(file: Path) -> Part:
    raw = _frame(file)
    said = raw.select(
        pl.format(
            "{}-{}-{}-{}", "reviewerID", "asin", "unixReviewTime", pl.int_range(pl.len()).over("reviewerID", "asin")
        ).alias(c.REVIEW_ID),
        pl.col("reviewerID").alias(c.CUSTOMER_ID),
        pl.col("asin").alias(c.PRODUCT_ID),
        pl.col("overall").alias(c.RATING),
        pl.col("summary").alias(c.TITLE),
        pl.col("reviewText").alias(c.TEXT),
        pl.lit("en").alias(c.LANGUAGE),
        pl.from_epoch(pl.col("unixReviewTime").cast(pl.Int64), "s").alias(c.HAPPENED_AT),
        pl.exclude("reviewerID", "asin", "overall", "summary", "reviewText", "unixReviewTime", "reviewTime"),
    )
    return Part(str(file), c.REVIEWS, said)


# -- Airline tweets (Crowdflower, CC BY-NC-SA 4.0)

_AIRLINES: Final = "virginamerica|united|southwestair|jetblue|usairways|americanair"
_STARS: Final = {"negative": 1, "neutral": 3, "positive": 5}


def airline_tweets(path: Path) -> list[Part]:
    """Tweets to six American airlines in February 2015, as reviews of the airline that they speak to first.

    How a tweet was labelled counts as 1, 3 or 5 stars. Its id lost digits in this copy, so that rows are numbered;
    times are of the Pacific coast. A tweet to no airline is a review of no product.
    """
    file, raw = _table(path, "twitter_us_airline_sentiment.parquet", "Tweets.csv")
    named = raw["tweet_created"].cast(pl.String).str.slice(0, 19)
    first, other = (named.str.to_datetime(style, strict=False) for style in ("%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S"))
    said = raw.select(
        pl.format("tweet-{}", pl.int_range(1, pl.len() + 1)).alias(c.REVIEW_ID),
        pl.col("name").alias(c.CUSTOMER_ID),
        pl.col("text").str.to_lowercase().str.extract(f"@({_AIRLINES})").alias(c.PRODUCT_ID),
        pl.col("airline_sentiment").replace_strict(_STARS, default=None).alias(c.RATING),
        pl.col("text").alias(c.TEXT),
        first.fill_null(other).alias(c.HAPPENED_AT),
    )
    return [Part(str(file), c.REVIEWS, said, {c.LANGUAGE: "en", "time_zone": "America/Los_Angeles"})]


LAYOUTS: Final[dict[str, Callable[[Path], list[Part]]]] = {
    "online-retail": online_retail,
    "olist": olist,
    "cdnow": cdnow,
    "complete-journey": complete_journey,
    "amazon-reviews": amazon_reviews,
    "airline-tweets": airline_tweets,
}
