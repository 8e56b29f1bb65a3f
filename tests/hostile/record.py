"""Runs every hostile text within its budget, and records what becomes of each.

    python tests/hostile/record.py              # writes the tables anew: review the difference
    python tests/hostile/record.py --run yaml   # runs one collection, a line for each entry

A run prints the name of an entry before it begins and the rest of the line after, so that one that
hangs or brings the process down is the last that was named.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]

MOST_SECONDS = 1.0
"""Of processor time, which another process's load hardly changes."""

MOST_MEGABYTES = 200
WALL_SECONDS, ALL_SECONDS = 30, 900
"""After so long by the clock an entry, and a collection, counts as one that hangs."""


class Ran(NamedTuple):
    """One entry that was run: its outcome, and what it took; of memory it may have been less."""

    name: str
    outcome: str
    seconds: float
    megabytes: float


class TooLong(BaseException):
    """An entry hangs. No handler of the engine's may take it for an error of its own."""


def run(table: str) -> list[Ran]:
    """Run a collection in a process of its own; one that hangs or crashes has that as outcome."""
    command = [sys.executable, str(HERE / "record.py"), "--run", table]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ALL_SECONDS)
        written, code = done.stdout, done.returncode
        if code and not written:
            raise RuntimeError(done.stderr)
    except subprocess.TimeoutExpired as late:
        written, code = (late.stdout or b"").decode(), -1
    ran = [_ran(line) for line in written.splitlines()]
    if code and ran:
        ran[-1] = Ran(ran[-1].name, f"the process ended with {code}", 0, 0)
    return ran


def _ran(line: str) -> Ran:
    name, _, rest = line.partition("\t")
    outcome, seconds, megabytes = json.loads(rest) if rest else ("", 0, 0)
    return Ran(name, outcome, seconds, megabytes)


def recorded(table: str) -> list[tuple[str, str]]:
    """The entries of a table with their outcomes, as they are on record."""
    lines = (HERE / f"{table}.txt").read_text(encoding="utf-8").splitlines()
    return [(name, outcome) for name, _, outcome in (line.partition(": ") for line in lines)]


def main(arguments: list[str]) -> None:
    from hostile.corpora import AT_HAND
    from hostile.outcomes import TABLES

    if not AT_HAND:
        sys.exit("the collections of hostile texts are not here: nothing is recorded")
    if arguments[:1] == ["--run"]:
        _run_here(arguments[1])
        return
    for table in arguments or TABLES:
        lines = [f"{one.name}: {one.outcome}\n" for one in run(table)]
        (HERE / f"{table}.txt").write_text("".join(lines), encoding="utf-8")
        print(f"{table}: {len(lines)} entries")


def _run_here(table: str) -> None:
    from hostile.outcomes import outcomes, spliced

    spliced("account", "0")  # what is imported when first needed is imported here
    signal.signal(signal.SIGALRM, _alarm)
    for name, outcome in outcomes(table):
        print(name, end="\t", flush=True)
        before, start = _pages(1) / 2**20, time.process_time()
        with_limit = _with_limits(outcome)
        seconds = time.process_time() - start
        print(json.dumps([with_limit, seconds, _most_held() - before]), flush=True)


def _with_limits(outcome: Any) -> str:
    unlimited = resource.getrlimit(resource.RLIMIT_AS)
    held = _pages(0)
    if held:
        most = held + MOST_MEGABYTES * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (most, unlimited[1]))
    signal.alarm(WALL_SECONDS)
    try:
        return str(outcome())
    except (TooLong, Exception) as failure:
        return f"{type(failure).__name__}: {failure}"[:200]
    finally:
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, unlimited)


def _alarm(*_: Any) -> None:
    raise TooLong(f"more than {WALL_SECONDS} seconds")


def _most_held() -> float:
    """Megabytes that the process has held at most so far.

    Linux tells it in kibibytes; what `getrusage` tells there is that of the parent, if it is more.
    """
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 2**10


def _pages(kind: int) -> int:
    """Bytes that the process has now, of addresses (0) or of memory (1); 0 where it is not told."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[kind]) * resource.getpagesize()
    except OSError:
        return 0


if __name__ == "__main__":
    main(sys.argv[1:])
