"""A book of accounts as tasks: some of its rows each, always the same ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from policy_engine.books import STDIN, Row, comma_separated, json_lines
from policy_engine.books.formats import ARROW, CSV, PARQUET
from policy_engine.errors import Place, Problem, SnapshotError
from policy_engine.portfolio.files.tables import is_stream, open_rows

TABLE_ROWS, TEXT_ROWS = 65_536, 8_192
"""Rows of a part: of columns, and of text."""


@dataclass(frozen=True)
class Task:
    """Rows of a book: where they start and how many, and themselves where they are read once."""

    number: int
    start: int
    count: int
    rows: Sequence[Row] | pa.RecordBatch | None = None


@dataclass(frozen=True)
class Source:
    """A file of accounts and its format; `-` is stdin."""

    name: str
    format: str

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.name)

    @property
    def called(self) -> str:
        """The file as problems name it."""
        return "stdin" if self.name == STDIN else self.path.as_posix()

    def is_table(self) -> bool:
        """Whether it is read from any row on."""
        if self.name == STDIN:
            return False
        return self.format == PARQUET or (self.format == ARROW and not is_stream(self.path))


@dataclass(frozen=True)
class Opened:
    """A book that is read: how many rows it has (None: not known), its columns where it has some,
    and its tasks."""

    count: int | None
    schema: pa.Schema | None
    tasks: Iterator[Task]


@contextmanager
def opened(source: Source) -> Iterator[Opened]:
    """A book from its start. Raises SnapshotError for what is no book, is cut off or is empty."""
    if source.is_table():
        rows = open_rows(source.path, source.format)
        if not rows.count:
            raise SnapshotError([_empty(source)])
        yield Opened(rows.count, rows.schema, _of_table(rows.count))
        return
    with _bytes(source) as file:
        yield _stream(source, file)


@contextmanager
def _bytes(source: Source) -> Iterator[BinaryIO]:
    if source.name == STDIN:
        yield sys.stdin.buffer
        return
    with source.path.open("rb") as file:
        yield file


def _of_table(count: int) -> Iterator[Task]:
    for number, start in enumerate(range(0, count, TABLE_ROWS)):
        yield Task(number, start, min(TABLE_ROWS, count - start))


def _stream(source: Source, file: BinaryIO) -> Opened:
    if source.format != ARROW:
        reads = comma_separated.rows if source.format == CSV else json_lines.rows
        rows = reads(file, source.called)
        return Opened(None, None, _some(_numbered(_of_rows(rows)), source))
    try:
        reader = pa.ipc.open_stream(file)
    except (pa.ArrowException, OSError):
        raise SnapshotError([_not_arrow(source)]) from None
    return Opened(None, reader.schema, _some(_numbered(_of_stream(reader, source)), source))


def _of_rows(rows: Iterator[Row]) -> Iterator[Sequence[Row]]:
    return iter(lambda: list(islice(rows, TEXT_ROWS)), [])


def _of_stream(reader: Any, source: Source) -> Iterator[pa.RecordBatch]:
    read = 0
    try:
        for batch in reader:
            for start in range(0, batch.num_rows, TABLE_ROWS):
                yield batch.slice(start, TABLE_ROWS)
            read += batch.num_rows
    except (pa.ArrowException, OSError):
        message = f"it is cut off after row {read:,}"
        problem = Problem("cut-off", message, "write it anew", Place(source.called))
        raise SnapshotError([problem]) from None


def _numbered(chunks: Iterator[Any]) -> Iterator[Task]:
    start = 0
    for number, rows in enumerate(chunks):
        yield Task(number, start, len(rows), rows)
        start += len(rows)


def _some(tasks: Iterator[Task], source: Source) -> Iterator[Task]:
    first = next(tasks, None)
    if first is None:
        raise SnapshotError([_empty(source)])
    yield first
    yield from tasks


def _empty(source: Source) -> Problem:
    hint = "write one account in each row, as snapshots are"
    return Problem("empty-book", "there are no accounts here", hint, Place(source.called))


def _not_arrow(source: Source) -> Problem:
    message = "this is not an Arrow file, or it is cut off"
    return Problem("not-arrow", message, "write it anew", Place(source.called))


__all__ = ["STDIN", "TABLE_ROWS", "TEXT_ROWS", "Opened", "Source", "Task", "opened"]
