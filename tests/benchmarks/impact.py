"""The impact of the 2025 Pro update on books: account by account, and in columns.

python tests/benchmarks/impact.py [ACCOUNTS [ACCOUNTS OF TABLES]]

First a book in JSON Lines: the seconds to read it, to decide every account by both sides, to tell
their permissions too, and for the whole impact with its causes. Exits 1 where the whole takes more
than `BOUND` times what deciding with permissions takes.

Then books in Parquet, of five positions each, without figures: R is random, A has a tenth of its
accounts at a threshold or one step from it. A part of each is compared account by account too: the
reports must be the same, the time is scaled. Exits 1 where they differ, or where columns are not
`LEAST_RATIO` times as fast. Needs the extra `portfolio`.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.append(str(Path(__file__).resolve().parents[1]))

from book_of_accounts import json_lines
from books import book, five_coin_files
from policy_engine import Rulebook, Rules
from policy_engine.books import Row, open_book
from policy_engine.books.formats import PARQUET
from policy_engine.diff import Changes
from policy_engine.impact import batches, table
from policy_engine.impact.measure import impact
from policy_engine.impact.model import Impact
from policy_engine.portfolio.files.sources import Source

BEFORE, AFTER = "2025-01-21T09:59:59Z", "2025-01-21T10:00:00Z"
BOUND = Decimal(2)
LEAST_RATIO = 5
ACCOUNTS, OF_TABLES = 10_000, 100_000
COMPARED, TURNS = 2_000, 3
AT_A_TIME = 50_000


def seconds(job: Callable[[], object]) -> float:
    begin = perf_counter()
    job()
    return perf_counter() - begin


def main(count: int, of_tables: int) -> int:
    """Measure books of so many accounts; the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        failed = [one_by_one(count, Path(folder))]
        print(f"\n{of_tables:,} accounts in Parquet{'s':>9}   one by one   ratio   flips")
        for name, part in (("R", 0.0), ("A", 0.1)):
            failed.append(in_columns(name, of_tables, part, Path(folder)))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
    return max(failed)


def one_by_one(count: int, folder: Path) -> int:
    """A book in JSON Lines."""
    rules = Rulebook.load()
    sides = rules.in_force(BEFORE), rules.in_force(AFTER)
    changes = rules.diff(BEFORE, AFTER)
    path = folder / "book.jsonl"
    path.write_text("".join(json_lines(count)))
    rows: list[Row] = []
    reading = seconds(lambda: rows.extend(open_book(str(path)).rows))
    both = [(side, row.snapshot) for row in rows for side in sides]
    deciding = seconds(lambda: [side.decide(snapshot).status for side, snapshot in both])
    telling = seconds(lambda: [side.decide(snapshot).permissions for side, snapshot in both])
    whole = seconds(lambda: impact(*sides, changes, iter(rows)))
    print(f"{count:,} accounts in JSON Lines: read {reading:.2f} s")
    print(f"decided by both sides: {deciding:.2f} s, with permissions {telling:.2f} s")
    ratio = Decimal(whole / telling).quantize(Decimal("0.01"))
    print(f"impact, causes and all: {whole:.2f} s, {ratio} times that (at most {BOUND})")
    return 0 if ratio <= BOUND else 1


def in_columns(name: str, count: int, at_threshold: float, folder: Path) -> int:
    """A book in Parquet."""
    rules = Rulebook(five_coin_files())
    sides = rules.in_force(BEFORE), rules.in_force(AFTER), rules.diff(BEFORE, AFTER)
    source = Source(str(folder / "book.parquet"), PARQUET)
    some = write(count, at_threshold, source.path)
    loop = _loop(sides, some) * count
    begin = perf_counter()
    found = table.impact(table.Change(*sides), source, figures=False)
    taken = perf_counter() - begin
    wanted = impact(*sides, batches.rows_of([some]))
    same = decided(batches.impact(*sides, [some])) == decided(wanted)
    ratio = loop / taken
    print(f"{name}{taken:28.1f} s{loop:11.1f} s{ratio:8.1f}{len(found.flips):8,}")
    if not same:
        print("the reports of the two ways differ")
    return int(not same or ratio < LEAST_RATIO)


def _loop(sides: tuple[Rules, Rules, Changes], some: pa.RecordBatch) -> float:
    """The seconds of an account in a loop, without what is made once of the rules."""
    sizes = (COMPARED // 4, COMPARED)
    turns = [
        [seconds(lambda n=n: impact(*sides, batches.rows_of([some.slice(0, n)]))) for n in sizes]  # type: ignore[misc]
        for _ in range(TURNS)
    ]
    few, most = (float(min(times)) for times in zip(*turns, strict=True))
    return (most - few) / (sizes[1] - sizes[0])


def write(count: int, at_threshold: float, path: Path) -> pa.RecordBatch:
    """Write a book, some accounts at a time; its first accounts."""
    some: list[pa.RecordBatch] = []
    writer = None
    for seed, start in enumerate(range(0, count, AT_A_TIME)):
        size = min(AT_A_TIME, count - start)
        batch = book(size, seed, at_threshold=at_threshold)
        names = pa.array([f"A-{start + n}" for n in range(size)])
        batch = batch.set_column(batch.schema.get_field_index("account"), "account", names)
        some = some or [batch.slice(0, COMPARED)]
        writer = writer or pq.ParquetWriter(path, batch.schema)
        writer.write_batch(batch)
    assert writer is not None
    writer.close()
    return some[0]


def decided(found: Impact) -> Impact:
    """What a report says without its figures."""
    counts = replace(found.counts, identical=0, reworded=0, figures=0, alike=0)
    parts = {"distributions": (), "totals": (), "assumptions": (), "compared": False}
    return replace(found, counts=counts, **parts)  # type: ignore[arg-type]


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    sys.exit(main(*(given + [ACCOUNTS, OF_TABLES][len(given) :])))
