"""From the text of a formula to its tree, or to the fault that a person can mend.

    expression  = test "if" test "else" expression | test
    test        = test ("and" | "or") test | "not" test | sum [compare sum]
    compare     = "<" | "<=" | ">" | ">=" | "==" | "!="
    sum         = sum ("+" | "-") product | product
    product     = product ("*" | "/") factor | factor
    factor      = "-" factor | "(" expression ")" | name ["(" arguments ")"] | "0" | "1" | text
    name        = letters, digits and "_" from a letter on; a scale's column is `scale.column`
    text        = characters without a quote or a backslash, in double or single quotes

The tree is Python's own, cut down to these kinds of node. What the grammar does not spell cannot
be written: there is nothing to forbid afterwards.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from simpleeval import SimpleEval

from policy_engine.errors import Place, Problem
from policy_engine.language.fault import Fault
from policy_engine.language.words import DEEPEST_EXPRESSION, check_order, too_deep

__all__ = ["DEEPEST_EXPRESSION", "LONGEST_EXPRESSION", "Expression", "Fault", "parse"]

LONGEST_EXPRESSION = 1_000


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula as written and as a tree; `place` tells where a stretch of its text stands."""

    text: str
    tree: ast.expr = field(compare=False, repr=False)
    place: Callable[[int, int], Place] = field(compare=False, repr=False)

    def problem(self, fault: Fault) -> Problem:
        """The fault as a problem with its place in the file."""
        return Problem(
            fault.code, fault.message, fault.hint, self.place(max(fault.offset, 0), fault.width)
        )


@lru_cache(maxsize=4096)
def parse(text: str) -> ast.expr:
    """The tree of a formula. Raises Fault at the first thing that is not in the language.

    Versions repeat each other's formulas: equal texts share one tree, which nothing changes.
    """
    flat = re.sub(r"[\n\t]", " ", text)
    if len(flat) > LONGEST_EXPRESSION:
        raise Fault(
            "formula-too-long",
            f"the formula has {len(flat)} characters; at most {LONGEST_EXPRESSION} are read",
            "give parts of it names of their own under `formulas`",
            LONGEST_EXPRESSION,
        )
    return spelled(flat)


def spelled(text: str) -> ast.expr:
    """The tree of a formula in its one spelling, which may be longer than what people may write.

    Raises Fault as `parse` does.
    """
    check_order(text)
    tree = _python_tree(text)
    _check_tree(tree, text)
    return tree


def _python_tree(text: str) -> ast.expr:
    indent = len(text) - len(text.lstrip())
    try:
        statement = SimpleEval.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        hint = "give parts of it names of their own under `formulas`"
        raise Fault("bad-formula", "the formula cannot be read", hint, 0) from None
    assert isinstance(statement, ast.Expr)
    if not indent and text.isascii():
        return statement.value
    stripped = text.strip()
    for node in ast.walk(statement.value):
        if isinstance(node, ast.expr):
            node.col_offset = indent + _characters(stripped, node.col_offset)
            node.end_col_offset = indent + _characters(stripped, node.end_col_offset or 0)
    return statement.value


def _characters(text: str, count: int) -> int:
    """How many characters the first `count` bytes of a text are: Python's trees count bytes."""
    return count if text.isascii() else len(text.encode()[:count].decode())


# --- the tree ----------------------------------------------------------------------------------


def _check_tree(tree: ast.expr, text: str) -> None:
    waiting: list[tuple[ast.expr, int]] = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST_EXPRESSION:
            raise too_deep(node.col_offset)
        if isinstance(node, ast.Compare) and len(node.ops) > 1:
            raise _two_comparisons(node, text)
        if isinstance(node, ast.Attribute):
            raise _column_alone(node, text)
        waiting += [(part, depth + 1) for part in _parts(node)]


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """The expressions inside one, save a dotted name where a scale's column may stand."""
    columns = [node.func, *node.args[:1]] if isinstance(node, ast.Call) else []
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.expr) and not (isinstance(part, ast.Attribute) and part in columns):
            yield part


def _two_comparisons(node: ast.Compare, text: str) -> Fault:
    """The fault at the second of two signs, as in `a < b < c`."""
    start, end = node.comparators[0].end_col_offset or 0, node.comparators[1].col_offset
    sign = re.search(r"[<>=!]=?", text[start:end])
    offset, width = (start + sign.start(), len(sign.group())) if sign else (start, 1)
    hint = "write `a < b and b < c`"
    return Fault("bad-formula", "two comparisons stand in one", hint, offset, width)


def _column_alone(node: ast.Attribute, text: str) -> Fault:
    name = text[node.col_offset : node.end_col_offset]
    hint = (
        "a dotted name is a scale's column, as in `slices(scale.column, …)`;"
        " a figure of a list's lines is asked for as `sum(list, figure)` or with `at`"
    )
    return Fault("bad-formula", f"`{name}` cannot stand here", hint).at(node)
