"""Every combination of versions that is ever in force together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from policy_engine.errors import Problem
from policy_engine.model import Version
from policy_engine.rulebook import Rulebook
from policy_engine.rules import with_used
from policy_engine.stamps import Stamp
from policy_engine.versions.held import Head, OneHead, by_ruleset, held_at

Combination = tuple[Version, ...]
"""A version that decides, and those it uses."""

Known = frozenset[tuple[str, ...]]
"""The ids of versions, one of each ruleset, that are known to be sound together."""


_BEFORE_ANY = datetime.min.replace(tzinfo=UTC)


def combinations(book: Rulebook, known: Known = frozenset()) -> list[Combination]:
    """The combinations that decide, each once, and each version that is in none of them.

    A version starts, or becomes known, only at an instant that a file names: between two of those
    nothing changes. Those of versions `known` to be sound together are left out.
    """
    found: dict[tuple[str, ...], Combination] = {}
    for held in _held(book.rulesets):
        deciding = [name for name, version in held.items() if version.applies_when]
        _add(found, held, deciding)
    met = {version.id for combination in found.values() for version in combination}
    for version in book.versions:
        if version.id not in met:
            others = dict(held_at(book.rulesets, version.effective_from, None))
            _add(found, {**others, version.ruleset: version}, [version.ruleset])
    if not known:
        return list(found.values())
    fresh = {
        tuple(map(_id, one)) for together in deciding_together(book, known) for one in together
    }
    sound = {tuple(map(_id, one)) for together in deciding_together(book) for one in together}
    return [one for name, one in found.items() if name in fresh or name not in sound]


def deciding_together(book: Rulebook, known: Known = frozenset()) -> Iterator[list[Combination]]:
    """The combinations that decide side by side, for each set of versions ever in force.

    Sets of versions `known` to be sound together are left out.
    """
    for held in _held(book.rulesets):
        if tuple(map(_id, held.values())) in known:
            continue
        found: dict[tuple[str, ...], Combination] = {}
        _add(found, held, [name for name, version in held.items() if version.applies_when])
        yield list(found.values())


def known_together(recorded: Iterable[Stamp], unchanged: Collection[str]) -> Known:
    """The sets of versions that were in force together on record, and none of which has changed."""
    sets = (tuple(map(_id, held.values())) for held in _held(by_ruleset(tuple(recorded))))
    return frozenset(names for names in sets if all(name in unchanged for name in names))


def _id(version: Head) -> str:
    return version.id


def _held(rulesets: Mapping[str, Sequence[OneHead]]) -> Iterator[Mapping[str, OneHead]]:
    """The versions in force at each instant: as known in the end, and before each announcement."""
    every = [version for versions in rulesets.values() for version in versions]
    announced = {version.announced_at for version in every if version.announced_at}
    known = [None, _BEFORE_ANY, *sorted(announced)]
    seen = set()
    for moment in sorted({version.effective_from for version in every}):
        for known_at in known:
            held = dict(held_at(rulesets, moment, known_at))
            key = tuple(version.id for version in held.values())
            if key not in seen:
                seen.add(key)
                yield held


def _add(
    found: dict[tuple[str, ...], Combination], held: Mapping[str, Version], deciding: list[str]
) -> None:
    """Note each deciding ruleset with all it uses; one that waits for another cannot decide yet."""
    for ruleset in deciding:
        names = with_used(held, ruleset)
        if all(name in held for name in names):
            versions = tuple(held[name] for name in names)
            found.setdefault(tuple(version.id for version in versions), versions)


def with_versions(
    problem: Problem, where: list[Combination], everywhere: list[Combination]
) -> Problem:
    """The problem, with the versions that bring it about if the file is sound with others."""
    file = problem.place.path
    possible = [one for one in everywhere if any(version.path == file for version in one)]
    sound = [combination for combination in possible if combination not in where]
    if not sound:
        return problem
    others = [v.id for v in where[0] if v.path != file and any(v not in other for other in sound)]
    together = " and ".join(f"`{name}`" for name in others if f"`{name}`" not in problem.message)
    if not together:
        return problem
    return replace(problem, message=f"{problem.message} (in force together with {together})")
