"""Who matches a rule: a small, safe language over the catalogue's outputs.

churn_probability > 0.6 and lifetime_value > 500
segment in ["loyal", "big spenders"] or not (churn_probability <= 0.2)
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, Final

import polars as pl
import polars.selectors as cs

from dongcha import columns as c
from dongcha.errors import MissingDataError, UsageError

_COMPARISONS: Final[dict[type[ast.cmpop], Callable[[pl.Expr, Any], pl.Expr]]] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.In: lambda a, b: a.is_in(b),
    ast.NotIn: lambda a, b: ~a.is_in(b),
}
MOST_NESTED: Final = 50


def audience(rule: str, answers: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The entities that match `rule`: entity_id (sorted) + every answer's numbers and texts.

    `answers`: frames with entity_id. An unknown value matches nothing. Raises UsageError where the rule cannot be
    read, naming the place; MissingDataError where nothing was scored.
    """
    if not answers:
        raise MissingDataError("Nothing was scored yet.", "Run it first: dongcha run.")
    plain = [answer.select(~cs.nested()) for answer in answers]
    everyone = reduce(lambda left, right: left.join(right, on=c.ENTITY_ID, how="full", coalesce=True), plain)
    wanted = parse(rule, everyone.schema)
    try:
        return everyone.filter(wanted.fill_null(False)).sort(c.ENTITY_ID)
    except pl.exceptions.PolarsError as error:
        raise UsageError(
            f"The rule '{rule}' compares unlike things: {error}.", "Compare numbers with numbers."
        ) from None


def parse(rule: str, schema: pl.Schema) -> pl.Expr:
    """The rule as a Polars expression over columns of `schema`; UsageError where it cannot be read."""
    try:
        tree = ast.parse(rule.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"The rule '{rule[:200]}' cannot be read: {error}.", _EXAMPLE) from None
    return _Reader(rule, schema).boolean(tree.body, 0)


_EXAMPLE: Final = 'Write it like: churn_probability > 0.6 and segment == "loyal".'


class _Reader:
    """Walks the few kinds of node that a rule may hold; anything else is refused by name."""

    def __init__(self, rule: str, schema: pl.Schema) -> None:
        self.rule, self.schema = rule, schema

    def boolean(self, node: ast.expr, depth: int) -> pl.Expr:
        if depth > MOST_NESTED:
            raise UsageError("The rule is nested too deeply.", _EXAMPLE)
        match node:
            case ast.BoolOp(op=ast.And()):
                return pl.all_horizontal([self.boolean(part, depth + 1) for part in node.values])
            case ast.BoolOp():
                return pl.any_horizontal([self.boolean(part, depth + 1) for part in node.values])
            case ast.UnaryOp(op=ast.Not()):
                return ~self.boolean(node.operand, depth + 1)
            case ast.Compare():
                return self._chain(node)
        raise self._refuse(node)

    def _chain(self, node: ast.Compare) -> pl.Expr:
        sides = [node.left, *node.comparators]
        pairs = zip(node.ops, sides, sides[1:], strict=False)
        return pl.all_horizontal([self._compare(op, left, right) for op, left, right in pairs])

    def _compare(self, op: ast.cmpop, left: ast.expr, right: ast.expr) -> pl.Expr:
        if type(op) not in _COMPARISONS:
            raise self._refuse(left)
        return _COMPARISONS[type(op)](self._operand(left), self._operand(right))

    def _operand(self, node: ast.expr) -> Any:
        match node:
            case ast.Name():
                return pl.col(self._known(node.id))
            case ast.Constant(value=bool() | int() | float() | str()):
                return pl.lit(node.value)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return pl.lit(-number)
            case ast.List() | ast.Tuple():
                return [ast.literal_eval(item) for item in node.elts if isinstance(item, ast.Constant)]
        raise self._refuse(node)

    def _known(self, name: str) -> str:
        if name in self.schema:
            return name
        near = difflib.get_close_matches(name, self.schema.names(), n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"The rule asks for '{name}', which nothing answers.", f"{hint}There are: {', '.join(self.schema)}."
        )

    def _refuse(self, node: ast.AST) -> UsageError:
        part = ast.get_source_segment(self.rule.strip(), node) or type(node).__name__
        return UsageError(f"A rule cannot hold '{part[:80]}'.", _EXAMPLE)
