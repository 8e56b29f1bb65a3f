"""Answers as a file of one of the formats, written batch by batch."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from policy_engine.books.formats import ARROW, CSV, PARQUET


class Writer(Protocol):
    """What takes the batches of an answer in their order."""

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Write some rows."""


@contextmanager
def writer(path: Path, format: str, schema: pa.Schema) -> Iterator[Writer]:
    """A new file of that format; it is whole when the context ends."""
    if format == PARQUET:
        names = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        with pq.ParquetWriter(path, schema, compression="lz4", use_dictionary=names) as parquet:
            yield parquet
    elif format == ARROW:
        with pa.OSFile(path.as_posix(), "wb") as sink, pa.ipc.new_file(sink, schema) as arrow:
            yield arrow
    elif format == CSV:
        spelled = _spelled(schema)
        with pa.csv.CSVWriter(path.as_posix(), spelled) as csv:
            yield _Cast(csv, spelled)
    else:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            yield _Lines(file)


def _spelled(schema: pa.Schema) -> pa.Schema:
    """The columns with texts in place of dictionaries."""
    kinds = ((field.name, field.type) for field in schema)
    return pa.schema(
        (name, kind.value_type if pa.types.is_dictionary(kind) else kind) for name, kind in kinds
    )


class _Cast:
    def __init__(self, inner: Writer, schema: pa.Schema) -> None:
        self.inner, self.schema = inner, schema

    def write_batch(self, batch: pa.RecordBatch) -> None:
        self.inner.write_batch(batch.cast(self.schema))


class _Lines:
    """Rows as JSON, one on each line; what is unlimited says so in a word."""

    def __init__(self, file: Any) -> None:
        self.file = file

    def write_batch(self, batch: pa.RecordBatch) -> None:
        encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
        self.file.writelines(encode(_plain(row)) + "\n" for row in batch.to_pylist())


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return "unlimited" if value > 0 else "-unlimited"
    return value
