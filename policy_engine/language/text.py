"""The text reading: one spelling for each formula, whatever spaces and brackets it was given."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from policy_engine.language.interpreter import Interpreter, Part, dotted
from policy_engine.numbers import plain

_CHOICE, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _ATOM = range(9)
_BINDING = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "and": _AND, "or": _OR}


@dataclass(frozen=True, slots=True)
class Spelled:
    """A spelled part and how tightly its outermost sign binds."""

    text: str
    binding: int

    def inside(self, binding: int) -> str:
        """The text, in brackets where it would fall apart under a sign that binds so tightly."""
        return self.text if self.binding >= binding else f"({self.text})"


class TextReading:
    """Spells each step with one space around signs and only the brackets that are needed."""

    def literal(self, value: Decimal | str) -> Spelled:
        if isinstance(value, Decimal):
            return Spelled(plain(value), _ATOM)
        return Spelled(f"'{value}'" if '"' in value else f'"{value}"', _ATOM)

    def name(self, name: str) -> Spelled:
        return Spelled(name, _ATOM)

    def arithmetic(self, sign: str, left: Spelled, right: Spelled) -> Spelled:
        binding = _BINDING[sign]
        return Spelled(f"{left.inside(binding)} {sign} {right.inside(binding + 1)}", binding)

    def negative(self, operand: Spelled) -> Spelled:
        return Spelled(f"-{operand.inside(_SIGN)}", _SIGN)

    def compare(self, sign: str, left: Spelled, right: Spelled) -> Spelled:
        return Spelled(f"{left.inside(_SUM)} {sign} {right.inside(_SUM)}", _COMPARE)

    def logic(self, word: str, operands: Sequence[Part[Spelled]]) -> Spelled:
        binding = _BINDING[word]
        parts = [part.read().inside(binding + 1) for part in operands]
        return Spelled(f" {word} ".join(parts), binding)

    def not_(self, operand: Spelled) -> Spelled:
        return Spelled(f"not {operand.inside(_NOT)}", _NOT)

    def choose(self, test: Part[Spelled], then: Part[Spelled], otherwise: Part[Spelled]) -> Spelled:
        a, b = then.read().inside(_OR), test.read().inside(_OR)
        return Spelled(f"{a} if {b} else {otherwise.read().text}", _CHOICE)

    def call(self, function: str, arguments: Sequence[Part[Spelled]]) -> Spelled:
        texts = [_argument(part) for part in arguments]
        return Spelled(f"{function}({', '.join(texts)})", _ATOM)


def _argument(part: Part[Spelled]) -> str:
    return dotted(part.node) if isinstance(part.node, ast.Attribute) else part.read().text


def to_text(tree: ast.expr) -> str:
    """The one spelling of a formula: equal for formulas that differ only in spaces and brackets."""
    return Interpreter(TextReading()).read(tree).text
