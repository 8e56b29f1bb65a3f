"""The impact of a change on whole batches: both sides decide in columns, what flips is compared.

Statuses and permissions are those that the rules give account by account. Figures and wordings are
not compared: columns know them to some digits only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from policy_engine.books import Row
from policy_engine.columns.numbers import Array
from policy_engine.columns.truths import FALSE, TRUE, UNDETERMINED
from policy_engine.diff import Changes
from policy_engine.impact.measure import Measured
from policy_engine.impact.mixed import Mixed
from policy_engine.impact.model import ERROR, Impact
from policy_engine.impact.model import UNDETERMINED as UNTOLD
from policy_engine.portfolio.batches import Portfolio
from policy_engine.portfolio.outcome import Outcome
from policy_engine.portfolio.rows import plainly, snapshots
from policy_engine.rules import Rules

_PERMITTED = {TRUE: True, FALSE: False, UNDETERMINED: None}
_AT = "at"
_AT_A_TIME = 1024
"""Rows that are held as snapshots."""


def impact(
    old: Rules,
    new: Rules,
    changes: Changes,
    batches: Iterable[pa.RecordBatch],
    names: tuple[str, str] = ("old", "new"),
    book: str = "accounts",
) -> Impact:
    """What going from some rules to others does to a book of accounts, without its figures.

    All that is said is what `measure.impact` says. Raises SnapshotError for columns that no row
    could be read from, and RulesError where the rules of a side do not go together.
    """
    measured = Measured(old, new, changes, book)
    counted = _Counted(measured, (Portfolio(old, wholly=True), Portfolio(new, wholly=True)))
    for batch in batches:
        counted.add(batch)
    counted.meet_names()
    return measured.impact(names, compared=False)


def rows_of(batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
    """The rows of batches one by one."""
    first = 1
    for batch in batches:
        yield from _rows(batch, np.arange(batch.num_rows), first)
        first += batch.num_rows


def _rows(batch: pa.RecordBatch, places: Array, first: int) -> Iterator[Row]:
    for start in range(0, len(places), _AT_A_TIME):
        some = places[start : start + _AT_A_TIME].tolist()
        for place, snapshot in zip(some, snapshots(batch, some), strict=True):
            name, line = snapshot.get("account"), first + place
            yield Row(line, snapshot, name if isinstance(name, str) else None, (), line)


@dataclass(frozen=True)
class _Side:
    """A batch as one side decides it; `codes` are statuses by their place among those of both."""

    portfolio: Portfolio
    outcome: Outcome
    codes: Array

    def bits(self, name: str) -> Array:
        """A permission; what the side does not know it does not permit."""
        if name in self.outcome.permissions:
            return self.outcome.permissions[name]
        return np.broadcast_to(np.uint8(FALSE), self.outcome.count)

    def tells(self, name: str) -> Array:
        """Of which rows the decision says anything of a permission."""
        if name in self.portfolio.offered:
            return np.ones(1, dtype=bool)
        layouts = [one.layout for one in self.portfolio.compiled]
        known = [name in one.permissions or name in one.requests for one in layouts]
        made: Array = np.array([*known, False])[self.outcome.digest]
        return made


class _Counted:
    """Counts batches, and has what flips compared."""

    def __init__(self, measured: Measured, sides: tuple[Portfolio, Portfolio]) -> None:
        self._measured, self._sides = measured, sides
        self._mixed = Mixed(measured.attribution)
        told = [side.answered for side in sides]
        known = dict.fromkeys(name for one in told for name in one.statuses)
        self._statuses = [*known, UNTOLD]
        self._permissions = sorted({name for one in told for name in one.permissions})
        self._names: list[pa.Array] = []
        self._read = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """One more batch."""
        batch = _with_moments(batch, self._measured.at)
        old, new = (self._decided(portfolio, batch) for portfolio in self._sides)
        failed = np.zeros(batch.num_rows, dtype=bool)
        failed[[*old.outcome.errors, *new.outcome.errors]] = True
        flips = self._flipped(old, new) & ~failed
        self._count("alike", old.codes, new.codes, ~failed & ~flips)
        self._count("decided", old.codes, new.codes, flips)
        self._count_permissions(old, new, ~failed)
        told = (int((side.outcome.untold[~failed] == TRUE).sum()) for side in (old, new))
        self._measured.untold(*told)
        self._fail(batch, old, new, np.flatnonzero(failed))
        self._compare(batch, old, new, np.flatnonzero(flips))
        self._names.append(batch.column("account").cast(pa.string()))
        self._read += batch.num_rows

    def _decided(self, portfolio: Portfolio, batch: pa.RecordBatch) -> _Side:
        portfolio.check(batch)
        outcome = portfolio.outcome(batch)
        known = [self._statuses.index(name) for name in outcome.answered.statuses]
        return _Side(
            portfolio, outcome, np.array([*known, len(self._statuses) - 1])[outcome.status]
        )

    def _flipped(self, old: _Side, new: _Side) -> Array:
        made: Array = old.codes != new.codes
        for name in self._permissions:
            made |= old.bits(name) != new.bits(name)
        return made

    # --- counts ----------------------------------------------------------------------------------

    def _count(self, kind: str, before: Array, after: Array, rows: Array) -> None:
        names = self._statuses
        pairs = before[rows] * len(names) + after[rows]
        counts = np.bincount(pairs, minlength=len(names) ** 2).tolist()
        found = zip(product(names, names), counts, strict=True)
        self._measured.count(kind, {pair: count for pair, count in found if count})

    def _count_permissions(self, old: _Side, new: _Side, rows: Array) -> None:
        for name in self._permissions:
            told = rows & (old.tells(name) | new.tells(name))
            pairs = old.bits(name)[told].astype(np.int64) << 3 | new.bits(name)[told]
            counts = np.bincount(pairs).tolist()
            for pair, count in enumerate(counts):
                if count:
                    permitted = _PERMITTED[pair >> 3], _PERMITTED[pair & 7]
                    self._measured.movements.add({name: permitted}, count)

    # --- accounts by themselves ------------------------------------------------------------------

    def _fail(self, batch: pa.RecordBatch, old: _Side, new: _Side, rows: Array) -> None:
        """Rows in error: the first of them are told, all are counted."""
        told = rows[: self._measured.failures_left]
        for row in _rows(batch, told, self._read + 1):
            self._measured.decided(row)
        for at in rows[len(told) :].tolist():
            before, after = (
                ERROR if at in side.outcome.errors else self._statuses[side.codes[at]]
                for side in (old, new)
            )
            self._measured.count("errors", {(before, after): 1})

    def _compare(self, batch: pa.RecordBatch, old: _Side, new: _Side, rows: Array) -> None:
        """Rows that flip: how, by how much, and what causes it."""
        if not len(rows):
            return
        asked = self._mixed.over(batch, rows)
        pairs = {name: (old.bits(name)[rows], new.bits(name)[rows]) for name in self._permissions}
        for at, row in enumerate(_rows(batch, rows, self._read + 1)):
            decided = self._measured.decided(row)
            assert decided is not None
            permitted = {
                name: (_PERMITTED[before[at]], _PERMITTED[after[at]])
                for name, (before, after) in pairs.items()
            }
            self._measured.flips.add(row, decided, permitted, asked(at, row.snapshot))

    def meet_names(self) -> None:
        """Find the names that stand in the book more than once: of an account no more is kept."""
        names = pa.chunked_array(self._names, pa.string())
        counts = names.value_counts()
        twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1)).drop_null()
        if len(twice):
            for at in np.flatnonzero(pc.is_in(names, twice).to_numpy()).tolist():
                self._measured.names.meet(names[at].as_py(), at + 1)


def _with_moments(batch: pa.RecordBatch, at: str) -> pa.RecordBatch:
    """The batch with an instant for accounts that have none of their own."""
    if _AT not in batch.schema.names:
        return batch.append_column(_AT, pa.array([at] * batch.num_rows, pa.string()))
    given = batch.column(_AT)
    if not given.null_count:
        return batch
    texts = [at if value is None else plainly(value) for value in given.to_pylist()]
    return batch.set_column(batch.schema.names.index(_AT), _AT, pa.array(texts, pa.string()))


__all__ = ["impact", "rows_of"]
