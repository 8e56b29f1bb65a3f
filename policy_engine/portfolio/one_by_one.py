"""Batches decided account by account: what a loop of `rules.decide` gives, as a record batch."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from policy_engine.decision import Decision
from policy_engine.errors import SnapshotError
from policy_engine.numbers import text_of, tidy
from policy_engine.portfolio.outcome import CODED, Answered, error_text, rules_digest
from policy_engine.portfolio.rows import Snapshot, snapshots
from policy_engine.rules import Rules

Found = Decision | SnapshotError


def each_decided(batch: pa.RecordBatch, rules: Rules) -> list[Found]:
    """The decision on every row of a batch, or what is wrong with it."""
    return [decided(snapshot, rules) for snapshot in snapshots(batch, range(batch.num_rows))]


def decided(snapshot: Snapshot, rules: Rules) -> Found:
    """The decision on a snapshot, or what is wrong with it."""
    try:
        return rules.decide(snapshot)
    except SnapshotError as error:
        return error


def as_batch(
    found: Sequence[Found], accounts: pa.Array, answered: Answered, exactly: bool = False
) -> pa.RecordBatch:
    """Decisions as rows of an answer; `exactly`: values as exact texts, not as doubles."""
    schema = answered.exact_schema if exactly else answered.schema
    decisions = [one if isinstance(one, Decision) else None for one in found]
    figure, kind = (_text, pa.string()) if exactly else (_double, pa.float64())
    rulings = (
        [one and one.ruling(n)[0].permitted for one in decisions] for n in answered.permissions
    )
    values = ([one and figure(one.figure(name)) for one in decisions] for name in answered.values)
    columns = [
        accounts.cast(pa.string()),
        _coded([one.status if one else None for one in decisions], answered.statuses),
        *(pa.array(column, pa.bool_()) for column in rulings),
        *(pa.array(column, kind) for column in values),
        pa.array([one is not None for one in decisions], pa.bool_()),
        pa.array([error_text(one) for one in found], pa.string()),
        _coded(
            [rules_digest(one.rulesets) if one else None for one in decisions], answered.digests
        ),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _double(value: Any) -> float | None:
    return float(value) if isinstance(value, Decimal) else None


def _text(value: Any) -> str | None:
    return str(text_of(tidy(value))) if isinstance(value, Decimal) else None


def _coded(names: Sequence[str | None], known: Sequence[str]) -> pa.Array:
    """Names as codes of a dictionary, the same one in every batch."""
    places = {name: place for place, name in enumerate(known)}
    codes = pa.array([None if name is None else places[name] for name in names], CODED.index_type)
    return pa.DictionaryArray.from_arrays(codes, pa.array(known, CODED.value_type))
