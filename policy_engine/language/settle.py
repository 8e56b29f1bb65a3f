"""What a generated statement does when it touches an undetermined figure: the exact reading."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from policy_engine.language.exact import ExactReading, Sight, gathered
from policy_engine.language.interpreter import Interpreter, dotted
from policy_engine.language.plan import Gather, Step
from policy_engine.language.scope import BUILT_INS, SCALE_READINGS
from policy_engine.language.values import Lists, Rows, Undetermined, settled, together

_PLAIN = (
    ast.Add,
    ast.BinOp,
    ast.Compare,
    ast.Constant,
    ast.Mult,
    ast.Name,
    ast.Sub,
    ast.USub,
    ast.UnaryOp,
    ast.cmpop,
    ast.expr_context,
)


def is_plain(tree: ast.expr) -> bool:
    """Whether a formula reads every name whatever the values are, and cannot fail on numbers."""
    return all(isinstance(node, _PLAIN) for node in ast.walk(tree))


def _names_unlimited(tree: ast.expr) -> bool:
    """Whether arithmetic may fail although every figure that is read is finite."""
    names = (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    return "unlimited" in names


def _tells_one(tree: ast.expr, calls: int = 0) -> bool:
    """Whether a single undetermined figure, once met, is all that can be said of a formula.

    So it is where nothing else of the branch taken can be undetermined by itself: plain figures,
    or a call of plain figures. With `calls` 1, a call may stand among the arguments of another.
    """
    if isinstance(tree, ast.IfExp):
        return is_plain(tree.test) and all(
            _tells_one(part, calls) for part in (tree.body, tree.orelse)
        )
    if isinstance(tree, ast.Call):
        inner = [at for at, part in enumerate(tree.args) if not is_plain(part)]
        # Inside another call only a key may be one: it is looked up before all else is read.
        function = dotted(tree.func)
        if inner and (function in BUILT_INS or (function in SCALE_READINGS and inner != [1])):
            return False
        return len(inner) <= calls and all(_tells_one(tree.args[at], calls) for at in inner)
    return is_plain(tree)


def column_of(lines: Any, at: int) -> Any:
    """An input of every line of a list."""
    return lines if isinstance(lines, Undetermined) else [line[at] for line in lines]


Settle = Callable[[Exception, tuple[Any, ...], tuple[Any, ...], Mapping[str, Any], set[str]], Any]
"""What is called with the error caught, the figures and columns that the statement reads, the
position of each line by its key, and the assumptions reached; gives the statement's figure."""


def settle_step(step: Step, lookups: Mapping[str, Rows | Lists]) -> Settle:
    """Settles a step that could not be computed: exactly, with every reason."""
    plain = is_plain(step.tree) and not _names_unlimited(step.tree)
    given_tells, new_tells = _tells_one(step.tree), _tells_one(step.tree, 1)
    exactly = _exactly(step.tree, step.reads, step.looks, lookups)

    def settle(error: Exception, values: tuple[Any, ...], *rest: Any) -> Any:
        error.__traceback__ = None  # the value is shared: each decision would add its frames
        unknown = [value for value in values if value.__class__ is Undetermined]
        if error.__class__ is Undetermined:
            only = len(unknown) == 1 and unknown[0] is error
            if (given_tells and only) or (new_tells and not unknown):
                return settled(error)
        if plain and all(v.is_finite() for v in values if v.__class__ is Decimal):
            return together(unknown)
        return exactly(values, *rest)

    return settle


def settle_gather(gather: Gather, lookups: Mapping[str, Rows | Lists]) -> Settle:
    """Settles an aggregate that touched an undetermined figure, or ranged over no lines."""
    empty = gather.empty
    exactly = empty and _exactly(empty, gather.reads, gather.looks[1:], lookups)

    def settle(
        error: Exception, values: tuple[Any, ...], columns: tuple[Any, ...], *rest: Any
    ) -> Any:
        error.__traceback__ = None
        value = gathered(gather.function, columns[0])
        return exactly(values, columns[1:], *rest) if value is None and exactly else value

    return settle


def _exactly(
    tree: ast.expr,
    reads: tuple[str, ...],
    looks: tuple[str, ...],
    lookups: Mapping[str, Rows | Lists],
) -> Callable[..., Any]:
    """The exact reading of a formula, from the figures and columns of a generated statement."""

    def read(
        values: tuple[Any, ...],
        columns: tuple[Any, ...],
        lines: Mapping[str, Any],
        reached: set[str],
    ) -> Any:
        figures = dict(zip(reads, values, strict=True))
        looked = dict(zip(looks, columns, strict=True))
        sight = Sight(figures, looked, lines, lookups, reached)
        return Interpreter(ExactReading(sight)).read(tree)

    return read
