"""The code reading: one generated Python function for a plan. It serves every decision.

Each figure is one statement. Where a statement touches an undetermined figure it raises, and only
then is it read again by the exact reading, which knows all the reasons.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

from policy_engine.language.exact import ExactReading, Sight, gathered
from policy_engine.language.interpreter import Interpreter, Part, dotted
from policy_engine.language.plan import Figure, Gather, Plan, Stage, Step
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
    together,
)
from policy_engine.model import ACCOUNT
from policy_engine.numbers import UNLIMITED

_CAUGHT = (Undetermined, ArithmeticError, KeyError)
_GLOBALS: Mapping[str, Any] = {
    "__builtins__": {},
    "CAUGHT": _CAUGHT,
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


class Remembered(dict[tuple[Any, ...], tuple[Any, ...]]):
    """What `settings` gives, by its arguments, up to a bound."""

    most = 1024
    settings: Callable[..., tuple[Any, ...]]

    def make(self, asked: tuple[Any, ...]) -> tuple[Any, ...]:
        """Ask `settings` anew, without remembering."""
        return self.settings(*asked)

    def __missing__(self, asked: tuple[Any, ...]) -> tuple[Any, ...]:
        made = self.make(asked)
        if len(self) < self.most:
            self[asked] = made
        return made


@dataclass
class _Names:
    """Python identifiers for figures, and the objects that the source refers to."""

    plan: Plan
    lookups: Mapping[str, Rows | Lists]
    objects: dict[str, Any] = field(default_factory=lambda: dict(_GLOBALS))
    given: dict[str, str] = field(default_factory=dict)

    def alias(self, name: str, other: str) -> None:
        """Let a figure that is only another name of a figure share its variable."""
        self.given[name] = self.figure(other)

    def figure(self, name: str) -> str:
        """The variable that holds a figure; a parameter is an object of its own."""
        if name in self.plan.scope.parameters and name not in self.given:
            value = constant(self.plan.scope.parameters[name].value)
            self.given[name] = self.object("P", name, value)
        return self._identifier("f", name)

    def asked(self, table: str) -> tuple[str, str]:
        """What keeps the keys a table is asked for (a set's `add`), and a variable for one."""
        return self._identifier("asked", table), self._identifier("k", table)

    def column(self, name: str) -> str:
        """The variable that holds a figure of every line of a list."""
        return self._identifier("c", name)

    def on_line(self, name: str, line: str) -> str:
        """A figure of a list's line of that position."""
        entity, _, plain = name.partition(".")
        for at, item in enumerate(self.plan.inputs[entity]):
            if item.name == plain:
                return f"{self._identifier('list', entity)}[{line}][{at}]"
        return f"{self.column(name)}[{line}]"

    def looked(self, name: str) -> str:
        """The column of a figure, for settling a doubtful statement."""
        entity, _, plain = name.partition(".")
        for at, item in enumerate(self.plan.inputs[entity]):
            if item.name == plain:
                return f"column({self._identifier('list', entity)}, {at})"
        return self.column(name)

    def object(self, letter: str, name: str, value: Any) -> str:
        """The global name of an object."""
        identifier = self._identifier(letter, name)
        self.objects[identifier] = value
        return identifier

    def _identifier(self, letter: str, name: str) -> str:
        key = name if letter in ("f", "P") else f"{letter} {name}"
        if key not in self.given:
            plain = name.replace(".", "__")
            unique = plain if re.fullmatch(r"\w+", plain, re.ASCII) else str(len(self.given))
            self.given[key] = f"{letter}_{unique}"
        return self.given[key]


class CodeReading:
    """Spells each step as Python source over the variables of the generated function."""

    def __init__(self, names: _Names) -> None:
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
            index = self.names._identifier("i", dotted(arguments[0].node))
            line = f"{index}[{arguments[1].read()}]"
            return self.names.on_line(dotted(arguments[2].node), line)
        parts = [part.read() for part in arguments]
        if function in ("min", "max"):
            return self._extreme("<=" if function == "min" else ">=", parts)
        if function == "given":
            return f"({parts[0]}.__class__ is not Undetermined)"
        if function in _GLOBALS:
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


# --- what a statement does when it touches an undetermined figure -------------------------------

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


def _is_plain(tree: ast.expr) -> bool:
    """Whether a formula reads every name whatever the values are, and cannot fail on numbers."""
    return all(isinstance(node, _PLAIN) for node in ast.walk(tree))


def _column(lines: Any, at: int) -> Any:
    """An input of every line of a list."""
    return lines if isinstance(lines, Undetermined) else [line[at] for line in lines]


def _again(step: Step, lookups: Mapping[str, Rows | Lists]) -> Callable[..., Any]:
    """Settles a step that could not be computed: exactly, with every reason."""
    is_plain = _is_plain(step.tree)

    def settle(
        error: Exception,
        values: tuple[Any, ...],
        columns: tuple[Any, ...],
        lines: Mapping[str, Any],
        reached: set[str],
    ) -> Any:
        if is_plain and UNLIMITED not in [v for v in values if v.__class__ is Decimal]:
            return together(values)
        figures = dict(zip(step.reads, values, strict=True))
        looked = dict(zip(step.looks, columns, strict=True))
        sight = Sight(figures, looked, lines, lookups, reached)
        return Interpreter(ExactReading(sight)).read(step.tree)

    return settle


def _gather_again(gather: Gather, lookups: Mapping[str, Rows | Lists]) -> Callable[..., Any]:
    def settle(
        error: Exception,
        values: tuple[Any, ...],
        columns: tuple[Any, ...],
        lines: Mapping[str, Any],
        reached: set[str],
    ) -> Any:
        value = gathered(gather.function, columns[0])
        if value is not None or gather.empty is None:
            return value
        figures = dict(zip(gather.reads, values, strict=True))
        looked = dict(zip(gather.looks[1:], columns[1:], strict=True))
        sight = Sight(figures, looked, lines, lookups, reached)
        return Interpreter(ExactReading(sight)).read(gather.empty)

    return settle


# --- the function -------------------------------------------------------------------------------


class _Writer:
    """Writes the function's source, stage by stage."""

    def __init__(self, plan: Plan, lookups: Mapping[str, Rows | Lists]) -> None:
        self.plan, self.lookups = plan, lookups
        self.names = _Names(plan, lookups)
        self.interpreter = Interpreter(CodeReading(self.names))
        self.lists = plan.scope.entities[1:]
        self.summed = {f.column for f in plan.figures() if isinstance(f, Gather)}
        self.indexed = _indexed(plan)
        self.made: set[str] = set()
        self.names.objects["column"] = _column
        self.lines: list[str] = []
        self.before: list[str] = []
        self.settled: set[str] = set()

    def program(self) -> Program:
        """The source and the function made from it."""
        lists = [self._list(entity) for entity in self.lists]
        self.lines = [f"def run({', '.join(['account', *lists])}):", " reached = set()"]
        self._asked()
        self._account_inputs()
        self._settings()
        for entity in self.lists:
            self._input_columns(entity)
        self._index()
        for stage in self.plan.stages:
            self._stage(stage)
        self._reach()
        figures = tuple(f.name for f in self.plan.figures() if f.entity == ACCOUNT)
        columns = tuple(f.name for f in self.plan.figures() if f.entity != ACCOUNT)
        self.lines.append(f" return {self._tuple(figures)}, {self._columns(columns)}, reached")
        source = "\n".join([*self.before, *self.lines]) + "\n"
        exec(compile(source, "<plan>", "exec"), self.names.objects)
        if self.before:
            self.names.objects["remembered"].settings = self.names.objects["settings"]
        return Program(self.names.objects["run"], source, figures, columns)

    def _tracked(self) -> list[str]:
        """The tables some of whose answers rest on assumptions of their own."""
        tables = sorted(self.plan.scope.tables)
        rows = ((name, self.lookups[name]) for name in tables if name in self.plan.used)
        return [name for name, table in rows if isinstance(table, Rows) and table.reach.any]

    def _asked(self) -> None:
        """A set for each such table, of the keys it is asked for."""
        for name in self._tracked():
            asked = self.names.asked(name)[0]
            self.lines += [f" {asked}_set = set()", f" {asked} = {asked}_set.add"]

    def _reach(self) -> None:
        for name in self._tracked():
            rows = self.lookups[name]
            assert isinstance(rows, Rows)
            reach = self.names.object("reach", name, rows.reach)
            asked = self.names.asked(name)[0]
            self.lines.append(f" for key in {asked}_set: reached.update({reach}[key])")

    def _list(self, entity: str) -> str:
        return self.names._identifier("list", entity)

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
        figures, inputs = _of_settings(self.plan)
        if not figures:
            return
        asked, main = self._tuple(sorted(inputs)), self.lines
        self.lines = [f"def settings{asked}:", " reached, lines = set(), {}"]
        self._asked()
        for figure in figures:
            self._statement(figure, " ")
        self._reach()
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
            index, lines = self.names._identifier("i", entity), self._list(entity)
            at = self._full(entity).index(f"{entity}.{self.plan.scope.key(entity)}")
            self.lines.append(
                f" {index} = {lines} if {lines}.__class__ is Undetermined"
                f" else {{line[{at}]: n for n, line in enumerate({lines})}}"
            )
        pairs = (f"{entity!r}: {self.names._identifier('i', entity)}" for entity in self.indexed)
        self.lines.append(f" lines = {{{', '.join(pairs)}}}")

    def _stage(self, stage: Stage) -> None:
        if stage.entity == ACCOUNT:
            for figure in stage.figures:
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
        for figure in stage.figures:
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
        if figure.name in self.settled:
            return
        other = _alias(figure)
        if other is not None:
            self.names.alias(figure.name, other)
            return
        variable = self.names.figure(figure.name)
        settle = self._settle(figure)
        columns = _tuple(self.names.looked(name) for name in figure.looks)
        names = ", ".join([self._tuple(figure.reads), columns])
        self.lines += [
            f"{indent}try: {variable} = {self._expression(figure)}",
            f"{indent}except CAUGHT as error:"
            f" {variable} = {settle}(error, {names}, lines, reached)",
        ]

    def _settle(self, figure: Figure) -> str:
        settle = (
            _gather_again(figure, self.lookups)
            if isinstance(figure, Gather)
            else _again(figure, self.lookups)
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


def _alias(figure: Figure) -> str | None:
    """The figure of the same entity that a figure is only another name of."""
    if not isinstance(figure, Step) or not isinstance(figure.tree, ast.Name):
        return None
    name = figure.tree.id
    entity = name.partition(".")[0] if "." in name and "(" not in name else ACCOUNT
    return name if name in figure.reads and entity == figure.entity else None


def _of_settings(plan: Plan) -> tuple[list[Step], set[str]]:
    """The account's figures made of parameters, texts and truths alone, and those inputs."""
    settings = {item.name for item in plan.inputs[ACCOUNT] if item.kind in ("text", "truth")}
    known = {*plan.scope.parameters, *settings}
    figures = []
    for figure in plan.figures():
        if isinstance(figure, Step) and figure.entity == ACCOUNT and not figure.looks:
            if known.issuperset(figure.reads) and _alias(figure) is None:
                figures.append(figure)
                known.add(figure.name)
    return figures, settings & {name for figure in figures for name in figure.reads}


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
