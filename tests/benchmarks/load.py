"""Cold starts, each in a process of its own: loading the rulebook, `decide`, `check`.

python tests/benchmarks/load.py

Exits 1 above the bounds.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from single import SNAPSHOT

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 21
BARE = "bare imports"
"""Of all that `decide` imports and that is not of this package."""

LOAD_BOUND = 150
DIFF_BOUND = 100
DECIDE_BOUND = Decimal("2.5")

COMMAND = "from policy_engine.cli import main; main()"
TIMED = """
from time import perf_counter
begin = perf_counter()
from policy_engine import Rulebook
book = Rulebook.load()
{then}
print((perf_counter() - begin) * 1000)
"""
DIFF = """
from time import perf_counter
from policy_engine import Rulebook
book = Rulebook.load()
begin = perf_counter()
book.diff("cross_margin_pro@2024-12-19", "cross_margin_pro@2025-01-21")
print((perf_counter() - begin) * 1000)
"""
LISTS_LIBRARIES = """
import atexit, sys
before = set(sys.modules)
atexit.register(lambda: print(*(n for n in list(sys.modules) if n not in before)))
from policy_engine.cli import main; main()
"""


@dataclass(frozen=True)
class Job:
    """A program to start, whether it prints its own time, and what it is held to."""

    name: str
    arguments: tuple[str, ...]
    prints: bool = False
    bound: int | Decimal | None = None
    """Milliseconds, or a multiple of the bare import."""


def jobs(folder: Path, compiled: Path) -> list[Job]:
    """What is timed; the accounts that `decide` is asked about are written into the folder."""
    at = ("--rules", str(ROOT / "rules"), "--at", "2025-02-01", "-o", str(folder / "answer"))
    orders, stated = folder / "orders.json", folder / "stated.json"
    orders.write_text(json.dumps(SNAPSHOT))
    stated.write_text(json.dumps({**SNAPSHOT, "orders": None, "open_order_loss": "12.5"}))
    classic = _command("decide", *_classic(), *at)
    beside = libraries(classic, compiled)
    others = [name for name in beside if name.partition(".")[0] not in sys.stdlib_module_names]
    return [
        Job("Python alone", ("-c", "pass")),
        Job("PyYAML and such alone", ("-c", f"import {', '.join(others)}")),
        Job(BARE, ("-c", f"import {', '.join(beside)}")),
        Job("load", ("-c", TIMED.format(then="")), True, LOAD_BOUND),
        Job("load, all read", ("-c", TIMED.format(then="book.versions")), True),
        Job("diff of the Pro update", ("-c", DIFF), True, DIFF_BOUND),
        Job("decide, Classic", classic, bound=DECIDE_BOUND),
        Job("decide, Pro", _command("decide", str(orders), *at), bound=DECIDE_BOUND),
        Job("same, loss stated", _command("decide", str(stated), *at), bound=DECIDE_BOUND),
        Job("check", _command("check", "--rules", str(ROOT / "rules"))),
    ]


def libraries(arguments: Sequence[str], compiled: Path) -> list[str]:
    """What a command imports of Python's own library and of others', in its order."""
    _, said = start(("-c", LISTS_LIBRARIES, *arguments[2:]), compiled)
    return [name for name in said.split() if not name.startswith("policy_engine")]


def _command(*arguments: str) -> tuple[str, ...]:
    return ("-c", COMMAND, *arguments)


def _classic() -> Sequence[str]:
    accounts = ROOT / "tests" / "accounts"
    named = (str(accounts / "classic.json"), "--from", "binance")
    return (*named, "--prices", str(accounts / "prices.json"), "--set", "leverage=5")


def start(arguments: Sequence[str], compiled: Path) -> tuple[float, str]:
    """Milliseconds that a process took, and what it said.

    Compiled modules are kept in a folder, so that none is compiled while it is timed.
    """
    env = {**os.environ, "PYTHONPYCACHEPREFIX": str(compiled)}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    begin = perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments], env=env, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return (perf_counter() - begin) * 1000, done.stdout


def milliseconds(made: Sequence[Job], compiled: Path) -> dict[str, float]:
    """The median time of each job. They take turns: what slows the machine down slows all down."""
    taken: dict[str, list[float]] = {job.name: [] for job in made}
    for turn in range(ROUNDS + 1):
        for job in made:
            whole, said = start(job.arguments, compiled)
            if turn:  # the first is for compiling
                taken[job.name].append(float(said) if job.prints else whole)
    return {name: median(times) for name, times in taken.items()}


def main() -> int:
    """Compare, and tell which are above their bounds."""
    with TemporaryDirectory() as folder:
        compiled = Path(folder) / "compiled"
        made = jobs(Path(folder), compiled)
        times = milliseconds(made, compiled)
    print(f"each a process of its own; medians of {ROUNDS} turns")
    print(f"{'':24}    here   bare imports   bound")
    above = [_row(job, times[job.name], times[BARE]) for job in made]
    return int(any(above))


def _row(job: Job, time: float, bare: float) -> bool:
    """Print a line; whether the job is above its bound."""
    ratio, bound = time / bare, job.bound
    limit = "" if bound is None else f"{bound:>8}" + ("" if bound == DECIDE_BOUND else " ms")
    print(f"{job.name:24}{time:8.1f} ms{ratio:9.2f}{limit}")
    return bound is not None and (ratio if bound == DECIDE_BOUND else time) > bound


if __name__ == "__main__":
    sys.exit(main())
