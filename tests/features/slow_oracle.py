"""Every feature once more, as a slow loop over rows in plain Python: the declared expressions are proved against it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import mean, median, stdev
from typing import Any

Row = Mapping[str, Any]
Answer = dict[str, float | None]
NOT_SOLD = {"cancelled", "canceled", "refused", "unavailable", "fraud", "failed", "rejected", "void"}


def oracle(shop: Mapping[str, Sequence[Row]], as_of: datetime) -> dict[str, Answer]:
    """Buyer → feature → value, from the rows of a shop's tables."""
    seen = {name: [row for row in rows if _visible(row, as_of)] for name, rows in shop.items()}
    lines = [line for row in seen["orders"] if (line := _line(row)) is not None]
    market = _market(lines)
    products = {row["product_id"]: row for row in seen.get("products", [])}
    answers = {}
    for customer in sorted({line["customer_id"] for line in lines if line["bought"]}):
        own = [line for line in lines if line["customer_id"] == customer]
        answer = _purchasing(own, as_of) | _products(own, market, as_of)
        for trait, many in (("category", "categories"), ("brand", "brands")):
            answer |= _variety(own, products, trait, many) if "products" in seen else {}
        for name, tell in OTHERS.items():
            if name in seen:
                answer |= tell([row for row in seen[name] if row["customer_id"] == customer], as_of)
        if "events" in seen:
            last_event = answer["last_event_days"]
            answer["seen_after_order_days"] = None if last_event is None else answer["recency_days"] - last_event
        answers[customer] = answer
    return answers


def _visible(row: Row, as_of: datetime) -> bool:
    return row["happened_at"] < as_of and (row.get("known_at") or row["happened_at"]) <= as_of


def _line(row: Row) -> Row | None:
    status = (row.get("status") or "").lower()
    sold = row["quantity"] > 0 and status not in NOT_SOLD
    bought = sold
    back = row["quantity"] < 0 or (bought and status in {"returned", "refunded"})
    gift = sold and row["price"] == 0
    if row["customer_id"] is None or not (bought or back):
        return None
    gross = row["quantity"] * float(row["price"])
    return {**row, "bought": bought, "back": back, "gift": gift, "gross": gross, "off": float(row.get("discount") or 0)}


def _age(moment: datetime, as_of: datetime) -> float:
    return (as_of - moment) / timedelta(days=1)


def _over(top: float | None, bottom: float | None) -> float | None:
    return None if top is None or bottom is None or bottom == 0 else top / bottom


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return mean(map(float, listed)) if listed else None


def _std(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None


def _best(choose: Callable[[Sequence[float]], float], values: Iterable[float]) -> float | None:
    listed = list(values)
    return float(choose(listed)) if listed else None


def _purchasing(own: list[Row], as_of: datetime) -> Answer:
    by_order = defaultdict(list)
    for line in own:
        by_order[line["order_id"]].append(line)
    orders, returns, gifts = [], [], 0.0
    for lines in by_order.values():
        moment = min(line["happened_at"] for line in lines)
        bought = [line for line in lines if line["bought"]]
        back = [line for line in lines if line["back"]]
        gifts += sum(line["quantity"] for line in lines if line["gift"])
        if bought:
            gross, off = sum(k["gross"] for k in bought), sum(k["off"] for k in bought)
            items = sum(k["quantity"] for k in bought)
            orders.append((moment, gross - off, gross, off, items, len(bought)))
        if back:
            returns.append((moment, sum(abs(k["gross"]) - abs(k["off"]) for k in back)))
    return _of_orders(sorted(orders), as_of) | _of_returns(returns, orders, as_of) | {"gift_items": gifts}


def _of_orders(orders: list[tuple[datetime, float, float, float, float, int]], as_of: datetime) -> Answer:
    ages = [_age(order[0], as_of) for order in orders]
    values = [order[1] for order in orders]
    spend, n, tenure, recency = sum(values), len(orders), max(ages), min(ages)
    days = sorted({order[0].date() for order in orders})
    first_day, last_day = (sum(o[1] for o in orders if o[0].date() == d) for d in (days[0], days[-1]))
    average, std = spend / n, _std(values)
    months = max(tenure, 30.0)
    told: Answer = {
        "recency_days": recency,
        "tenure_days": tenure,
        "orders": n,
        "purchase_days": len(days),
        "spend": spend,
        "average_order_value": average,
        "largest_order_value": max(values),
        "order_value_std": std,
        "order_value_cv": _over(std, average),
        "last_day_value": last_day,
        "last_day_to_average": _over(last_day, average),
        "one_time_buyer": float(n == 1),
        "spend_per_30d": spend * 30 / months,
        "orders_per_30d": n * 30 / months,
        "decayed_orders": sum(0.5 ** (age / 90) for age in ages),
        "decayed_spend": sum(v * 0.5 ** (age / 90) for v, age in zip(values, ages, strict=True)),
        "recency_to_tenure": _over(recency, tenure),
        "first_day_value": first_day,
        "repeat_day_value": _over(spend - first_day, len(days) - 1),
        "repeat_purchase_days": len(days) - 1,
        "last_purchase_age_days": (days[-1] - days[0]).days,
        "age_days": ((as_of - timedelta(microseconds=1)).date() - days[0]).days,
        "items_per_order": mean(o[4] for o in orders),
        "lines_per_order": mean(o[5] for o in orders),
        "items": sum(o[4] for o in orders),
        "mean_unit_price": _over(sum(o[2] for o in orders), sum(o[4] for o in orders)),
        "discount_share": _over(sum(o[3] for o in orders), sum(o[2] for o in orders)),
        "discounted_order_share": _mean(o[3] > 0 for o in orders),
        "weekend_share": _mean(o[0].weekday() >= 5 for o in orders),
    }
    for window in (30, 60, 90, 180, 365):
        told[f"orders_{window}d"] = sum(age <= window for age in ages)
        told[f"spend_{window}d"] = sum(v for v, age in zip(values, ages, strict=True) if age <= window)
    told["spend_change_90d"] = 2 * told["spend_90d"] - told["spend_180d"]
    told["orders_change_90d"] = 2 * told["orders_90d"] - told["orders_180d"]
    told["spend_share_90d"] = _over(told["spend_90d"], spend)
    told["spend_centre_days"] = _over(sum(v * age for v, age in zip(values, ages, strict=True)), spend)
    told["spend_centre_share"] = _over(told["spend_centre_days"], tenure)
    periods = {age // 30 for age in ages}
    told["active_periods"] = len(periods)
    told["active_period_share"] = len(periods) / (tenure // 30 + 1)
    return told | _gaps(days, recency) | _season(orders, as_of)


def _gaps(days: list[Any], recency: float) -> Answer:
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    usual, std, longest = _mean(gaps), _std(gaps), _best(max, gaps)
    cv = _over(std, usual)
    return {
        "mean_gap_days": usual,
        "median_gap_days": _best(median, gaps),
        "std_gap_days": std,
        "longest_gap_days": longest,
        "last_gap_days": float(gaps[-1]) if gaps else None,
        "gap_cv": cv,
        "regularity": None if cv is None else 1 / (1 + cv),
        "recency_to_mean_gap": _over(recency, usual),
        "recency_to_longest_gap": _over(recency, longest),
        "last_gap_to_mean": _over(float(gaps[-1]), usual) if gaps else None,
        "gap_trend": _slope([day.toordinal() for day in days[1:]], gaps),
    }


def _slope(xs: list[int], ys: list[int]) -> float | None:
    if len(xs) < 2:
        return None
    x, y = mean(xs), mean(ys)
    return 30 * sum((a - x) * (b - y) for a, b in zip(xs, ys, strict=True)) / sum((a - x) ** 2 for a in xs)


def _season(orders: list[tuple[datetime, float, float, float, float, int]], as_of: datetime) -> Answer:
    angle = 2 * math.pi * as_of.astimezone(UTC).timetuple().tm_yday / 365.25
    year_ago = [o for o in orders if 275 < _age(o[0], as_of) <= 365]
    was_here = max(_age(o[0], as_of) for o in orders) > 275
    first_day = min(orders)[0].date()
    return {
        "season_sine": math.sin(angle),
        "season_cosine": math.cos(angle),
        "holiday_spend_share": _over(sum(o[1] for o in orders if o[0].month >= 10), sum(o[1] for o in orders)),
        "first_order_in_holidays": float(first_day.month >= 10),
        "same_season_orders": float(len(year_ago)) if was_here else None,
        "same_season_spend": float(sum(o[1] for o in year_ago)) if was_here else None,
    }


def _of_returns(returns: list[tuple[datetime, float]], orders: list[Any], as_of: datetime) -> Answer:
    value, spend = sum(r[1] for r in returns), sum(o[1] for o in orders)
    return {
        "returns": len(returns),
        "returned_value": value,
        "returned_value_90d": sum(r[1] for r in returns if _age(r[0], as_of) <= 90),
        "last_return_days": _best(min, (_age(r[0], as_of) for r in returns)),
        "return_share": _over(value, spend),
        "net_spend": spend - value,
    }


def _market(lines: list[Row]) -> dict[str, float]:
    """Product → what everybody paid for one on average."""
    paid, items = defaultdict(float), defaultdict(float)
    for line in lines:
        if line["bought"]:
            paid[line["product_id"]] += line["gross"]
            items[line["product_id"]] += line["quantity"]
    return {product: paid[product] / items[product] for product in paid}


def _by(own: list[Row], key: Callable[[Row], str | None]) -> dict[str, list[Row]]:
    found = defaultdict(list)
    for line in own:
        if line["bought"] and line["product_id"] is not None and (name := key(line)) is not None:
            found[name].append(line)
    return found


def _spread(groups: Mapping[str, list[Row]]) -> tuple[float | None, float | None]:
    """The largest part's share of spend, and the exponential of the entropy."""
    parts = [sum(line["gross"] for line in lines) for lines in groups.values()]
    if sum(parts) == 0:
        return None, None
    shares = [part / sum(parts) for part in parts if part]
    return max(shares), math.exp(-sum(share * math.log(share) for share in shares))


def _products(own: list[Row], market: Mapping[str, float], as_of: datetime) -> Answer:
    groups = _by(own, lambda line: line["product_id"])
    moments = [[line["happened_at"] for line in lines] for lines in groups.values()]
    top, variety = _spread(groups)
    flat = [line for lines in groups.values() for line in lines]
    orders = {line["order_id"] for line in own if line["bought"]}
    return {
        "distinct_products": len(groups),
        "products_per_order": len(groups) / len(orders),
        "repeat_product_share": _mean(min(m).date() != max(m).date() for m in moments),
        "new_products_90d": sum(_age(min(m), as_of) <= 90 for m in moments),
        "top_product_share": top,
        "effective_products": variety,
        "price_level": _over(sum(k["gross"] for k in flat), sum(k["quantity"] * market[k["product_id"]] for k in flat)),
    }


def _variety(own: list[Row], products: Mapping[str, Row], trait: str, many: str) -> Answer:
    groups = _by(own, lambda line: products.get(line["product_id"], {}).get(trait))
    top, variety = _spread(groups)
    return {f"distinct_{many}": len(groups), f"top_{trait}_share": top, f"effective_{many}": variety}


def _events(rows: list[Row], as_of: datetime) -> Answer:
    def count(window: float, event: str | None = None) -> int:
        return sum(_age(r["happened_at"], as_of) <= window and event in (None, r["event"]) for r in rows)

    sessions = defaultdict(list)
    for row in rows:
        if row["session_id"] is not None:
            sessions[row["session_id"]].append(row)
    begun = [max(_age(r["happened_at"], as_of) for r in visit) for visit in sessions.values()]
    carts = [visit for visit in sessions.values() if any(r["event"] == "Product Added" for r in visit)]
    told: Answer = {
        "last_event_days": _best(min, (_age(r["happened_at"], as_of) for r in rows)),
        "add_to_cart_rate": _over(count(math.inf, "Product Added"), count(math.inf, "Product Viewed")),
        "channels": len({r["channel"] for r in rows} - {None}),
        "cart_abandonment": _mean(not any(r["event"] == "Order Completed" for r in visit) for visit in carts),
    }
    for window in (30, 90):
        told[f"events_{window}d"] = count(window)
        told[f"sessions_{window}d"] = sum(age <= window for age in begun)
        for name, event in EVENTS.items():
            told[f"{name}_{window}d"] = count(window, event)
    return told


EVENTS = {
    "views": "Product Viewed",
    "adds": "Product Added",
    "searches": "Products Searched",
    "wishes": "Product Added to Wishlist",
    "email_opens": "Email Opened",
    "email_clicks": "Email Link Clicked",
}


def _reviews(rows: list[Row], as_of: datetime) -> Answer:
    rated = [row for row in rows if row["rating"] is not None]
    recent = [row["rating"] for row in rated if _age(row["happened_at"], as_of) <= 90]
    return {
        "reviews": len(rows),
        "mean_rating": _mean(row["rating"] for row in rated),
        "worst_rating_90d": _best(min, recent),
        "bad_reviews": sum(row["rating"] <= 2 for row in rated),
    }


def _messages(rows: list[Row], as_of: datetime) -> Answer:
    recent = [row for row in rows if _age(row["happened_at"], as_of) <= 90]
    return {"messages_90d": len(recent), "conversations_90d": len({row["conversation_id"] for row in recent})}


def _exposures(rows: list[Row], as_of: datetime) -> Answer:
    ages = [_age(row["happened_at"], as_of) for row in rows if row["variant"] != "control"]
    return {"exposures_90d": sum(age <= 90 for age in ages), "last_exposure_days": _best(min, ages)}


OTHERS = {"events": _events, "reviews": _reviews, "messages": _messages, "exposures": _exposures}
