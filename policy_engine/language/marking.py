"""What readings for people share: names as terms, and parts of a formula that are marked."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, Self, TypeVar, cast

from policy_engine.language.interpreter import Interpreter, Part, Reading, dotted
from policy_engine.language.terms import Term, Terms, untitled
from policy_engine.model import ACCOUNT

T = TypeVar("T")
Span = tuple[int, int]


class _Marks(Protocol[T]):
    """A reading that can mark what it has made; `with_sign`: and the sign before it."""

    def marked(self, made: T, with_sign: bool) -> T: ...


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """A reading for people: of a formula of an entity, whose parts at `marks` are marked.

    Marks are stretches of the formula's text; one may begin with the sign before its part.
    """

    terms: Terms
    entity: str = ACCOUNT
    marks: frozenset[Span] = frozenset()

    def read(self, tree: ast.expr) -> T:
        """What this reading makes of a tree."""
        return _Marking(self).read(tree)

    def on(self, entity: str) -> Self:
        """The same reading, for a line of a list."""
        return replace(self, entity=entity)

    def is_marked(self, node: ast.expr) -> bool:
        """Whether a part is marked, without the sign before it."""
        return _span(node) in self.marks

    def operand(self, word: str, part: Part[T]) -> T:
        """An operand after an `and` or `or`, which may be marked with it."""
        start, end = _span(part.node)
        made = part.read()
        if (start - len(word) - 1, end) in self.marks:
            return cast(_Marks[T], self).marked(made, True)
        return made

    def term(self, name: str) -> Term:
        """What a figure is called here."""
        return self.terms.figure(self.entity, name)


class _Marking(Interpreter[T]):
    """Reads each part of a formula, and marks those that are to be."""

    def __init__(self, reading: Told[T]) -> None:
        super().__init__(cast(Reading[T], reading))
        self.told = reading

    def _eval(self, node: ast.expr) -> T:
        made = super()._eval(node)
        start, end = _span(node)
        for before in (0, _SIGN_AND_SPACE):
            if (start - before, end) in self.told.marks:
                return cast(_Marks[T], self.told).marked(made, before > 0)
        return made


_SIGN_AND_SPACE = 2


def _span(node: ast.expr) -> Span:
    return node.col_offset, node.end_col_offset or 0


@dataclass(frozen=True, slots=True)
class OfScale(Generic[T]):
    """What a reading of a scale names: `slices`, `tier` and `top` take these in this order."""

    scale: Term
    column: str
    named: ast.expr
    key: Part[T] | None = None
    x: Part[T] | None = None
    least: Part[T] | None = None


def of_scale(function: str, arguments: Sequence[Part[T]], terms: Terms) -> OfScale[T]:
    """The arguments of a reading of a scale by what they are."""
    named, rest = arguments[0].node, list(arguments[1:])
    name, _, column = dotted(named).partition(".")
    scale = terms.scales.get(name)
    keyed = scale.keyed if scale is not None else len(rest) > (function != "top")
    key = rest.pop(0) if keyed and rest else None
    x, least = (*rest, None, None)[:2]
    return OfScale(scale or untitled(name), column, named, key, x, least)
