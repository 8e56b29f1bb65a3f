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

    def asked(self, table: str) -> tuple[str, str]:
        """What keeps the keys a table is asked for (a set's `add`), and a variable for one."""
        return self.identifier("asked", table), self.identifier("k", table)

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
        return f"({then.read()} if {test.read()} else {otherwise.read()})"

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
            a, b = (f"t{next(self.temporary)}" for _ in range(2))
            best = f"({a} if ({a} := {best}) {sign} ({b} := {other}) else {b})"
        return best

    def _table(self, function: str, parts: list[str]) -> str:
        rows = self.names.lookups[function]
        assert isinstance(rows, Rows)
        table = self.names.object("T", function, rows)
        key = parts[0] if rows.single else f"({', '.join(parts)})"
        if not rows.reach.any:
            return f"{table}[{key}]"
        asked = self.names.asked(function)
        return f"{table}[{asked[1]} if {asked[0]}({asked[1]} := {key}) is None else None]"

    def _scale(self, function: str, arguments: Sequence[Part[str]]) -> str:
        reference = dotted(arguments[0].node)
        lists = self.names.lookups[reference]
        parts = [part.read() for part in arguments[1:]]
        scale = self.names.object("S", reference, lists)
        tiers = f"{scale}[None]" if None in lists else f"{scale}[{parts.pop(0)}]"
        if function == "top":
            return f"{tiers}.top"
        method = "slices_at_least" if len(parts) > 1 else function
        return f"{tiers}.{method}({', '.join([parts[0], 'reached', *parts[1:]])})"
