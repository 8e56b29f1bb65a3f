"""Under Spark a book is decided as it is in one batch: row for row, broken rows too."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from books import book, rules
from policy_engine import SnapshotError
from policy_engine.portfolio import decide
from portfolios import batch_of

pytest.importorskip("pyspark", reason="pyspark is not installed")
if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
    pytest.skip("no Java is installed to run Spark on", allow_module_level=True)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")
"""It needs pandas for `mapInArrow` though no frame of pandas is made."""

ACCOUNTS = 9_000
PARTS = 2


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """Spark on two cores of this machine, whose workers are this Python."""
    from pyspark.sql import SparkSession

    kept = {name: os.environ.get(name) for name in ("PYSPARK_PYTHON", "PYTHONPATH")}
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
    for name, value in kept.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="module")
def frame(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> DataFrame:
    """A book with accounts at thresholds, coins that are not known, and broken rows, in parts."""
    folder = tmp_path_factory.mktemp("book")
    for part in range(PARTS):
        write(whole().slice(part * ACCOUNTS // PARTS, ACCOUNTS // PARTS), folder / str(part))
    return spark.read.parquet(f"{folder}/*")


def whole() -> pa.RecordBatch:
    batch = book(ACCOUNTS, 3, at_threshold=0.1, strangers=0.05)
    modes = batch["mode"].to_pylist()
    for row in range(0, ACCOUNTS, 300):
        modes[row] = "basic" if row % 600 else None
    place = batch.schema.get_field_index("mode")
    return batch.set_column(place, "mode", pa.array(modes))


def write(batch: pa.RecordBatch, path: Path) -> None:
    pq.write_table(pa.Table.from_batches([batch]), path)


def rows_of(frame: DataFrame) -> list[dict[str, Any]]:
    return by_account(row.asDict() for row in frame.collect())


def by_account(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in the order of their accounts. Which are decided exactly is left out: that depends on
    what stands beside them in a batch."""
    told = ({name: row[name] for name in row if name != "decided_exactly"} for row in rows)
    return sorted(told, key=itemgetter("account"))


@pytest.fixture(scope="module")
def answered(frame: DataFrame) -> list[dict[str, Any]]:
    """What Spark made of the book."""
    from policy_engine.portfolio.spark import decided

    answer = decided(frame, rules())
    assert answer.columns == decide(whole(), rules()).schema.names
    return rows_of(answer)


def test_every_row_is_decided_as_in_one_batch(answered: list[dict[str, Any]]) -> None:
    assert len(answered) == ACCOUNTS
    assert answered == by_account(decide(whole(), rules()).to_pylist())


def test_broken_rows_are_kept_and_all_others_have_a_digest(answered: list[dict[str, Any]]) -> None:
    broken = [row for row in answered if row["error"] is not None]
    assert len(broken) == ACCOUNTS // 300
    assert {row["status"] for row in broken} == {row["rules_digest"] for row in broken} == {None}
    digests = {row["rules_digest"] for row in answered if row["error"] is None}
    assert len(digests) == 2
    assert all(digest.startswith("sha256:") for digest in digests)


def test_texts_will_do_for_numbers(spark: SparkSession, tmp_path: Path) -> None:
    from policy_engine.portfolio.spark import decided

    line = {"asset": "BTC", "free": "2", "locked": "0", "borrowed": "1", "interest": "0"}
    accounts = [
        {"account": f"A-{n}", "mode": "pro", "region": "FR", "assets": [line | {"price": price}]}
        for n, price in enumerate(("10000", "-1", "98123.45"))
    ]
    batch = batch_of(accounts, without=("at", "prices"))
    write(batch, tmp_path / "texts.parquet")
    answer = rows_of(decided(spark.read.parquet(str(tmp_path)), rules()))
    assert answer == by_account(decide(batch, rules()).to_pylist())
    assert [row["error"] is None for row in answer] == [True, False, True]


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"regoin": "region", "mode": "mode"}, "unknown-key"),
        ({"mode": "mode", "region": "cast(1.5 as double)"}, "wrong-column-type"),
    ],
)
def test_wrong_columns_are_told_before_anything_runs(
    frame: DataFrame, columns: dict[str, str], code: str
) -> None:
    from policy_engine.portfolio.spark import decided

    asked = frame.selectExpr(
        "account", "assets", "orders", *(f"{of} as {name}" for name, of in columns.items())
    )
    with pytest.raises(SnapshotError) as caught:
        decided(asked, rules())
    assert [problem.code for problem in caught.value.problems] == [code]
