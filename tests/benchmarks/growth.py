"""How time and memory grow with a book: ten times the accounts, Parquet to Parquet, in one run.

python tests/benchmarks/growth.py [ACCOUNTS]

The larger book has the accounts of the smaller ten times. Each is decided by a process of its own,
`policy-engine portfolio` as anyone runs it, the two taking turns. Exits 1 where an account of the
larger book takes over a tenth longer than one of the smaller, or either takes a gigabyte.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from book_peers import BATCH, ROW_GROUP, batches
from books import AT, RULES

ACCOUNTS, TIMES, TURNS = 1_000_000, 10, 3
MOST_RATIO, MOST_MEGABYTES = 1.1, 1024


def main() -> int:
    """Write both books, decide them in turns.

    They are written by another process: a process counts the memory of who started it as its own.
    """
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS
    with tempfile.TemporaryDirectory() as made:
        small, large = Path(made, "small.parquet"), Path(made, "large.parquet")
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            pool.submit(write, small, count, 1).result()
            pool.submit(write, large, count, TIMES).result()
        turns = [(_decided(small), _decided(large)) for _ in range(TURNS)]
    seconds, memory = _least(turns, 0), _least(turns, 1)
    ratio = seconds[1] / seconds[0] / TIMES
    for size, taken, megabytes in zip((count, count * TIMES), seconds, memory, strict=True):
        print(f"{size:12,} accounts{taken:9.2f} s{taken / size * 1e6:9.2f} µs{megabytes:7,.0f} MB")
    print(f"an account of the larger book takes {ratio:.2f} of one of the smaller")
    return int(ratio > MOST_RATIO or max(memory) > MOST_MEGABYTES)


def write(path: Path, count: int, times: int) -> None:
    """Write a book of so many accounts, so many times one after the other."""
    made = list(batches(count))
    with pq.ParquetWriter(path, made[0].schema, store_decimal_as_integer=True) as file:
        for time in range(times):
            for number, batch in enumerate(made):
                start = time * count + number * BATCH
                names = pa.array([f"A-{start + row}" for row in range(batch.num_rows)])
                place = batch.schema.get_field_index("account")
                named = batch.set_column(place, "account", names).cast(made[0].schema)
                file.write_batch(named, row_group_size=ROW_GROUP)


def _decided(path: Path) -> tuple[float, float]:
    """The seconds and the most megabytes that deciding a book takes."""
    out = path.with_name("answer.parquet")
    out.unlink(missing_ok=True)
    program = Path(sys.executable).with_name("policy-engine").as_posix()
    options = ["-o", out.as_posix(), "--rules", RULES.as_posix(), "--at", AT]
    command = [program, "portfolio", path.as_posix(), *options]
    begin = perf_counter()
    child = os.posix_spawn(program, command, os.environ, file_actions=_MUTE)
    _, status, used = os.wait4(child, 0)
    assert status == 0
    return perf_counter() - begin, used.ru_maxrss / 1024


_MUTE = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]


def _least(turns: Sequence[tuple[tuple[float, float], ...]], at: int) -> list[float]:
    return [min(turn[book][at] for turn in turns) for book in range(2)]


if __name__ == "__main__":
    sys.exit(main())
