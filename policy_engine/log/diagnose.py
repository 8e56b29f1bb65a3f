"""Which record of a broken log is the first that is not as it was, and what was done to it.

Every record names the one before it by its hash and holds the frontier of the tree of all before
it. So an intact record witnesses what stood before it, and a record that its witness does not know
was changed, even where its own hash was made to match.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from policy_engine.log.record import Header, digest_of, read_line, shown
from policy_engine.log.state import State

EDITED, DELETED, SWAPPED, MOVED = "edited", "deleted", "swapped", "moved"
INSERTED, RESTAMPED = "inserted", "restamped"
TORN, CUT, REWRITTEN = "torn", "cut", "rewritten"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first record that is not as it was (its number is that of its line), what was done to it
    in a word, and what tells so."""

    record: int
    word: str
    message: str


class Seen(NamedTuple):
    """What of a line tells where it belongs; without a header it cannot be read as a record."""

    number: int
    header: Header | None = None
    leaf: str = ""
    hash: str = ""
    holds: bool = False

    @property
    def intact(self) -> bool:
        """Whether the line has the hashes that it says."""
        return self.holds and self.leaf == self.hash


def seen(number: int, raw: bytes) -> Seen:
    """What is seen of a line by its number."""
    line = read_line(raw)
    if line is None:
        return Seen(number)
    return Seen(number, line.header, shown(line.leaf), line.hash, line.holds)


def diagnose(state: State, rest: Sequence[Seen], attested: Mapping[int, str]) -> Fault:
    """The first fault of a log that is sound up to a state; `rest` are the lines from the one that
    does not follow, and `attested` are hashes of records that checkpoints give."""
    return _Scene(state, rest, attested).fault()


@dataclass(frozen=True)
class _Scene:
    state: State
    rest: Sequence[Seen]
    by_checkpoint: Mapping[int, str]

    @property
    def number(self) -> int:
        """The record that should stand here."""
        return self.state.size + 1

    @cached_property
    def places(self) -> Mapping[int, Sequence[Seen]]:
        """The intact lines from here on by the number of their record."""
        found: dict[int, list[Seen]] = {}
        for line in self.rest:
            if line.intact and line.header:
                found.setdefault(line.header.sequence, []).append(line)
        return found

    def attested(self, record: int) -> str | None:
        """The hash that a record had, by a checkpoint or by the record after it."""
        after = self.places.get(record + 1, ())
        witness = after[0].header if after else None
        return self.by_checkpoint.get(record) or (witness.previous if witness else None)

    def fault(self) -> Fault:
        """What is wrong here."""
        line = self.rest[0]
        if line.header is None or not line.intact:
            return self._inserted(line) if self._true_one_is_next() else self._changed(line)
        if line.header.sequence != self.number:
            return self._misplaced(line, line.header.sequence)
        return self._unlinked(line, line.header)

    def _true_one_is_next(self) -> bool:
        """Whether the line after this one is the record that should stand here."""
        after = self.rest[1] if len(self.rest) > 1 else Seen(0)
        return after.intact and after.header is not None and self.state.leads_to(after.header)

    def _inserted(self, line: Seen) -> Fault:
        said = f"a line was put in before record {self.number}, which stands after it"
        return Fault(line.number, INSERTED, said)

    # --- a line that is not what its hashes say ---------------------------------------------------

    def _changed(self, line: Seen) -> Fault:
        header, number = line.header, self.number
        if header is None:
            said = "the line is not a record as the engine writes one"
        elif not line.holds:
            said = "its content was changed: it does not have the hash that its header gives"
        elif not self.state.leads_to(header):
            said = "its header does not have the hash that it says, and does not fit its place"
        else:
            return self._restamped_or_rehashed(line, header)
        return Fault(number, EDITED, said)

    def _restamped_or_rehashed(self, line: Seen, header: Header) -> Fault:
        """All but the time and the hash itself is as it must be: which of the two was changed?"""
        former = self.attested(self.number)
        if former == line.leaf:
            return Fault(self.number, EDITED, "only its `hash` was changed")
        if former == line.hash or self._out_of_order(header):
            said = "its time of recording was changed; all else has the hashes that it should"
            return Fault(self.number, RESTAMPED, said)
        said = "its time of recording or its `hash` was changed; no record after it tells which"
        return Fault(self.number, EDITED, said)

    def _out_of_order(self, header: Header) -> bool:
        after = self.rest[1].header if len(self.rest) > 1 else None
        early = self.state.moment is not None and header.moment < self.state.moment
        return early or (after is not None and after.moment < header.moment)

    # --- a line that is intact, in another place --------------------------------------------------

    def _misplaced(self, line: Seen, sequence: int) -> Fault:
        if sequence < self.number:
            return self._second(line, sequence)
        here, number = self.places.get(self.number, ()), self.number
        if not here:
            last = min(one for one in self.places if one > number) - 1
            which = f"record {number} is" if last == number else f"records {number} to {last} are"
            return Fault(number, DELETED, f"{which} missing: record {last + 1} stands here")
        others = {one for one in self.places if one != sequence}
        if len(self.places[sequence]) > 1:
            said = f"a copy of record {sequence} was put in here"
            return Fault(number, INSERTED, said)
        if sequence > max(others) + 1:
            return self._inserted(line)
        if here[0].number == sequence:
            return Fault(number, SWAPPED, f"records {number} and {sequence} have changed places")
        said = f"record {sequence} stands here, and record {number} at line {here[0].number}"
        return Fault(number, MOVED, said)

    def _second(self, line: Seen, sequence: int) -> Fault:
        """A record whose number another had before: which of the two is the right one?"""
        former = self.attested(sequence) if sequence == self.state.size else self.state.last
        if sequence == self.state.size and former == line.leaf != self.state.last:
            said = f"a second record {sequence} was put in; the one after it is the right one"
            return Fault(sequence, INSERTED, said)
        sure = former == self.state.last
        told = "" if sure else ", or the one before it: nothing after them tells which"
        said = f"a second record {sequence} was put in here{told}"
        return Fault(line.number, INSERTED, said)

    # --- a line that is intact and in its place ---------------------------------------------------

    def _unlinked(self, line: Seen, header: Header) -> Fault:
        state = self.state
        if self._true_one_is_next():
            return self._inserted(line)
        if state.leads_to(header):
            if state.moment is not None and header.moment < state.moment:
                said = "its time of recording is before that of the record before it"
                return Fault(self.number, RESTAMPED, said)
            return Fault(self.number, EDITED, "what it records is not as the engine writes it")
        if header.previous == state.last:
            said = "what it holds of the tree of all records before it was changed"
            return Fault(self.number, EDITED, said)
        if self._one_before_is_attested():
            said = f"it was replaced: it does not follow record {state.size}, which is as it was"
            return Fault(self.number, EDITED, said)
        return self._one_before(line, header)

    def _one_before_is_attested(self) -> bool:
        """Whether the record before this one is sure to be as it was, so that this one is not."""
        state, former = self.state, self.attested(self.number)
        if state.last == self.by_checkpoint.get(state.size):
            return True
        after = self.places.get(self.number + 1, ())
        if former is None or not after or after[0].header is None:
            return False
        grown = state.frontier.with_leaf(digest_of(former))
        return tuple(map(shown, grown.peaks)) == after[0].header.peaks

    def _one_before(self, line: Seen, header: Header) -> Fault:
        """The record before was changed and hashed anew: this one still names the former one."""
        state = self.state
        assert state.moment is not None
        stamped = header.moment < state.moment
        said = f"it was changed and its hash made anew: record {self.number} names the former one"
        if self.attested(self.number) != line.leaf:
            said += f" (or record {self.number} was: no record after it tells)"
        return Fault(state.size, RESTAMPED if stamped else EDITED, said)
