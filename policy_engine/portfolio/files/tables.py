"""Files of columns, Parquet and Arrow, read from any row on: whoever decides reads for itself."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from policy_engine.books.formats import PARQUET
from policy_engine.errors import Place, Problem, SnapshotError
from policy_engine.fields import shape

_STEP = 65_536
"""Rows decoded at a time."""


class Rows:
    """The rows of a file that stand in pieces, from wherever they are asked for.

    What follows on what was read before is read on; only the start of a piece can be gone back to.
    """

    def __init__(
        self,
        path: Path,
        schema: pa.Schema,
        counts: Sequence[int],
        read: Callable[[int], Iterator[pa.RecordBatch]],
    ) -> None:
        self.path, self.schema, self.read = path, schema, read
        self.starts = [0, *accumulate(counts)]
        self.at = -1
        self.open: Iterator[pa.RecordBatch] = iter(())
        self.rest: pa.RecordBatch | None = None

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.starts[-1]

    def take(self, start: int, count: int) -> pa.RecordBatch:
        """Some rows. Raises SnapshotError where they are damaged."""
        try:
            return _joined(list(self._slices(start, start + count)), self.schema)
        except (pa.ArrowException, OSError):
            message = f"rows {start + 1:,} to {start + count:,} cannot be read: they are damaged"
            place = Place(self.path.as_posix())
            problem = Problem("cut-off", message, "write the file anew", place)
            raise SnapshotError([problem]) from None

    def _slices(self, start: int, stop: int) -> Iterator[pa.RecordBatch]:
        if not 0 <= self.at <= start or self._piece(start) > self._piece(self.at):
            self.at = self.starts[self._piece(start)]
            self.open, self.rest = self._from(self._piece(start)), None
        while self.at < stop:
            batch = next(self.open) if self.rest is None else self.rest
            first, end = self.at, self.at + batch.num_rows
            self.at, self.rest = min(end, stop), batch.slice(stop - first) if end > stop else None
            if self.at > start:
                yield batch.slice(max(start - first, 0), self.at - max(start, first))

    def _piece(self, row: int) -> int:
        return bisect_right(self.starts, row) - 1

    def _from(self, piece: int) -> Iterator[pa.RecordBatch]:
        for number in range(piece, len(self.starts) - 1):
            yield from self.read(number)


def _joined(slices: list[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    if len(slices) == 1:
        return slices[0]
    table = pa.Table.from_batches(slices, slices[0].schema if slices else schema)
    columns = [_one(column) for column in table.columns]
    return pa.RecordBatch.from_arrays(columns, schema=table.schema)


def _one(column: pa.ChunkedArray) -> pa.Array:
    if not column.num_chunks:
        return pa.array([], column.type)
    return pa.concat_arrays(column.unify_dictionaries().chunks)


def open_rows(path: Path, format: str) -> Rows:
    """A file's rows. Raises SnapshotError for a file that is not of that format or is cut off."""
    try:
        return _parquet(path) if format == PARQUET else _arrow(path)
    except (pa.ArrowException, OSError):
        kind = "a Parquet file" if format == PARQUET else "an Arrow file"
        message = f"this is not {kind}, or it is cut off"
        problem = Problem(f"not-{format}", message, "write it anew", Place(path.as_posix()))
        raise SnapshotError([problem]) from None


def _parquet(path: Path) -> Rows:
    names = _names_in(pq.ParquetFile(path))
    file = pq.ParquetFile(path, read_dictionary=names)
    counts = [file.metadata.row_group(n).num_rows for n in range(file.metadata.num_row_groups)]

    def read(piece: int) -> Iterator[pa.RecordBatch]:
        made: Iterator[pa.RecordBatch] = file.iter_batches(_STEP, [piece], use_threads=False)
        return made

    return Rows(path, file.schema_arrow, counts, read)


def _names_in(file: pq.ParquetFile) -> list[str]:
    """The columns of texts of which few are different: names of things, not of accounts."""
    known = shape()
    fields = {name: known.account[name].kind for name in known.account if name != "account"}
    fields |= {name: one.kind for of in known.lines.values() for name, one in of.items()}
    columns = [file.schema.column(n) for n in range(len(file.schema))]
    return [
        one.path
        for one in columns
        if one.physical_type == "BYTE_ARRAY" and fields.get(one.name) in ("text", "instant")
    ]


def _arrow(path: Path) -> Rows:
    source = pa.memory_map(path.as_posix())
    file: Any = pa.ipc.open_file(source)
    counts = [file.get_batch(n).num_rows for n in range(file.num_record_batches)]
    return Rows(path, file.schema, counts, lambda piece: iter([file.get_batch(piece)]))


def is_stream(path: Path) -> bool:
    """Whether an Arrow file is a stream, which is read from its start only."""
    with path.open("rb") as file:
        return file.read(6) != b"ARROW1"
