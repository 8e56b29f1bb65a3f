"""The possible reading: which kinds of values a formula could ever have under the rules as given.

It tells what no account can make happen because the rules supply no figure: a limit that is always
`unlimited`, a truth that is never sure. It never rules out what can happen.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from policy_engine.fields import shape
from policy_engine.language.asked import input_name
from policy_engine.language.interpreter import Part, dotted
from policy_engine.language.plan import Gather, Plan
from policy_engine.model import ACCOUNT, Input, NotKnown, Row, Table, Version
from policy_engine.numbers import UNLIMITED, text_of

TRUE, FALSE, VALUE, LIMITLESS, UNKNOWN = "true", "false", "value", "unlimited", "unknown"
Kinds = frozenset[str]

TRUTH: Kinds = frozenset({TRUE, FALSE})
ANYTHING: Kinds = frozenset({TRUE, FALSE, VALUE, LIMITLESS, UNKNOWN})
_NUMBER: Kinds = frozenset({VALUE})
_CONSTANTS: Mapping[str, Kinds] = {
    "true": frozenset({TRUE}),
    "false": frozenset({FALSE}),
    "unlimited": frozenset({LIMITLESS}),
}


class PossibleReading:
    """Follows every kind of value through each step."""

    def __init__(
        self, known: Mapping[str, Kinds], tables: Mapping[str, Table], sure: frozenset[str]
    ) -> None:
        self.known, self.tables, self.sure = dict(known), tables, sure

    def literal(self, value: Any) -> Kinds:
        return _NUMBER

    def name(self, name: str) -> Kinds:
        return _CONSTANTS.get(name) or self.known.get(name, ANYTHING)

    def arithmetic(self, sign: str, left: Kinds, right: Kinds) -> Kinds:
        unknown = {UNKNOWN} if sign == "/" or {UNKNOWN, LIMITLESS} & (left | right) else set()
        both = has_value(left) and has_value(right)
        return frozenset({*unknown, *([VALUE] if both else [])})

    def negative(self, operand: Kinds) -> Kinds:
        return operand

    def compare(self, sign: str, left: Kinds, right: Kinds) -> Kinds:
        found = (left | right) & {UNKNOWN}
        for one, other in product(left - {UNKNOWN}, right - {UNKNOWN}):
            found |= _compared(sign, one, other)
        return found

    def logic(self, word: str, operands: Sequence[Part[Kinds]]) -> Kinds:
        decides, other = (TRUE, FALSE) if word == "or" else (FALSE, TRUE)
        held = [part.read() for part in operands]
        found = {decides for one in held if decides in one}
        if all(other in one for one in held):
            found.add(other)
        if any(UNKNOWN in one for one in held) and all(one - {decides} for one in held):
            found.add(UNKNOWN)
        return frozenset(found)

    def not_(self, operand: Kinds) -> Kinds:
        turned = {TRUE: FALSE, FALSE: TRUE}
        return frozenset(turned.get(kind, kind) for kind in operand)

    def choose(self, test: Part[Kinds], then: Part[Kinds], otherwise: Part[Kinds]) -> Kinds:
        held, found = test.read(), frozenset[str]()
        name = _asked_for(test.node)
        whole = self.known.get(name, ANYTHING)
        if TRUE in held:
            self.known[name] = whole - {UNKNOWN}
            found |= then.read()
        if FALSE in held:
            self.known[name] = frozenset({UNKNOWN}) if name else whole
            found |= otherwise.read()
        self.known[name] = whole
        return found | (held & {UNKNOWN})

    def call(self, function: str, arguments: Sequence[Part[Kinds]]) -> Kinds:
        if function == "at":
            key = arguments[1].node
            found = isinstance(key, ast.Name) and key.id in self.sure
            own = self.name(dotted(arguments[2].node))
            return own if found else own | {UNKNOWN}
        if function == "given":
            return TRUTH
        skipped = 1 if function in ("slices", "tier", "top") else 0
        parts = [part.read() for part in arguments[skipped:]]
        unknown = frozenset({UNKNOWN}) if any(UNKNOWN in one for one in parts) else frozenset()
        if any(one == {UNKNOWN} for one in parts):
            return frozenset({UNKNOWN})
        if function in self.tables:
            return _answers(self.tables[function]) | unknown
        if function in ("min", "max", "abs"):
            return frozenset().union(*parts)
        return frozenset({VALUE, UNKNOWN})


def _asked_for(test: ast.expr) -> str:
    """The input of which a test is whether it is given; empty where it is another test."""
    if isinstance(test, ast.Call) and dotted(test.func) == "given":
        return dotted(test.args[0])
    return ""


def has_value(kinds: Kinds) -> bool:
    """Whether it can be a known number or text, other than `unlimited`."""
    return bool(kinds - {TRUE, FALSE, LIMITLESS, UNKNOWN})


def _compared(sign: str, left: str, right: str) -> Kinds:
    if LIMITLESS not in (left, right):
        return TRUTH
    if left == right:
        return frozenset({TRUE if "=" in sign and sign != "!=" else FALSE})
    below = right == LIMITLESS
    holds = {"<": below, "<=": below, ">": not below, ">=": not below, "==": False, "!=": True}
    return frozenset({TRUE if holds[sign] else FALSE})


def _answers(table: Table) -> Kinds:
    """The kinds of what a table answers."""
    rows = [row for row in table.rows if row.keys]
    return frozenset(_kind(row) for row in (*rows, table.otherwise))


def _kind(row: Row) -> str:
    return UNKNOWN if isinstance(row.value, NotKnown) else kind_of(row.value)


def kind_of(value: Any) -> str:
    """The kind of a value as it is; a text is a kind of its own."""
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if isinstance(value, str):
        return exactly(value)
    return LIMITLESS if value == UNLIMITED else VALUE


def exactly(value: Any) -> str:
    """The kind of one known value."""
    return f"= {text_of(value)}"


def allows(kinds: Kinds, value: Any) -> bool:
    """Whether a figure of some kinds can be a value; where its values are listed, one of them."""
    return VALUE in kinds or exactly(value) in kinds


# --- what a plan is given ------------------------------------------------------------------------


def given(plan: Plan) -> dict[str, Kinds]:
    """The kinds of the inputs and parameters of a plan."""
    known: dict[str, Kinds] = {}
    for name, item in plan.scope.parameters.items():
        kind = UNKNOWN if isinstance(item.value, NotKnown) else kind_of(item.value)
        known[name] = frozenset({kind})
    brought = _brought(plan.main)
    for entity, inputs in plan.inputs.items():
        for one in inputs:
            full = one.name if entity == ACCOUNT else f"{entity}.{one.name}"
            known[full] = brought.get(full) or _of_input(one)
    return known


def _of_input(item: Input) -> Kinds:
    if item.name.endswith(" after the request"):
        return ANYTHING
    field = shape().account.get(item.source[0]) if item.source and item.entity == ACCOUNT else None
    listed = field.choices if field is not None and len(item.source) == 1 else None
    kinds = frozenset(map(exactly, listed)) if listed else _NUMBER
    kinds = TRUTH if item.kind == "truth" else kinds
    return kinds | {UNKNOWN} if item.optional else kinds


def _brought(version: Version) -> dict[str, Kinds]:
    """What requests bring, by the name it has in a plan; any of the requests may be meant."""
    found: dict[str, Kinds] = {}
    for request in version.requests.values():
        for name, item in request.inputs.items():
            own = frozenset(map(exactly, item.one_of)) if item.one_of else _NUMBER
            if item.optional or (request.permission and not item.one_of):
                own |= {UNKNOWN}
            found[input_name(name)] = found.get(input_name(name), frozenset()) | own
    return found


def sure_keys(plan: Plan) -> frozenset[str]:
    """The figures that name a line which is always there: without it an account is refused."""
    named = {
        item.name if entity == ACCOUNT else f"{entity}.{item.name}"
        for entity, inputs in plan.inputs.items()
        for item in inputs
        if item.key_of is not None
    }
    requests = plan.main.requests.values()
    inputs = {input_name(n): i for request in requests for n, i in request.inputs.items()}
    return frozenset(named | {name for name, item in inputs.items() if item.key_of is not None})


def gathered(figure: Gather, column: Kinds) -> Kinds:
    """The kinds of an aggregate over a figure's kinds; a list may be empty or not known."""
    if figure.function in ("any", "all"):
        return TRUTH | {UNKNOWN}
    return frozenset({VALUE, UNKNOWN}) | (column & {LIMITLESS})
