"""Two versions of a ruleset compared, section by section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.diff.change import (
    INPUTS,
    LOGIC,
    VALUE,
    WORDING,
    Change,
    Path,
    Significance,
    Words,
    differing,
    named,
    paired,
)
from policy_engine.diff.provisions import (
    expression,
    formula,
    invariant,
    parameter,
    read_input,
    words,
)
from policy_engine.diff.rules import permission, request, rules, statuses
from policy_engine.diff.scales import scale
from policy_engine.diff.tables import table
from policy_engine.model import Source, Version
from policy_engine.versions.digest import remarks


def changes(old: Version, new: Version) -> Iterator[Change]:
    """What differs between two versions, besides when they hold."""
    yield from expression(("applies_when",), "scope", old.applies_when, new.applies_when)
    yield from differing(
        ("completes_within",), "date", old.completes_within, new.completes_within, VALUE
    )
    for section, kind, significance, both in _SECTIONS:
        sides = _section(old, section), _section(new, section)
        yield from named((section,), kind, sides, significance, both)
    for entity, before, after in paired(old.inputs, new.inputs):
        at = ("inputs", entity)
        yield from named(at, "input", (before or {}, after or {}), INPUTS, read_input)
    for entity, of, to in paired(old.formulas, new.formulas):
        yield from named(("formulas", entity), "formula", (of or {}, to or {}), LOGIC, formula)
    yield from statuses(old.statuses, new.statuses)
    yield from rules(("notices",), "notice", old.notices, new.notices)
    yield from _remarks(old, new)


def dates(old: Version, new: Version) -> Iterator[Change]:
    """What differs in when two versions hold, and in what they say of themselves."""
    for name in ("effective_from", "announced_at"):
        yield from differing((name,), "date", getattr(old, name), getattr(new, name), VALUE)
    summaries = Words(old.summary), Words(new.summary)
    yield from differing(("summary",), "title", *summaries, WORDING)
    reasons = words(old.corrects), words(new.corrects)
    yield from differing(("corrects",), "title", *reasons, WORDING)


def _section(version: Version, section: str) -> Mapping[Any, Any]:
    held = getattr(version, section)
    if section == "uses":
        return {name: name for name in held}
    if section == "assumptions":
        return {name: Words(text) for name, text in held.items()}
    assert isinstance(held, Mapping)
    return held


def _source(path: Path, old: Source, new: Source) -> Iterator[Change]:
    titles = Words(old.title), Words(new.title)
    yield from differing((*path, "title"), "source", *titles, WORDING, name=path[-1])
    for name in ("updated", "url"):
        sides = getattr(old, name), getattr(new, name)
        yield from differing((*path, name), "source", *sides, WORDING, name=path[-1])


def _assumption(path: Path, old: Words, new: Words) -> Iterator[Change]:
    yield from differing(path, "assumption", old, new, WORDING)


def _same(path: Path, old: Any, new: Any) -> Iterator[Change]:
    return iter(())


_SECTIONS: tuple[tuple[str, str, Significance, Any], ...] = (
    ("uses", "scope", LOGIC, _same),
    ("sources", "source", WORDING, _source),
    ("assumptions", "assumption", WORDING, _assumption),
    ("parameters", "parameter", VALUE, parameter),
    ("tables", "table", VALUE, table),
    ("scales", "scale", VALUE, scale),
    ("permissions", "permission", LOGIC, permission),
    ("requests", "request", LOGIC, request),
    ("invariants", "invariant", LOGIC, invariant),
)


def _remarks(old: Version, new: Version) -> Iterator[Change]:
    """The changes of what a file says to its readers beside its provisions."""
    said = dict(remarks(old.document)), dict(remarks(new.document))
    for path, before, after in paired(*said):
        if not (_has(old.document, path[:-1]) and _has(new.document, path[:-1])):
            continue  # what is added or removed is told as a whole
        kind = "title" if path[-1] == "title" else "note"
        sides = words(before), words(after)
        yield from differing(path, kind, *sides, WORDING, name=path[-2] if path[1:] else "note")


def _has(document: Any, path: Path) -> bool:
    for name in path:
        if name not in document:
            return False
        document = document[name]
    return True
