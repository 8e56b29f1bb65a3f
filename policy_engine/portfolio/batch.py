"""A batch of accounts: its columns by field, and stretches of its rows as what plans read."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from policy_engine.columns.columns import Column
from policy_engine.columns.numbers import Array
from policy_engine.errors import Place, Problem, SnapshotError, did_you_mean
from policy_engine.fields import Field
from policy_engine.model import ACCOUNT, LISTS
from policy_engine.portfolio.arrow import Kept, Parsed, encoded_text, odd_names, parsed
from policy_engine.portfolio.last_digits import with_digits
from policy_engine.snapshot import Reader

_TEXTS = frozenset({"text", "instant"})
"""Kinds that are written as text: few different ones, mostly."""


@dataclass(frozen=True)
class Listed:
    """A list column: how many lines each row has, where it is null, and the lines' fields."""

    counts: Array
    starts: Array
    missing: Array | None
    fields: Mapping[str, pa.Array]
    hollow: Array | None
    """Lines that are null."""


class Batch:
    """The columns of a record batch, with the list columns flattened and texts encoded once."""

    def __init__(self, batch: pa.RecordBatch, lastly: bool = False) -> None:
        """`lastly`: numbers are read with the last digits of their exact figures."""
        self.batch, self.count, self.lastly = batch, batch.num_rows, lastly
        names = batch.schema.names
        self.columns = {name: batch.column(n) for n, name in enumerate(names) if name not in LISTS}
        self.lists = {name: _listed(batch.column(name), name) for name in LISTS if name in names}
        self.encoded: dict[Hashable, pa.Array] = {}
        self.kept: Kept = {}

    def as_text(self, entity: str, name: str) -> pa.Array:
        """A column of texts as codes of a dictionary, which is the same for all its parts."""
        key = (entity, name)
        if key not in self.encoded:
            whole = self.lists[entity].fields[name] if entity in LISTS else self.columns[name]
            self.encoded[key] = encoded_text(whole)
        return self.encoded[key]

    def inner(self, name: str, inner: str) -> pa.Array:
        """A field of a column of structs; nulls if there is none of that name."""
        key = (name, inner, "inner")
        if key not in self.encoded:
            self.encoded[key] = _inner(self.columns[name], inner)
        return self.encoded[key]

    def part(self, start: int, stop: int) -> Part:
        """Some of its rows."""
        return Part(self, start, stop)


def _listed(array: pa.Array, name: str) -> Listed:
    if pa.types.is_null(array.type):
        nothing = np.zeros(len(array), dtype=np.int64)
        return Listed(nothing, nothing, np.ones(len(array), dtype=bool), {}, None)
    is_list = pa.types.is_list(array.type) or pa.types.is_large_list(array.type)
    if not (is_list and _is_struct(array.type.value_type)):
        message = f"`{name}` should be a list of structs, here is {array.type}"
        problem = Problem("wrong-column-type", message, None, Place(pointer=name))
        raise SnapshotError([problem])
    missing = array.is_null().to_numpy(zero_copy_only=False) if array.null_count else None
    counts = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
    counts = counts.astype(np.int64)
    lines = array.flatten()
    hollow = lines.is_null().to_numpy(zero_copy_only=False) if lines.null_count else None
    parts = lines.flatten() if pa.types.is_struct(lines.type) else []
    fields = {lines.type.field(n).name: part for n, part in enumerate(parts)}
    return Listed(counts, np.cumsum(counts) - counts, missing, fields, hollow)


def _is_struct(kind: pa.DataType) -> bool:
    """Whether a type holds lines; where all lists are empty it may hold nothing."""
    return bool(pa.types.is_struct(kind) or pa.types.is_null(kind))


def check_columns(batch: Batch, readers: list[Reader]) -> None:
    """Raise SnapshotError for columns that no snapshot has, and for those that each needs."""
    fields: dict[str, Field] = {}
    of_lists: dict[str, dict[str, Field]] = {name: {} for name in LISTS}
    for reader in readers:
        fields |= reader.fields
        for name, lines in reader.lines.items():
            of_lists[name] |= lines.fields
    problems = list(_wrong_names("", batch.batch.schema.names, fields))
    for name, listed in batch.lists.items():
        if listed.fields:
            problems += _wrong_names(f"{name}[].", list(listed.fields), of_lists[name])
    if problems:
        raise SnapshotError(problems)


def _wrong_names(before: str, names: list[str], fields: Mapping[str, Field]) -> Iterator[Problem]:
    for name in names:
        if name not in fields:
            message = f"there is no field `{before}{name}`"
            hint = did_you_mean(name, fields) or f"the fields are {', '.join(sorted(fields))}"
            yield Problem("unknown-key", message, hint, Place(pointer=f"{before}{name}"))
    for name, one in fields.items():
        if one.required and name not in names:
            message = f"the column `{before}{name}` is missing"
            yield Problem("missing-key", message, "add it", Place(pointer=f"{before}{name}"))


# --- a stretch of rows -------------------------------------------------------------------------


@dataclass
class Part:
    """Some rows of a batch: each field parsed once, whichever rules read it."""

    batch: Batch
    start: int
    stop: int
    fields: dict[Hashable, Parsed] = field(default_factory=dict)
    held: dict[Hashable, Any] = field(default_factory=dict)
    memo: dict[Hashable, Column] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.stop - self.start

    def account_field(self, name: str, inner: str | None, kind: str, one: Field) -> Parsed:
        """A field of the account, or an inner one of it."""
        key = ("", name, inner, kind)
        if key not in self.fields:
            whole = self.batch.columns[name]
            if kind in _TEXTS and inner is None:
                whole = self.batch.as_text(ACCOUNT, name)
            at = name if inner is None else f"{name}.{inner}"
            if inner is not None:
                whole = self.batch.inner(name, inner)
            array = whole.slice(self.start, self.count)
            self.fields[key] = self._parsed(array, kind, one, at)
        return self.fields[key]

    def _parsed(self, array: pa.Array, kind: str, one: Field, at: str) -> Parsed:
        found = parsed(array, kind, one, at, self.batch.kept)
        return with_digits(found, array) if self.batch.lastly else found

    def odd_names(self, name: str, one: Field) -> Array | None:
        """Where a column of names, which is no input, is not plainly written."""
        key = ("names", name)
        if key not in self.held:
            whole = self.batch.columns[name]
            self.held[key] = odd_names(whole.slice(self.start, self.count), one)
        made: Array | None = self.held[key]
        return made

    def line_field(self, entity: str, name: str, kind: str, one: Field) -> Parsed:
        """A field of the lines of a list."""
        key = (entity, name, None, kind)
        if key not in self.fields:
            first, count = self.span(entity)
            whole = self.batch.lists[entity].fields[name]
            if kind in _TEXTS:
                whole = self.batch.as_text(entity, name)
            array = whole.slice(first, count)
            self.fields[key] = self._parsed(array, kind, one, f"{entity}[].{name}")
        return self.fields[key]

    def span(self, entity: str) -> tuple[int, int]:
        """The first line of these rows, and how many lines they have."""
        listed = self.batch.lists[entity]
        first = int(listed.starts[self.start]) if self.count else 0
        return first, int(listed.counts[self.start : self.stop].sum())

    def rows(self, array: Array | None) -> Array | None:
        """What belongs to these rows of an array for all."""
        return None if array is None else array[self.start : self.stop]


def _inner(array: pa.Array, inner: str) -> pa.Array:
    if pa.types.is_struct(array.type):
        names = [array.type.field(n).name for n in range(array.type.num_fields)]
        if inner in names:
            return array.flatten()[names.index(inner)]
    return pa.nulls(len(array))
