"""What a stretch of rows gives to a plan, and the rows that are better read one by one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from policy_engine.columns.columns import Column, as_kind, spread, taken
from policy_engine.columns.lines import Lines
from policy_engine.columns.numbers import UNKNOWN, Array, Number, either
from policy_engine.columns.run import Given
from policy_engine.columns.texts import Instant, Text
from policy_engine.fields import Field, Odd, shape, take_truth
from policy_engine.lines import PRICES, are_amounts
from policy_engine.model import ACCOUNT, LISTS, Input
from policy_engine.portfolio.arrow import Parsed
from policy_engine.portfolio.batch import Part
from policy_engine.portfolio.priced import odd_prices
from policy_engine.snapshot import Reader

_NAME = "account"
"""The field that names a row: each has another one."""

_NUMBERS = frozenset({"amount", "number", "whole"})


def _take_amount(value: object) -> object:
    if isinstance(value, str) and are_amounts([value]):
        return value
    raise Odd


_AMOUNT = Field("amount", _take_amount, "amount", required=False)
"""One of the amounts that stand together in a field."""


def kind_of_field(one: Field) -> str:
    """The kind of a field's values, as the language names it."""
    if one.kind in _NUMBERS:
        return "number"
    if one.choices is not None and all(choice.isdigit() for choice in one.choices):
        return "number"
    return "truth" if one.take is take_truth else one.kind


class Reading:
    """A part of a batch as a reader takes it, and the rows that the reader may not take."""

    def __init__(self, part: Part, reader: Reader, moment: int) -> None:
        self.part, self.reader, self.moment = part, reader, moment
        self.count = part.count

    @property
    def given(self) -> Given:
        """What plans read. Not kept: it refers back, and so would hold all columns for long."""
        lines = {entity: self.lines(entity) for entity in LISTS}
        return Given(self.count, lines, self.column, self.part.memo)

    @cached_property
    def odd(self) -> Array:
        """The rows that a snapshot's reader is to look at: it takes them or tells what is wrong."""
        made = np.zeros(self.count, dtype=bool)
        for rows in (*self._odd_fields(), *self._odd_lists(), *self._odd_together()):
            if rows is not None:
                made |= rows
        return made

    # --- fields ----------------------------------------------------------------------------------

    def _account(self, name: str) -> Iterator[Parsed]:
        """A field of the account, or each amount of one that has several."""
        one = self.reader.fields[name]
        if one.amounts is None:
            yield self.part.account_field(name, None, kind_of_field(one), one)
            return
        for inner in sorted(one.amounts):
            yield self.part.account_field(name, inner, "number", _AMOUNT)

    def _odd_fields(self) -> Iterator[Array | None]:
        for name in self.part.batch.columns:
            if name == PRICES or name not in self.reader.fields:
                continue
            needed = self.reader.fields[name].required
            if name == _NAME:
                yield self.part.odd_names(name, self.reader.fields[name])
                continue
            for one in self._account(name):
                yield one.odd
                yield one.missing if needed else None
        for item in self.reader.account:
            if not item.optional and item.source != ("at",):
                column = self._input(item)
                yield np.ones(self.count, dtype=bool) if column is None else column.missing

    def _input(self, item: Input) -> Parsed | None:
        """An input of the account; None if the batch has no such column."""
        name, *inner = item.source
        if name not in self.part.batch.columns:
            return None
        one = self.reader.fields[name]
        if not inner:
            return self.part.account_field(name, None, item.kind, one)
        return self.part.account_field(name, inner[0], item.kind, _AMOUNT)

    def column(self, item: Input) -> Column:
        """An input as a column; undetermined where it is not given."""
        if item.entity != ACCOUNT:
            return self._line_column(item)
        found = self._input(item)
        if item.source == ("at",):
            return self._moments(found)
        if found is None:
            return _nothing(item.kind, self.count)
        return found.known()

    def _moments(self, found: Parsed | None) -> Column:
        if found is None:
            return Instant(np.array([self.moment]))
        assert isinstance(found.column, Instant)
        if found.missing is None:
            return found.column
        return Instant(np.where(found.missing, self.moment, found.column.micros))

    # --- lists -----------------------------------------------------------------------------------

    def _line_parsed(self, entity: str, name: str) -> Parsed | None:
        one = self.reader.lines[entity].fields[name]
        if entity not in self.part.batch.lists or name not in self.part.batch.lists[entity].fields:
            return None
        return self.part.line_field(entity, name, kind_of_field(one), one)

    def _line_column(self, item: Input) -> Column:
        key = ("kept", item.entity, item.name, self._token(item.entity))
        if key not in self.part.held:
            found = self._line_parsed(item.entity, item.name)
            total = self._raw(item.entity).total
            made = _nothing(item.kind, total) if found is None else found.known()
            kept = self._kept(item.entity)
            self.part.held[key] = made if kept is None else taken(made, kept)
        made_before: Column = self.part.held[key]
        return made_before

    def _odd_lists(self) -> Iterator[Array | None]:
        for entity, listed in self.part.batch.lists.items():
            known = shape().account[entity]
            if known.required:
                yield self.part.rows(listed.missing)
            owner = self._raw(entity).owner
            first, count = self.part.span(entity)
            if listed.hollow is not None:
                yield self._rows_of(owner, listed.hollow[first : first + count])
            for name in listed.fields:
                if name in self.reader.lines[entity].fields:
                    found = self._line_parsed(entity, name)
                    assert found is not None
                    needed = self.reader.lines[entity].fields[name].required
                    yield self._rows_of(owner, found.odd)
                    yield self._rows_of(owner, found.missing if needed else None)

    def _rows_of(self, owner: Array, lines: Array | None) -> Array | None:
        """The rows that have one of the lines marked."""
        if lines is None or not lines.any():
            return None
        made = np.zeros(self.count, dtype=bool)
        made[owner[lines]] = True
        return made

    def _raw(self, entity: str) -> Lines:
        """The lines as they are written; those that hold nothing are there too."""
        key = ("raw", entity)
        if key not in self.part.held:
            self.part.held[key] = self._made_raw(entity)
        made: Lines = self.part.held[key]
        return made

    def _made_raw(self, entity: str) -> Lines:
        listed = self.part.batch.lists.get(entity)
        if listed is None:
            return Lines(np.zeros(self.count, dtype=np.int64), None, "none")
        counts = self.part.rows(listed.counts)
        assert counts is not None
        return Lines(counts, None, "raw", self._keys(entity))

    def _keys(self, entity: str) -> Text | None:
        lines = self.reader.lines[entity]
        if lines.key is None:
            return None
        found = self._line_parsed(entity, lines.inputs[lines.key].name)
        return found.column if found is not None and isinstance(found.column, Text) else None

    # --- lines that are part of the account ------------------------------------------------------

    def _token(self, entity: str) -> tuple[object, ...]:
        """What decides which lines are kept, and whether a null list is an unknown one."""
        lines = self.reader.lines[entity]
        if lines.key is None:
            return entity, bool(lines.inputs)
        named = [
            (o, name) for o, of in self.reader.lines.items() for _, name in of.names.get(entity, ())
        ]
        amounts = [lines.inputs[at].name for at in lines.amounts]
        return entity, bool(lines.inputs), lines.inputs[lines.key].name, *amounts, *named

    def lines(self, entity: str) -> Lines:
        """The lines that are part of the account: those that hold something or are named."""
        key = ("lines", self._token(entity))
        if key not in self.part.held:
            self.part.held[key] = self._made_lines(entity)
        made: Lines = self.part.held[key]
        return made

    def _made_lines(self, entity: str) -> Lines:
        raw, kept, listed = self._raw(entity), self._kept(entity), self.part.batch.lists.get(entity)
        nullable = shape().account[entity].nullable and self.reader.lines[entity].inputs
        unknown = self.part.rows(listed.missing) if listed and nullable else None
        keys = self._keys(entity)
        if kept is None:
            made = Lines(raw.counts, unknown, self._token(entity), keys)
            made.__dict__.update({n: raw.__dict__[n] for n in _SHARED if n in raw.__dict__})
            return made
        owner = raw.owner.take(kept)
        if keys is not None:
            keys = Text(keys.codes.take(kept), keys.texts)
        counts = np.bincount(owner, minlength=self.count)
        made = Lines(counts, unknown, self._token(entity), keys)
        made.__dict__["owner"] = owner
        return made

    def _kept(self, entity: str) -> Array | None:
        """Which lines hold something or are named; None if all do."""
        key = ("kept", self._token(entity))
        if key not in self.part.held:
            self.part.held[key] = self._made_kept(entity)
        made: Array | None = self.part.held[key]
        return made

    def _made_kept(self, entity: str) -> Array | None:
        lines, raw = self.reader.lines[entity], self._raw(entity)
        if lines.key is None or not lines.amounts or not raw.total:
            return None
        holds = np.zeros(raw.total, dtype=bool)
        for at in lines.amounts:
            found = self._line_parsed(entity, lines.inputs[at].name)
            if found is None:
                return None
            assert isinstance(found.column, Number)
            holds |= found.column.value != 0
            holds |= False if found.missing is None else found.missing
        if holds.all():
            return None
        for _, where, missing in self._named(entity):
            holds[where if missing is None else where[~missing]] = True
        return None if holds.all() else np.flatnonzero(holds)

    def _named(self, entity: str) -> Iterator[tuple[str, Array, Array | None]]:
        """For each input that names lines of a list: whose, which line, and where there is none."""
        raw = self._raw(entity)
        for other, lines in self.reader.lines.items():
            owner = self._raw(other).owner
            for _, name in lines.names.get(entity, ()):
                found = self._line_parsed(other, name)
                if found is not None and isinstance(found.column, Text) and len(owner):
                    yield other, *raw.find(owner, found.column)

    # --- what no field tells alone ---------------------------------------------------------------

    def _odd_together(self) -> Iterator[Array | None]:
        for entity, lines in self.reader.lines.items():
            raw = self._raw(entity)
            if lines.key is not None and raw.total:
                yield self._twice(raw)
            for other, _, missing in self._named(entity):
                yield self._rows_of(self._raw(other).owner, missing)
        yield from self._odd_totals()
        if PRICES in self.part.batch.columns:
            prices = self.part.batch.columns[PRICES].slice(self.part.start, self.count)
            priced = [self._raw(e) for e, of in self.reader.lines.items() if of.price is not None]
            yield odd_prices(prices, priced, self.part.batch.kept)

    def _twice(self, raw: Lines) -> Array:
        """The rows that have two lines of one key."""
        if raw.keys is None:
            return np.ones(self.count, dtype=bool)
        made = np.zeros(self.count, dtype=bool)
        made[raw.repeated] = True
        return made

    def _odd_totals(self) -> Iterator[Array | None]:
        """The rows that give a total and what it is the total of."""
        for name, others in shape().excludes.items():
            if name not in self.part.batch.columns:
                continue
            there = [one.missing for one in self._account(name)]
            for other in others & self.part.batch.lists.keys():
                missing = either(there[0], self.part.rows(self.part.batch.lists[other].missing))
                yield np.ones(self.count, dtype=bool) if missing is None else ~missing


_SHARED = ("total", "owner", "starts", "filled", "full", "longest", "_places")


def _nothing(kind: str, count: int) -> Column:
    """An input that nobody gives."""
    return spread(as_kind(UNKNOWN, kind), count)
