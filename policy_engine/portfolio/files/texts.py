"""Rows of text, as books have them, as batches: most in columns, the others by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from policy_engine.books import Row
from policy_engine.errors import SnapshotError
from policy_engine.fields import Field, shape
from policy_engine.lines import PRICES
from policy_engine.model import LISTS
from policy_engine.portfolio.batches import Portfolio
from policy_engine.portfolio.given import kind_of_field
from policy_engine.portfolio.one_by_one import Found, as_batch, decided
from policy_engine.snapshot import Reader

_TEXT = pa.string()


@dataclass(frozen=True)
class Texts:
    """The columns that rows of text have under some rules, all of them texts or truths."""

    readers: tuple[Reader, ...]

    @cached_property
    def account(self) -> Mapping[str, pa.DataType]:
        """The fields of the account."""
        fields = {name: one for reader in self.readers for name, one in reader.fields.items()}
        return {name: self._kind(one) for name, one in fields.items()}

    def _kind(self, one: Field) -> pa.DataType:
        if one.name in LISTS:
            return pa.list_(pa.struct(list(self.lines[one.name].items())))
        if one.name == PRICES:
            return pa.map_(_TEXT, _TEXT)
        if one.amounts is not None:
            return pa.struct([(name, _TEXT) for name in sorted(one.amounts)])
        return _scalar(one)

    @cached_property
    def lines(self) -> Mapping[str, Mapping[str, pa.DataType]]:
        """The fields of the lines of each list that are texts; lines with others stand alone."""
        return {
            entity: {
                name: _scalar(one)
                for reader in self.readers
                for name, one in reader.lines[entity].fields.items()
                if _scalar(one) == _TEXT
            }
            for entity in LISTS
        }

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns."""
        return pa.schema(list(self.account.items()))

    def fits(self, snapshot: Mapping[str, Any]) -> bool:
        """Whether a snapshot says in columns just what it says by itself."""
        return snapshot.keys() <= self.account.keys() and all(
            self._fits(name, value) for name, value in snapshot.items()
        )

    def _fits(self, name: str, value: Any) -> bool:
        kind = self.account[name]
        if name in LISTS:
            if value is None:
                return shape().account[name].nullable
            return _fit_lines(value, self.lines[name])
        if value.__class__ is dict:
            if pa.types.is_struct(kind) and not value.keys() <= {one.name for one in kind}:
                return False
            return pa.types.is_nested(kind) and {str} >= set(map(type, value.values()))
        return value.__class__ is (bool if pa.types.is_boolean(kind) else str)


def _scalar(one: Field) -> pa.DataType:
    return pa.bool_() if kind_of_field(one) == "truth" else _TEXT


def _fit_lines(value: Any, fields: Mapping[str, pa.DataType]) -> bool:
    if value.__class__ is not list:
        return False
    return all(
        line.__class__ is dict
        and line.keys() <= fields.keys()
        and {str} >= set(map(type, line.values()))
        for line in value
    )


def decided_rows(rows: Sequence[Row], portfolio: Portfolio, exactly: bool) -> pa.RecordBatch:
    """The decisions on rows of a book, in their order; what is broken has an error in its row."""
    texts = Texts(tuple(portfolio.readers))
    fit = [not row.problems and texts.fits(row.snapshot) for row in rows]
    batch = _columns([row.snapshot for row, fits in zip(rows, fit, strict=True) if fits], texts)
    made = portfolio.one_by_one(batch, True) if exactly else portfolio.decide(batch)
    others = [row for row, fits in zip(rows, fit, strict=True) if not fits]
    if not others:
        return made
    names = pa.array([row.account for row in others], _TEXT)
    found = [_found(row, portfolio) for row in others]
    rest = as_batch(found, names, portfolio.answered, exactly)
    return _in_order(made, rest, fit)


def _found(row: Row, portfolio: Portfolio) -> Found:
    if row.problems:
        return SnapshotError(row.problems)
    return decided(dict(row.snapshot), portfolio.rules)


def _columns(snapshots: Sequence[Mapping[str, Any]], texts: Texts) -> pa.RecordBatch:
    """Snapshots that fit as columns. Lists that are not written are empty, not unknown."""
    rows = [dict(snapshot) for snapshot in snapshots]
    for row in rows:
        totals = [others for name, others in shape().excludes.items() if name in row]
        for name in LISTS:
            if not shape().account[name].required and not any(name in one for one in totals):
                row.setdefault(name, [])
        if PRICES in row:
            row[PRICES] = list(row[PRICES].items())
    return pa.RecordBatch.from_pylist(rows, schema=texts.schema)


def _in_order(made: pa.RecordBatch, rest: pa.RecordBatch, fit: Sequence[bool]) -> pa.RecordBatch:
    """The rows of both, as they stood in the book."""
    first, second = iter(range(made.num_rows)), iter(range(made.num_rows, len(fit)))
    order = pa.array([next(first if fits else second) for fits in fit], pa.int64())
    columns = [
        pa.concat_arrays([one, other]).take(order)
        for one, other in zip(made.columns, rest.columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=made.schema)
