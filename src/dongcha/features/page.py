"""The catalogue of features as a page: `python -m dongcha.features.page > docs/insights/features.md`."""

from __future__ import annotations

from itertools import groupby

from dongcha.features.declare import Feature, catalogue

HEAD = """# Features

Every number that Dongcha computes about a customer, as of a moment: only from rows that happened before it and were
known by then. A customer gets a row once there is a purchase. Empty (null) means that a feature does not apply: there
is no gap between purchases where there was only one. Days of the calendar are UTC days.

A purchase is an order line with a quantity and a price above zero that was not cancelled; a return has a quantity
below zero (or the status `returned`); a line with a price of zero is a gift.

Under "Order" stands what is told of an order as of the moment it was placed: what it is, and what had happened and was
known before it. An order went bad where a fraud, a charge-back or a default of it was reported.

*Relative* features also depend on what other customers did. How to declare one of your own stands at the top of
`dongcha/features/declare.py`.

This page is generated: `python -m dongcha.features.page > docs/insights/features.md`.
"""


def page() -> str:
    """The whole page, in Markdown."""
    families = groupby(sorted(catalogue().values(), key=lambda f: f.family), key=lambda f: f.family)
    return "\n".join([HEAD, *(_section(family, list(features)) for family, features in families)])


def _section(family: str, features: list[Feature]) -> str:
    head = f"## {family.capitalize()}\n\n| feature | unit | what it is | 含义 | from |\n|---|---|---|---|---|\n"
    return head + "".join(map(_row, features))


def _row(feature: Feature) -> str:
    what = feature.docs["en"] + (" (*relative*)" if feature.relative else "")
    tables = ", ".join(sorted(feature.tables))
    return f"| `{feature.name}` | {feature.unit} | {what} | {feature.docs['zh']} | {tables} |\n"


if __name__ == "__main__":
    print(page(), end="")
