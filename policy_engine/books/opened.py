"""A book from a file: JSON Lines, CSV or Parquet, told by the end of its name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from policy_engine.books.comma_separated import rows as csv_rows
from policy_engine.books.json_lines import rows as json_rows
from policy_engine.books.parquet import length as parquet_length
from policy_engine.books.parquet import rows as parquet_rows
from policy_engine.books.row import Book, Row, whole
from policy_engine.document import read_text
from policy_engine.errors import SnapshotError

STDIN = "-"
_PARQUET = frozenset({".parquet", ".pq"})
_CSV = ".csv"

Reads = Callable[[BinaryIO, str], Iterator[Row]]


def open_book(name: str) -> Book:
    """The accounts in a file: JSON Lines (`-` is stdin), CSV where the name ends in `.csv`, Parquet
    where it ends in `.parquet`.

    Raises SnapshotError for a file that is not there or is a folder, and PolicyError for Parquet
    without what reads it.
    """
    if name == STDIN:
        return Book("stdin", None, _some(json_rows(sys.stdin.buffer, "stdin"), "stdin"))
    path = Path(name)
    ending = path.suffix.lower()
    check_there(path)
    if ending in _PARQUET:
        return Book(name, parquet_length(path), _some(parquet_rows(path), name))
    reads = csv_rows if ending == _CSV else json_rows
    length = path.stat().st_size if path.is_file() else None
    return Book(name, length, _some(_of_file(path, reads), name))


def check_there(path: Path) -> None:
    """Raise SnapshotError for a file that is not there or cannot be read."""
    try:
        path.open("rb").close()
    except (OSError, ValueError):
        read_text(path, SnapshotError)  # raises, and says why
        raise


def _of_file(path: Path, reads: Reads) -> Iterator[Row]:
    with path.open("rb") as file:
        yield from reads(file, path.as_posix())


def _some(rows: Iterator[Row], name: str) -> Iterator[Row]:
    """The rows, of which there is at least one. Raises SnapshotError."""
    none = True
    for row in rows:
        none = False
        yield row
    if none:
        hint = "write one account on each line, as snapshots are"
        raise whole("empty-book", "there are no accounts here", hint, name)
