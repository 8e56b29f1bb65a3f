"""Accounts of a Spark frame, decided where its partitions are: Spark carries batches, no more.

The rules travel as their documents, packed once, so every machine decides under the same text; the
digest of the versions that decided stands on every row.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from functools import lru_cache, partial

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

from policy_engine.portfolio.batches import portfolio
from policy_engine.rules import Rules


def decided(frame: DataFrame, rules: Rules) -> DataFrame:
    """The decision on every account of a frame, in its order: one row for each.

    The columns are those that `decide` takes and gives, with texts for its dictionaries. Raises
    SnapshotError at once for columns that no row could be read from.
    """
    made, columns = portfolio(rules), to_arrow_schema(frame.schema)
    made.check(pa.RecordBatch.from_pylist([], columns))  # what a task raises comes as a traceback
    answered = from_arrow_schema(_spelled(made.answered.schema))
    return frame.mapInArrow(partial(_decided, pickle.dumps(rules)), answered)


def _decided(packed: bytes, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    made = portfolio(_unpacked(packed))
    for batch in batches:
        answer = made.decide(batch)
        yield answer.cast(_spelled(answer.schema))


@lru_cache(maxsize=8)
def _unpacked(packed: bytes) -> Rules:
    """The rules, made once in a process, which serves many tasks."""
    made: Rules = pickle.loads(packed)
    return made


def _spelled(schema: pa.Schema) -> pa.Schema:
    """The same columns with texts where there are dictionaries, which Spark has none of."""
    kinds = ((field.name, field.type) for field in schema)
    return pa.schema(
        (name, kind.value_type if pa.types.is_dictionary(kind) else kind) for name, kind in kinds
    )
