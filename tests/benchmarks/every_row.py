"""Every row of a book decided in columns, compared with what the rules and the oracle say of it.

python tests/benchmarks/every_row.py [ACCOUNTS [BY_THE_ORACLE]]

R is random, A has a tenth of its accounts at a threshold or one step from it; five positions each.
Status, every permission (not known included), every value and its bound, of every account of both
books, are compared with a decision by itself; of the first accounts of each book with the oracle
too, which shares no line with the engine and computes in fractions. Exits 1 if anything differs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from functools import cache
from math import inf
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import oracle
from books import AT, book, five_coin_files, rules
from oracle_case import Books
from oracle_case import books as oracle_books
from policy_engine.portfolio import decide
from policy_engine.portfolio.rows import snapshots
from portfolios import differences

ACCOUNTS, BY_THE_ORACLE = 1_000_000, 10_000
BATCH = 10_000
BOOKS = (("R", 0.0), ("A", 0.1))
NEAR = Fraction(1, 1_000_000)
"""A value is a double, and off by so much of itself, or of 1, at most."""


class Task(NamedTuple):
    """A batch of a book, and how many of its first rows the oracle is asked about."""

    at_threshold: float
    seed: int
    rows: int
    asked: int


class Compared(NamedTuple):
    """How many rows were compared, how many had been decided exactly, and what differs."""

    rows: int
    exactly: int
    asked: int
    different: list[Any]


def main() -> int:
    """Compare both books."""
    given = [int(one) for one in sys.argv[1:3]]
    count, asked = [*given, *(ACCOUNTS, BY_THE_ORACLE)[len(given) :]]
    print(
        f"{'':4}{'accounts':>12}{'exactly':>10}{'by the oracle':>16}{'different':>12}{'time':>10}"
    )
    failed = [_book(name, part, count, asked // len(BOOKS)) for name, part in BOOKS]
    return int(any(failed))


def _book(name: str, at_threshold: float, count: int, asked: int) -> bool:
    """Whether anything differs in a book."""
    begin, found = perf_counter(), []
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool:
        for one in pool.map(compared, _tasks(at_threshold, count, asked)):
            found.append(one)
            print(f"\r{name} {sum(part.rows for part in found):,}", end="", file=sys.stderr)
    rows, exactly = sum(one.rows for one in found), sum(one.exactly for one in found)
    by_oracle = sum(one.asked for one in found)
    different = [line for one in found for line in one.different]
    seconds = f"{perf_counter() - begin:.0f} s"
    print(
        f"\r{name:4}{rows:12,}{exactly:10,}{by_oracle:16,}{len(different):12,}{seconds:>10}",
        *different[:10],
        sep="\n",
    )
    return bool(different)


def _tasks(at_threshold: float, count: int, asked: int) -> Iterator[Task]:
    for seed, start in enumerate(range(0, count, BATCH)):
        rows = min(BATCH, count - start)
        yield Task(at_threshold, seed, rows, min(max(asked - start, 0), rows))


def compared(task: Task) -> Compared:
    """A batch in columns beside each of its rows."""
    in_force = rules()
    batch = book(task.rows, task.seed, at_threshold=task.at_threshold)
    answer = decide(batch, in_force)
    found = list(differences(batch, answer, in_force))
    found += _from_oracle(batch.slice(0, task.asked), answer.slice(0, task.asked))
    exactly = int(pc.sum(answer["decided_exactly"]).as_py())
    return Compared(task.rows, exactly, task.asked, found)


@cache
def _there() -> Books:
    documents = [yaml.load(text, yaml.BaseLoader) for _, text in five_coin_files()]
    return oracle_books(documents, AT)


def _from_oracle(batch: pa.RecordBatch, answer: pa.RecordBatch) -> Iterator[Any]:
    rows = zip(snapshots(batch, range(batch.num_rows)), answer.to_pylist(), strict=True)
    for snapshot, row in rows:
        said = oracle.decided(_there(), snapshot)
        if said["status"] != row["status"]:
            yield row["account"], "status by the oracle", row["status"], said["status"]
        for name, ruling in said["permissions"].items():
            if ruling["permitted"] != row[f"{name}_permitted"]:
                yield row["account"], f"{name} by the oracle", row[f"{name}_permitted"], ruling
        for name, value in said["values"].items():
            if name in row and not _near(row[name], value):
                yield row["account"], f"{name} by the oracle", row[name], value


def _near(told: float | None, exact: Any) -> bool:
    if told is None or not isinstance(exact, Fraction):
        return told == (inf if exact == "unlimited" else exact)
    return abs(Fraction(told) - exact) <= NEAR * max(abs(exact), Fraction(1))


if __name__ == "__main__":
    sys.exit(main())
