"""Small mistakes in a formula: a sign, an order, a word, a negation."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from policy_engine.language.text import to_text

BOUNDARY, SIGN, ORDER = "boundary", "plus and minus", "operands swapped"
LOGIC, EXTREME, NEGATION = "and and or", "max and min", "negation"


@dataclass(frozen=True, slots=True)
class Altered:
    """A formula with one mistake, the part it was made in, and where that part stands."""

    operator: str
    tree: ast.expr
    before: str
    after: str
    offset: int
    width: int


_FLIPPED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_NAMES = {
    "max": "min",
    "min": "max",
    "largest": "smallest",
    "smallest": "largest",
    "any": "all",
    "all": "any",
}


def altered(tree: ast.expr, is_rule: bool) -> Iterator[Altered]:
    """Every mistake in a formula, part by part; in a rule the whole condition is negated too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            for operator, change in _changes(node, is_rule and node is tree):
                made = _with(tree, node, change)
                if (after := to_text(made[1])) != (before := to_text(node)):
                    width = (node.end_col_offset or 0) - node.col_offset
                    yield Altered(operator, made[0], before, after, node.col_offset, width)


Change = Callable[[Any], ast.expr]
"""What makes another part of a copy of a part."""


def _changes(node: ast.expr, is_condition: bool) -> Iterator[tuple[str, Change]]:
    if is_condition:
        yield NEGATION, _negated
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _FLIPPED:
        yield BOUNDARY, _flipped
    elif isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Add | ast.Sub):
            yield SIGN, _other_sign
        if isinstance(node.op, ast.Sub | ast.Div):
            yield ORDER, _swapped
    elif isinstance(node, ast.BoolOp):
        yield LOGIC, _other_word
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in _NAMES:
        yield EXTREME, _other_name
    elif isinstance(node, ast.IfExp):
        yield NEGATION, _other_branch


def _with(tree: ast.expr, node: ast.expr, change: Change) -> tuple[ast.expr, ast.expr]:
    """A copy of the tree in which one part is changed, and that part."""
    memo: dict[int, Any] = {}
    copied = deepcopy(tree, memo)
    target = memo[id(node)]
    made = ast.copy_location(change(deepcopy(node)), node)
    return (made if copied is target else _Put(target, made).visit(copied)), made


class _Put(ast.NodeTransformer):
    def __init__(self, target: ast.expr, made: ast.expr) -> None:
        self.target, self.made = target, made

    def visit(self, node: ast.AST) -> Any:
        """The node, or what comes in its place."""
        return self.made if node is self.target else self.generic_visit(node)


def _negated(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return node.operand
    return ast.UnaryOp(ast.Not(), node)


def _other_branch(node: ast.IfExp) -> ast.expr:
    node.test = ast.copy_location(_negated(node.test), node.test)
    return node


def _flipped(node: ast.Compare) -> ast.expr:
    node.ops = [_FLIPPED[type(node.ops[0])]()]
    return node


def _other_sign(node: ast.BinOp) -> ast.expr:
    node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    return node


def _swapped(node: ast.BinOp) -> ast.expr:
    node.left, node.right = node.right, node.left
    return node


def _other_word(node: ast.BoolOp) -> ast.expr:
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    return node


def _other_name(node: ast.Call) -> ast.expr:
    assert isinstance(node.func, ast.Name)
    node.func = ast.copy_location(ast.Name(_NAMES[node.func.id], ast.Load()), node.func)
    return node
