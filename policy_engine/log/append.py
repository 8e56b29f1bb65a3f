"""Recording: a decision at the end of a log, on the disk before it is acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from policy_engine.decision import Decision
from policy_engine.errors import Place, PolicyError, Problem
from policy_engine.log.checkpoint import Checkpoint
from policy_engine.log.files import (
    Extent,
    extent,
    first_line,
    last_line,
    set_aside,
    write,
    writing,
)
from policy_engine.log.record import content_of, line_of, read_line
from policy_engine.log.state import State, state_at
from policy_engine.numbers import instant_text
from policy_engine.rules import Rules

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a crash had left after the last record: `bytes` of a torn line, kept in the file
    `aside`; or (None) a whole record that only lacked its line end, which it was given."""

    bytes: int
    aside: Path | None


@dataclass(frozen=True, slots=True)
class Appended:
    """What was decided and is now on the disk, and the checkpoint of the log after it."""

    decisions: tuple[Decision, ...]
    checkpoint: Checkpoint
    recovered: Recovered | None = None


def append(path: str | Path, rules: Rules, snapshot: Mapping[str, Any], clock: Clock) -> Appended:
    """Decide a snapshot and record that at the end of a log; the log is made if it is not there.

    When this returns, the record is on the disk. `clock` gives the time, with a zone; it is asked
    when nobody else writes. Raises SnapshotError for a snapshot that cannot be decided, and
    PolicyError for a log that cannot be written, does not end in a sound record, or ends in one
    that is later than the clock; nothing is recorded then.
    """
    return append_all(path, rules, [snapshot], clock)


def append_all(
    path: str | Path, rules: Rules, snapshots: Iterable[Mapping[str, Any]], clock: Clock
) -> Appended:
    """The same for many snapshots, all recorded at one time and seen onto the disk together."""
    path = Path(path)
    decided = [(snapshot, rules.decide(snapshot)) for snapshot in snapshots]
    contents = [content_of(rules, snapshot, decision) for snapshot, decision in decided]
    with writing(path) as file:
        state, recovered = _end(file, path)
        moment = _time(clock, state, path)
        lines = []
        for content in contents:
            lines.append(line_of(content, state.frontier, state.last, moment))
            state = _after(state, lines[-1])
        if lines:
            write(file, b"".join(lines), path)
    decisions = tuple(decision for _, decision in decided)
    return Appended(decisions, state.checkpoint(moment), recovered)


def _time(clock: Clock, state: State, path: Path) -> datetime:
    """The time of recording. Raises PolicyError where the last record would be later."""
    moment = clock()
    if state.moment is not None and moment < state.moment:
        last = instant_text(state.moment)
        message = f"it is {instant_text(moment)} by the clock, and the last record is of {last}"
        hint = "set the clock right; times in a log never run backwards"
        raise PolicyError([Problem("clock-behind-log", message, hint, Place(str(path)))])
    return moment


def _after(state: State, raw: bytes) -> State:
    """The state of a log after one line more, which this engine has made."""
    line = read_line(raw)
    assert line is not None
    return state.after(line)


def _end(file: int, path: Path) -> tuple[State, Recovered | None]:
    """Where a log ends, after what a crash had left there has been seen to. Raises PolicyError."""
    found = extent(file)
    state = _state(first_line(file, found.whole), last_line(file, found.whole), path)
    if not found.torn:
        return state, None
    return _recovered(file, found, state, path)


def _recovered(file: int, found: Extent, state: State, path: Path) -> tuple[State, Recovered]:
    """Complete a record that only lacks its line end; set anything else aside."""
    line = read_line(found.torn)
    if line is not None and line.intact and state.leads_to(line.header):
        write(file, b"\n", path)
        return state.after(line), Recovered(len(found.torn), None)
    return state, Recovered(len(found.torn), set_aside(file, found, path))


def _state(first: bytes, last: bytes, path: Path) -> State:
    """Where a log stands by its first and last line. Raises PolicyError for one not as recorded."""
    if not last:
        return State()
    begin, end = read_line(first), read_line(last)
    if begin is None or end is None or not end.intact:
        message = "a line is not as it was recorded: nothing is added after it"
        hint = f"see which: policy-engine log verify {path.as_posix()}"
        raise PolicyError([Problem("log-broken", message, hint, Place(str(path)))])
    return state_at(end, begin.hash)
