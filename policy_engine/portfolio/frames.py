"""Tables and frames of any library as record batches, through the Arrow interface."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from policy_engine.errors import Problem, SnapshotError

ROWS = 65_536
"""So many accounts at a time."""


def stream_of(accounts: Any) -> Iterator[pa.RecordBatch]:
    """The rows of a table or frame, some at a time. Raises SnapshotError for anything else."""
    if not hasattr(accounts, "__arrow_c_stream__"):
        message = "this is no table of accounts"
        hint = "give a record batch, a table, or a frame that has `__arrow_c_stream__`"
        raise SnapshotError([Problem("no-table", message, hint)])
    try:
        yield from _cut(pa.RecordBatchReader.from_stream(accounts))
    except (pa.ArrowException, TypeError) as failure:
        message = f"the frame cannot be read as Arrow columns: {_first_line(failure)}"
        hint = "a column must hold values of one kind"
        raise SnapshotError([Problem("no-table", message, hint)]) from None


def without_views(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with plain texts in place of views of texts, which few functions take."""
    schema = plain_schema(batch.schema)
    return batch if schema == batch.schema else batch.cast(schema)


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The columns with plain texts in place of views of texts."""
    return pa.schema([field.with_type(_plain(field.type)) for field in schema])


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_plain(field.type)) for field in kind])
    if pa.types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_plain(kind.value_type)))
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_plain(kind.value_type)))
    if pa.types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, _plain(kind.value_type))
    return kind


def _cut(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in map(without_views, batches):
        for start in range(0, batch.num_rows, ROWS):
            yield batch.slice(start, ROWS)


def _first_line(failure: Exception) -> str:
    return str(failure).partition("\n")[0]
