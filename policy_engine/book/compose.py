"""The rule book, put together from the rules in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policy_engine.book.amendments import Find, record
from policy_engine.book.examples import examples
from policy_engine.book.listed import listed
from policy_engine.book.model import Book, Chapter, Clause, Section
from policy_engine.cases import Case
from policy_engine.history import Timeline, timelines
from policy_engine.model import ACCOUNT, LISTS, Version
from policy_engine.rulebook import Rulebook, When
from policy_engine.rules import with_used

_RULES = ("statuses", "notices")
SECTIONS = (
    *("statuses", "permissions", "requests", "notices"),
    *("formulas", "invariants", "parameters", "tables", "scales"),
)
"""The kinds of provisions in the order of the book: what is decided first, what it rests on after
it."""


def book_of(
    book: Rulebook, at: When, known_at: When | None = None, cases: Iterable[Case] = ()
) -> Book:
    """The book of the rules in force at an instant, with worked examples from some cases.

    Both instants are as in `Rulebook.in_force`.
    """
    rules = book.in_force(at, known_at)
    lines = timelines(book, rules.at, rules.known_at)
    by_name = {line.ruleset: line for line in lines}
    order = sorted(rules.versions.values(), key=lambda v: (v.applies_when is None, v.ruleset))
    chapters = tuple(
        _chapter(number, version, by_name[version.ruleset], rules.versions)
        for number, version in enumerate(order, 1)
    )
    waiting = tuple(name for name in by_name if name not in rules.versions)
    held = listed(version for version in order)
    found = examples(rules, cases)
    return Book(rules.at, rules.known_at, lines, chapters, waiting, held, found)


def _chapter(
    number: int, version: Version, timeline: Timeline, versions: Mapping[str, Version]
) -> Chapter:
    names = with_used(versions, version.ruleset)
    held = tuple(versions[name] for name in names if name in versions)
    return Chapter(number, version, timeline, held, tuple(_sections(number, version, timeline)))


def _sections(number: int, version: Version, timeline: Timeline) -> Iterator[Section]:
    counted, brought = 0, record(timeline)
    for name in SECTIONS:
        clauses = []
        for entity, item in _items(version, name):
            counted += 1
            path = (name, entity, item.name) if name == "formulas" else (name, item.name)
            amendments = tuple(brought.of(path, _find(name, entity, item.name)))
            id_ = "/".join((version.ruleset, *path))
            clauses.append(Clause(id_, f"{number}.{counted}", item, entity, amendments))
        if clauses:
            yield Section(name, tuple(clauses))


def _items(version: Version, section: str) -> Iterator[tuple[str, Any]]:
    """The provisions of a section, each with the entity it is of."""
    if section == "formulas":
        for entity in (ACCOUNT, *LISTS):
            yield from ((entity, one) for one in version.formulas.get(entity, {}).values())
    elif section in _RULES:
        yield from ((ACCOUNT, one) for one in getattr(version, section))
    else:
        yield from ((ACCOUNT, one) for one in getattr(version, section).values())


def _find(section: str, entity: str, name: str) -> Find:
    """What finds a provision in any version."""

    def find(version: Version) -> Any:
        if section == "formulas":
            return version.formulas.get(entity, {}).get(name)
        if section in _RULES:
            return next((one for one in getattr(version, section) if one.name == name), None)
        return getattr(version, section).get(name)

    return find
