"""Accounts a step away from one that is there: another key, a figure left out, other amounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from policy_engine.fields import shape
from policy_engine.model import LISTS, Version
from policy_engine.numbers import plain, text_of

Snapshot = Mapping[str, Any]

_FACTORS = tuple(Decimal(10) ** power for power in range(1, 8))


def moved(snapshot: Snapshot, version: Version, key: tuple[Any, ...]) -> Iterator[Snapshot]:
    """The account with parts of `key` in the place of its texts, with a figure that may be absent
    left out, and with each amount of a line at 0 and at ten times as much, up to ten million."""
    for part in key:
        yield from _named(snapshot, text_of(part))
    for name, field in shape().account.items():
        if name in snapshot and not field.required and not isinstance(snapshot[name], list):
            yield {other: value for other, value in snapshot.items() if other != name}
    for entity in LISTS:
        lines = list(snapshot.get(entity) or ())
        for at, line in enumerate(lines):
            for name in _amounts(version, entity, line):
                for value in _other_amounts(line[name]):
                    changed = [*lines[:at], {**line, name: value}, *lines[at + 1 :]]
                    yield {**snapshot, entity: changed}


def _named(snapshot: Snapshot, text: Any) -> Iterator[Snapshot]:
    """The account with a text in the place of each field that can take it."""
    for name, field in shape().account.items():
        if name in snapshot and field.choices is not None and str(text) in field.choices:
            yield {**snapshot, name: text}
    for entity in LISTS:
        lines = list(snapshot.get(entity) or ())
        for at, line in enumerate(lines):
            for name, field in shape().lines[entity].items():
                if name in line and field.kind == "text":
                    yield {
                        **snapshot,
                        entity: [*lines[:at], {**line, name: text}, *lines[at + 1 :]],
                    }


def _amounts(version: Version, entity: str, line: Mapping[str, Any]) -> list[str]:
    inputs = version.inputs.get(entity, {})
    known = [name for name, item in inputs.items() if item.kind == "number"] or list(line)
    fields = shape().lines[entity]
    return [n for n in known if n in line and n in fields and not fields[n].above_zero]


def _other_amounts(held: Any) -> Iterator[str]:
    try:
        amount = Decimal(str(held))
    except InvalidOperation:
        return
    yield from (plain(amount * factor) for factor in _FACTORS if amount)
    if amount:
        yield "0"
