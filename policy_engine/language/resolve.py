"""The resolving reading: names are looked up, aggregates and other lines become figures.

What comes out is a tree of the core language: names are account figures or `entity.name` of the
line at hand; the only calls left are tables, the readings of scales, built-ins, `given(name)` and
`at(entity, key, entity.name)`.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from policy_engine.errors import did_you_mean
from policy_engine.language.interpreter import Interpreter, Part, dotted
from policy_engine.language.scope import (
    AGGREGATES,
    BUILT_INS,
    CONSTANTS,
    MOST_ARGUMENTS,
    SCALE_READINGS,
    Scope,
)
from policy_engine.language.syntax import Expression, Fault
from policy_engine.language.text import to_text
from policy_engine.language.unknown import (
    bad_column,
    unknown_function,
    unknown_name,
    unknown_scale,
)
from policy_engine.model import ACCOUNT, Input, Provision


@dataclass(frozen=True, slots=True)
class Step:
    """A figure made by a formula: `entity.name` on a line, a bare name for the account."""

    name: str
    entity: str
    tree: ast.expr
    expression: Expression
    provision: Provision | None = None
    reads: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gather:
    """An account's figure made from a figure of each line: a sum, a count, any, all, an extreme.

    `empty` is the value of an extreme over no lines.
    """

    name: str
    function: str
    over: str
    column: str
    expression: Expression
    node: ast.expr
    empty: ast.expr | None = None
    reads: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()
    entity: str = ACCOUNT
    provision: None = None


Figure = Step | Gather


@dataclass
class Resolved:
    """What resolving gathers: the figures in the order met, and the provisions they rest on."""

    scope: Scope
    figures: dict[str, Figure] = field(default_factory=dict)
    used: dict[str, Provision] = field(default_factory=dict)

    def add(
        self, name: str, entity: str, expression: Expression, provision: Provision | None
    ) -> None:
        """Resolve a formula and keep it under a name. Raises Fault."""
        reading = _Resolving(self, entity, expression)
        tree = _Resolver(reading).read(expression.tree)
        self.figures[name] = Step(
            name, entity, tree, expression, provision, tuple(reading.reads), tuple(reading.looks)
        )

    def column(self, entity: str, part: ast.expr, expression: Expression) -> str:
        """The figure of a list's lines that an aggregate or `at` asks for, made if it is new."""
        reading = _Resolving(self, entity, expression)
        tree = _Resolver(reading).read(part)
        if isinstance(tree, ast.Name) and tree.id.startswith(f"{entity}."):
            return tree.id
        name = f"{entity}.{to_text(part)}"
        self.figures.setdefault(
            name,
            Step(name, entity, tree, expression, None, tuple(reading.reads), tuple(reading.looks)),
        )
        return name


class _Resolver(Interpreter[ast.expr]):
    def _eval(self, node: ast.expr) -> ast.expr:
        return ast.copy_location(super()._eval(node), node)


class _Resolving:
    """Reads an expression of one entity's formula into the core language."""

    def __init__(self, resolved: Resolved, entity: str, expression: Expression) -> None:
        self.resolved, self.entity, self.expression = resolved, entity, expression
        self.scope = resolved.scope
        self.reads: dict[str, None] = {}
        self.looks: dict[str, None] = {}

    def literal(self, value: Decimal | str) -> ast.expr:
        return ast.Constant(value if isinstance(value, str) else int(value))

    def name(self, name: str) -> ast.expr:
        if name in CONSTANTS:
            return _name(name)
        full = self._full_name(name)
        self.reads[full] = None
        if name in self.scope.parameters and full == name:
            self.resolved.used[name] = self.scope.parameters[name]
        return _name(full)

    def _full_name(self, name: str) -> str:
        if self.entity != ACCOUNT and name in self.scope.figures(self.entity):
            return f"{self.entity}.{name}"
        if name in self.scope.figures(ACCOUNT):
            return name
        raise unknown_name(name, self.entity, self.scope)

    def arithmetic(self, sign: str, left: ast.expr, right: ast.expr) -> ast.expr:
        signs = {"+": ast.Add(), "-": ast.Sub(), "*": ast.Mult(), "/": ast.Div()}
        return ast.BinOp(left, signs[sign], right)

    def negative(self, operand: ast.expr) -> ast.expr:
        return ast.UnaryOp(ast.USub(), operand)

    def compare(self, sign: str, left: ast.expr, right: ast.expr) -> ast.expr:
        signs: dict[str, ast.cmpop] = {
            "<": ast.Lt(),
            "<=": ast.LtE(),
            ">": ast.Gt(),
            ">=": ast.GtE(),
            "==": ast.Eq(),
            "!=": ast.NotEq(),
        }
        return ast.Compare(left, [signs[sign]], [right])

    def logic(self, word: str, operands: Sequence[Part[ast.expr]]) -> ast.expr:
        return ast.BoolOp(ast.And() if word == "and" else ast.Or(), [p.read() for p in operands])

    def not_(self, operand: ast.expr) -> ast.expr:
        return ast.UnaryOp(ast.Not(), operand)

    def choose(
        self, test: Part[ast.expr], then: Part[ast.expr], otherwise: Part[ast.expr]
    ) -> ast.expr:
        return ast.IfExp(test.read(), then.read(), otherwise.read())

    def call(self, function: str, arguments: Sequence[Part[ast.expr]]) -> ast.expr:
        if function in AGGREGATES:
            return self._aggregate(function, arguments)
        if function in SCALE_READINGS:
            return self._scale(function, arguments)
        if function == "at":
            return self._at(arguments)
        if function == "given":
            return self._given(arguments)
        if function in BUILT_INS:
            _count(function, arguments, *BUILT_INS[function])
            return _call(function, [part.read() for part in arguments])
        return self._table(function, arguments)

    def _table(self, function: str, arguments: Sequence[Part[ast.expr]]) -> ast.expr:
        table = self.scope.tables.get(function)
        if table is None:
            raise unknown_function(function, self.scope)
        self.resolved.used[function] = table
        _count(function, arguments, len(table.by), len(table.by))
        return _call(function, [part.read() for part in arguments])

    def _scale(self, function: str, arguments: Sequence[Part[ast.expr]]) -> ast.expr:
        name, _, column = (dotted(arguments[0].node) if arguments else "").partition(".")
        scale = self.scope.scales.get(name)
        if scale is None:
            raise unknown_scale(name, self.scope).at(_first(arguments))
        self.resolved.used[name] = scale
        known = [column for column, _ in scale.columns] if scale.has_columns else []
        if function == "top":
            known = []
        if column not in (known or [""]):
            raise bad_column(name, column, known).at(_first(arguments))
        rest = arguments[1:]
        keys = 1 if scale.by else 0
        least, most = {"slices": (1, 2), "tier": (1, 1), "top": (0, 0)}[function]
        _count(function, rest, keys + least, keys + most, f" after `{name}`")
        reference = _name(f"{name}.{column or scale.columns[0][0]}")
        return _call(function, [reference, *(part.read() for part in rest)])

    def _aggregate(self, function: str, arguments: Sequence[Part[ast.expr]]) -> ast.expr:
        extreme = function in ("largest", "smallest")
        _count(function, arguments, 2 + extreme, 2 + extreme)
        entity = self._list(arguments[0])
        column = self.resolved.column(entity, arguments[1].node, self.expression)
        parts = [_name(entity), arguments[1].node, *(part.node for part in arguments[2:])]
        name = to_text(_call(function, parts))
        gather = self._gather(name, function, entity, column, arguments)
        self.resolved.figures.setdefault(name, gather)
        self.reads[name] = None
        return _name(name)

    def _gather(
        self,
        name: str,
        function: str,
        entity: str,
        column: str,
        arguments: Sequence[Part[ast.expr]],
    ) -> Gather:
        """The gathered figure; what an empty list gives is of the account, wherever it stands."""
        empty = _Resolving(self.resolved, ACCOUNT, self.expression)
        tree = _Resolver(empty).read(arguments[2].node) if len(arguments) > 2 else None
        reads, looks = tuple(empty.reads), (column, *empty.looks)
        node = arguments[1].node
        return Gather(name, function, entity, column, self.expression, node, tree, reads, looks)

    def _at(self, arguments: Sequence[Part[ast.expr]]) -> ast.expr:
        _count("at", arguments, 3, 3)
        entity = self._list(arguments[0])
        if self.scope.key(entity) is None:
            raise Fault(
                "unknown-name",
                f"the lines of `{entity}` have no key to be found by",
                "mark one of their inputs `key: true`",
            ).at(arguments[0].node)
        key = arguments[1].read()
        column = self.resolved.column(entity, arguments[2].node, self.expression)
        self.looks[column] = None
        return _call("at", [_name(entity), key, _name(column)])

    def _list(self, part: Part[ast.expr]) -> str:
        name = dotted(part.node)
        lists = [entity for entity in self.scope.entities if entity != ACCOUNT]
        if name not in lists:
            raise Fault(
                "unknown-name",
                f"`{name}` is not a list of the snapshot",
                did_you_mean(name, lists) or f"the lists are {', '.join(lists) or 'none'}",
            ).at(part.node)
        return name

    def _given(self, arguments: Sequence[Part[ast.expr]]) -> ast.expr:
        _count("given", arguments, 1, 1)
        tree = arguments[0].read()
        item = self._input(tree.id) if isinstance(tree, ast.Name) else None
        if item is None or not item.optional:
            what = "that input is never absent" if item else "this is no input"
            hint = "mark an input `optional: true` to ask whether it is there"
            message = f"`given` asks for an optional input by its name; {what}"
            raise Fault("bad-formula", message, hint).at(arguments[0].node)
        return _call("given", [tree])

    def _input(self, full: str) -> Input | None:
        entity, _, name = full.rpartition(".")
        return self.scope.inputs.get(entity or ACCOUNT, {}).get(name)


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _call(function: str, parts: Sequence[ast.expr]) -> ast.Call:
    return ast.Call(_name(function), list(parts), [])


def _first(arguments: Sequence[Part[ast.expr]]) -> ast.AST:
    return arguments[0].node if arguments else ast.AST()


def _count(
    function: str, arguments: Sequence[Part[ast.expr]], least: int, most: int, after: str = ""
) -> None:
    if least <= len(arguments) <= most:
        return
    wanted = f"{least}" if least == most else f"{least} or {most}"
    if most == MOST_ARGUMENTS:
        wanted = f"at most {most}" if arguments else "at least 1"
    noun = "argument" if wanted in ("1", "at least 1") else "arguments"
    here = "here is 1" if len(arguments) == 1 else f"here are {len(arguments) or 'none'}"
    hint = _FORMS.get(function) or f"write `{function}({', '.join(['key'] * most)})`"
    raise Fault("wrong-arguments", f"`{function}` takes {wanted} {noun}{after}, {here}", hint)


_FORMS = {
    **{name: f"write `{name}(list, figure)`" for name in ("sum", "count", "any", "all")},
    **{name: f"write `{name}(list, figure, value if there is no line)`"
       for name in ("largest", "smallest")},
    **{name: f"write `{name}(figure, step)`"
       for name in ("round_up", "round_down", "round_half_up")},
    "abs": "write `abs(figure)`",
    "at": "write `at(list, key, figure)`",
    "clock_hours": "write `clock_hours(from, to)`",
    "given": "write `given(input)`",
    "max": "write `max(figure, figure, …)`",
    "min": "write `min(figure, figure, …)`",
    "slices": "write `slices(scale, key, figure)` or `slices(scale, key, figure, least rate)`;"
    " a scale without `by` takes no key",
    "tier": "write `tier(scale, key, figure)`; a scale without `by` takes no key",
    "top": "write `top(scale, key)`; a scale without `by` takes no key",
}  # fmt: skip
