"""A book of accounts on columns, beside a loop of decisions, in one run.

python tests/benchmarks/columns.py [ACCOUNTS]

R is random, A has a tenth of its accounts at a threshold or one step from it; five positions each.
A part of the accounts is decided one by one too: the answers are compared, the time is scaled.
Exits 1 if a decision differs, or below the bound.
"""

from __future__ import annotations

import resource
import sys
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time

import pyarrow as pa
import pyarrow.compute as pc

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from books import book, rules
from policy_engine import Rules
from policy_engine.portfolio import decide
from policy_engine.portfolio.rows import snapshots
from portfolios import differences

ACCOUNTS = 1_000_000
COMPARED = 3_000
BATCH = 250_000
LEAST_RATIO = 10
"""The columns must be at least so many times as fast as the loop."""


def main() -> int:
    """Compare the answers, then the times."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS
    in_force = rules()
    print(f"{count:,} accounts, 5 positions, {in_force.versions['cross_margin_pro'].id}")
    print(f"{'':4}wall      cpu   exactly     loop   ratio   bound")
    failed = [_timed(name, count, part, in_force) for name, part in (("R", 0.0), ("A", 0.1))]
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
    return max(failed)


def _timed(name: str, count: int, at_threshold: float, in_force: Rules) -> int:
    """Whether something differs, or the columns are too slow."""
    size = min(count, BATCH)
    batches = [book(size, seed, at_threshold=at_threshold) for seed in range(count // size)]
    decide(batches[0].slice(0, 1000), in_force)
    wall, cpu = perf_counter(), process_time()
    exactly = sum(_exact(decide(batch, in_force)) for batch in batches)
    wall, cpu = perf_counter() - wall, process_time() - cpu
    part = batches[0].slice(0, min(COMPARED, size))
    loop = _loop(part, in_force) * (size * len(batches) / part.num_rows)
    found = list(islice(differences(part, decide(part, in_force), in_force), 5))
    print(
        f"{name}{wall:7.2f} s{cpu:7.2f} s{exactly / count:9.3%}{loop:7.1f} s{loop / wall:8.1f}"
        f"{LEAST_RATIO:8}"
    )
    print(*found, sep="\n", end="\n" if found else "")
    return int(bool(found) or loop / wall < LEAST_RATIO)


def _exact(answer: pa.RecordBatch) -> int:
    return int(pc.sum(answer["decided_exactly"]).as_py())


def _loop(part: pa.RecordBatch, in_force: Rules) -> float:
    """The time of deciding one by one, every permission asked for; reading the rows not counted."""
    rows = list(snapshots(part, range(part.num_rows)))
    begin = perf_counter()
    for row in rows:
        decision = in_force.decide(row)
        _ = decision.status, decision.permissions, decision.values
    return perf_counter() - begin


if __name__ == "__main__":
    sys.exit(main())
