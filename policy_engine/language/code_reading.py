"""The code reading of one formula: Python source over the variables of a generated function."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

from policy_engine.language.interpreter import Part, dotted
from policy_engine.language.plan import Plan
from policy_engine.language.values import (
    ONE,
    ZERO,
    Lists,
    Rows,
    Undetermined,
    clock_hours,
    constant,
    round_down,
    round_half_up,
    round_up,
)
from policy_engine.numbers import UNLIMITED

GLOBALS: Mapping[str, Any] = {
    "__builtins__": {},
    "CAUGHT": (Undetermined, ArithmeticError, KeyError),
    "Decimal": Decimal,
    "ONE": ONE,
    "UNLIMITED": UNLIMITED,
    "Undetermined": Undetermined,
    "ZERO": ZERO,
    "abs": abs,
    "all": all,
    "any": any,
    "clock_hours": clock_hours,
    "enumerate": enumerate,
    "max": max,
    "min": min,
    "round_down": round_down,
    "round_half_up": round_half_up,
    "round_up": round_up,
    "set": set,
    "sum": sum,
    "zip": zip,
}
"""All that generated code can name, beside the objects of its plan."""


@dataclass
class Names:
    """Python identifiers for figures, and the objects that the source refers to."""

    plan: Plan
    lookups: Mapping[str, Rows | Lists]
    objects: dict[str, Any] = field(default_factory=lambda: dict(GLOBALS))
    given: dict[str, str] = field(default_factory=dict)

    def alias(self, name: str, other: str) -> None:
        """Let a figure that is only another name of a figure share its variable."""
        self.given[name] = self.figure(other)

    def figure(self, name: str) -> str:
        """The variable that holds a figure; a parameter is an object of its own."""
        if name in self.plan.scope.parameters and name not in self.given:
            value = constant(self.plan.scope.parameters[name].value)
            self.given[name] = self.object("P", name, value)
        return self.identifier("f", name)

    def column(self, name: str) -> str:
        """The variable that holds a figure of every line of a list."""
        return self.identifier("c", name)

    def on_line(self, name: str, line: str) -> str:
        """A figure of a list's line of that position."""
        entity, _, plain = name.partition(".")
        for at, item in enumerate(self.plan.inputs[entity]):
            if item.name == plain:
                return f"{self.identifier('list', entity)}[{line}][{at}]"
        return f"{self.column(name)}[{line}]"

    def looked(self, name: str) -> str:
        """The column of a figure, for settling a doubtful statement."""
        entity, _, plain = name.partition(".")
        for at, item in enumerate(self.plan.inputs[entity]):
            if item.name == plain:
                return f"column({self.identifier('list', entity)}, {at})"
        return self.column(name)

    def object(self, letter: str, name: str, value: Any) -> str:
        """The global name of an object."""
        identifier = self.identifier(letter, name)
        self.objects[identifier] = value
        return identifier

    def identifier(self, letter: str, name: str) -> str:
        key = name if letter in ("f", "P") else f"{letter} {name}"
        if key not in self.given:
            plain = name.replace(".", "__")
            unique = plain if re.fullmatch(r"\w+", plain, re.ASCII) else str(len(self.given))
            self.given[key] = f"{letter}_{unique}"
        return self.given[key]


class CodeReading:
    """Spells each step as Python source over the variables of the generated function."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.temporary = count()
        self.meaning: dict[str, str] = {}
        self.known: frozenset[str] = frozenset()

    def literal(self, value: Decimal | str) -> str:
        return repr(value) if isinstance(value, str) else ("ONE" if value else "ZERO")

    def name(self, name: str) -> str:
        constants = {"true": "True", "false": "False", "unlimited": "UNLIMITED"}
        return constants.get(name) or self.names.figure(name)

    def arithmetic(self, sign: str, left: str, right: str) -> str:
        return f"({left} {sign} {right})"

    def negative(self, operand: str) -> str:
        return f"(-{operand})"

    compare = arithmetic

    def logic(self, word: str, operands: Sequence[Part[str]]) -> str:
        return "(" + f" {word} ".join(part.read() for part in operands) + ")"

    def not_(self, operand: str) -> str:
        return f"(not {operand})"

    def choose(self, test: Part[str], then: Part[str], otherwise: Part[str]) -> str:
        condition, before = test.read(), self.known
        self.known |= {self.meaning.get(condition, condition)}
        held = then.read()
        self.known = before
        return f"({held} if {condition} else {otherwise.read()})"

    def call(self, function: str, arguments: Sequence[Part[str]]) -> str:
        if function in ("slices", "tier", "top"):
            return self._scale(function, arguments)
        if function == "at":
            index = self.names.identifier("i", dotted(arguments[0].node))
            line = f"{index}[{arguments[1].read()}]"
            return self.names.on_line(dotted(arguments[2].node), line)
        parts = [part.read() for part in arguments]
        if function in ("min", "max"):
            return self._extreme("<=" if function == "min" else ">=", parts)
        if function == "given":
            return f"({parts[0]}.__class__ is not Undetermined)"
        if function in GLOBALS:
            return f"{function}({', '.join(parts)})"
        return self._table(function, parts)

    def _extreme(self, sign: str, parts: list[str]) -> str:
        """A chain of comparisons: several times cheaper than a call of `max`."""
        best, *others = parts
        for other in others:
            (a, put_a), (b, put_b) = self._kept(best), self._kept(other)
            best = f"({a} if {put_a} {sign} {put_b} else {b})"
        return best

    def _table(self, function: str, parts: list[str]) -> str:
        rows = self.names.lookups[function]
        assert isinstance(rows, Rows)
        table = self.names.object("T", function, rows)
        key = parts[0] if rows.single else f"({', '.join(parts)})"
        if not rows.reach.any:
            return f"{table}[{key}]"
        assumes = self.names.object("reach", function, rows.reach)
        name, put = (key, key) if key.isidentifier() else self._kept(key)
        return f"(reach({assumes}[{put}]) or {table}[{name}])"  # `reach` gives None

    def _kept(self, value: str) -> tuple[str, str]:
        """A variable for a value that is read more than once, and what puts the value into it."""
        variable = f"t{next(self.temporary)}"
        return variable, f"({variable} := {value})"

    def _scale(self, function: str, arguments: Sequence[Part[str]]) -> str:
        reference = dotted(arguments[0].node)
        lists = self.names.lookups[reference]
        parts = [part.read() for part in arguments[1:]]
        scale = self.names.object("S", reference, lists)
        tiers = f"{scale}[None]" if None in lists else f"{scale}[{parts.pop(0)}]"
        if function == "top":
            return f"{tiers}.top"
        if function == "tier":
            return f"{tiers}.tier({parts[0]}, reached)"
        return self._slices(tiers, *parts)

    def _slices(self, tiers: str, x: str, *least: str) -> str:
        """What most figures need is computed here: the first tier's rate times what is above 0.

        As a call would, it touches the tiers first, then the number and the least rate.
        """
        steps = f"t{next(self.temporary)}"
        number, put = (x, x) if x.isidentifier() else self._kept(x)
        positive = "" if f"({x} > ZERO)" in self.known else " > ZERO"
        first = f"({steps} := {tiers}).edge >= {put}{positive}"
        if not least:
            method, rate = "slices", f"{steps}.rate"
        else:
            method, rate = "slices_at_least", self._extreme(">=", [f"{steps}.rate", *least])
        others = ", ".join([number, "reached", *least])
        return f"({number} * {rate} if {first} else {steps}.{method}({others}))"
