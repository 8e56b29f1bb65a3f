"""The parts of the rule book. Nothing here computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from policy_engine.book.examples import Example
from policy_engine.diff import Change
from policy_engine.history import Stretch, Timeline
from policy_engine.model import ACCOUNT, Row, Table, Version


@dataclass(frozen=True, slots=True)
class Amendment:
    """A version that brought a provision or changed it, and what it says there since then.

    `item` None: it is gone. Without `changes` it is the version that brought it.
    """

    stretch: Stretch
    item: Any
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Clause:
    """A provision in its place: `id` stays the same in every book, `number` counts in this one.

    `amendments` are those of all versions that are known, oldest first.
    """

    id: str
    number: str
    item: Any
    entity: str = ACCOUNT
    amendments: tuple[Amendment, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """The provisions of one kind, by the name that rule files give it, such as `parameters`."""

    name: str
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A version in force; `held` are it and those it uses, itself first."""

    number: int
    version: Version
    timeline: Timeline
    held: tuple[Version, ...]
    sections: tuple[Section, ...]

    @property
    def stretch(self) -> Stretch:
        """When it is in force."""
        found = (one for one in self.timeline.stretches if one.version is self.version)
        return next(found)


@dataclass(frozen=True, slots=True)
class Listed:
    """The values of an account's input that a snapshot enumerates, such as countries.

    `tables` are looked up by it alone; `rows` have, for each key that one of them names, its row
    in each.
    """

    input: str
    tables: tuple[tuple[str, Table], ...]
    rows: tuple[tuple[str, tuple[Row, ...]], ...]


@dataclass(frozen=True, slots=True)
class Book:
    """The rules in force at an instant, as known at another, with all that is to be read of them.

    `waiting` are the rulesets that have not started.
    """

    at: datetime
    known_at: datetime | None
    timelines: tuple[Timeline, ...]
    chapters: tuple[Chapter, ...]
    waiting: tuple[str, ...]
    listed: tuple[Listed, ...]
    examples: Mapping[str, tuple[Example, ...]]
    """Worked examples by the ruleset that decides them."""
    coverage: tuple[tuple[str, int, int], ...] = ()
    """Of each kind of thing that cases can reach: how many they reach, and how many there are."""
