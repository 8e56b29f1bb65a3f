"""Books as Parquet: columns as the snapshot's fields, lists as lists of structs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policy_engine.books.row import Row, broken, row_of, whole
from policy_engine.errors import PolicyError, Problem, SnapshotError
from policy_engine.model import LISTS
from policy_engine.numbers import instant_text

if TYPE_CHECKING:
    import pyarrow

_BATCH = 1024
"""Rows that are held at a time."""


def length(path: Path) -> int:
    """How many rows a file has. Raises PolicyError."""
    count: int = _file(path).metadata.num_rows
    return count


def rows(path: Path) -> Iterator[Row]:
    """The rows of a file. Raises PolicyError where it cannot be read as a whole."""
    file = _file(path)
    if wrong := list(_binary(file.schema_arrow)):
        raise SnapshotError(_refused(name, path.as_posix()) for name in wrong)
    number = 0
    for batch in file.iter_batches(batch_size=_BATCH):
        for value in batch.to_pylist(maps_as_pydicts="strict"):
            number += 1
            yield _row(value, path.as_posix(), number)


def _file(path: Path) -> Any:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        message = "a Parquet file is read with pyarrow, which is not installed"
        hint = "pip install 'policy-engine[portfolio]', or give the accounts as JSON Lines"
        raise PolicyError([_located(Problem("needs-extra", message, hint), path)]) from None
    try:
        return pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, OSError):
        message = "this is not a Parquet file, or it is cut off"
        raise whole("not-parquet", message, "write it anew", path.as_posix()) from None


def _located(problem: Problem, path: Path) -> Problem:
    return whole(problem.code, problem.message, problem.hint or "", path.as_posix()).problems[0]


def _refused(name: str, path: str) -> Problem:
    message = f"`{name}` holds binary fractions, which may not be the numbers that were meant"
    hint = "store it as decimal128, or as text"
    return whole("float", message, hint, path).problems[0]


def _binary(schema: pyarrow.Schema) -> Iterator[str]:
    """The columns, and fields inside them, that hold binary fractions."""
    waiting = [(field.name, field.type) for field in schema]
    while waiting:
        name, kind = waiting.pop()
        if str(kind) in ("float", "double", "halffloat"):
            yield name
        inner = [kind.field(at) for at in range(kind.num_fields)]
        waiting += [(_inside(name, field.name), field.type) for field in inner]


def _inside(name: str, inner: str) -> str:
    return name if inner in ("element", "item", "list") else f"{name}.{inner}"


def _row(value: dict[str, Any], path: str, number: int) -> Row:
    try:
        given = {name: _plain(item) for name, item in value.items() if _is_given(name, item)}
    except ValueError:
        hint = "store instants as timestamps with the zone UTC, or as text"
        message = "an instant has no zone"
        return broken(path, number, number, Problem("bad-instant", message, hint))
    return row_of(given, path, number, number)


def _is_given(name: str, value: Any) -> bool:
    """A field without a value is absent; a list without one is not known."""
    return value is not None or name in LISTS


def _plain(value: Any) -> Any:
    """A value as a snapshot has it. Raises ValueError for an instant without a zone."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError
        return instant_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return value
