"""Small batches of accounts, beside a loop of decisions over the same rows, in one run.

python tests/benchmarks/portfolio_small.py

The loop reads the rows of the batch as mappings, decides each, asks for its status, permissions and
values, and packs them as a batch. `bare` is the loop over mappings that are there already, with
nothing packed. Exits 1 where `decide` takes longer than the bound.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from books import book, rules
from policy_engine import Rules
from policy_engine.portfolio import decide
from policy_engine.portfolio.batches import portfolio
from policy_engine.portfolio.rows import snapshots

COUNTS = (1, 10, 50, 100)
MOST_RATIO = 1.1
TIMES = 25


def main() -> int:
    """Measure both in turns; the least time of each counts."""
    in_force, accounts = rules(), book(1000)
    print(f"{'accounts':>8}{'decide':>10}{'loop':>10}{'bare':>10}{'ratio':>8}{'bound':>7}")
    worst = 0.0
    for count in COUNTS:
        part = accounts.slice(100, count)
        given = list(snapshots(part, range(count)))
        decided, loop, bare = least(
            partial(decide, part, in_force),
            partial(packed, part, in_force),
            partial(bare_loop, given, in_force),
        )
        worst = max(worst, decided / loop)
        times = "".join(f"{one * 1e3:7.2f} ms" for one in (decided, loop, bare))
        print(f"{count:8}{times}{decided / loop:8.2f}{MOST_RATIO:7}")
    return int(worst > MOST_RATIO)


def least(*calls: Callable[[], Any]) -> list[float]:
    """The least time that each takes, of many in turns."""
    found = [float("inf")] * len(calls)
    for _ in range(TIMES):
        for at, call in enumerate(calls):
            begin = perf_counter()
            call()
            found[at] = min(found[at], perf_counter() - begin)
    return found


def told(snapshot: Any, in_force: Rules) -> dict[str, Any]:
    """What a decision says, as a row of an answer."""
    decision = in_force.decide(snapshot)
    values = decision.values.items()
    return {
        "account": decision.account,
        "status": decision.status,
        **{f"{name}_permitted": one.permitted for name, one in decision.permissions.items()},
        **{name: float(v) for name, v in values if isinstance(v, Decimal)},
        "decided_exactly": True,
    }


def bare_loop(given: list[Any], in_force: Rules) -> list[Any]:
    """A loop of decisions over mappings."""
    return [told(one, in_force) for one in given]


def packed(part: pa.RecordBatch, in_force: Rules) -> pa.RecordBatch:
    """A loop of decisions over the rows of a batch, as a batch."""
    rows = [told(one, in_force) for one in snapshots(part, range(part.num_rows))]
    return pa.RecordBatch.from_pylist(rows, schema=portfolio(in_force).answered.schema)


if __name__ == "__main__":
    sys.exit(main())
