"""How a provision came to say what it says: the versions that brought and changed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from policy_engine.book.model import Amendment
from policy_engine.diff import Change, compare
from policy_engine.diff.change import Path
from policy_engine.history import State, Stretch, Timeline
from policy_engine.model import Version

Find = Callable[[Version], Any]
"""The provision as a version has it; None where it has none."""


@dataclass(frozen=True)
class Record:
    """The versions of a ruleset one after the other, each with what it changed by path."""

    steps: tuple[tuple[Stretch, Mapping[Path, tuple[Change, ...]]], ...]

    def of(self, path: Path, find: Find) -> Iterator[Amendment]:
        """What brought the provision at a path, and what changed it since."""
        there = False
        for stretch, changed in self.steps:
            item = find(stretch.version)
            if item is not None and not there:
                yield Amendment(stretch, item)
            elif there and (item is None or path in changed):
                yield Amendment(stretch, item, changed.get(path, ()))
            there = item is not None


def record(timeline: Timeline) -> Record:
    """The record of a ruleset; of versions that were corrected, only the correction counts."""
    held = [one for one in timeline.stretches if one.state is not State.CORRECTED]
    nothing: Mapping[Path, tuple[Change, ...]] = {}
    changed = [nothing, *(_by_path(old.version, new.version) for old, new in pairwise(held))]
    return Record(tuple(zip(held, changed, strict=True)) if held else ())


def _by_path(old: Version, new: Version) -> Mapping[Path, tuple[Change, ...]]:
    """The changes by the provision they are of; those of its citation and notes are left out."""
    found: dict[Path, list[Change]] = {}
    for change in compare([old], [new]).changes:
        if change.kind not in _SAID_ELSEWHERE:
            found.setdefault(change.path[: _depth(change.path)], []).append(change)
    return {path: tuple(changes) for path, changes in found.items()}


_SAID_ELSEWHERE = frozenset({"citation", "note", "source"})


def _depth(path: Sequence[str]) -> int:
    """How many parts of a path lead to a provision that has a place of its own in the book."""
    return 3 if path[:1] == ("formulas",) else 2
