"""Walks one parsed expression and asks a reading what each step means."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar

from simpleeval import SimpleEval

from policy_engine.language.syntax import Fault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """A part of an expression that a reading may read, or look at, or leave."""

    node: ast.expr
    read: Callable[[], T]


class Reading(Protocol[T]):
    """What each step of an expression means. Adding a reading changes no other."""

    def literal(self, value: Decimal | str) -> T:
        """A bare 0 or 1, or a quoted text."""

    def name(self, name: str) -> T:
        """A figure by its name; `true`, `false` and `unlimited` are names too."""

    def arithmetic(self, sign: str, left: T, right: T) -> T:
        """`+`, `-`, `*` or `/`."""

    def negative(self, operand: T) -> T:
        """Unary minus."""

    def compare(self, sign: str, left: T, right: T) -> T:
        """`<`, `<=`, `>`, `>=`, `==` or `!=`."""

    def logic(self, word: str, operands: Sequence[Part[T]]) -> T:
        """`and` or `or`, over two or more operands."""

    def not_(self, operand: T) -> T:
        """`not`."""

    def choose(self, test: Part[T], then: Part[T], otherwise: Part[T]) -> T:
        """`then if test else otherwise`."""

    def call(self, function: str, arguments: Sequence[Part[T]]) -> T:
        """A table, a scale's reading, an aggregate or a built-in."""


SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.And: "and",
    ast.Or: "or",
}
"""How each operation is written, by the kind of its node."""


class Interpreter(SimpleEval, Generic[T]):  # type: ignore[misc]
    """`simpleeval` parses and dispatches; it knows no function, operator or name of its own.

    A fault raised by the reading is given the place of the innermost node it was raised for.
    """

    def __init__(self, reading: Reading[T]) -> None:
        # Not `super().__init__`: it changes the process's warning filters, which threads share,
        # and takes longer than reading most formulas. What it sets up is what this leaves empty.
        nothing: dict[Any, Any] = {}
        self.operators = self.functions = self.names = self.allowed_attrs = nothing
        self.nodes = _HANDLERS
        self.reading = reading

    def read(self, tree: ast.expr) -> T:
        """What the reading makes of the tree. Raises Fault."""
        return self._eval(tree)

    def _eval(self, node: ast.expr) -> T:
        try:
            return _HANDLERS[type(node)](self, node)  # type: ignore[no-any-return]
        except Fault as fault:
            raise fault.at(node) from None

    def _part(self, node: ast.expr) -> Part[T]:
        return Part(node, lambda: self._eval(node))

    def _constant(self, node: ast.Constant) -> T:
        value = node.value
        assert isinstance(value, str | int)
        return self.reading.literal(value if isinstance(value, str) else Decimal(value))

    def _name(self, node: ast.Name) -> T:
        return self.reading.name(node.id)

    def _column(self, node: ast.Attribute) -> T:
        hint = "a dotted name is a scale's column: `slices(scale.column, …)`"
        raise Fault("bad-formula", f"`{dotted(node)}` cannot stand here", hint)

    def _unary(self, node: ast.UnaryOp) -> T:
        operand = self._eval(node.operand)
        negated = isinstance(node.op, ast.Not)
        return self.reading.not_(operand) if negated else self.reading.negative(operand)

    def _binary(self, node: ast.BinOp) -> T:
        left, right = self._eval(node.left), self._eval(node.right)
        return self.reading.arithmetic(SIGNS[type(node.op)], left, right)

    def _logic(self, node: ast.BoolOp) -> T:
        operands = tuple(self._part(value) for value in node.values)
        return self.reading.logic(SIGNS[type(node.op)], operands)

    def _compare(self, node: ast.Compare) -> T:
        left, right = self._eval(node.left), self._eval(node.comparators[0])
        return self.reading.compare(SIGNS[type(node.ops[0])], left, right)

    def _choose(self, node: ast.IfExp) -> T:
        parts = (self._part(part) for part in (node.test, node.body, node.orelse))
        return self.reading.choose(*parts)

    def _call(self, node: ast.Call) -> T:
        return self.reading.call(dotted(node.func), tuple(map(self._part, node.args)))


_HANDLERS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Constant: Interpreter._constant,
    ast.Name: Interpreter._name,
    ast.Attribute: Interpreter._column,
    ast.UnaryOp: Interpreter._unary,
    ast.BinOp: Interpreter._binary,
    ast.BoolOp: Interpreter._logic,
    ast.Compare: Interpreter._compare,
    ast.IfExp: Interpreter._choose,
    ast.Call: Interpreter._call,
}
"""The kinds of node there are; a tree with any other cannot be read."""


def dotted(node: ast.expr) -> str:
    """A name, or a scale and its column, as one text."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Name):
        return node.id
    hint = "write the name as it is, without quotes or signs"
    raise Fault("bad-formula", "a name should stand here", hint).at(node)
