"""The peers of benchmarks.features: the same columns as one hand-written DuckDB statement, and as pandas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

WINDOWS = (30, 60, 90, 180, 365)
NOT_A_SALE = ("cancelled", "canceled", "refused", "unavailable", "fraud", "failed", "rejected", "void")
RETURNED = ("returned", "refunded")
FETCHED = (
    "customer_id",
    "order_id",
    "product_id",
    "happened_at",
    "known_at",
    "quantity",
    "price",
    "discount",
    "status",
)

SQL = f"""
WITH lines AS (
    SELECT customer_id, order_id, product_id, happened_at, quantity,
           quantity * price::DOUBLE AS gross,
           coalesce(discount::DOUBLE, 0) AS discount,
           quantity > 0 AND sold AS bought,
           quantity < 0 OR (quantity > 0 AND sold AND came_back) AS back,
           quantity > 0 AND price = 0 AND sold AS gift
    FROM (
        SELECT *,
               coalesce(lower(status) NOT IN {NOT_A_SALE}, true) AS sold,
               coalesce(lower(status) IN {RETURNED}, false) AS came_back
        FROM read_parquet($files)
        WHERE happened_at < $as_of AND (known_at <= $as_of OR known_at IS NULL) AND customer_id IS NOT NULL
    )
    WHERE bought OR back OR gift
),
orders AS (
    SELECT customer_id, order_id,
           epoch(min(happened_at)) AS second,
           count(*) FILTER (bought) AS lines,
           sum(quantity) FILTER (bought) AS items,
           sum(gross) FILTER (bought) AS gross,
           sum(discount) FILTER (bought) AS discount,
           sum(quantity) FILTER (gift) AS gift_items,
           sum(abs(gross) - abs(discount)) FILTER (back) AS returned_value,
           bool_or(back) AS has_return
    FROM lines
    GROUP BY customer_id, order_id
),
in_line AS (
    SELECT *, lines > 0 AS bought,
           (epoch($as_of) - second) / 86400 AS age,
           floor(second / 86400)::BIGINT AS day,
           (epoch($as_of) - lag(second) OVER w) / 86400 AS previous_age,
           floor(lag(second) OVER w / 86400)::BIGINT AS previous_day,
           floor(first_value(second) OVER w / 86400)::BIGINT AS first_day,
           floor(last_value(second) OVER w / 86400)::BIGINT AS last_day
    FROM orders
    WINDOW w AS (PARTITION BY customer_id, lines > 0 ORDER BY second
                 ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
),
baskets AS (
    SELECT customer_id, bought, gift_items, returned_value,
           CASE WHEN has_return THEN age END AS return_age,
           CASE WHEN bought THEN age END AS age,
           CASE WHEN bought THEN day END AS day,
           CASE WHEN bought THEN nullif(day - previous_day, 0) END AS gap,
           CASE WHEN bought THEN previous_age END AS previous_age,
           CASE WHEN bought THEN gross - discount END AS spend,
           CASE WHEN bought THEN gross END AS gross,
           CASE WHEN bought THEN discount END AS discount,
           CASE WHEN bought THEN items END AS items,
           CASE WHEN bought THEN lines END AS lines,
           CASE WHEN bought THEN month(DATE '1970-01-01' + day::INT) >= 10 END AS holiday,
           first_day, last_day
    FROM in_line
),
by_customer AS (
    SELECT customer_id,
           min(age) AS recency_days,
           max(age) AS tenure_days,
           count(age) AS orders,
           count(gap) + 1 AS purchase_days,
           sum(spend) AS spend,
           avg(spend) AS average_order_value,
           max(spend) AS largest_order_value,
           stddev_samp(spend) AS order_value_std,
           sum(spend) FILTER (day = last_day) AS last_day_value,
           {",".join(f"count(*) FILTER (age <= {n}) AS orders_{n}d" for n in WINDOWS)},
           {",".join(f"coalesce(sum(spend) FILTER (age <= {n}), 0) AS spend_{n}d" for n in WINDOWS)},
           sum(pow(0.5, age / 90)) AS decayed_orders,
           sum(spend * pow(0.5, age / 90)) AS decayed_spend,
           sum(spend * age) AS spend_age,
           count(return_age) AS returns,
           coalesce(sum(returned_value), 0) AS returned_value,
           coalesce(sum(returned_value) FILTER (return_age <= 90), 0) AS returned_value_90d,
           min(return_age) AS last_return_days,
           avg(gap) AS mean_gap_days,
           median(gap) AS median_gap_days,
           stddev_samp(gap) AS std_gap_days,
           max(gap) AS longest_gap_days,
           arg_max(gap, day) FILTER (gap IS NOT NULL) AS last_gap_days,
           regr_slope(gap, day) * 30 AS gap_trend,
           count(*) FILTER (floor(age / 30) <> floor(previous_age / 30)) + 1 AS active_periods,
           max(day) - min(day) AS last_purchase_age_days,
           floor((epoch($as_of) - 0.000001) / 86400) - min(day) AS age_days,
           sum(spend) FILTER (day = first_day) AS first_day_value,
           avg(items) AS items_per_order,
           avg(lines) AS lines_per_order,
           sum(items) AS items,
           sum(gross) / sum(items) AS mean_unit_price,
           sum(discount) / sum(gross) AS discount_share,
           avg((discount > 0)::INT) AS discounted_order_share,
           avg((isodow(DATE '1970-01-01' + day::INT) >= 6)::INT) AS weekend_share,
           coalesce(sum(gift_items), 0) AS gift_items,
           coalesce(sum(spend) FILTER (holiday), 0) AS holiday_spend,
           bool_or(holiday AND day = first_day)::INT AS first_order_in_holidays,
           count(*) FILTER (age <= 365 AND age > 275) AS season_orders,
           coalesce(sum(spend) FILTER (age <= 365 AND age > 275), 0) AS season_spend
    FROM baskets
    GROUP BY customer_id
    HAVING count(age) > 0
),
market AS (
    SELECT product_id, sum(gross) / sum(quantity) AS price
    FROM lines WHERE bought AND product_id IS NOT NULL GROUP BY product_id
),
customer_products AS (
    SELECT customer_id, product_id, min(happened_at) AS first, max(happened_at) AS last,
           sum(gross) AS gross, sum(quantity) AS items
    FROM lines WHERE bought AND product_id IS NOT NULL GROUP BY customer_id, product_id
),
variety AS (
    SELECT customer_id,
           count(*) AS distinct_products,
           avg((floor(epoch(last) / 86400) > floor(epoch(first) / 86400))::INT) AS repeat_product_share,
           count(*) FILTER ((epoch($as_of) - epoch(first)) / 86400 <= 90) AS new_products_90d,
           max(gross) / sum(gross) AS top_product_share,
           exp(ln(nullif(sum(gross), 0)) - sum(gross * ln(nullif(gross, 0))) / nullif(sum(gross), 0))
               AS effective_products,
           sum(gross) / sum(items * price) AS price_level
    FROM customer_products JOIN market USING (product_id)
    GROUP BY customer_id
)
SELECT *,
       order_value_std / average_order_value AS order_value_cv,
       last_day_value / average_order_value AS last_day_to_average,
       (orders = 1)::INT AS one_time_buyer,
       spend * 30 / greatest(tenure_days, 30) AS spend_per_30d,
       orders * 30 / greatest(tenure_days, 30) AS orders_per_30d,
       2 * spend_90d - spend_180d AS spend_change_90d,
       2 * orders_90d - orders_180d AS orders_change_90d,
       spend_90d / spend AS spend_share_90d,
       spend_age / spend AS spend_centre_days,
       spend_age / spend / tenure_days AS spend_centre_share,
       returned_value / spend AS return_share,
       spend - returned_value AS net_spend,
       std_gap_days / mean_gap_days AS gap_cv,
       1 / (1 + std_gap_days / mean_gap_days) AS regularity,
       recency_days / mean_gap_days AS recency_to_mean_gap,
       recency_days / longest_gap_days AS recency_to_longest_gap,
       recency_days / tenure_days AS recency_to_tenure,
       last_gap_days / mean_gap_days AS last_gap_to_mean,
       active_periods / (floor(tenure_days / 30) + 1) AS active_period_share,
       purchase_days - 1 AS repeat_purchase_days,
       (spend - first_day_value) / nullif(purchase_days - 1, 0) AS repeat_day_value,
       coalesce(distinct_products, 0) AS distinct_products,
       coalesce(distinct_products, 0) / orders AS products_per_order,
       coalesce(new_products_90d, 0) AS new_products_90d,
       sin(2 * pi() * dayofyear($as_of) / 365.25) AS season_sine,
       cos(2 * pi() * dayofyear($as_of) / 365.25) AS season_cosine,
       holiday_spend / spend AS holiday_spend_share,
       CASE WHEN tenure_days > 275 THEN season_orders END AS same_season_orders,
       CASE WHEN tenure_days > 275 THEN season_spend END AS same_season_spend
FROM by_customer LEFT JOIN variety USING (customer_id)
"""


def by_pandas(files: list[str], as_of: pd.Timestamp) -> pd.DataFrame:  # noqa: PLR0915  one recipe, top to bottom
    """The same columns the way a practised pandas user would write them: vectorised, no `apply` over rows."""
    import numpy as np
    import pandas as pd

    lines = pd.concat([pd.read_parquet(file, columns=list(FETCHED)) for file in files], ignore_index=True)
    lines = lines[(lines.happened_at < as_of) & (lines.known_at <= as_of) & lines.customer_id.notna()]
    status = lines.status.str.lower()
    price = lines.price.astype("float64")
    sold = (lines.quantity > 0) & ~status.isin(NOT_A_SALE)
    lines = lines.assign(
        gross=lines.quantity * price,
        discount=lines.discount.astype("float64").fillna(0),
        bought=sold,
        back=(lines.quantity < 0) | (sold & status.isin(RETURNED)),
        gift=sold & (price == 0),
    )
    key = ["customer_id", "order_id"]
    bought, back = lines[lines.bought], lines[lines.back]
    moments = lines[lines.bought | lines.back | lines.gift].groupby(key).happened_at.min().rename("moment")
    orders = bought.groupby(key).agg(
        lines=("gross", "size"), items=("quantity", "sum"), gross=("gross", "sum"), discount=("discount", "sum")
    )
    orders = orders.join(moments).reset_index()
    orders["spend"] = orders.gross - orders.discount
    orders["age"] = (as_of - orders.moment) / pd.Timedelta(days=1)
    orders["day"] = orders.moment.dt.floor("D")
    orders = orders.sort_values(["customer_id", "moment"], kind="stable")
    orders["gap"] = orders.groupby("customer_id").day.diff().dt.days.replace(0, np.nan)
    orders["period"] = orders.age // 30
    of = orders.groupby("customer_id")
    first_day, last_day = of.day.transform("min"), of.day.transform("max")
    holiday = orders.day.dt.month >= 10
    orders = orders.assign(
        fade=0.5 ** (orders.age / 90),
        faded_spend=orders.spend * 0.5 ** (orders.age / 90),
        spend_age=orders.spend * orders.age,
        discounted=orders.discount > 0,
        weekend=orders.day.dt.dayofweek >= 5,
        holiday_spend=orders.spend.where(holiday, 0.0),
        holiday_first=holiday & (orders.day == first_day),
        last_day_spend=orders.spend.where(orders.day == last_day, 0.0),
        first_day_spend=orders.spend.where(orders.day == first_day, 0.0),
        season_order=(orders.age <= 365) & (orders.age > 275),
        season_spend=orders.spend.where((orders.age <= 365) & (orders.age > 275), 0.0),
        **{f"o{n}": orders.age <= n for n in WINDOWS},
        **{f"s{n}": orders.spend.where(orders.age <= n, 0.0) for n in WINDOWS},
    )
    of = orders.groupby("customer_id")
    f = of.agg(
        recency_days=("age", "min"),
        tenure_days=("age", "max"),
        orders=("age", "size"),
        repeat_purchase_days=("gap", "count"),
        spend=("spend", "sum"),
        average_order_value=("spend", "mean"),
        largest_order_value=("spend", "max"),
        order_value_std=("spend", "std"),
        last_day_value=("last_day_spend", "sum"),
        **{f"orders_{n}d": (f"o{n}", "sum") for n in WINDOWS},
        **{f"spend_{n}d": (f"s{n}", "sum") for n in WINDOWS},
        decayed_orders=("fade", "sum"),
        decayed_spend=("faded_spend", "sum"),
        spend_age=("spend_age", "sum"),
        mean_gap_days=("gap", "mean"),
        median_gap_days=("gap", "median"),
        std_gap_days=("gap", "std"),
        longest_gap_days=("gap", "max"),
        last_gap_days=("gap", "last"),
        active_periods=("period", "nunique"),
        first_day=("day", "min"),
        last_day=("day", "max"),
        first_day_value=("first_day_spend", "sum"),
        items_per_order=("items", "mean"),
        lines_per_order=("lines", "mean"),
        items=("items", "sum"),
        gross=("gross", "sum"),
        discount=("discount", "sum"),
        discounted_order_share=("discounted", "mean"),
        weekend_share=("weekend", "mean"),
        holiday_spend=("holiday_spend", "sum"),
        first_order_in_holidays=("holiday_first", "any"),
        same_season_orders=("season_order", "sum"),
        same_season_spend=("season_spend", "sum"),
    )
    gaps = orders[orders.gap.notna()].assign(x=lambda o: (o.day - o.day.min()).dt.days.astype("float64"))
    means = gaps.groupby("customer_id")[["x", "gap"]].transform("mean")
    dx, dy = gaps.x - means.x, gaps.gap - means.gap
    sums = pd.DataFrame({"customer_id": gaps.customer_id, "xy": dx * dy, "xx": dx * dx}).groupby("customer_id").sum()
    f["gap_trend"] = 30 * (sums.xy / sums.xx.where(sums.xx > 0))
    returned = (back.gross.abs() - back.discount.abs()).groupby([back.customer_id, back.order_id]).sum()
    returned = returned.rename("value").to_frame().join(moments).reset_index()
    returned["age"] = (as_of - returned.moment) / pd.Timedelta(days=1)
    returned["late"] = returned.value.where(returned.age <= 90, 0.0)
    came = returned.groupby("customer_id").agg(
        returns=("value", "size"),
        returned_value=("value", "sum"),
        returned_value_90d=("late", "sum"),
        last_return_days=("age", "min"),
    )
    f = f.join(came).fillna({"returns": 0, "returned_value": 0, "returned_value_90d": 0})
    gifts = lines[lines.gift].groupby("customer_id").quantity.sum().rename("gift_items")
    f = f.join(gifts).fillna({"gift_items": 0})
    sold_products = bought[bought.product_id.notna()]
    market = sold_products.groupby("product_id")[["gross", "quantity"]].sum()
    own = sold_products.groupby(["customer_id", "product_id"]).agg(
        first=("happened_at", "min"), last=("happened_at", "max"), gross=("gross", "sum"), quantity=("quantity", "sum")
    )
    own = own.reset_index()
    own["again"] = own["last"].dt.floor("D") > own["first"].dt.floor("D")
    own["new"] = (as_of - own["first"]) / pd.Timedelta(days=1) <= 90
    own["usual"] = own.quantity * own.product_id.map(market.gross / market.quantity)
    own["share"] = own.gross / own.groupby("customer_id").gross.transform("sum")
    own["surprise"] = -own.share * np.log(own.share)
    v = own.groupby("customer_id").agg(
        distinct_products=("product_id", "size"),
        repeat_product_share=("again", "mean"),
        new_products_90d=("new", "sum"),
        top_product_share=("share", "max"),
        effective_products=("surprise", "sum"),
        gross=("gross", "sum"),
        usual=("usual", "sum"),
    )
    v["effective_products"] = np.exp(v.effective_products).where(v.gross > 0)
    v["price_level"] = v.gross / v.usual
    f = f.join(v.drop(columns=["gross", "usual"])).fillna({"distinct_products": 0, "new_products_90d": 0})
    months, day = f.tenure_days.clip(lower=30), pd.Timedelta(days=1)
    here = f.tenure_days > 275
    angle = 2 * math.pi * as_of.dayofyear / 365.25
    return f.assign(
        purchase_days=f.repeat_purchase_days + 1,
        order_value_cv=f.order_value_std / f.average_order_value,
        last_day_to_average=f.last_day_value / f.average_order_value,
        one_time_buyer=f.orders == 1,
        spend_per_30d=f.spend * 30 / months,
        orders_per_30d=f.orders * 30 / months,
        spend_change_90d=2 * f.spend_90d - f.spend_180d,
        orders_change_90d=2 * f.orders_90d - f.orders_180d,
        spend_share_90d=f.spend_90d / f.spend,
        spend_centre_days=f.spend_age / f.spend,
        spend_centre_share=f.spend_age / f.spend / f.tenure_days,
        return_share=f.returned_value / f.spend,
        net_spend=f.spend - f.returned_value,
        gap_cv=f.std_gap_days / f.mean_gap_days,
        regularity=1 / (1 + f.std_gap_days / f.mean_gap_days),
        recency_to_mean_gap=f.recency_days / f.mean_gap_days,
        recency_to_longest_gap=f.recency_days / f.longest_gap_days,
        recency_to_tenure=f.recency_days / f.tenure_days,
        last_gap_to_mean=f.last_gap_days / f.mean_gap_days,
        active_period_share=f.active_periods / (f.tenure_days // 30 + 1),
        last_purchase_age_days=(f.last_day - f.first_day) / day,
        age_days=((as_of - pd.Timedelta(microseconds=1)).floor("D") - f.first_day) / day,
        repeat_day_value=(f.spend - f.first_day_value) / f.repeat_purchase_days.where(f.repeat_purchase_days > 0),
        mean_unit_price=f.gross / f["items"],
        discount_share=f.discount / f.gross,
        products_per_order=f.distinct_products / f.orders,
        season_sine=math.sin(angle),
        season_cosine=math.cos(angle),
        holiday_spend_share=f.holiday_spend / f.spend,
        same_season_orders=f.same_season_orders.where(here),
        same_season_spend=f.same_season_spend.where(here),
    ).reset_index()
