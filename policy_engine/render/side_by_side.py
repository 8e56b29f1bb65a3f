"""One account under several settings, as a table with a column for each, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from policy_engine.comparison import Bound, Column
from policy_engine.numbers import Value, instant_text, text_of
from policy_engine.render.layout import Page, columns_of, figure_text, padded

_ABSENT, _UNKNOWN = "-", "unknown"
"""Short: columns are narrow, and every cell that is not known names its reasons."""

_RULINGS = {True: "open", False: "refused", None: _UNKNOWN}
Row = tuple[str, list[str]]


def render(columns: Sequence[Column], page: Page) -> str:
    """The table, then the reasons that its cells name by number."""
    notes: dict[str, int] = {}
    rows = [*_settings(columns), *_decisions(columns, notes), *_limits(columns, notes)]
    parts = ["\n".join(block) for block in _blocks(rows, page)]
    if notes:
        parts.append("\n".join(_notes(notes, page)))
    return "\n\n".join(parts)


def _settings(columns: Sequence[Column]) -> Iterator[Row]:
    names = dict.fromkeys(name for column in columns for name in column.settings.settings)
    for name in names:
        yield name, [_setting(column, name) for column in columns]
    yield "rules of", [_moment(column.at) for column in columns]


def _moment(moment: datetime) -> str:
    """An instant, or the day that begins with it."""
    return instant_text(moment).removesuffix("T00:00:00Z")


def _setting(column: Column, name: str) -> str:
    settings = column.settings.settings
    if name not in settings:
        return "as it is"
    value = settings[name]
    if value is None:
        return "not known"
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _decisions(columns: Sequence[Column], notes: dict[str, int]) -> Iterator[Row]:
    yield "", [""] * len(columns)
    yield "status", [_status(column, notes) for column in columns]
    for name in _names(columns, lambda column: column.decision and column.decision.permissions):
        yield name, [_permission(column, name, notes) for column in columns]
    yield "", [""] * len(columns)
    for name in _names(columns, lambda column: column.decision and column.decision.values):
        yield name, [_value(column, name, notes) for column in columns]


def _names(columns: Sequence[Column], part: Callable[[Column], Any]) -> list[str]:
    """The names of a part of the decisions, of all columns together."""
    return sorted({name for column in columns for name in part(column) or ()})


def _status(column: Column, notes: dict[str, int]) -> str:
    if column.decision is None:
        return _noted("no rules", [problem.message for problem in column.problems], notes)
    reasons = column.decision.undetermined.get("status", ())
    return _noted(column.decision.status or _UNKNOWN, reasons, notes)


def _permission(column: Column, name: str, notes: dict[str, int]) -> str:
    if column.decision is None or name not in column.decision.permissions:
        return _ABSENT
    ruling = column.decision.permissions[name]
    why = [reason.title for reason in ruling.reasons]
    unknown = column.decision.undetermined.get(f"permissions.{name}", ())
    return _noted(_RULINGS[ruling.permitted], [*why, *unknown], notes)


def _value(column: Column, name: str, notes: dict[str, int]) -> str:
    if column.decision is None or name not in column.decision.values:
        return _ABSENT
    reasons = column.decision.undetermined.get(name, ())
    return _noted(_figure(column.decision.values[name]), reasons, notes)


def _figure(value: Value | None) -> str:
    return _UNKNOWN if value is None else figure_text(value)


def _limits(columns: Sequence[Column], notes: dict[str, int]) -> Iterator[Row]:
    asked = dict.fromkeys(_asked(bound) for column in columns for bound in column.limits)
    if asked:
        yield "", [""] * len(columns)
    for text in asked:
        found = [
            next((bound for bound in column.limits if _asked(bound) == text), None)
            for column in columns
        ]
        yield f"most {text}", [_limit(bound, notes) for bound in found]


def _limit(bound: Bound | None, notes: dict[str, int]) -> str:
    return _ABSENT if bound is None else _noted(_figure(bound.value), bound.reasons, notes)


def _asked(bound: Bound) -> str:
    return " ".join([bound.request, *(str(text_of(value)) for value in bound.given.values())])


def _noted(said: str, reasons: Sequence[str], notes: dict[str, int]) -> str:
    """What is said with the numbers of its reasons."""
    numbers = [str(notes.setdefault(reason, len(notes) + 1)) for reason in reasons]
    return f"{said} [{', '.join(numbers)}]" if numbers else said


def _blocks(rows: Sequence[Row], page: Page) -> Iterator[list[str]]:
    """The table, cut into as many as the page needs for its width."""
    first = max(columns_of(name) for name, _ in rows) + 4
    widths = [max(map(columns_of, cells)) + 2 for cells in zip(*(c for _, c in rows), strict=True)]
    start = 0
    while start < len(widths):
        end, room = start + 1, page.width - first - widths[start]
        while end < len(widths) and widths[end] <= room:
            room -= widths[end]
            end += 1
        yield [_line(row, first, widths, start, end) for row in rows]
        start = end


def _line(row: Row, first: int, widths: Sequence[int], start: int, end: int) -> str:
    name, cells = row
    shown = (padded(cells[n], widths[n]) for n in range(start, end))
    return f"  {padded(name, first - 2)}{''.join(shown)}".rstrip()


def _notes(notes: dict[str, int], page: Page) -> Iterator[str]:
    width = len(f"[{len(notes)}] ") + 2
    for reason, number in notes.items():
        yield from page.wrapped(reason, width, f"  [{number}] ")


def to_json(columns: Sequence[Column]) -> str:
    """The same as one line of JSON, with each decision whole."""
    said = {"columns": [_mapping(column) for column in columns]}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), default=str)


def _mapping(column: Column) -> dict[str, Any]:
    return {
        "set": dict(column.settings.settings),
        "rules_at": instant_text(column.at),
        "decision": None if column.decision is None else column.decision.to_dict(),
        "limits": [
            {
                "request": bound.request,
                "inputs": {name: text_of(value) for name, value in bound.given.items()},
                "limit": text_of(bound.value),
                "undetermined": list(bound.reasons),
            }
            for bound in column.limits
        ],
        "problems": [
            {"code": problem.code, "message": problem.message, "hint": problem.hint}
            for problem in column.problems
        ],
    }
