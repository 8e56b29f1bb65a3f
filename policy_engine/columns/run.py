"""A plan over a chunk of accounts: each figure as a column.

Plans of rules that are in force together have most figures in common. A figure is known by a
signature of all it is made of, so that it is computed once for a chunk, whichever plan asks.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b

import numpy as np

from policy_engine.columns.columns import Column, constant, size, spread, taken
from policy_engine.columns.lines import Lines, gathered
from policy_engine.columns.numbers import Array
from policy_engine.columns.reading import Answers, ColumnsReading, Sight
from policy_engine.columns.settings import Settings
from policy_engine.columns.texts import Text
from policy_engine.language import values
from policy_engine.language.interpreter import Interpreter, dotted
from policy_engine.language.plan import Figure, Gather, Plan, Step, only
from policy_engine.language.values import Lists, Rows
from policy_engine.model import ACCOUNT, LISTS, Input


@dataclass(frozen=True)
class Given:
    """What a chunk of accounts gives to a plan.

    `column` is an input as a column, as long as its list; `memo` keeps figures by signature for
    all plans that read the same chunk.
    """

    count: int
    lines: Mapping[str, Lines]
    column: Callable[[Input], Column]
    memo: dict[Hashable, Column]


@dataclass(frozen=True)
class Placed:
    """An input that is not the account's own: its column, and what tells it from others."""

    token: Hashable
    column: Column


@dataclass(frozen=True)
class Prepared:
    """A plan ready to be read over columns, cut to the figures that are wanted."""

    plan: Plan
    lookups: Mapping[str, Rows | Lists]
    answers: Answers
    settings: Settings
    signatures: dict[Hashable, Mapping[str, Hashable]] = field(default_factory=dict)

    def figures(
        self, given: Given, placed: Mapping[str, Placed] | None = None
    ) -> Callable[[str], Column]:
        """Every figure of the plan by name, over a chunk, computed when it is asked for; `placed`
        inputs take the place of the account's own."""
        run = _Run(self, given, placed or {})

        def figure(name: str) -> Column:
            with np.errstate(all="ignore"):
                return run.figure(name)

        return figure

    @cached_property
    def formulas(self) -> Mapping[str, Figure]:
        """The figures of the plan by name."""
        return {figure.name: figure for figure in self.plan.figures()}


def prepared(
    plan: Plan, lookups: Mapping[str, Rows | Lists], wanted: Iterable[str], answers: Answers
) -> Prepared:
    """A plan ready to be read for the figures wanted."""
    cut = only(plan, set(wanted))
    return Prepared(cut, lookups, answers, Settings(cut, lookups, answers.lastly))


class _Run:
    """One reading of a plan over a chunk."""

    def __init__(self, prepared: Prepared, given: Given, placed: Mapping[str, Placed]) -> None:
        self.prepared, self.given, self.placed = prepared, given, placed
        self.plan = prepared.plan
        self.signatures = self._signatures()
        self.held: dict[str, Column] = {}
        self.settled = False
        self.inputs = {
            item.name if entity == ACCOUNT else f"{entity}.{item.name}": item
            for entity, items in self.plan.inputs.items()
            for item in items
        }

    def figure(self, name: str) -> Column:
        """A figure, an input or a parameter by its full name."""
        if name not in self.held:
            formula = self.prepared.formulas.get(name)
            self.held[name] = self._input(name) if formula is None else self._once(formula)
        return self.held[name]

    def _input(self, name: str) -> Column:
        parameters = self.plan.scope.parameters
        if name in self.placed:
            return self.placed[name].column
        if name in self.inputs:
            return self.given.column(self.inputs[name])
        return constant(values.constant(parameters[name].value))

    def _once(self, figure: Figure) -> Column:
        if not self.settled and figure.name in self.prepared.settings.names:
            self._settings()
        signature = self.signatures[figure.name]
        if signature not in self.given.memo:
            self.given.memo[signature] = self._read(figure)
        return self.given.memo[signature]

    def _settings(self) -> None:
        settings, self.settled = self.prepared.settings, True
        missing = [n for n in settings.names if self.signatures[n] not in self.given.memo]
        if missing:
            made = settings.columns([self.figure(name) for name in settings.inputs])
            for name, column in (made or {}).items():
                self.given.memo[self.signatures[name]] = column

    def _read(self, figure: Figure) -> Column:
        if isinstance(figure, Gather):
            empty = None if figure.empty is None else self._formula(ACCOUNT, figure.empty)
            column = self.figure(figure.column)
            return gathered(figure.function, self.given.lines[figure.over], column, empty)
        made = self._formula(figure.entity, figure.tree)
        if figure.entity == ACCOUNT or size(made) > 1:
            return made
        # What stands for all lines stands for each: of no lines there is none.
        return spread(made, self.given.lines[figure.entity].total)

    def _formula(self, entity: str, tree: ast.expr) -> Column:
        sight = Sight(
            entity,
            lambda name: self._seen(entity, name),
            lambda other, key: self._line(entity, other, key),
            self.figure,
            self.prepared.lookups,
            self.plan.scope.tables,
            self.prepared.answers,
        )
        return Interpreter(ColumnsReading(sight)).read(tree)

    def _seen(self, entity: str, name: str) -> Column:
        """A figure as wide as the entity: on a line, the account's are those of its account."""
        column = self.figure(name)
        if entity == ACCOUNT or name.startswith(f"{entity}.") or size(column) == 1:
            return column
        signature = ("seen", entity, self.given.lines[entity].token, self._signature(name))
        if signature not in self.given.memo:
            self.given.memo[signature] = taken(column, self.given.lines[entity].owner)
        return self.given.memo[signature]

    def _line(self, entity: str, other: str, key: Text) -> tuple[Array, Array | None]:
        lines = self.given.lines[other]
        owner = np.arange(self.given.count) if entity == ACCOUNT else self.given.lines[entity].owner
        where, missing = lines.find(owner, key)
        if lines.unknown is not None:
            no_list = lines.unknown.take(owner)
            missing = no_list if missing is None else missing | no_list
        return where, missing

    # --- signatures ------------------------------------------------------------------------------

    def _signature(self, name: str) -> Hashable:
        return self.signatures.get(name, name)

    def _signatures(self) -> Mapping[str, Hashable]:
        """What each figure is made of; the same for every chunk of like accounts."""
        tokens = tuple((entity, self.given.lines[entity].token) for entity in LISTS)
        placed = tuple(sorted((name, repr(one.token)) for name, one in self.placed.items()))
        key = (tokens, placed)
        if key not in self.prepared.signatures:
            self.prepared.signatures[key] = _signed(self.prepared, dict(tokens), dict(placed))
        return self.prepared.signatures[key]


def _signed(
    prepared: Prepared, tokens: Mapping[str, Hashable], placed: Mapping[str, str]
) -> Mapping[str, Hashable]:
    plan, signed = prepared.plan, dict[str, Hashable]()
    for entity, items in plan.inputs.items():
        for item in items:
            name = item.name if entity == ACCOUNT else f"{entity}.{item.name}"
            own = (entity, item.source, item.kind, repr(tokens.get(entity)))
            signed[name] = _hashed("input", placed.get(name, repr(own)))
    for parameter in plan.scope.parameters.values():
        signed[parameter.name] = _hashed("parameter", repr(parameter.value))
    for figure in plan.figures():
        signed[figure.name] = _of_figure(figure, prepared, signed, tokens)
    return signed


def _of_figure(
    figure: Figure,
    prepared: Prepared,
    signed: Mapping[str, Hashable],
    tokens: Mapping[str, Hashable],
) -> Hashable:
    trees = [figure.tree] if isinstance(figure, Step) else [figure.empty] if figure.empty else []
    made_of = [(name, signed[name]) for name in (*figure.reads, *figure.looks)]
    said = [ast.dump(tree) for tree in trees]
    asked = [
        (name, _content(prepared.lookups[name]))
        for tree in trees
        for name in _looked_up(tree)
        if name in prepared.lookups
    ]
    of_lines = [repr(tokens[name]) for tree in trees for name in _looked_up(tree) if name in tokens]
    kind = figure.function + figure.over if isinstance(figure, Gather) else "step"
    over = repr(tokens.get(figure.over if isinstance(figure, Gather) else figure.entity))
    return _hashed(kind, figure.entity, over, repr((made_of, said, asked, of_lines)))


def _looked_up(tree: ast.expr) -> Iterable[str]:
    """The tables, scales and lists that a formula names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield dotted(node.func)
            if node.args and isinstance(node.args[0], ast.Name | ast.Attribute):
                yield dotted(node.args[0])


def _content(lookup: Rows | Lists) -> str:
    """What a table or a scale says, as text."""
    if isinstance(lookup, Rows):
        return repr((sorted(lookup.items(), key=repr), lookup.otherwise.value))
    tiers = {key: (s.tiers, s.above, s.upper, s.assumes) for key, s in lookup.items()}
    return repr(sorted(tiers.items(), key=repr))


def _hashed(*parts: str) -> bytes:
    return blake2b("\x00".join(parts).encode(), digest_size=16).digest()
