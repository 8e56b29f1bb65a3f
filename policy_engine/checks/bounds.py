"""The bounds reading: between which values each figure of a plan surely lies.

It knows the constants of the rules and what a condition around a part says of the figures in it. It
never leaves a value out that a figure can have; it may leave one in that it cannot.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from policy_engine.checks.intervals import (
    ANY,
    ZERO,
    Interval,
    added,
    divided,
    hull,
    multiplied,
    negative,
    one,
)
from policy_engine.checks.settings import TRUTHS, of_kind, of_scale, of_table, rounded, setting
from policy_engine.language.interpreter import SIGNS, Interpreter, Part, dotted
from policy_engine.language.plan import Figure, Gather, Plan
from policy_engine.language.scope import CONSTANTS, SCALE_READINGS, Scope
from policy_engine.model import ACCOUNT
from policy_engine.numbers import UNLIMITED

Bound = Interval | frozenset[bool] | str | None
"""Of a number, a truth, a text that is known; None of what nothing is known of."""

_CONSTANT: Mapping[str, Bound] = {
    "true": frozenset({True}),
    "false": frozenset({False}),
    "unlimited": one(UNLIMITED),
}
_DENIED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


MOST_STEPS = 5_000
"""Parts looked at for one formula; of the rest of a longer walk nothing is known."""


class Impossible(Exception):
    """What is assumed contradicts what is known."""


@dataclass
class Bounds:
    """The bounds of figures by name, and what is assumed where it is being read.

    `zeros` gathers the denominators met that can be 0.
    """

    scope: Scope
    figures: dict[str, Bound]
    facts: dict[str, Bound] = field(default_factory=dict)
    apart: frozenset[str] = frozenset()
    zeros: list[ast.expr] = field(default_factory=list)
    steps: int = 0

    def read(self, tree: ast.expr) -> Bound:
        """The bounds of a formula, or of a part of one."""
        return _Walk(self).read(tree)

    def truth(self, tree: ast.expr) -> frozenset[bool]:
        """How a condition can come out."""
        found = self.read(tree)
        return found if isinstance(found, frozenset) else TRUTHS

    @contextmanager
    def apart_from_here(self) -> Iterator[None]:
        """What is assumed inside is forgotten afterwards."""
        facts, apart = dict(self.facts), self.apart
        try:
            yield
        finally:
            self.facts, self.apart = facts, apart

    def assume(self, tree: ast.expr, holds: bool) -> None:
        """From here on a condition holds, or does not. Raises Impossible where it cannot be."""
        if holds not in self.truth(tree):
            raise Impossible
        self.facts[ast.dump(tree)] = frozenset({holds})
        if isinstance(tree, ast.UnaryOp):
            self.assume(tree.operand, not holds)
        elif isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) == holds:
            for part in tree.values:
                self.assume(part, holds)
        elif isinstance(tree, ast.Compare):
            sign = SIGNS[type(tree.ops[0])]
            sides = tree.left, tree.comparators[0]
            self._assume_compared(sign if holds else _DENIED[sign], *sides)

    def _assume_compared(self, sign: str, left: ast.expr, right: ast.expr) -> None:
        a, b = self.read(left), self.read(right)
        if not isinstance(a, Interval) or not isinstance(b, Interval):
            return
        if sign == "==":
            self._narrow(left, b)
            self._narrow(right, a)
        elif sign == "!=":
            if b == one(ZERO):
                self.apart |= {ast.dump(left)}
        elif sign in ("<", "<="):
            self._narrow(left, Interval(high=b.high, high_open=b.high_open or sign == "<"))
            self._narrow(right, Interval(low=a.low, low_open=a.low_open or sign == "<"))
        else:
            self._assume_compared({">": "<", ">=": "<="}[sign], right, left)

    def _narrow(self, tree: ast.expr, to: Interval) -> None:
        known = self.read(tree)
        left = known.within(to) if isinstance(known, Interval) else to
        if left.is_empty:
            raise Impossible
        self.facts[ast.dump(tree)] = left

    # --- the reading ---

    def literal(self, value: Decimal | str) -> Bound:
        return value if isinstance(value, str) else one(value)

    def name(self, name: str) -> Bound:
        return _CONSTANT[name] if name in CONSTANTS else self.figures.get(name)

    def arithmetic(self, sign: str, left: Bound, right: Bound) -> Bound:
        if not isinstance(left, Interval) or not isinstance(right, Interval):
            return ANY
        if sign == "-":
            return added(left, negative(right))
        return {"+": added, "*": multiplied, "/": divided}[sign](left, right)

    def negative(self, operand: Bound) -> Bound:
        return negative(operand) if isinstance(operand, Interval) else ANY

    def compare(self, sign: str, left: Bound, right: Bound) -> Bound:
        return frozenset(
            truth
            for truth, asked in ((True, sign), (False, _DENIED[sign]))
            if _can_be(asked, left, right)
        )

    def logic(self, word: str, operands: Sequence[Part[Bound]]) -> Bound:
        decides = word == "or"
        found: set[bool] = set()
        with self.apart_from_here():
            for part in operands:
                value = part.read()
                truth = value if isinstance(value, frozenset) else TRUTHS
                found |= truth & {decides}
                try:
                    self.assume(part.node, not decides)
                except Impossible:
                    return frozenset(found)
        return frozenset({*found, not decides})

    def not_(self, operand: Bound) -> Bound:
        truth = operand if isinstance(operand, frozenset) else TRUTHS
        return frozenset(not one for one in truth)

    def choose(self, test: Part[Bound], then: Part[Bound], otherwise: Part[Bound]) -> Bound:
        test.read()
        found = []
        for part, holds in ((then, True), (otherwise, False)):
            with self.apart_from_here():
                try:
                    self.assume(test.node, holds)
                except Impossible:
                    continue
                found.append(part.read())
        return joined(found)

    def call(self, function: str, arguments: Sequence[Part[Bound]]) -> Bound:
        if function == "given":
            return TRUTHS
        if function == "at":
            arguments[1].read()
            return self.figures.get(dotted(arguments[2].node))
        if function in SCALE_READINGS:
            rest = [part.read() for part in arguments[1:]]
            name, _, column = dotted(arguments[0].node).partition(".")
            return of_scale(function, self.scope.scales[name], column, rest)
        given = [part.read() for part in arguments]
        if function in self.scope.tables:
            return of_table(self.scope.tables[function])
        return _built_in(function, [one if isinstance(one, Interval) else ANY for one in given])


class _Walk(Interpreter[Bound]):
    """Walks a formula; each part is as narrow as what is assumed of it says."""

    reading: Bounds

    def _eval(self, node: ast.expr) -> Bound:
        self.reading.steps += 1
        if self.reading.steps > MOST_STEPS:
            return None
        value = super()._eval(node)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            self._note_zero(node.right)
        known = self.reading.facts.get(ast.dump(node)) if self.reading.facts else None
        if isinstance(known, Interval) and isinstance(value, Interval):
            return known.within(value)
        if isinstance(known, frozenset) and isinstance(value, frozenset):
            return known & value or known
        return value

    def _note_zero(self, node: ast.expr) -> None:
        below = self._eval(node)
        is_zero = isinstance(below, Interval) and below.holds(ZERO)
        if is_zero and ast.dump(node) not in self.reading.apart:
            self.reading.zeros.append(node)


def _can_be(sign: str, left: Bound, right: Bound) -> bool:
    """Whether a comparison can come out true."""
    if isinstance(left, Interval) and isinstance(right, Interval):
        return _numbers_can_be(sign, left, right)
    if isinstance(left, str) and isinstance(right, str):
        return (left == right) == (sign == "==")
    return True


def _numbers_can_be(sign: str, left: Interval, right: Interval) -> bool:
    if sign in (">", ">="):
        return _numbers_can_be({">": "<", ">=": "<="}[sign], right, left)
    if sign == "!=":
        return not (left.is_one and right.is_one and left == right)
    if sign == "==":
        return not left.within(right).is_empty
    touches = left.low == right.high and not (left.low_open or right.high_open)
    return left.low < right.high or (sign == "<=" and touches)


def joined(found: Sequence[Bound]) -> Bound:
    """The bounds of a figure that is one of several."""
    intervals = [one for one in found if isinstance(one, Interval)]
    truths = [one for one in found if isinstance(one, frozenset)]
    if intervals and len(intervals) == len(found):
        return hull(intervals)
    if truths and len(truths) == len(found):
        return frozenset().union(*truths)
    return found[0] if len(set(found)) == 1 else None


def _built_in(function: str, given: list[Interval]) -> Bound:
    if function in ("min", "max"):
        pick = min if function == "min" else max
        low, high = pick(one.low for one in given), pick(one.high for one in given)
        return Interval(low, high)
    if function == "abs":
        return given[0] if given[0].low >= 0 else Interval(low=ZERO)
    return rounded(function, *given) if function.startswith("round") else Interval(low=ZERO)


# --- a whole plan --------------------------------------------------------------------------------


def start(scope: Scope) -> dict[str, Bound]:
    """What is known of the figures that are given: the parameters; of inputs only their kind."""
    figures = {
        item.name if entity == ACCOUNT else f"{entity}.{item.name}": of_kind(item.kind)
        for entity, inputs in scope.inputs.items()
        for item in inputs.values()
    }
    return {**figures, **{name: setting(item) for name, item in scope.parameters.items()}}


def follow(bounds: Bounds, plan: Plan) -> Iterator[tuple[Figure, ast.expr]]:
    """Work out every figure of a plan that is not known yet; each denominator that can be 0."""
    for figure in plan.figures():
        if figure.name not in bounds.figures:
            bounds.steps, bounds.zeros = 0, []
            bounds.figures[figure.name] = _of_figure(bounds, figure)
            seen = {node.col_offset: node for node in bounds.zeros}
            yield from ((figure, node) for node in seen.values())


def _of_figure(bounds: Bounds, figure: Figure) -> Bound:
    if isinstance(figure, Gather):
        return _gathered(bounds, figure)
    return bounds.read(figure.tree)


def _gathered(bounds: Bounds, figure: Gather) -> Bound:
    of_line = bounds.figures.get(figure.column)
    if figure.function in ("any", "all"):
        truth = of_line if isinstance(of_line, frozenset) else TRUTHS
        return truth | {figure.function == "all"}
    if figure.function == "count":
        return Interval(low=ZERO)
    line = of_line if isinstance(of_line, Interval) else ANY
    if figure.empty is not None:
        return joined([line, bounds.read(figure.empty)])
    return hull([one(ZERO), Interval(low=ZERO) if line.low >= 0 else ANY])
