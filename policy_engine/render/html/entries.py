"""One change on a page, and changes that stand under one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from policy_engine.diff import Change, Compared
from policy_engine.diff.change import ADDED, REMOVED
from policy_engine.model import Formula, Parameter, Permission, Request, Row, Rule, Table
from policy_engine.render.change import body, percent_text, said, whole
from policy_engine.render.diff import Folded, fold, name
from policy_engine.render.html.formulas import Reader, Shown
from policy_engine.render.layout import number_text

LISTED = frozenset({"row", "tier"})
"""Kinds of change that stand under one another."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one of the two versions says: a text, a formula, or the rows of a table."""

    text: str
    formula: Shown | None = None
    rows: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A change, or several of one kind that say the same of several keys (rows and tiers)."""

    change: Change
    id: str
    title: str
    before: Side | None
    after: Side | None
    moved: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Changes of the rows of one table, or of the tiers of one scale, under one another."""

    id: str
    title: str
    kind: str
    entries: tuple[Entry, ...]


def entry(folded: Folded, pair: Compared, readers: tuple[Reader, Reader]) -> Entry:
    """What a page says of a change, or of several that say the same."""
    change = folded[0]
    keys = tuple(_key(one) for one in folded) if change.kind in LISTED else ()
    title = _title(change.path, pair) or change.name
    if change.part is not None:
        before, after = change.part.before, change.part.after
        sides = (
            _formula_side(change, before, readers[0]) if before.text else None,
            _formula_side(change, after, readers[1]) if after.text else None,
        )
    else:
        single = len(folded) == 1
        sides = (_side(change, 0, readers[0], single), _side(change, 1, readers[1], single))
    return Entry(change, name(folded), title, *sides, _moved(change), keys)


def _key(change: Change) -> str:
    """The row or tier that a change is of: its path below that of its table or scale."""
    return " · ".join(change.path[3:])


def _formula_side(change: Change, marked: Any, reader: Reader) -> Side:
    return Side(marked.text, reader.of_change(change, marked))


def _side(change: Change, n: int, reader: Reader, single: bool) -> Side | None:
    """What the version before (0) or after (1) says; of a `single` key, with it in its place."""
    value, action = (change.before, change.after)[n], change.action
    if value is None:
        return None
    if change.kind == "scope" and action in (ADDED, REMOVED):
        return Side(body(change))
    if isinstance(value, Formula | Rule):
        return Side(whole(value), reader.of_item(change, value))
    if isinstance(value, Table):
        return Side(whole(value), rows=tuple(_rows(value)))
    if isinstance(value, Permission | Request):
        held = tuple((rule.title, said(rule.when)) for rule in value.refuse_when)
        return Side("refused when" if held else "never refused", rows=held)
    text = _valued(value, change)
    return Side(text.replace("{key}", change.path[-1]) if single and change.kind == "row" else text)


def _valued(value: Any, change: Change) -> str:
    """A value with its unit."""
    unit = value.unit if isinstance(value, Parameter) else change.unit
    figure = value.value if isinstance(value, Parameter) else value
    if isinstance(figure, Decimal):
        return number_text(figure) + ("" if unit in (None, "ratio") else f" {unit}")
    return whole(figure)


def _rows(table: Table) -> Iterator[tuple[str, str]]:
    for row in (*table.rows, table.otherwise):
        keys = ", ".join("/".join(said(part) for part in key) for key in row.keys)
        yield keys or "otherwise", _row_value(row, table)


def _row_value(row: Row, table: Table) -> str:
    unit = "" if table.unit in (None, "ratio") else f" {table.unit}"
    return number_text(row.value) + unit if isinstance(row.value, Decimal) else said(row.value)


def _moved(change: Change) -> str:
    """By how much a number moved which way."""
    parts = []
    if change.difference is not None:
        rise = change.difference
        parts.append(f"{'+' if rise > 0 else '−'}{number_text(rise.copy_abs())}")
    if change.percent is not None:
        parts.append(percent_text(change.percent).replace("-", "−"))
    return ", ".join(parts)


def _title(path: Sequence[str], pair: Compared) -> str:
    """The titles of what a path leads through, as the newest version that has it writes them."""
    for version in (pair.after, pair.before):
        if version is not None and (found := list(_titles(version.document, path))):
            return " › ".join(found)
    return ""


def _titles(document: Any, path: Sequence[str]) -> Iterator[str]:
    for part in path:
        if not hasattr(document, "keys") or part not in document:
            return
        document = document[part]
        if hasattr(document, "keys") and isinstance(document.get("title"), str):
            yield document["title"]


def entries(
    changes: Iterable[Change], pair: Compared, readers: tuple[Reader, Reader]
) -> Iterator[Entry]:
    """The changes of a ruleset, rows and tiers that say the same in one."""
    for folded in fold(changes):
        together = folded[0].kind in LISTED
        for one in [folded] if together else [(change,) for change in folded]:
            yield entry(one, pair, readers)


def gathered(entries: Sequence[Entry]) -> Iterator[Entry | Listing]:
    """The changes in their order, those of one table's rows or one scale's tiers as a listing."""
    held: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        listed = entry.change.kind in LISTED
        held.setdefault(entry.change.path[:2] if listed else (entry.id,), []).append(entry)
    for path, some in held.items():
        first = some[0]
        if first.change.kind in LISTED:
            id_ = "/".join((first.change.ruleset, *path))
            yield Listing(id_, first.title, f"{first.change.kind}s changed", tuple(some))
        else:
            yield first
