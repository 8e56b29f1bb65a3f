"""Whatever is done to a log is found, and the first record that is not as it was is named."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from log_writer import RULES, snapshot
from policy_engine import Rulebook
from policy_engine.log import (
    Verdict,
    append,
    extension_proof,
    inclusion_proof,
    is_extension,
    is_included,
    verify,
)
from policy_engine.log.canonical import canonical
from policy_engine.log.checkpoint import Checkpoint
from policy_engine.log.merkle import Frontier, frontier, leaf_hash
from policy_engine.log.record import digest_of, line_of, read_line, shown
from policy_engine.log.state import State

SIZE = 13
START = datetime(2025, 2, 1, tzinfo=UTC)
records_at = st.integers(0, SIZE - 1)


@cache
def written(first: int = 0) -> tuple[tuple[bytes, ...], tuple[Checkpoint, ...]]:
    """The lines of a log, and the checkpoint after each."""
    rules = Rulebook.load(RULES).in_force("2025-02-01")
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        times = iter([START + timedelta(minutes=n) for n in range(SIZE)])
        clock = partial(next, times)
        made = [append(log, rules, snapshot(first + n), clock) for n in range(SIZE)]
        lines = tuple(log.read_bytes().splitlines(keepends=True))
    return lines, tuple(one.checkpoint for one in made)


def judged(lines: list[bytes], *known: Checkpoint) -> Verdict:
    """The verdict on a log of these lines."""
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        log.write_bytes(b"".join(lines))
        return verify(log, {f"checkpoint {n}": one for n, one in enumerate(known)})


def named(verdict: Verdict) -> tuple[str, int]:
    """What was done, and to which record."""
    assert verdict.fault is not None
    return verdict.fault.word, verdict.fault.record


def lines() -> list[bytes]:
    """The lines of a sound log, to be changed."""
    return list(written()[0])


# --- records changed without their hashes ---------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_byte_changed_is_found_and_its_record_named(data: st.DataObject) -> None:
    held, n = lines(), data.draw(records_at)
    at = data.draw(st.integers(0, len(held[n]) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != held[n][at]))
    held[n] = held[n][:at] + bytes([byte]) + held[n][at + 1 :]
    word, record = named(judged(held))
    assert record == n + 1
    if at < len(held[n]) - 1 or n < SIZE - 1:
        assert word in {"edited", "restamped"}
    else:
        assert word == "torn"


@settings(max_examples=100, deadline=None)
@given(records_at, st.data())
def test_any_bytes_taken_or_put_in_are_found(n: int, data: st.DataObject) -> None:
    held = lines()
    start = data.draw(st.integers(0, len(held[n]) - 1))
    end = data.draw(st.integers(start, len(held[n])))
    put = data.draw(st.binary(max_size=8))
    changed = held[n][:start] + put + held[n][end:]
    if changed not in (held[n], b""):
        held[n] = changed
        assert judged(held).fault is not None


@given(records_at)
@settings(deadline=None)
def test_a_deleted_record_is_named(n: int) -> None:
    held = lines()
    del held[n]
    if n < SIZE - 1:
        assert named(judged(held)) == ("deleted", n + 1)
    else:
        assert judged(held).sound
    assert named(judged(held, written()[1][-1]))[1] == n + 1


@given(records_at, st.integers(1, SIZE))
@settings(deadline=None)
def test_deleted_records_are_named(n: int, many: int) -> None:
    held = lines()
    del held[n : n + many]
    if n + many < SIZE:
        verdict = judged(held)
        assert named(verdict) == ("deleted", n + 1)
        assert verdict.fault is not None
        assert (f"records {n + 1} to {n + many} " in verdict.fault.message) == (many > 1)
    else:
        assert named(judged(held, written()[1][-1])) == ("cut", n + 1)


@given(records_at, records_at)
@settings(deadline=None)
def test_swapped_records_are_named(n: int, other: int) -> None:
    held = lines()
    held[n], held[other] = held[other], held[n]
    if n != other:
        assert named(judged(held)) == ("swapped", min(n, other) + 1)


@given(records_at, st.integers(0, SIZE))
@settings(deadline=None)
def test_a_copy_is_named(n: int, at: int) -> None:
    held = lines()
    held.insert(at, held[n])
    first = at + 1 if at != n else at + 2  # of two equal lines side by side the second is the copy
    assert named(judged(held)) == ("inserted", first)


@given(records_at, records_at)
@settings(deadline=None)
def test_a_moved_record_is_named(n: int, to: int) -> None:
    held = lines()
    held.insert(to, held.pop(n))
    if n != to:
        word, record = named(judged(held))
        assert word == ("swapped" if abs(n - to) == 1 else "moved")
        assert record == min(n, to) + 1


@given(records_at, st.binary(min_size=1, max_size=50).filter(lambda put: b"\n" not in put))
@settings(deadline=None)
def test_a_line_that_is_no_record_is_named(at: int, put: bytes) -> None:
    held = lines()
    held.insert(at, put + b"\n")
    if at:
        assert named(judged(held)) == ("inserted", at + 1)


@settings(max_examples=100, deadline=None)
@given(st.permutations(range(SIZE)), st.sets(records_at))
def test_any_other_order_or_choice_of_records_is_found(order: list[int], out: set[int]) -> None:
    held = [written()[0][n] for n in order if n not in out]
    if order != list(range(SIZE)) or out:
        verdict = judged(held, written()[1][-1])
        wrong = next((i for i, line in enumerate(held) if line != written()[0][i]), len(held))
        assert named(verdict)[1] == wrong + 1


# --- records changed with their hashes ------------------------------------------------------------


def anew(
    line: bytes, moment: datetime | None = None, change: Callable[[bytes], bytes] = bytes
) -> bytes:
    """A record with another time or content, and its own hashes made anew."""
    held = read_line(line)
    assert held is not None
    head = held.header
    before = Frontier(head.sequence - 1, tuple(map(digest_of, head.peaks)))
    return line_of(change(held.content), before, head.previous, moment or head.moment)


def other(content: bytes) -> bytes:
    """A content with another account in it."""
    found = json.loads(content)
    found["decision"]["account"] = "B-1"
    return canonical(found)


@given(st.integers(0, SIZE - 2))
@settings(deadline=None)
def test_an_edited_record_that_is_hashed_anew_is_named(n: int) -> None:
    held = lines()
    held[n] = anew(held[n], change=other)
    assert named(judged(held)) == ("edited", n + 1)


@given(records_at, st.integers(-60, 60))
@settings(deadline=None)
def test_a_restamped_record_is_named(n: int, minutes: int) -> None:
    """In place; only the last one can be stamped otherwise without a trace in another record."""
    held, moment = lines(), START + timedelta(minutes=n + minutes, seconds=1)
    stamp = moment.isoformat().replace("+00:00", "Z").encode()
    head, _, rest = held[n].rpartition(b'"recorded_at":"')
    held[n] = head + b'"recorded_at":"' + stamp + rest[rest.index(b'"') :]
    word, record = named(judged(held, *([written()[1][-1]] if n == SIZE - 1 else [])))
    assert (word, record) == ("restamped", n + 1)


@given(st.integers(0, SIZE - 2), st.integers(-60, 60))
@settings(deadline=None)
def test_a_restamped_record_that_is_hashed_anew_is_named(n: int, minutes: int) -> None:
    held, moment = lines(), START + timedelta(minutes=n + minutes, seconds=1)
    held[n] = anew(held[n], moment)
    between = minutes in (-1, 0) or (n == 0 and minutes < 0)
    assert named(judged(held)) == ("edited" if between else "restamped", n + 1)


@given(st.integers(1, SIZE - 2))
@settings(deadline=None)
def test_a_forged_record_put_in_is_named(n: int) -> None:
    """It has the number of the record that it is put before, and follows the one before that."""
    held = lines()
    held.insert(n, anew(held[n], change=other))
    assert named(judged(held)) == ("inserted", n + 1)
    held = lines()
    held.insert(n + 1, anew(held[n], change=other))
    assert named(judged(held)) == ("inserted", n + 2)


@given(records_at)
@settings(deadline=None)
def test_a_record_of_another_log_put_in_is_named(n: int) -> None:
    held = lines()
    held.insert(n, written(first=50)[0][n])
    record = named(judged(held))[1]
    assert record == n + 1 or (n == SIZE - 1 and record == n + 2)


@given(st.integers(1, SIZE - 3))
@settings(deadline=None)
def test_a_record_replaced_by_that_of_another_log_is_named(n: int) -> None:
    held = lines()
    held[n] = written(first=50)[0][n]
    assert named(judged(held)) == ("edited", n + 1)


def rewritten(held: list[bytes], n: int) -> list[bytes]:
    """A log with one record changed and all hashes from there on made anew."""
    state, out = State(), []
    for at, raw in enumerate(held):
        line = read_line(raw)
        assert line is not None
        content = other(line.content) if at == n else line.content
        out.append(line_of(content, state.frontier, state.last, line.header.moment))
        made = read_line(out[-1])
        assert made is not None
        state = state.after(made)
    return out


@given(records_at, records_at, st.booleans())
@settings(deadline=None)
def test_only_a_checkpoint_tells_a_log_that_was_rewritten(n: int, kept: int, early: bool) -> None:
    held = rewritten(lines(), n)
    assert judged(held).sound
    known = [written()[1][kept], *(written()[1][n - 1 : n] if early and n else [])]
    verdict = judged(held, *known)
    if kept < n:
        assert verdict.sound
    else:
        assert named(verdict) == ("rewritten", n + 1 if early and n else 1)
        assert verdict.fault is not None
        assert ("another log" in verdict.fault.message) == (n == 0)


# --- growth ---------------------------------------------------------------------------------------


def test_a_log_agrees_with_every_checkpoint_of_it() -> None:
    verdict = judged(lines(), *written()[1])
    assert verdict.sound
    assert [one.agrees for one in verdict.compared] == [True] * SIZE


@given(st.integers(1, SIZE), st.integers(1, SIZE))
def test_checkpoints_of_one_log_extend_each_other(old: int, new: int) -> None:
    leaves = [digest_of(json.loads(line)["hash"]) for line in lines()]
    roots = [digest_of(one.root) for one in written()[1]]
    if old <= new:
        proof = extension_proof(leaves[:new], old)
        assert is_extension(old, new, roots[old - 1], roots[new - 1], proof)
        strange = [digest_of(one.root) for one in written(first=50)[1]]
        assert not is_extension(old, new, strange[old - 1], roots[new - 1], proof)
        within = inclusion_proof(leaves[:new], old - 1)
        assert is_included(leaves[old - 1], old - 1, new, roots[new - 1], within)


@given(st.lists(st.binary(max_size=4), max_size=40))
def test_the_frontier_gives_the_root_that_the_standard_defines(contents: list[bytes]) -> None:
    def root(leaves: list[bytes]) -> bytes:
        if not leaves:
            return sha256(b"").digest()
        if len(leaves) == 1:
            return sha256(b"\x00" + leaves[0]).digest()
        split = 1
        while split * 2 < len(leaves):
            split *= 2
        return sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:])).digest()

    assert frontier(map(leaf_hash, contents)).root == root(contents)


def test_equal_decisions_have_equal_bytes() -> None:
    """However the snapshot is written, but for the text of its numbers, and at the same time."""
    assert written() == written.__wrapped__()
    line = read_line(lines()[6])
    assert line is not None
    assert canonical(json.loads(line.content)) == line.content
    shuffled = list(json.loads(line.content).items())
    random.Random(1).shuffle(shuffled)
    assert canonical(dict(shuffled)) == line.content
    header = line.header.to_bytes()
    assert canonical(json.loads(header)) == header
    assert shown(leaf_hash(header)) == line.hash


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 8, 13])
def test_every_record_holds_the_tree_before_it(size: int) -> None:
    line = read_line(lines()[size - 1])
    assert line is not None
    hashes = [digest_of(json.loads(raw)["hash"]) for raw in lines()[: size - 1]]
    assert tuple(map(digest_of, line.header.peaks)) == frontier(hashes).peaks
