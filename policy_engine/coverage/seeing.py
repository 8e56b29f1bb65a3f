"""The values that every part of a formula takes while the cases are decided."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from policy_engine.asking import Asking
from policy_engine.language.code import Program
from policy_engine.language.compute import Computed, compute, sight_of, start
from policy_engine.language.exact import ExactReading
from policy_engine.language.interpreter import Interpreter
from policy_engine.language.plan import Gather, Plan, Stage, Step, only
from policy_engine.language.values import Lists, Rows, is_undetermined
from policy_engine.model import ACCOUNT
from policy_engine.numbers import exactly
from policy_engine.policy import Compiled
from policy_engine.rulebook import Rulebook, When
from policy_engine.rules import Rules

Lookups = Mapping[str, Rows | Lists]
Values = dict[ast.expr, Any]
"""What each part of a formula that was read came to."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a plan on an account: what it takes, as `Program.run` does."""

    plan: Plan
    lookups: Lookups
    inputs: tuple[Any, ...]
    lists: tuple[Any, ...]


class Seeing(Interpreter[Any]):
    """Keeps what the reading makes of every part of a formula that it reads."""

    def __init__(self, reading: Any) -> None:
        super().__init__(reading)
        self.values: Values = {}

    def _eval(self, node: ast.expr) -> Any:
        value = super()._eval(node)
        self.values[node] = value
        return value


def seen(run: Run) -> Iterator[tuple[Step, Values]]:
    """Every formula of a run with the values of its parts, line by line.

    An operand that is not needed is read too, but what stands inside it counts as not read.
    """
    return iter(exactly(lambda: list(_seen(run))))


def _seen(run: Run) -> Iterator[tuple[Step, Values]]:
    computed = start(run.plan, run.inputs, run.lists)
    for figure in run.plan.figures():
        if isinstance(figure, Gather):
            compute(replace(run.plan, stages=(Stage(ACCOUNT, (figure,)),)), run.lookups, computed)
        elif figure.entity == ACCOUNT:
            computed.figures[figure.name], values = _read(figure, run.lookups, computed, -1)
            yield figure, values
        else:
            yield from _of_lines(figure, run.lookups, computed)


def _of_lines(step: Step, lookups: Lookups, computed: Computed) -> Iterator[tuple[Step, Values]]:
    count = computed.counts[step.entity]
    if is_undetermined(count):
        computed.columns[step.name] = count
        return
    made = [_read(step, lookups, computed, line) for line in range(count)]
    computed.columns[step.name] = [value for value, _ in made]
    yield from ((step, values) for _, values in made)


def _read(step: Step, lookups: Lookups, computed: Computed, line: int) -> tuple[Any, Values]:
    sight = sight_of(step.entity, lookups, computed, line)
    seeing = Seeing(ExactReading(sight))
    value = seeing.read(step.tree)
    for node in [one for one in seeing.values if isinstance(one, ast.BoolOp)]:
        for operand in node.values:
            if operand not in seeing.values:
                aside = sight_of(step.entity, lookups, replace(computed, reached=set()), line)
                seeing.values[operand] = Interpreter(ExactReading(aside)).read(operand)
    return value, seeing.values


# --- the rules as they are, watched --------------------------------------------------------------


class Watched:
    """A rulebook that tells of every run of its plans."""

    def __init__(self, book: Rulebook, tell: Callable[[Run], None]) -> None:
        self.book, self.tell = book, tell
        self.versions, self.rulesets = book.versions, book.rulesets
        self.applicable, self.offered = book.applicable, book.offered
        self._compiled: dict[tuple[str, ...], Compiled] = {}

    def in_force(self, at: When, known_at: When | None = None) -> Rules:
        """The rules at an instant, watched."""
        rules = self.book.in_force(at, known_at)
        return Rules(self, rules.at, rules.known_at, rules.versions)

    def compiled(self, versions: tuple[Any, ...]) -> Compiled:
        """What decides under a combination of versions, watched."""
        key = tuple(version.id for version in versions)
        if key not in self._compiled:
            base = self.book.compiled(versions)
            made = replace(base, askings=_Askings(self.tell))
            made.__dict__["program"] = _told(base.program, base.plan, base.lookups, self.tell)
            self._compiled[key] = made
        return self._compiled[key]


class _Askings(dict[tuple[str, ...], Any]):
    """Requests as they are compiled, each watched."""

    def __init__(self, tell: Callable[[Run], None]) -> None:
        super().__init__()
        self.tell = tell

    def __setitem__(self, key: tuple[str, ...], asking: Asking) -> None:
        names = {name for one in asking.asked.sets for name in one.values()}
        parts = {"effects": names, "refusals": set(asking.asked.refusals)}
        for part, figures in parts.items():
            plan, lookups = only(asking.plan, figures), asking.compiled.lookups
            program: Program = getattr(asking, part)
            asking.__dict__[part] = _told(program, plan, lookups, self.tell)
        super().__setitem__(key, asking)


def _told(program: Program, plan: Plan, lookups: Lookups, tell: Callable[[Run], None]) -> Program:
    def run(account: tuple[Any, ...], *lists: Any) -> Any:
        tell(Run(plan, lookups, account, lists))
        return program.run(account, *lists)

    return replace(program, run=run)
