"""What one plan rules of the accounts of a chunk: statuses, permissions and values as columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any

import numpy as np

from policy_engine.columns import truths
from policy_engine.columns.columns import Column, doubt_of
from policy_engine.columns.numbers import EVERY, Array, Number, error
from policy_engine.columns.reading import Answers, as_truth
from policy_engine.columns.run import Prepared, prepared
from policy_engine.columns.truths import FALSE, TRUE, Truth, joined, negated
from policy_engine.errors import SnapshotError
from policy_engine.layout import Layout
from policy_engine.model import ACCOUNT
from policy_engine.policy import Compiled
from policy_engine.portfolio.given import Reading
from policy_engine.rules import Rules
from policy_engine.snapshot import Reader

_OPEN = -2
FINENESS = 1e-6
"""A value that may be further off is decided exactly."""


@dataclass(frozen=True)
class Choice:
    """The rules for the accounts of one combination of what the choice of rules asks for.

    `sample` is a snapshot of no account but with that combination.
    """

    rules: Rules
    sample: Mapping[str, Any]
    compiled: Compiled
    reader: Reader
    answers: Answers
    prepared: Prepared
    requests: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def beside(self) -> Prepared:
        """The plan for what decides nothing: the conditions of notices, and figures of lines."""
        layout = self.compiled.layout
        wanted = {*notices(layout), *(name for _, name in line_figures(layout))}
        return prepared(self.compiled.plan, self.compiled.lookups, wanted, self.answers)


def chosen(rules: Rules, sample: Mapping[str, Any], answers: Answers) -> Choice | None:
    """What decides on accounts like a sample; None where nothing, or more than one, does."""
    try:
        compiled, reader = rules.choice(sample)
    except SnapshotError:
        return None
    wanted = {*compiled.layout.values, *_conditions(compiled.layout)}
    made = prepared(compiled.plan, compiled.lookups, wanted, answers)
    return Choice(rules, sample, compiled, reader, answers, made)


def _conditions(layout: Layout) -> Iterator[str]:
    """The figures of the conditions that decide."""
    rules = [*layout.statuses, *(rule for of in layout.permissions.values() for rule in of)]
    names = _names(layout)
    yield from (names[rule.at] for rule in rules if rule.at is not None)


def notices(layout: Layout) -> Iterator[str]:
    """The figures of the conditions of notices."""
    names = _names(layout)
    yield from (names[rule.at] for rule in layout.notices if rule.at is not None)


def line_figures(layout: Layout) -> Iterator[tuple[str, str]]:
    """The figures of lines, by list and full name."""
    for entity, columns in layout.columns.items():
        yield from ((entity, f"{entity}.{name}") for name in columns)


def _names(layout: Layout) -> list[str]:
    """The account's figures as they are numbered."""
    assert layout.plan is not None
    return [figure.name for figure in layout.plan.figures() if figure.entity == ACCOUNT]


@dataclass(frozen=True)
class Wanted:
    """What is to be ruled, where that is not everything."""

    status: bool
    permissions: frozenset[str]
    values: frozenset[str]


@dataclass(frozen=True)
class Ruled:
    """What is ruled: the status by its place among the statuses, or -1 (-2 where floats cannot tell
    it), permissions as bits, and the values, with where they are too `rough`.

    `unsure` marks all the rows of which floats cannot tell something.
    """

    status: Array
    permissions: Mapping[str, Truth]
    values: Mapping[str, Column]
    rough: Mapping[str, Array]
    unsure: Array


class Ruling:
    """Reads the rulings of one choice over a part of a batch; `asked` tells of its requests."""

    def __init__(
        self, choice: Choice, reading: Reading, asked: Callable[[Ruling, str], Truth]
    ) -> None:
        self.choice, self.reading, self.asked = choice, reading, asked
        self.layout = choice.compiled.layout
        self.figures = choice.prepared.figures(reading.given)
        self.told: dict[str, Truth] = {}
        self.names = _names(self.layout)

    def ruled(self, wanted: Wanted | None = None) -> Ruled:
        """Everything that is ruled, or what is wanted of it."""
        count = self.reading.count
        status, unsure = self._no_status() if wanted and not wanted.status else self._status()
        names: Collection[str] = (*self.layout.permissions, *self.layout.requests)
        names = [n for n in names if n in wanted.permissions] if wanted else names
        permissions = {name: self.permission(name) for name in names}
        for truth in permissions.values():
            unsure = unsure | doubt_of(truth)
        names = [n for n in self.layout.values if wanted is None or n in wanted.values]
        values = {name: self.figures(name) for name in names}
        found = {name: rough(c) for name, c in values.items() if isinstance(c, Number)}
        flawed = {n: np.broadcast_to(where, count) for n, where in found.items() if where.any()}
        for where in flawed.values():
            unsure = unsure | where
        return Ruled(status, permissions, values, flawed, unsure)

    def _status(self) -> tuple[Array, Array]:
        """The first status that holds; the first that cannot be told ends it."""
        count = self.reading.count
        status, open_ = np.full(count, -1, dtype=np.int16), np.ones(count, dtype=bool)
        unsure = np.zeros(count, dtype=bool)
        for place, rule in enumerate(self.layout.statuses):
            bits = self._condition(rule.at).bits
            status[open_ & (bits == TRUE)] = place
            doubt = open_ & (bits & (bits - 1) != 0)
            status[doubt] = _OPEN
            unsure |= doubt
            open_ &= bits == FALSE
        return status, unsure

    def _no_status(self) -> tuple[Array, Array]:
        count = self.reading.count
        return np.full(count, -1, dtype=np.int16), np.zeros(count, dtype=bool)

    def _condition(self, at: int | None) -> Truth:
        return truths.constant(True) if at is None else as_truth(self.figures(self.names[at]))

    def permission(self, name: str) -> Truth:
        """Where a permission holds."""
        if name not in self.told:
            self.told[name] = self._permission(name)
        return self.told[name]

    def _permission(self, name: str) -> Truth:
        if name in self.layout.permissions:
            held = [self._condition(rule.at) for rule in self.layout.permissions[name]]
            return negated(any_of(held))
        if name in self.layout.requests:
            return self.asked(self, name)
        return truths.constant(False)


def rough(x: Number) -> Array:
    """Where a value is not known to a millionth of itself, or of 1."""
    if x.steady:
        return ~EVERY
    reach = error(x)
    near: Array = (reach <= FINENESS * np.maximum(np.abs(x.value), 1.0)) & (reach < np.inf)
    return ~near if x.unknown is None else ~(near | x.unknown)


def any_of(found: list[Truth]) -> Truth:
    """Where one of some truths holds."""
    return reduce(lambda a, b: joined("or", a, b), found, truths.constant(False))
