"""Two formulas compared as trees: equal in meaning, or the smallest part in which they differ."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from policy_engine.language.syntax import Expression, spelled
from policy_engine.language.text import to_text

_LOOSE = frozenset({"sum", "product", "and", "or"})
"""Kinds whose parts may stand in any order."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Marked:
    """A formula in its one spelling, the part that differs, and where that stands in it."""

    text: str
    part: str
    spans: tuple[Span, ...]

    @property
    def whole(self) -> bool:
        """Whether the part is the whole formula."""
        return self.part == self.text


@dataclass(frozen=True, slots=True)
class Difference:
    """The two sides of the smallest part in which two formulas differ."""

    before: Marked
    after: Marked


@dataclass(frozen=True)
class _Piece:
    """A part of a formula: its kind and sign, and its own parts, in no order in a sum."""

    label: tuple[Any, ...]
    span: Span
    parts: tuple[_Piece, ...] = ()
    sign: str = "+"

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """Equal for parts that mean the same."""
        keys = [part.key for part in self.parts]
        if self.label[0] in _LOOSE:
            keys.sort(key=repr)
        return (self.sign, self.label, tuple(keys))


def difference(old: Expression, new: Expression) -> Difference | None:
    """The smallest part in which two formulas differ, or None where they mean the same."""
    if old.text == new.text:
        return None
    texts = to_text(old.tree), to_text(new.tree)
    if texts[0] == texts[1]:
        return None
    found = _smallest(*(_piece(spelled(text)) for text in texts))
    if found is None:
        return None
    before, after = (_marked(text, side) for text, side in zip(texts, found, strict=True))
    return Difference(before, after)


def whole(expression: Expression) -> Marked:
    """A formula in its one spelling, all of it marked."""
    text = to_text(expression.tree)
    return Marked(text, text, ((0, len(text)),))


def _marked(text: str, pieces: tuple[_Piece, ...]) -> Marked:
    pieces = tuple(sorted(pieces, key=lambda piece: piece.span))
    spelled = " ".join(_signed(text, piece, first=at == 0) for at, piece in enumerate(pieces))
    spans = (_span(text, piece, first=at == 0) for at, piece in enumerate(pieces))
    return Marked(text, spelled, tuple(spans))


def _span(text: str, piece: _Piece, first: bool) -> Span:
    """Where a term stands, with the sign that is spelled before it."""
    start, end = piece.span
    sign = f"{piece.sign} "
    spelled = not first or piece.sign == "-"
    return (start - len(sign), end) if spelled and text[:start].endswith(sign) else piece.span


def _signed(text: str, piece: _Piece, first: bool) -> str:
    """A term with its sign; the first of several shows only a minus."""
    part = text[slice(*piece.span)]
    if piece.sign in ("+", "-"):
        return part if first and piece.sign == "+" else f"{piece.sign} {part}"
    return part if first else f"{piece.sign} {part}"


def _smallest(old: _Piece, new: _Piece) -> tuple[tuple[_Piece, ...], tuple[_Piece, ...]] | None:
    """The pieces in which two differ, or None where they mean the same."""
    if old.key == new.key:
        return None
    if old.label != new.label or old.sign != new.sign:
        return (old,), (new,)
    if old.label[0] in _LOOSE:
        return _in_any_order(old, new)
    apart = [(a, b) for a, b in zip(old.parts, new.parts, strict=False) if a.key != b.key]
    longer = len(new.parts) - len(old.parts)
    if len(apart) == 1 and longer == 0:
        return _smallest(*apart[0])
    if not apart and abs(longer) == 1:  # one more argument, or one less
        return old.parts[len(new.parts) :], new.parts[len(old.parts) :]
    return (old,), (new,)


def _in_any_order(old: _Piece, new: _Piece) -> tuple[tuple[_Piece, ...], tuple[_Piece, ...]] | None:
    left, right = _without(old.parts, new.parts), _without(new.parts, old.parts)
    if len(left) == len(right) == 1 and left[0].sign == right[0].sign:
        return _smallest(replace(left[0], sign="+"), replace(right[0], sign="+"))
    if len(left) == len(old.parts) and len(right) == len(new.parts):
        return (old,), (new,)
    return left, right


def _without(parts: tuple[_Piece, ...], others: tuple[_Piece, ...]) -> tuple[_Piece, ...]:
    """The parts that are left when those of equal meaning on the other side are taken away."""
    waiting = [other.key for other in others]
    kept = []
    for part in parts:
        if part.key in waiting:
            waiting.remove(part.key)
        else:
            kept.append(part)
    return tuple(kept)


# --- from Python's tree ---------------------------------------------------------------------------


def _piece(node: ast.expr, sign: str = "+") -> _Piece:
    span = (node.col_offset, node.end_col_offset or 0)
    label, parts = _label(node)
    return _Piece(label, span, parts, sign)


def _label(node: ast.expr) -> tuple[tuple[Any, ...], tuple[_Piece, ...]]:
    match node:
        case ast.Constant(value=value):
            return ("constant", type(value).__name__, value), ()
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return ("not",), (_piece(operand),)
        case ast.UnaryOp() | ast.BinOp(op=ast.Add() | ast.Sub()):
            return ("sum",), tuple(_terms(node, "+"))
        case ast.BinOp(op=ast.Mult()):
            return ("product",), tuple(_factors(node))
        case ast.BinOp(left=left, right=right):
            return ("quotient",), (_piece(left), _piece(right))
        case ast.BoolOp(op=op):
            word = "and" if isinstance(op, ast.And) else "or"
            return (word,), tuple(_operands(node, type(op), word))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return ("compare", type(op).__name__), (_piece(left), _piece(right))
        case ast.IfExp(test=test, body=then, orelse=otherwise):
            return ("choice",), (_piece(then), _piece(test), _piece(otherwise))
        case ast.Call(func=function, args=arguments):
            return ("call", ast.unparse(function)), tuple(map(_piece, arguments))
    return ("name", ast.unparse(node)), ()


def _terms(node: ast.expr, sign: str) -> Iterator[_Piece]:
    """The terms of a sum with their signs, brackets opened."""
    other = "-" if sign == "+" else "+"
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            yield from _terms(left, sign)
            yield from _terms(right, sign if isinstance(op, ast.Add) else other)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield from _terms(operand, other)
        case _:
            yield _piece(node, sign)


def _factors(node: ast.expr) -> Iterator[_Piece]:
    match node:
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            yield from _factors(left)
            yield from _factors(right)
        case _:
            yield _piece(node, "*")


def _operands(node: ast.expr, op: type[ast.boolop], word: str) -> Iterator[_Piece]:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, op):
        for value in node.values:
            yield from _operands(value, op, word)
    else:
        yield _piece(node, word)
