"""The exact reading: `Decimal`, step by step. It explains, and it settles every doubtful case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from operator import add, eq, ge, gt, le, lt, mul, ne, sub, truediv
from typing import Any

from policy_engine.language.interpreter import Part, dotted
from policy_engine.language.values import (
    CONSTANT_VALUES,
    ZERO,
    Lists,
    Rows,
    Steps,
    Undetermined,
    clock_hours,
    is_undetermined,
    round_down,
    round_half_up,
    round_up,
    settled,
    together,
)
from policy_engine.numbers import text_of

_SIGNS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": add,
    "-": sub,
    "*": mul,
    "/": truediv,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
    "==": eq,
    "!=": ne,
}
_BUILT_INS: Mapping[str, Callable[..., Any]] = {
    "min": lambda *values: min(values),
    "max": lambda *values: max(values),
    "abs": abs,
    "round_up": round_up,
    "round_down": round_down,
    "round_half_up": round_half_up,
    "clock_hours": clock_hours,
}


@dataclass
class Use:
    """A row of a table or tiers of a scale that a figure was read from, with what was asked."""

    name: str
    key: Any
    asked: Any
    answer: Any


@dataclass
class Sight:
    """What a formula sees: figures by full name, whole columns, lines by key, and the look-ups.

    On the way, `reached` gathers assumptions met, `uses` the rows and tiers read, and `read` the
    figures, with the index of the line they are of when it is another one (-1: this line's).
    """

    figures: Mapping[str, Any]
    columns: Mapping[str, Any]
    lines: Mapping[str, Any]
    lookups: Mapping[str, Rows | Lists]
    reached: set[str] = field(default_factory=set)
    uses: list[Use] = field(default_factory=list)
    read: dict[tuple[str, int], None] = field(default_factory=dict)


class ExactReading:
    """Computes each step on `Decimal`; an undetermined operand makes the result undetermined.

    To be used inside `localcontext(EXACT)`.
    """

    def __init__(self, sight: Sight) -> None:
        self.sight = sight

    def literal(self, value: Decimal | str) -> Any:
        return value

    def name(self, name: str) -> Any:
        if name in CONSTANT_VALUES:
            return CONSTANT_VALUES[name]
        self.sight.read[name, -1] = None
        return self.sight.figures[name]

    def arithmetic(self, sign: str, left: Any, right: Any) -> Any:
        return _apply(_SIGNS[sign], left, right)

    def negative(self, operand: Any) -> Any:
        return _apply(lambda x: -x, operand)

    def compare(self, sign: str, left: Any, right: Any) -> Any:
        return _apply(_SIGNS[sign], left, right)

    def logic(self, word: str, operands: Sequence[Part[Any]]) -> Any:
        decides = word == "or"
        seen = []
        for part in operands:
            value = part.read()
            if value is decides:
                return decides
            seen.append(value)
        unknown = together(seen)
        return (not decides) if unknown is None else unknown

    def not_(self, operand: Any) -> Any:
        return operand if is_undetermined(operand) else not operand

    def choose(self, test: Part[Any], then: Part[Any], otherwise: Part[Any]) -> Any:
        held = test.read()
        if is_undetermined(held):
            return held
        return then.read() if held else otherwise.read()

    def call(self, function: str, arguments: Sequence[Part[Any]]) -> Any:
        if function in _BUILT_INS:
            return _apply(_BUILT_INS[function], *(part.read() for part in arguments))
        if function in ("slices", "tier", "top"):
            return self._scale(function, arguments)
        if function == "at":
            return self._at(arguments)
        if function == "given":
            return not is_undetermined(arguments[0].read())
        return self._table(function, [part.read() for part in arguments])

    def _table(self, function: str, key: list[Any]) -> Any:
        unknown = together(key)
        if unknown is not None:
            return unknown
        rows = self.sight.lookups[function]
        assert isinstance(rows, Rows)
        at = key[0] if rows.single else tuple(key)
        self.sight.reached.update(rows.reach[at])
        answer = rows[at]
        self.sight.uses.append(Use(function, at, None, answer))
        return answer

    def _scale(self, function: str, arguments: Sequence[Part[Any]]) -> Any:
        reference = dotted(arguments[0].node)
        lists = self.sight.lookups[reference]
        values = [part.read() for part in arguments[1:]]
        unknown = together(values)
        if unknown is not None:
            return unknown
        key = None if None in lists else values.pop(0)
        return _apply(lambda: self._read_tiers(function, reference, key, values))

    def _read_tiers(self, function: str, reference: str, key: Any, values: list[Any]) -> Any:
        steps = self.sight.lookups[reference][key]
        if function == "top":
            return steps.top
        if function == "tier":
            answer = steps.tier(values[0], self.sight.reached)
        else:
            answer = slices_read(steps, self.sight.reached, *values)
        self.sight.uses.append(Use(reference, key, values, answer))
        return answer

    def _at(self, arguments: Sequence[Part[Any]]) -> Any:
        entity, column = dotted(arguments[0].node), dotted(arguments[2].node)
        key = arguments[1].read()
        lines = self.sight.lines[entity]
        unknown = together([key, lines])
        if unknown is not None:
            return unknown
        if key not in lines:
            return no_line(entity, key)
        self.sight.read[column, lines[key]] = None
        return self.sight.columns[column][lines[key]]


def slices_read(
    steps: Steps, reached: set[str], x: Decimal, least: Decimal | None = None
) -> Decimal:
    """The slices of a figure, step by step: what the code reading shortens must equal this."""
    total = ZERO
    for upper, lower, rate, _ in steps.tiers:
        part = min(x, upper) - lower
        if part > ZERO:
            total += part * (rate if least is None else max(rate, least))
    if x > steps.top:
        reached.update(steps.assumes)
        total += (x - steps.top) * (steps.above if least is None else max(steps.above, least))
    return total


def _apply(operation: Callable[..., Any], *operands: Any) -> Any:
    unknown = together(operands)
    if unknown is not None:
        return unknown
    try:
        return operation(*operands)
    except (Undetermined, ArithmeticError) as error:
        return settled(error)


def no_line(entity: str, key: Any) -> Undetermined:
    """What is asked of a line that is not there."""
    return Undetermined([f"`{entity}` has no line for {text_of(key)}"])


# --- gathering over lines ----------------------------------------------------------------------


def gathered(function: str, values: Any) -> Any:
    """An aggregate over the figures of a list's lines; None for an extreme over no lines."""
    if is_undetermined(values):
        return values
    if function in ("any", "all"):
        decides = function == "any"
        if any(value is decides for value in values):
            return decides
    unknown = together(values)
    if unknown is not None:
        return unknown
    return (function == "all") if function in ("any", "all") else _GATHERED[function](values)


_GATHERED: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "sum": lambda values: sum(values, ZERO),
    "count": lambda values: Decimal(sum(values)),
    "largest": lambda values: max(values, default=None),
    "smallest": lambda values: min(values, default=None),
}
