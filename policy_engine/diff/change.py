"""A change between two versions: what differs, how much it matters, and on whose authority."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any, TypeVar

from policy_engine.diff.formulas import Difference
from policy_engine.model import Citation, Source, Tier
from policy_engine.numbers import exact_context

T = TypeVar("T")
Path = tuple[str, ...]

ADDED, REMOVED, CHANGED, MOVED = "added", "removed", "changed", "moved"
SPLIT, MERGED, REPLACED = "split", "merged", "replaced"
ALWAYS = datetime.min.replace(tzinfo=UTC)


class Significance(IntEnum):
    """How deep a change goes.

    WORDING: nothing decides differently. VALUE: a figure or a date. LOGIC: a formula, a condition,
    or what there is to decide. INPUTS: what a snapshot or a request must bring.
    """

    WORDING = 1
    VALUE = 2
    LOGIC = 3
    INPUTS = 4

    def __str__(self) -> str:
        return self.word

    @property
    def word(self) -> str:
        """The grade as text, such as `logic`."""
        return self.name.lower()


WORDING, VALUE, LOGIC, INPUTS = Significance


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence for people: a title, a note, a summary."""

    text: str


@dataclass(frozen=True, slots=True)
class Names:
    """Several names, as provisions list them."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tiers:
    """A stretch of a scale: tiers with a rate for each column."""

    columns: tuple[str, ...]
    tiers: tuple[Tier, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `before` and `after` hold what the versions say there; None: nothing.

    `path` leads to it inside its ruleset. `since` is the instant from which the new state is in
    force, and `source` the document cited for it. `part` is the smallest part of a formula that
    differs. `safer` is the direction that is tighter, where the rules declare one.
    """

    path: Path
    kind: str
    name: str
    action: str
    significance: Significance
    before: Any = None
    after: Any = None
    unit: str | None = None
    safer: str | None = None
    part: Difference | None = None
    citation: Citation | None = None
    ruleset: str = ""
    since: datetime = ALWAYS
    source: Source | None = None

    @property
    def id(self) -> str:
        """The ruleset and the path, the same in every comparison."""
        return "/".join((self.ruleset, *self.path))

    @property
    def difference(self) -> Decimal | None:
        """How much a number rose, in its unit; None where either side is no finite number."""
        if not (_finite(self.before) and _finite(self.after)):
            return None
        return exact_context().subtract(self.after, self.before)

    @property
    def percent(self) -> Decimal | None:
        """The same in hundredths of the old number; None also where that is 0."""
        rise = self.difference
        if rise is None or self.before == 0:
            return None
        exact = exact_context()
        return exact.divide(exact.multiply(rise, Decimal(100)), self.before.copy_abs())

    @property
    def direction(self) -> str | None:
        """`tighter` or `looser`, where the rules declare which direction is tighter."""
        numbers = isinstance(self.before, Decimal) and isinstance(self.after, Decimal)
        if self.safer is None or not numbers or self.before == self.after:
            return None
        return "tighter" if (self.after > self.before) == (self.safer == "higher") else "looser"


def _finite(value: Any) -> bool:
    return isinstance(value, Decimal) and value.is_finite()


def differing(
    path: Path,
    kind: str,
    before: Any,
    after: Any,
    significance: Significance,
    **more: Any,
) -> Iterator[Change]:
    """The change of something that both versions have, or none where they say the same."""
    if not same(before, after):
        name = more.pop("name", path[-1])
        yield Change(path, kind, name, CHANGED, significance, before, after, **more)


def same(before: Any, after: Any) -> bool:
    """Whether two sides say the same; a truth is never a number."""
    return isinstance(before, bool) == isinstance(after, bool) and bool(before == after)


def ordered(value: Any) -> tuple[bool, Any]:
    """What to sort values by: numbers as numbers, all else as text."""
    number = isinstance(value, Decimal)
    return (not number, value if number else str(value))


def paired(old: Mapping[Any, T], new: Mapping[Any, T]) -> Iterator[tuple[Any, T | None, T | None]]:
    """Each name that either side has, with what each has under it."""
    for name in [*old, *(name for name in new if name not in old)]:
        yield name, old.get(name), new.get(name)


def named(
    path: Path,
    kind: str,
    sides: tuple[Mapping[Any, T], Mapping[Any, T]],
    significance: Significance,
    both: Callable[[Path, T, T], Iterator[Change]],
) -> Iterator[Change]:
    """The changes of a section of named items: added, removed, or in what `both` compares."""
    for name, old, new in paired(*sides):
        at = (*path, str(name))
        if old is not None and new is not None:
            yield from both(at, old, new) if old != new else ()
        else:
            action = REMOVED if new is None else ADDED
            citation = getattr(old if new is None else new, "citation", None)
            yield Change(at, kind, at[-1], action, significance, old, new, citation=citation)
