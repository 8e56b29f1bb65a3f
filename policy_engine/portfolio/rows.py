"""Rows of a batch as snapshots, for the rules to decide one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from policy_engine.fields import shape
from policy_engine.lines import PRICES
from policy_engine.model import LISTS
from policy_engine.numbers import DIGITS_AFTER_POINT, instant_text

Snapshot = dict[str, Any]


def snapshots(batch: pa.RecordBatch, rows: Sequence[int]) -> Iterator[Snapshot]:
    """The snapshot of each of some rows, which are in order and each once.

    What is null there is not given, but for lists.
    """
    taken = batch if len(rows) == batch.num_rows else batch.take(pa.array(rows, pa.int64()))
    if len(rows) <= _FEW:
        yield from map(_snapshot, taken.to_pylist())
        return
    columns = [
        _lists(taken.column(n), name) if name in LISTS else _values(taken.column(n), name)
        for n, name in enumerate(batch.schema.names)
    ]
    names = batch.schema.names
    for values in zip(*columns, strict=True):
        pairs = zip(names, values, strict=True)
        yield {name: value for name, value in pairs if value is not _ABSENT}


_ABSENT = object()
_FEW = 100
"""So many rows are read sooner one by one."""


def _snapshot(row: Snapshot) -> Snapshot:
    made: Snapshot = {}
    for name, value in row.items():
        if name in LISTS:
            if value is not None:
                made[name] = [plainly(line) for line in value]
            elif shape().account[name].nullable:
                made[name] = None
        elif value is not None:
            made[name] = _prices(value) if name == PRICES else plainly(value)
    return made


def _values(array: pa.Array, name: str) -> list[Any]:
    """A column of the account, as a snapshot has it."""
    spelled = _prices if name == PRICES else plainly
    return [_ABSENT if value is None else spelled(value) for value in array.to_pylist()]


def _lists(array: pa.Array, name: str) -> list[Any]:
    """A list of lines for each row; a null one is unknown where a snapshot can say so."""
    missing = None if shape().account[name].nullable else _ABSENT
    if pa.types.is_null(array.type):
        return [missing] * len(array)
    lines = _lines(array.flatten())
    counts = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
    ends = np.cumsum(counts)
    made = [lines[start:end] for start, end in zip(ends - counts, ends, strict=True)]
    if not array.null_count:
        return made
    return [one if there else missing for one, there in zip(made, _valid(array), strict=True)]


def _valid(array: pa.Array) -> list[bool]:
    made: list[bool] = array.is_valid().to_pylist()
    return made


def _lines(lines: pa.Array) -> list[dict[str, Any] | None]:
    if pa.types.is_null(lines.type):
        return [None] * len(lines)
    names = [lines.type.field(n).name for n in range(lines.type.num_fields)]
    parts = lines.flatten()
    columns = [_texts(part) for part in parts]
    made: list[dict[str, Any] | None]
    made = [dict(zip(names, line, strict=True)) for line in zip(*columns, strict=True)]
    if any(part.null_count for part in parts):
        made = [{k: v for k, v in (line or {}).items() if v is not None} for line in made]
    if not lines.null_count:
        return made
    return [one if there else None for one, there in zip(made, _valid(lines), strict=True)]


def _texts(part: pa.Array) -> list[Any]:
    """The figures of lines as texts, None where there is none."""
    if pa.types.is_decimal128(part.type) and 0 < part.type.scale <= DIGITS_AFTER_POINT:
        quick = _short_decimals(part)
        if quick is not None:
            return quick
    return [None if value is None else plainly(value) for value in part.to_pylist()]


def _short_decimals(part: pa.Array) -> list[str] | None:
    """Decimals of 64 bits spelled from their digits; None where that is not what they are."""
    halves = np.frombuffer(part.buffers()[1], np.int64).reshape(-1, 2)
    halves = halves[part.offset : part.offset + len(part)]
    if part.null_count or halves[:, 1].any() or (halves[:, 0] < 0).any():
        return None
    scale = part.type.scale
    digits = [str(whole).zfill(scale + 1) for whole in halves[:, 0].tolist()]
    return [f"{one[:-scale]}.{one[-scale:]}" for one in digits]


def plainly(value: Any) -> Any:
    """A value as a snapshot has it."""
    if isinstance(value, bool) or value.__class__ is str:
        return value
    if isinstance(value, Decimal):
        return _decimal_text(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, dict):
        return {name: plainly(inner) for name, inner in value.items() if inner is not None}
    return value


def _decimal_text(value: Decimal) -> str:
    """A decimal with the zeros it was written with, but for those of more digits than may be."""
    text = format(value, "f")
    if len(text) <= DIGITS_AFTER_POINT or "." not in text:
        return text
    cut = len(text) - len(text.partition(".")[2]) + DIGITS_AFTER_POINT
    return text[:cut] + text[cut:].rstrip("0")


def _prices(value: Any) -> Any:
    """Prices as a mapping, from a map or a struct."""
    if isinstance(value, list):
        return {name: plainly(price) for name, price in value if price is not None}
    return plainly(value)
