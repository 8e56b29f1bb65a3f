"""The code reading: one generated Python function for a plan. It serves every decision.

Each figure is one statement. Where a statement touches an undetermined figure it raises, and only
then is it read again by the exact reading, which knows all the reasons.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from policy_engine.language.code_reading import CodeReading, Names
from policy_engine.language.interpreter import Interpreter, dotted
from policy_engine.language.plan import Figure, Gather, Plan, Stage, Step
from policy_engine.language.settings import Remembered, alias_of, of_settings
from policy_engine.language.settle import column_of, settle_gather, settle_step
from policy_engine.language.shared import with_shared
from policy_engine.language.values import Lists, Rows
from policy_engine.model import ACCOUNT

_REACHED = (" reached = set()", " reach = reached.update")

Run = Callable[..., tuple[tuple[Any, ...], tuple[Any, ...], set[str]]]


@dataclass(frozen=True)
class Program:
    """The generated function, its source, and the names of what it returns.

    `run(account, *lists)` takes the inputs as tuples in the plan's order, one list of tuples for
    each list of the snapshot (or undetermined), and returns the account's figures, each list's
    columns, and the assumptions reached. To be called inside `localcontext(EXACT)`.
    """

    run: Run
    source: str
    figures: tuple[str, ...]
    columns: tuple[str, ...]


class _Writer:
    """Writes the function's source, stage by stage."""

    def __init__(self, plan: Plan, lookups: Mapping[str, Rows | Lists]) -> None:
        self.plan, self.lookups = plan, lookups
        self.names = Names(plan, lookups)
        self.reading = CodeReading(self.names)
        self.interpreter = Interpreter(self.reading)
        self.numbers = count()
        self.lists = plan.scope.entities[1:]
        self.summed = {f.column for f in plan.figures() if isinstance(f, Gather)}
        self.indexed = _indexed(plan)
        self.made: set[str] = set()
        self.names.objects["column"] = column_of
        self.lines: list[str] = []
        self.before: list[str] = []
        self.settled: set[str] = set()

    def program(self) -> Program:
        """The source and the function made from it."""
        lists = [self._list(entity) for entity in self.lists]
        self.lines = [f"def run({', '.join(['account', *lists])}):", *_REACHED]
        self._account_inputs()
        self._settings()
        for entity in self.lists:
            self._input_columns(entity)
        self._index()
        for stage in self.plan.stages:
            self._stage(stage)
        figures = tuple(f.name for f in self.plan.figures() if f.entity == ACCOUNT)
        columns = tuple(f.name for f in self.plan.figures() if f.entity != ACCOUNT)
        self.lines.append(f" return {self._tuple(figures)}, {self._columns(columns)}, reached")
        source = "\n".join([*self.before, *self.lines]) + "\n"
        exec(compile(source, "<plan>", "exec"), self.names.objects)
        if self.before:
            self.names.objects["remembered"].settings = self.names.objects["settings"]
        return Program(self.names.objects["run"], source, figures, columns)

    def _list(self, entity: str) -> str:
        return self.names.identifier("list", entity)

    def _tuple(self, names: Sequence[str]) -> str:
        return _tuple(self.names.figure(name) for name in names)

    def _columns(self, names: Sequence[str]) -> str:
        return _tuple(self.names.column(name) for name in names)

    def _full(self, entity: str) -> list[str]:
        names = (item.name for item in self.plan.inputs[entity])
        return [name if entity == ACCOUNT else f"{entity}.{name}" for name in names]

    def _account_inputs(self) -> None:
        names = self._full(ACCOUNT)
        if names:
            self.lines.append(f" {self._tuple(names)} = account")

    def _settings(self) -> None:
        """Figures of the account's settings alone (texts and truths) are computed once for each.

        A book has few settings and many accounts: what a region allows need not be worked out anew.
        """
        figures, inputs = of_settings(self.plan)
        if not figures:
            return
        asked, main = self._tuple(sorted(inputs)), self.lines
        self.lines = [f"def settings{asked}:", *_REACHED, " lines = {}"]
        for figure in figures:
            self._statement(figure, " ")
        made = self._tuple([*(figure.name for figure in figures)])[:-1] + " reached,)"
        self.before, self.lines = [*self.lines, f" return {made}"], main
        self.names.objects["remembered"] = Remembered()
        self.settled = {figure.name for figure in figures}
        target = made.replace(" reached,)", " more,)")
        self.lines += [
            f" try: {target} = remembered[{asked}]",
            f" except CAUGHT: {target} = remembered.make({asked})",
            " reached |= more",
        ]

    def _input_columns(self, entity: str) -> None:
        lines = self._list(entity)
        for position, name in enumerate(self._full(entity)):
            if name in self.summed:
                column = self.names.column(name)
                self.lines.append(f" {column} = column({lines}, {position})")

    def _index(self) -> None:
        for entity in self.indexed:
            index, lines = self.names.identifier("i", entity), self._list(entity)
            at = self._full(entity).index(f"{entity}.{self.plan.scope.key(entity)}")
            self.lines += [
                f" {index} = {lines} if {lines}.__class__ is Undetermined else {{}}",
                f" if {index} is not {lines}:",
                f"  for n, line in enumerate({lines}): {index}[line[{at}]] = n",
            ]
        pairs = (f"{entity!r}: {self.names.identifier('i', entity)}" for entity in self.indexed)
        self.lines.append(f" lines = {{{', '.join(pairs)}}}")

    def _stage(self, stage: Stage) -> None:
        waiting = [figure for figure in stage.figures if figure.name not in self.settled]
        if stage.entity == ACCOUNT:
            for figure in with_shared(waiting, self.numbers):
                self._statement(figure, " ")
        else:
            self._loop(stage)

    def _loop(self, stage: Stage) -> None:
        lines, names = self._list(stage.entity), [figure.name for figure in stage.figures]
        columns = " = ".join(self.names.column(name) for name in names)
        empty = self.names.object("E", str(len(names)), ((),) * len(names))
        self.lines += [
            f" if {lines}.__class__ is Undetermined: {columns} = {lines}",
            " else:",
            "  rows = []",
            f"  for {self._targets(stage.entity)}:",
        ]
        for figure in with_shared(stage.figures, self.numbers):
            self._statement(figure, "   ")
        self.lines += [
            f"   rows.append({self._tuple(names)})",
            f"  {self._columns(names)} = zip(*rows) if rows else {empty}",
        ]
        self.made |= set(names)

    def _targets(self, entity: str) -> str:
        """What a pass over a list unpacks: the line's inputs, and figures of earlier passes."""
        inputs = self._tuple(self._full(entity))
        earlier = sorted(name for name in self.made if name.startswith(f"{entity}."))
        if not earlier:
            return f"{inputs} in {self._list(entity)}"
        variables = ", ".join(self.names.figure(name) for name in earlier)
        columns = ", ".join(self.names.column(name) for name in earlier)
        return f"{inputs}, {variables} in zip({self._list(entity)}, {columns})"

    def _statement(self, figure: Figure, indent: str) -> None:
        other = alias_of(figure)
        if other is not None:
            self.names.alias(figure.name, other)
            return
        variable = self.names.figure(figure.name)
        expression = self.reading.meaning[variable] = self._expression(figure)
        settle = self._settle(figure)
        columns = _tuple(self.names.looked(name) for name in figure.looks)
        names = ", ".join([self._tuple(figure.reads), columns])
        self.lines += [
            f"{indent}try: {variable} = {expression}",
            f"{indent}except CAUGHT as error:"
            f" {variable} = {settle}(error, {names}, lines, reached)",
        ]

    def _settle(self, figure: Figure) -> str:
        settle = (
            settle_gather(figure, self.lookups)
            if isinstance(figure, Gather)
            else settle_step(figure, self.lookups)
        )
        return self.names.object("again", figure.name, settle)

    def _expression(self, figure: Figure) -> str:
        if isinstance(figure, Step):
            return self.interpreter.read(figure.tree)
        column = self.names.column(figure.column)
        if figure.empty is None:
            made = {"sum": "sum({}, ZERO)", "count": "Decimal(sum({}))"}
            return made.get(figure.function, figure.function + "({})").format(column)
        extreme = "max" if figure.function == "largest" else "min"
        return f"{extreme}({column}) if {column} else {self.interpreter.read(figure.empty)}"


def _tuple(texts: Iterator[str]) -> str:
    parts = "".join(f"{text}, " for text in texts)
    return f"({parts.rstrip()})"


def _indexed(plan: Plan) -> list[str]:
    """The lists in which lines are looked up by key."""
    trees = (
        tree
        for figure in plan.figures()
        for tree in ((figure.tree,) if isinstance(figure, Step) else (figure.empty,))
        if tree is not None
    )
    calls = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    return sorted({dotted(call.args[0]) for call in calls if dotted(call.func) == "at"})


def generate(plan: Plan, lookups: Mapping[str, Rows | Lists]) -> Program:
    """The program of a plan. The same source for the same plan, whatever the hash seed."""
    return _Writer(plan, lookups).program()
