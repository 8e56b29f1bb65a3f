"""Runs of a book that are killed, and gone on with: python killed_runs.py FOLDER.

Each run is a process of its own that kills itself before or after one of its steps on files, the
last rename among them, or is killed from outside at any time.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from books import book, rules
from policy_engine.portfolio.files import parts, sources
from policy_engine.portfolio.files.run import Order, Watch, run
from policy_engine.portfolio.files.sources import Source

TIMES, BY_TIME = 20, 5
OLD = b"what was there before"


def main() -> int:
    """Exits 1 where something half-written, or other bytes, are found."""
    folder = Path(sys.argv[1])
    sources.TABLE_ROWS = 40
    table = pa.Table.from_batches([book(300, seed=9, at_threshold=0.2)])
    pq.write_table(table, folder / "book.parquet", row_group_size=70)
    order = Order(Source(str(folder / "book.parquet"), "parquet"), rules())
    begin = time.monotonic()
    steps = count_steps(order, folder / "wanted.parquet")
    took = time.monotonic() - begin
    draw = random.Random(20)
    last = [steps - n for n in range(4)]  # the last rename and what is taken away after it
    moments = last + [draw.randrange(1, steps + 1) for _ in range(TIMES - BY_TIME - len(last))]
    killed = sum(by_step(order, folder, moment, draw.random() < 0.5) for moment in moments)
    while killed < TIMES:
        killed += by_time(order, folder, draw.uniform(0, took), draw.choice([0.0, took / 3]))
    print(f"{killed} runs killed, all gone on with to the same bytes")
    return 0


def count_steps(order: Order, output: Path) -> int:
    """Make the answer that is wanted, and count the steps on files."""
    count = 0

    def step(do: Callable[[], Any]) -> Any:
        nonlocal count
        count += 1
        return do()

    with_steps(step)
    run(made(order, output), Watch())
    return count


def by_step(order: Order, folder: Path, moment: int, after: bool) -> bool:
    count = 0

    def step(do: Callable[[], Any]) -> Any:
        nonlocal count
        count += 1
        if count == moment and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = do()
        if count == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return gone_on_with(order, folder, lambda child: None, step)


def by_time(order: Order, folder: Path, moment: float, keep_after: float) -> bool:
    """What is done before `keep_after` is not kept, what is done later is."""

    def kill(child: int) -> None:
        time.sleep(moment)
        os.kill(child, signal.SIGKILL)

    return gone_on_with(order, folder, kill, lambda do: do(), keep_after)


def gone_on_with(
    order: Order,
    folder: Path,
    kill: Callable[[int], None],
    step: Callable[[Callable[[], Any]], Any],
    keep_after: float = 0.0,
) -> bool:
    """Whether a run was killed; then it is run again, and gives the same bytes."""
    output, wanted = folder / "answer.parquet", (folder / "wanted.parquet").read_bytes()
    output.write_bytes(OLD)
    child = os.fork()
    if child == 0:
        with_steps(step)
        run(made(order, output, keep_after), Watch())
        os._exit(0)
    kill(child)
    _, status = os.waitpid(child, 0)
    assert output.read_bytes() in (OLD, wanted), "half-written under the final name"
    with_steps(lambda do: do())
    run(made(order, output), Watch())
    assert output.read_bytes() == wanted, "other bytes"
    assert sorted(path.name for path in folder.iterdir()) == [
        "answer.parquet",
        "book.parquet",
        "wanted.parquet",
    ]
    return os.WIFSIGNALED(status)


def made(order: Order, output: Path, keep_after: float = 0.0) -> Order:
    return replace(order, output=output, keep_after=keep_after)


REAL: list[Any] = [Path.replace, Path.unlink, shutil.rmtree, parts.Parts.note, os.fsync]


def with_steps(step: Callable[[Callable[[], Any]], Any]) -> None:
    """Have every step on files pass through `step`."""

    def passed(real: Any) -> Any:
        return lambda *given, **named: step(lambda: real(*given, **named))

    Path.replace, Path.unlink, shutil.rmtree, parts.Parts.note, os.fsync = map(  # type: ignore
        passed, REAL
    )


if __name__ == "__main__":
    sys.exit(main())
