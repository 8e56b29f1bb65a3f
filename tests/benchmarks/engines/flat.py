"""A book as float engines like it best: three flat tables of doubles instead of nested decimals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engines.policy import LOW_LEVERAGE

ACCOUNTS, POSITIONS, ORDERS = "accounts.parquet", "positions.parquet", "orders.parquet"
STATUSES = ("liquidation", "margin_call", "normal")
PERMISSIONS = ("trade", "borrow", "transfer_out")
LEAST = (0.1112, 0.0527)
"""The least initial margin rate where leverage is low, and elsewhere: 1/9 and 1/19 rounded up."""

Array = np.ndarray[Any, Any]


def write(batch: pa.RecordBatch, folder: Path) -> None:
    """Write the three tables of a book. Each row of them names its account by its number."""
    low = np.isin(batch["region"].to_pylist(), LOW_LEVERAGE)
    ratio = _double(batch["margin_call_ratio"].field("pro"))
    accounts = {
        "row": np.arange(batch.num_rows, dtype=np.int32),
        "low_leverage": low,
        "margin_call_ratio": ratio,
        "questionnaire_completed": batch["questionnaire_completed"],
        "terms_accepted": batch["terms_accepted"],
    }
    pq.write_table(pa.table(accounts), folder / ACCOUNTS)
    pq.write_table(_lines(batch["assets"]), folder / POSITIONS)
    pq.write_table(_lines(batch["orders"]), folder / ORDERS)


def _lines(lists: pa.Array) -> pa.Table:
    lines = lists.flatten()
    counts = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
    rows = np.repeat(np.arange(len(lists), dtype=np.int32), counts)
    columns = {
        field.name: _double(part) if pa.types.is_decimal(part.type) else _coins(part)
        for field, part in zip(lines.type, lines.flatten(), strict=True)
    }
    return pa.table({"row": rows, **columns})


def _coins(part: pa.Array) -> pa.Array:
    return part if pa.types.is_dictionary(part.type) else part.dictionary_encode()


def _double(part: pa.Array) -> pa.Array:
    """The nearest doubles: Arrow's own cast is off by a step here and there."""
    return part.cast(pa.string()).cast(pa.float64())


def decisions(path: Path) -> Array:
    """A number for each account, by its row: its status and its three permissions."""
    table = pq.read_table(path, columns=["row", "status", *PERMISSIONS])
    made = coded(table["status"], {name: table[name] for name in PERMISSIONS})
    ordered: Array = made[np.argsort(table["row"].to_numpy())]
    return ordered


def coded(status: pa.ChunkedArray, permitted: Mapping[str, pa.ChunkedArray]) -> Array:
    """Statuses and permissions as a number each."""
    names = pc.index_in(status.cast(pa.string()), pa.array(STATUSES))
    made: Array = names.to_numpy().astype(np.int64)
    for name in PERMISSIONS:
        made = made * 2 + permitted[name].to_numpy()
    return made


def code(status: str, trade: bool, borrow: bool, transfer_out: bool) -> int:
    """The same of one account."""
    return STATUSES.index(status) * 8 + trade * 4 + borrow * 2 + transfer_out
