"""What can happen inside a formula: branches taken, operands that decide, edges stood on."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeGuard

from policy_engine.coverage.possible import FALSE, TRUE, UNKNOWN, has_value
from policy_engine.language.text import to_text
from policy_engine.numbers import UNLIMITED

What = tuple[Any, ...]
"""What happened at a place: equal for the same happening in every run."""

EDGE, BRANCH, OPERAND = "edge", "branch", "operand"
_ORDERED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


@dataclass(frozen=True, slots=True)
class Point:
    """Something that can happen in a formula, and what it is in words."""

    what: What
    title: str

    @property
    def group(self) -> str:
        """`edge`, `branch` or `operand`."""
        return str(self.what[0])


def points(tree: ast.expr, is_rule: bool) -> Iterator[Point]:
    """Everything that can happen in a formula as written; only rules have edges."""
    for node in ast.walk(tree):
        if isinstance(node, ast.IfExp):
            test = to_text(node.test)
            yield Point(_branch(node, True), f"`{test}` holds")
            yield Point(_branch(node, False), f"`{test}` does not hold")
        elif isinstance(node, ast.BoolOp):
            decided = "false" if isinstance(node.op, ast.And) else "true"
            other = "true" if isinstance(node.op, ast.And) else "false"
            for part in node.values:
                yield Point(_operand(part), f"`{to_text(part)}` alone is {decided}")
            yield Point(_operand(node), f"all parts of `{to_text(node)}` are {other}")
        elif is_rule and _has_edge(node):
            yield Point(_edge(node), f"`{to_text(node)}` stands on its edge")


def happened(tree: ast.expr, values: Mapping[ast.expr, Any], is_rule: bool) -> Iterator[What]:
    """What did happen, by the values of the parts that were read."""
    for node in ast.walk(tree):
        if node not in values:
            continue
        if isinstance(node, ast.IfExp):
            taken = values.get(node.test)
            if taken is True or taken is False:
                yield _branch(node, taken)
        elif isinstance(node, ast.BoolOp):
            yield from _decided(node, [values.get(part) for part in node.values])
        elif is_rule and _has_edge(node):
            left, right = values.get(node.left), values.get(node.comparators[0])
            numbers = isinstance(left, Decimal) and isinstance(right, Decimal)
            if numbers and left == right and left != UNLIMITED:
                yield _edge(node)


def can_happen(
    tree: ast.expr, sets: Mapping[ast.expr, frozenset[str]], is_rule: bool
) -> Iterator[What]:
    """What could happen on some account, by the kinds of values that the parts may have."""
    for node in ast.walk(tree):
        if node not in sets:
            continue
        if isinstance(node, ast.IfExp):
            yield from (_branch(node, word == TRUE) for word in sets[node.test] & {TRUE, FALSE})
        elif isinstance(node, ast.BoolOp):
            decides, other = (FALSE, TRUE) if isinstance(node.op, ast.And) else (TRUE, FALSE)
            held = [sets[part] for part in node.values]
            for at, part in enumerate(node.values):
                others = all(one & {other, UNKNOWN} for n, one in enumerate(held) if n != at)
                if decides in held[at] and others:
                    yield _operand(part)
            if all(other in one for one in held):
                yield _operand(node)
        elif is_rule and _has_edge(node) and _can_meet(node, sets):
            yield _edge(node)


def _decided(node: ast.BoolOp, values: list[Any]) -> Iterator[What]:
    """The operand that decides alone; the whole where none does and all are known."""
    decides = isinstance(node.op, ast.Or)
    alone = [at for at, value in enumerate(values) if value is decides]
    if len(alone) == 1:
        yield _operand(node.values[alone[0]])
    elif not alone and all(value is (not decides) for value in values):
        yield _operand(node)


def _has_edge(node: ast.AST) -> TypeGuard[ast.Compare]:
    return isinstance(node, ast.Compare) and isinstance(node.ops[0], _ORDERED)


def _can_meet(node: ast.Compare, sets: Mapping[ast.expr, frozenset[str]]) -> bool:
    return has_value(sets[node.left]) and has_value(sets[node.comparators[0]])


def _span(node: ast.expr) -> tuple[int, int]:
    return node.col_offset, node.end_col_offset or 0


def _branch(node: ast.IfExp, taken: bool) -> What:
    return BRANCH, *_span(node.test), taken


def _operand(node: ast.expr) -> What:
    return OPERAND, *_span(node)


def _edge(node: ast.expr) -> What:
    return EDGE, *_span(node)
