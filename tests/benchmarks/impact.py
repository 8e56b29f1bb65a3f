"""The impact of the 2025 Pro update on a book: its time against that of deciding alone.

python tests/benchmarks/impact.py [ACCOUNTS]

Prints the seconds to read the book, to decide every account by both sides, to tell their
permissions too, and for the whole impact with its causes. Exits 1 where the whole takes more than
`BOUND` times what deciding with permissions takes.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from time import perf_counter

sys.path.append(str(Path(__file__).resolve().parents[1]))

from book_of_accounts import json_lines
from policy_engine import Rulebook
from policy_engine.books import Row, open_book
from policy_engine.impact.measure import impact

BEFORE, AFTER = "2025-01-21T09:59:59Z", "2025-01-21T10:00:00Z"
BOUND = Decimal(2)


def seconds(job: Callable[[], object]) -> float:
    begin = perf_counter()
    job()
    return perf_counter() - begin


def main(count: int) -> int:
    """Measure a book of so many accounts; the exit status."""
    book = Rulebook.load()
    sides = book.in_force(BEFORE), book.in_force(AFTER)
    changes = book.diff(BEFORE, AFTER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.jsonl"
        path.write_text("".join(json_lines(count)))
        rows: list[Row] = []
        reading = seconds(lambda: rows.extend(open_book(str(path)).rows))
    both = [(side, row.snapshot) for row in rows for side in sides]
    deciding = seconds(lambda: [side.decide(snapshot).status for side, snapshot in both])
    telling = seconds(lambda: [side.decide(snapshot).permissions for side, snapshot in both])
    whole = seconds(lambda: impact(*sides, changes, iter(rows)))
    print(f"{count} accounts: read {reading:.2f} s")
    print(f"decided by both sides: {deciding:.2f} s, with permissions {telling:.2f} s")
    ratio = Decimal(whole / telling).quantize(Decimal("0.01"))
    print(f"impact, causes and all: {whole:.2f} s, {ratio} times that (at most {BOUND})")
    return 0 if ratio <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 10_000))
