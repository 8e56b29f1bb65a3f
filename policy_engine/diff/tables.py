"""Tables compared as what they give for each key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policy_engine.diff.change import (
    ADDED,
    CHANGED,
    LOGIC,
    REMOVED,
    REPLACED,
    VALUE,
    WORDING,
    Change,
    Names,
    Path,
    Significance,
    differing,
    paired,
    same,
)
from policy_engine.diff.provisions import aspects, figure, kinds, names, words
from policy_engine.model import Citation, NotKnown, Row, Table
from policy_engine.numbers import Value, text_of

Key = tuple[Value, ...]


def table(path: Path, old: Table, new: Table) -> Iterator[Change]:
    """The changes of a table."""
    said: dict[str, Any] = {"citation": new.citation, "name": new.name}
    yield from kinds(path, "table", old, new)
    by = Names(old.by), Names(new.by)
    yield from differing((*path, "by"), "table", *by, LOGIC, **said)
    yield from differing((*path, "safer"), "table", old.safer, new.safer, WORDING, **said)
    yield from _otherwise((*path, "otherwise"), old, new, said)
    yield from _rows((*path, "rows"), old, new)
    yield from aspects(path, old, new)


def _rows(path: Path, old: Table, new: Table) -> Iterator[Change]:
    if old.by != new.by:
        if old.rows != new.rows:
            cited = new.citation
            yield Change(path, "row", new.name, REPLACED, VALUE, old, new, citation=cited)
        return
    shown = {"unit": new.unit, "safer": new.safer or old.safer}
    for key, before, after in paired(rows_of(old), rows_of(new)):
        at = (*path, escaped(key))
        yield from _row(at, (old, before), (new, after), shown)


def rows_of(table: Table) -> dict[Key, Row]:
    """The row of each key."""
    return {key: row for row in table.rows for key in row.keys}


def escaped(key: Key | Value | None) -> str:
    """A key as one part of a path."""
    parts = key if isinstance(key, tuple) else (key,)
    known = (str(text_of(part)) for part in parts if part is not None)
    texts = [text.replace("~", "~0").replace("/", "~1") for text in known]
    return texts[0] if len(texts) == 1 else ",".join(text.replace(",", "~2") for text in texts)


def _otherwise(path: Path, old: Table, new: Table, more: dict[str, Any]) -> Iterator[Change]:
    sides = old.otherwise.value, new.otherwise.value
    safer = new.safer or old.safer
    yield from figure(path, "table", *sides, unit=new.unit, safer=safer, **more)
    listed = names(old.otherwise.assumes), names(new.otherwise.assumes)
    yield from differing((*path, "assumes"), "assumes", *listed, WORDING, **more)


def _row(
    path: Path, old: tuple[Table, Row | None], new: tuple[Table, Row | None], more: dict[str, Any]
) -> Iterator[Change]:
    """The change of what a table gives for a key that a side lists; else `otherwise` counts."""
    before, after = (row or table.otherwise for table, row in (old, new))
    action = CHANGED if old[1] and new[1] else REMOVED if old[1] else ADDED
    table, row = old if action == REMOVED else new
    name = f"{table.name}[{path[-1]}]"
    more = {**more, "citation": (row and row.citation) or table.citation}
    if action != CHANGED or not same(before.value, after.value):
        grade = _grade(before.value, after.value)
        yield Change(path, "row", name, action, grade, before.value, after.value, **more)
    if action == CHANGED:
        yield from _remarks(path, before, after, name, more["citation"])


def _grade(before: Value | NotKnown, after: Value | NotKnown) -> Significance:
    unknown = isinstance(before, NotKnown) and isinstance(after, NotKnown)
    return WORDING if unknown or same(before, after) else VALUE


def _remarks(path: Path, old: Row, new: Row, name: str, cited: Citation | None) -> Iterator[Change]:
    said = {
        "citation": (old.citation, new.citation),
        "note": (words(old.note), words(new.note)),
        "assumes": (names(old.assumes), names(new.assumes)),
    }
    for kind, sides in said.items():
        yield from differing((*path, kind), kind, *sides, WORDING, name=name, citation=cited)
