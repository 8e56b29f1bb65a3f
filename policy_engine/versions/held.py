"""Which version of each ruleset holds at an instant, and as known at another."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar


class Head(Protocol):
    """What tells when a version holds, without the rest of what it says."""

    @property
    def id(self) -> str:
        """`ruleset@stem`."""

    @property
    def ruleset(self) -> str:
        """The ruleset it is a version of."""

    @property
    def effective_from(self) -> datetime:
        """The instant at which it takes effect."""

    @property
    def announced_at(self) -> datetime | None:
        """When it was announced, if that is known."""

    @property
    def offers(self) -> Collection[str]:
        """The names of the permissions that it tells."""


OneHead = TypeVar("OneHead", bound=Head)


def announced(version: Head) -> datetime:
    """When a version was announced; the earliest instant there is where that is not known."""
    return version.announced_at or datetime.min.replace(tzinfo=UTC)


def started(version: Head, moment: datetime, known_at: datetime | None) -> bool:
    """Whether a version has taken effect by an instant, and had been announced by another."""
    known = known_at is None or announced(version) <= known_at
    return known and version.effective_from <= moment


def held_at(
    rulesets: Mapping[str, Sequence[OneHead]], moment: datetime, known_at: datetime | None
) -> Iterator[tuple[str, OneHead]]:
    """The version of each ruleset that holds at an instant, as known at another (None: as now)."""
    for name, versions in rulesets.items():
        begun = [version for version in versions if started(version, moment, known_at)]
        if begun:
            yield name, max(begun, key=lambda v: (v.effective_from, announced(v)))


def chain(
    versions: Sequence[OneHead], old: Head, new: Head, known_at: datetime | None
) -> list[OneHead]:
    """The versions of a ruleset that were in force one after the other, from one to another."""
    starts = {v.effective_from for v in versions if v.effective_from > old.effective_from}
    between = sorted(start for start in starts if start < new.effective_from)
    held = [dict(held_at({"": versions}, start, known_at)).get("") for start in between]
    ends = {version.id: version for version in versions}
    return [ends[old.id], *(version for version in held if version is not None), ends[new.id]]


def by_ruleset(versions: Sequence[OneHead]) -> dict[str, tuple[OneHead, ...]]:
    """The versions of each ruleset, oldest first, each instant's corrections in order."""
    order = sorted(versions, key=lambda v: (v.ruleset, v.effective_from, v.id))
    names = dict.fromkeys(version.ruleset for version in order)
    return {name: tuple(v for v in order if v.ruleset == name) for name in names}
