"""Snapshots as a batch, and the comparison of a batch's answers with those of the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa

from policy_engine import PolicyError, Rules
from policy_engine.errors import Problem
from policy_engine.portfolio.rows import snapshots

TEXT = pa.string()
SCHEMA = pa.schema(
    [
        ("account", TEXT),
        ("at", TEXT),
        ("mode", TEXT),
        ("leverage", pa.int64()),
        ("region", TEXT),
        ("vip_level", pa.int64()),
        ("margin_call_ratio", pa.struct([("classic", TEXT), ("pro", TEXT)])),
        ("questionnaire_completed", pa.bool_()),
        ("terms_accepted", pa.bool_()),
        ("open_order_loss", TEXT),
        ("prices", pa.map_(TEXT, TEXT)),
        *(
            (name, pa.list_(pa.struct([(field, TEXT) for field in fields.split()])))
            for name, fields in (
                ("assets", "asset free locked borrowed interest price"),
                ("orders", "sell sell_quantity buy buy_quantity"),
                ("loans", "asset principal hourly_rate borrowed_at"),
            )
        ),
    ]
)


def batch_of(accounts: Iterable[Mapping[str, Any]], without: Iterable[str] = ()) -> pa.RecordBatch:
    """Snapshots as a batch of texts. No orders become an empty list, unless a total is given."""
    rows = []
    for snapshot in accounts:
        row = dict(snapshot)
        if row.get("open_order_loss") is None:
            row.setdefault("orders", [])
        row["prices"] = list(row["prices"].items()) if row.get("prices") else None
        rows.append({name: value for name, value in row.items() if name not in without})
    fields = [field for field in SCHEMA if field.name not in without]
    return pa.RecordBatch.from_pylist(rows, schema=pa.schema(fields))


def differences(batch: pa.RecordBatch, answer: pa.RecordBatch, rules: Rules) -> Iterator[Any]:
    """Everything that a batch's answer says otherwise than the rules say of its rows."""
    rows = zip(answer.to_pylist(), snapshots(batch, range(batch.num_rows)), strict=True)
    for row, snapshot in rows:
        for name, said, wanted in _compared(row, snapshot, rules):
            if not _alike(said, wanted):
                yield row["account"], name, said, wanted


def _compared(
    row: Mapping[str, Any], snapshot: Mapping[str, Any], rules: Rules
) -> Iterator[tuple[str, Any, Any]]:
    yield "account", row["account"], snapshot["account"]
    try:
        decision = rules.decide(snapshot)
    except PolicyError as error:
        yield "error", row["error"], "; ".join(map(_told, error.problems))
        return
    yield "error", row["error"], None
    yield "status", row["status"], decision.status
    for name, ruling in decision.permissions.items():
        yield f"{name}_permitted", row[f"{name}_permitted"], ruling.permitted
    for name, value in decision.values.items():
        if name in row and (value is None or isinstance(value, Decimal)):
            yield name, row[name], value


def _told(problem: Problem) -> str:
    return f"{problem} (hint: {problem.hint})" if problem.hint else str(problem)


def _alike(said: Any, wanted: Any) -> bool:
    """Values are doubles that may be off by a millionth of themselves, or of 1."""
    if not isinstance(wanted, Decimal) or said is None:
        return bool(said == wanted)
    near = Decimal("0.000001") * max(abs(wanted), Decimal(1))
    return Decimal(said) == wanted or (wanted.is_finite() and abs(Decimal(said) - wanted) <= near)
