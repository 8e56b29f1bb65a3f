"""Every combination of versions that is ever in force together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from policy_engine.model import Version
from policy_engine.rulebook import Rulebook
from policy_engine.rules import with_used
from policy_engine.versions.held import held_at

Combination = tuple[Version, ...]
"""A version that decides, and those it uses."""


_BEFORE_ANY = datetime.min.replace(tzinfo=UTC)


def combinations(book: Rulebook) -> list[Combination]:
    """The combinations that decide, each once, and each version that is in none of them.

    A version starts, or becomes known, only at an instant that a file names: between two of those
    nothing changes.
    """
    found: dict[tuple[str, ...], Combination] = {}
    for held in _held(book):
        deciding = [name for name, version in held.items() if version.applies_when]
        _add(found, held, deciding)
    met = {version.id for combination in found.values() for version in combination}
    for version in book.versions:
        if version.id not in met:
            others = dict(held_at(book.rulesets, version.effective_from, None))
            _add(found, {**others, version.ruleset: version}, [version.ruleset])
    return list(found.values())


def deciding_together(book: Rulebook) -> Iterator[list[Combination]]:
    """The combinations that decide side by side, for each set of versions ever in force."""
    for held in _held(book):
        found: dict[tuple[str, ...], Combination] = {}
        _add(found, held, [name for name, version in held.items() if version.applies_when])
        yield list(found.values())


def _held(book: Rulebook) -> Iterator[Mapping[str, Version]]:
    """The versions in force at each instant: as known in the end, and before each announcement."""
    announced = {version.announced_at for version in book.versions if version.announced_at}
    known = [None, _BEFORE_ANY, *sorted(announced)]
    seen = set()
    for moment in sorted({version.effective_from for version in book.versions}):
        for known_at in known:
            held = dict(held_at(book.rulesets, moment, known_at))
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
