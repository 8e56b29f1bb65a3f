"""Where a log stands after some of its records: all that is needed to tell the next one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from policy_engine.log.checkpoint import Checkpoint
from policy_engine.log.merkle import EMPTY, Frontier
from policy_engine.log.record import Header, Line, digest_of, shown


@dataclass(frozen=True, slots=True)
class State:
    """The tree of the records so far, the hashes of the first and the last of them, when the last
    one was recorded, and when the one before it."""

    frontier: Frontier = EMPTY
    first: str | None = None
    last: str | None = None
    moment: datetime | None = None
    earlier: datetime | None = None

    @property
    def size(self) -> int:
        """How many records there are so far."""
        return self.frontier.size

    def after(self, line: Line) -> State:
        """The state with one record more."""
        grown = self.frontier.with_leaf(line.leaf)
        return State(grown, self.first or line.hash, line.hash, line.header.moment, self.moment)

    def leads_to(self, header: Header) -> bool:
        """Whether a header is that of the next record, as far as all before it tell."""
        peaks = tuple(map(shown, self.frontier.peaks))
        told = (header.sequence, header.previous, header.peaks)
        return told == (self.size + 1, self.last, peaks)

    def checkpoint(self, at: datetime) -> Checkpoint:
        """The checkpoint of a log that ends here, made at an instant."""
        return Checkpoint(self.size, shown(self.frontier.root), self.first, self.last, at)


def state_at(last: Line, first: str) -> State:
    """The state after an intact last line, as its header tells of all lines before it."""
    header = last.header
    before = Frontier(header.sequence - 1, tuple(map(digest_of, header.peaks)))
    return State(before.with_leaf(last.leaf), first, last.hash, header.moment)
