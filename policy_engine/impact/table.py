"""The impact of a change on a book in Parquet or Arrow, read some rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeVar

import pyarrow as pa

from policy_engine.diff import Changes
from policy_engine.errors import SnapshotError
from policy_engine.impact import batches as in_batches
from policy_engine.impact.measure import impact as one_by_one
from policy_engine.impact.model import Impact
from policy_engine.portfolio.batches import portfolio
from policy_engine.portfolio.files.sources import Opened, Source, opened
from policy_engine.portfolio.files.tables import open_rows
from policy_engine.portfolio.frames import plain_schema, without_views
from policy_engine.rules import Rules

FIGURES_UP_TO = 100_000
"""Of so many accounts figures are compared unless something else is asked for."""

Progress = Callable[[int, int | None], None]
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Change:
    """What is measured: two states of the rules, how they were named, and their diff."""

    old: Rules
    new: Rules
    changes: Changes
    names: tuple[str, str] = ("old", "new")


def impact(
    change: Change,
    source: Source,
    figures: bool | None = None,
    progress: Progress = lambda read, of: None,
) -> Impact:
    """What a change does to the accounts of a table; `progress` is told the rows read of all.

    `figures`: compare figures and wordings too, account by account; unless said, in a book of up to
    `FIGURES_UP_TO` accounts. Raises SnapshotError for a book that cannot be read as a whole.
    """
    with opened(source) as book:
        assert book.schema is not None
        _check_columns(change, plain_schema(book.schema), source.called)
        count, batches = _counted(book, _batches(book, source))
        sides = change.old, change.new, change.changes
        compared = count <= FIGURES_UP_TO if figures is None else figures
        if compared:
            rows = _watched(in_batches.rows_of(batches), lambda row: 1, progress, book.count)
            return one_by_one(*sides, rows, change.names, source.name)
        batches = _watched(batches, len, progress, book.count)
        return in_batches.impact(*sides, batches, change.names, source.name)


def _check_columns(change: Change, schema: pa.Schema, called: str) -> None:
    """Raise SnapshotError for columns that no account could be read from."""
    nothing = pa.RecordBatch.from_pylist([], schema=schema)
    try:
        for rules in (change.old, change.new):
            portfolio(rules).check(nothing)
    except SnapshotError as error:
        places = [replace(one.place, path=called) for one in error.problems]
        problems = zip(error.problems, places, strict=True)
        raise SnapshotError(replace(one, place=at) for one, at in problems) from None


def _batches(book: Opened, source: Source) -> Iterator[pa.RecordBatch]:
    rows = open_rows(source.path, source.format) if source.is_table() else None
    for task in book.tasks:
        held = task.rows if rows is None else rows.take(task.start, task.count)
        assert isinstance(held, pa.RecordBatch)
        yield without_views(held)


def _counted(
    book: Opened, batches: Iterator[pa.RecordBatch]
) -> tuple[int, Iterator[pa.RecordBatch]]:
    """How many rows there are, and the batches; a stream is read until they are surely many."""
    if book.count is not None:
        return book.count, batches
    held: list[pa.RecordBatch] = []
    count = 0
    while count <= FIGURES_UP_TO and (batch := next(batches, None)) is not None:
        held.append(batch)
        count += batch.num_rows
    return count, chain(held, batches)


def _watched(
    items: Iterator[_Item], rows: Callable[[_Item], int], progress: Progress, count: int | None
) -> Iterator[_Item]:
    """The items; `progress` is told how many rows have been gone through."""
    read = 0
    for item in items:
        yield item
        read += rows(item)
        progress(read, count)


__all__ = ["FIGURES_UP_TO", "Change", "impact"]
