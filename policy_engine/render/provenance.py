"""Where a provision comes from: its history, its sources, what it assumes, what is noted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policy_engine.book import Amendment, Chapter, Clause
from policy_engine.language.terms import untitled
from policy_engine.model import Citation, Parameter, Scale, Source, Table, Version
from policy_engine.render.book import valued
from policy_engine.render.diff import fold, folded_body, name


def told(amendment: Amendment, clause: Clause) -> Iterator[str]:
    """What a version did to a provision, in lines."""
    item = amendment.item
    if item is None:
        yield "gone"
    elif not amendment.changes:
        value = valued(item.value, item.unit) if isinstance(item, Parameter) else None
        yield value or "first written"
    for folded in fold(amendment.changes):
        where = name(folded).removeprefix(clause.id).replace("/refuse_when", "").lstrip("/")
        said_there = folded_body(folded).replace(" -> ", " → ")
        yield f"{where.replace('/', ', ')}: {said_there}" if where else said_there


def in_code(line: str) -> Iterator[tuple[str, bool]]:
    """A line in stretches: what stands between backticks is code."""
    for at, part in enumerate(line.split("`")):
        if part:
            yield part, at % 2 == 1


def source_of(version: Version, citation: Citation) -> Source:
    """The document that a provision cites."""
    return version.sources.get(citation.source) or Source(citation.source)


def assuming(chapter: Chapter) -> Mapping[str, list[Clause]]:
    """The provisions that rest on each assumption of a version."""
    found: dict[str, list[Clause]] = {name: [] for name in chapter.version.assumptions}
    for section in chapter.sections:
        for clause in section.clauses:
            for one in sorted(set(_assumed(clause.item))):
                found.setdefault(one, []).append(clause)
    return found


def _assumed(item: Any) -> Iterator[str]:
    yield from item.assumes
    for rule in getattr(item, "refuse_when", ()):
        yield from rule.assumes
    if isinstance(item, Table):
        yield from (name for row in (*item.rows, item.otherwise) for name in row.assumes)
    if isinstance(item, Scale):
        yield from item.above_last.assumes


def note_of(version: Version) -> str | None:
    """What a rule file says of itself beside its provisions."""
    found = (version.document or {}).get("note")
    return str(found) if found is not None else None


def title_of_input(version: Version, entity: str, name: str) -> str:
    """The title of an input, or its name in words."""
    inputs = (version.document or {}).get("inputs", {}).get(entity, {})
    title = inputs.get(name, {}).get("title")
    return str(title) if title is not None else untitled(name).text.capitalize()


def reached_text(reached: int, all_: int) -> str:
    """How much of something is reached, rounded down; a dash where there is none of it."""
    return f"{reached * 100 // all_}%" if all_ else "–"
