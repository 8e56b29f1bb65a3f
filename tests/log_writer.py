"""Writers of a log that die: at a call of the operating system, or when they are killed.

Run as a program it tries the seeds that it is given and prints what came of each as JSON. It is a
program of its own because it forks, which a process with threads should not.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from policy_engine import Rulebook
from policy_engine.log import append, append_all, verify

RULES = Path(__file__).resolve().parents[1] / "rules"
DEATHS = 3
CALLS = ("open", "write", "fsync", "rename", "ftruncate", "close")


def snapshot(number: int) -> dict[str, Any]:
    """An account of its own for each number; some are long."""
    lines = [
        {
            **{"asset": f"COIN{n}", "free": str(number), "price": "2"},
            **{"locked": "0", "borrowed": "0", "interest": "0"},
        }
        for n in range(number % 7)
    ]
    return {"account": f"A-{number}", "mode": "classic", "leverage": "5", "assets": lines}


def clock() -> datetime:
    """The time, which the clock of a machine gives."""
    return datetime.now(UTC)


class Dying:
    """The calls of the operating system that a log is written with; at the `last` of them the
    process ends: before it, after it, or with a part of it done.

    What was written and not yet seen onto the disk may be lost with it, as when power fails: the
    file keeps what `fsync` has seen and a part of the rest; a name whose folder was not seen to
    may be gone.
    """

    def __init__(self, log: Path, seed: int, into: int) -> None:
        self.log, self.random, self.into = log, random.Random(seed), into
        self.left = self.random.randrange(1, self.random.choice((16, 60)))
        self.power_fails = self.random.random() < 0.5
        self.safe = log.stat().st_size if log.exists() else 0
        self.named = log.exists()
        self.real = {name: getattr(os, name) for name in CALLS}

    def install(self) -> None:
        """Put these calls in the place of the true ones."""
        for name in CALLS:
            setattr(os, name, self._call(name))

    def _call(self, name: str) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                self._die(name, arguments, named)
            if name == "write" and self.random.random() < 0.3:  # the system takes only a part
                some = self.random.randrange(1, len(arguments[1]) + 1)
                return self.real["write"](arguments[0], arguments[1][:some])
            done = self.real[name](*arguments, **named)
            if name == "fsync":
                self._seen(arguments[0])
            return done

        return called

    def _seen(self, file: int) -> None:
        """What an `fsync` that returned has seen onto the disk."""
        target = Path(f"/proc/self/fd/{file}").resolve()
        if target == self.log:
            self.safe = self.log.stat().st_size
        self.named = self.named or target == self.log.parent

    def _die(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        self.real["write"](self.into, json.dumps({"died": name}).encode() + b"\n")
        if name == "write":
            part = self.random.randrange(len(arguments[1]) + 1)
            self.real["write"](arguments[0], arguments[1][:part])
        elif self.random.random() < 0.5:
            self.real[name](*arguments, **named)
        if self.power_fails and self.log.exists():
            size = self.log.stat().st_size
            if not self.named and self.random.random() < 0.5:
                self.log.unlink()
            elif size > self.safe:
                os.truncate(self.log, self.random.randrange(self.safe, size + 1))
        os._exit(9)


def acknowledged(log: Path, seed: int, rules: Any) -> list[dict[str, Any]]:
    """What a writer in a process of its own told before it died: each record that it acknowledged,
    and the call that it died in. A writer with a seed below 0 is killed from outside."""
    out, into = os.pipe()
    say = os.write  # telling is no call that a log makes
    writer = os.fork()
    if writer == 0:
        if seed >= 0:
            Dying(log, seed, into).install()
        chosen = random.Random(seed)
        for number in range(40):
            some = [snapshot(number + n) for n in range(chosen.choice((1, 1, 1, 1, 3)))]
            made = append_all(log, rules, some, clock).checkpoint
            say(into, json.dumps({"size": made.size, "last": made.last}).encode() + b"\n")
        os._exit(0)
    os.close(into)
    if seed < 0:
        time.sleep(random.Random(seed).random() / 20)
        os.kill(writer, signal.SIGKILL)
    with os.fdopen(out) as lines:
        told = [json.loads(line) for line in lines if line.endswith("\n")]
    os.waitpid(writer, 0)
    return told


def hashes(log: Path) -> list[str]:
    """The hash of each whole line, read without the engine."""
    lines = log.read_bytes().split(b"\n")[:-1] if log.exists() else []
    return [json.loads(line)["hash"] for line in lines]


def tail(log: Path) -> bytes:
    """What stands after the last line end."""
    return log.read_bytes().rpartition(b"\n")[2] if log.exists() else b""


def wrong(log: Path, told: list[dict[str, Any]], before: list[str]) -> Iterator[str]:
    """What a log that a writer left has lost, and what `verify` says that is not so."""
    held = hashes(log)
    if held[: len(before)] != before:
        yield "a record of an earlier writer is lost"
    for one in told:
        if "size" in one and held[one["size"] - 1 : one["size"]] != [one["last"]]:
            yield f"an acknowledged record is lost: {one}"
    if log.exists():
        verdict = verify(log)
        if verdict.size != len(held) or verdict.sound == bool(tail(log)):
            yield f"verify says {verdict.fault} of {len(held)} records and {len(tail(log))} bytes"


def wrong_after(log: Path, rules: Any) -> Iterator[str]:
    """What is wrong once a writer that does not die has gone on."""
    held, torn = hashes(log), tail(log)
    size = append(log, rules, snapshot(1000), clock).checkpoint.size
    if not verify(log).sound or hashes(log)[: len(held)] != held:
        yield f"it does not go on: {verify(log).fault}"
    kept = [path.read_bytes() for path in log.parent.glob(f"{log.name}.torn*")]
    whole = size == len(held) + 2 and torn + b"\n" in log.read_bytes()
    if torn and not whole and torn not in kept:
        yield "what was torn is lost"


def tried(seed: int, folder: Path, rules: Any) -> dict[str, Any]:
    """What came of a log whose writers die, each in what the one before has left."""
    log = folder / f"{seed}.jsonl"
    acks = 0
    died: list[str] = []
    found: list[str] = []
    held: list[str] = []
    for death in range(DEATHS):
        told = acknowledged(log, seed * DEATHS + death, rules)
        found += wrong(log, told, held)
        held = hashes(log)
        died += [one["died"] for one in told if "died" in one]
        acks += sum("size" in one for one in told)
    found += wrong_after(log, rules)
    return {"seed": seed, "died": died, "acknowledged": acks, "wrong": found}


def careless() -> None:
    """Acknowledge records that are written and not seen onto the disk."""
    module = sys.modules["policy_engine.log.append"]
    module.write = lambda file, content, path: os.write(file, content)  # type: ignore[attr-defined]


def main() -> None:
    """Try the seeds from one number to another in a folder."""
    first, last, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    if "careless" in sys.argv:
        careless()
    rules = Rulebook.load(RULES).in_force("2025-02-01")
    rules.decide(snapshot(6))
    print(json.dumps([tried(seed, folder, rules) for seed in range(first, last)]))


if __name__ == "__main__":
    main()
