"""Rules that say who is meant: a small, safe language over named numbers and texts, said in Polars or in SQL.

churn_probability > 0.6 and lifetime_value > 500
segment in ["loyal", "big spenders"] or not (churn_probability <= 0.2)
"""

from __future__ import annotations

import ast
import difflib
import operator
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Generic, Protocol, TypeVar

import polars as pl

from dongcha.errors import UsageError

MOST_NESTED: Final = 50
MOST_COMPARISONS: Final = 500
MOST_LISTED: Final = 10_000

_SIGNS: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "=",
    ast.NotEq: "<>",
}
_EXAMPLE: Final = 'Write it like: churn_probability > 0.6 and segment == "loyal".'


class Kind(StrEnum):
    """What can be compared: numbers with numbers, texts with texts."""

    NUMBER = "number"
    TEXT = "text"


T = TypeVar("T")
Constant = float | str


class Speech(Protocol[T]):
    """How a rule is said. An unknown value makes a comparison unknown, and what is not surely true selects nobody."""

    def name(self, name: str) -> T: ...
    def constant(self, value: Constant) -> T: ...
    def compare(self, left: T, sign: str, right: T) -> T: ...
    def one_of(self, left: T, values: Sequence[Constant]) -> T: ...
    def both(self, parts: Sequence[T]) -> T: ...
    def either(self, parts: Sequence[T]) -> T: ...
    def opposite(self, part: T) -> T: ...


def in_polars(rule: str, kinds: Mapping[str, Kind]) -> pl.Expr:
    """The rule as a Polars expression over columns of these kinds; UsageError where it cannot be read."""
    return _read(rule, kinds, _Polars())


def in_sql(rule: str, kinds: Mapping[str, Kind], columns: Mapping[str, str]) -> tuple[str, list[Constant]]:
    """The rule as a condition of SQLite and the values of its question marks; UsageError where it cannot be read.

    `columns`: name in the rule → the table's own name for it, where that differs.
    """
    speech = _Sql(columns)
    return _read(rule, kinds, speech), speech.values


class _Polars:
    _COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
        "=": operator.eq,
        "<>": operator.ne,
    }

    def name(self, name: str) -> pl.Expr:
        return pl.col(name)

    def constant(self, value: Constant) -> pl.Expr:
        return pl.lit(value)

    def compare(self, left: pl.Expr, sign: str, right: pl.Expr) -> pl.Expr:
        compared: pl.Expr = self._COMPARE[sign](left, right)
        return compared

    def one_of(self, left: pl.Expr, values: Sequence[Constant]) -> pl.Expr:
        return left.is_in(values)

    def both(self, parts: Sequence[pl.Expr]) -> pl.Expr:
        return pl.all_horizontal(parts)

    def either(self, parts: Sequence[pl.Expr]) -> pl.Expr:
        return pl.any_horizontal(parts)

    def opposite(self, part: pl.Expr) -> pl.Expr:
        return ~part


class _Sql:
    def __init__(self, columns: Mapping[str, str]) -> None:
        self.columns = columns
        self.values: list[Constant] = []
        """In the order of the question marks: a rule is read, and so said, from left to right."""

    def name(self, name: str) -> str:
        return quoted(self.columns.get(name, name))

    def constant(self, value: Constant) -> str:
        self.values.append(value)
        return "?"

    def compare(self, left: str, sign: str, right: str) -> str:
        return f"{left} {sign} {right}"

    def one_of(self, left: str, values: Sequence[Constant]) -> str:
        return f"{left} IN ({', '.join(map(self.constant, values))})"

    def both(self, parts: Sequence[str]) -> str:
        return f"({' AND '.join(parts)})"

    def either(self, parts: Sequence[str]) -> str:
        return f"({' OR '.join(parts)})"

    def opposite(self, part: str) -> str:
        return f"(NOT {part})"


def quoted(name: str) -> str:
    """A column's name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def _read(rule: str, kinds: Mapping[str, Kind], speech: Speech[T]) -> T:
    try:
        tree = ast.parse(rule.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"The rule '{rule[:200]}' cannot be read: {error}.", _EXAMPLE) from None
    return _Reader(rule, kinds, speech).boolean(tree.body, 0)


class _Reader(Generic[T]):
    """Walks the few kinds of node that a rule may hold; anything else is refused by name."""

    def __init__(self, rule: str, kinds: Mapping[str, Kind], speech: Speech[T]) -> None:
        self.rule, self.kinds, self.speech = rule, kinds, speech
        self.comparisons = 0

    def boolean(self, node: ast.expr, depth: int) -> T:
        if depth > MOST_NESTED:
            raise UsageError("The rule is nested too deeply.", _EXAMPLE)
        match node:
            case ast.BoolOp(op=ast.And()):
                return self.speech.both([self.boolean(part, depth + 1) for part in node.values])
            case ast.BoolOp():
                return self.speech.either([self.boolean(part, depth + 1) for part in node.values])
            case ast.UnaryOp(op=ast.Not()):
                return self.speech.opposite(self.boolean(node.operand, depth + 1))
            case ast.Compare():
                return self._chain(node)
        raise self._refuse(node)

    def _chain(self, node: ast.Compare) -> T:
        sides = [node.left, *node.comparators]
        self.comparisons += len(node.ops)
        if self.comparisons > MOST_COMPARISONS:
            raise UsageError(
                f"The rule compares more than {MOST_COMPARISONS} times.", "Say it with a list: x in [1, 2]."
            )
        pairs = zip(node.ops, sides, sides[1:], strict=False)
        return self.speech.both([self._compare(op, left, right) for op, left, right in pairs])

    def _compare(self, op: ast.cmpop, left: ast.expr, right: ast.expr) -> T:
        if isinstance(op, ast.In | ast.NotIn):
            kind, said = self._operand(left)
            among = self.speech.one_of(said, self._listed(right, kind))
            return among if isinstance(op, ast.In) else self.speech.opposite(among)
        if type(op) not in _SIGNS:
            raise self._refuse(left)
        (kind, said), (other, other_said) = self._operand(left), self._operand(right)
        self._alike(kind, other)
        return self.speech.compare(said, _SIGNS[type(op)], other_said)

    def _operand(self, node: ast.expr) -> tuple[Kind, T]:
        if isinstance(node, ast.Name):
            return self._known(node.id), self.speech.name(node.id)
        kind, value = self._constant(node)
        return kind, self.speech.constant(value)

    def _constant(self, node: ast.expr) -> tuple[Kind, Constant]:
        match node:
            case ast.Constant(value=bool()):
                raise self._refuse(node)
            case ast.Constant(value=int() | float() as number):
                return Kind.NUMBER, self._float(number, node)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return Kind.NUMBER, -self._float(number, node)
            case ast.Constant(value=str() as text) if _can_be_written(text):
                return Kind.TEXT, text
        raise self._refuse(node)

    def _float(self, number: float, node: ast.expr) -> float:
        try:
            return float(number)
        except OverflowError:
            raise self._refuse(node) from None

    def _listed(self, node: ast.expr, kind: Kind) -> list[Constant]:
        if not isinstance(node, ast.List | ast.Tuple) or not 0 < len(node.elts) <= MOST_LISTED:
            raise self._refuse(node)
        found = [self._constant(item) for item in node.elts]
        for other, _ in found:
            self._alike(kind, other)
        return [value for _, value in found]

    def _alike(self, kind: Kind, other: Kind) -> None:
        if kind is not other:
            raise UsageError(
                f"The rule '{self.rule[:200]}' compares a {kind} with a {other}.", "Compare numbers with numbers."
            )

    def _known(self, name: str) -> Kind:
        if name in self.kinds:
            return self.kinds[name]
        near = difflib.get_close_matches(name, self.kinds, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"The rule asks for '{name}', which nothing answers.", f"{hint}There are: {', '.join(self.kinds)}."
        )

    def _refuse(self, node: ast.AST) -> UsageError:
        part = ast.get_source_segment(self.rule.strip(), node) or type(node).__name__
        return UsageError(f"A rule cannot hold '{part[:80]}'.", _EXAMPLE)


def _can_be_written(text: str) -> bool:
    """Whether it is text at all: half a surrogate pair and the zero character are not."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
