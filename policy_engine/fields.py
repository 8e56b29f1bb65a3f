"""The fields of a snapshot, from its schema: how each is taken when it is written plainly."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from policy_engine.model import LISTS, Input
from policy_engine.numbers import instant
from policy_engine.shipped import schemas_folder


class Odd(Exception):
    """Something the quick way does not take; the careful way takes it or says what is wrong."""


ABSENT = object()
"""Stands for an optional figure that a line does not have."""

Take = Callable[[Any], Any]
AMOUNT = r"(?:0|[1-9][0-9]{0,17}+)(?:\.[0-9]{1,18}+)?+"
"""An amount in plain notation; nothing in it is ever tried twice."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: how a plainly written value is taken, and an example to print in hints."""

    name: str
    take: Take
    kind: str
    required: bool
    above_zero: bool = False
    example: Any = None


@dataclass(frozen=True)
class Shape:
    """The fields of a snapshot: of the account, and of a line of each list."""

    account: Mapping[str, Field]
    lines: Mapping[str, Mapping[str, Field]]
    guarded: frozenset[str]
    """Fields on which the schema makes others depend: only the careful way knows how."""


@cache
def shape() -> Shape:
    """The shape that the snapshot schema gives."""
    text = (schemas_folder() / "snapshot.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    lines = {name: _whole(schema, schema["properties"][name]).get("items", {}) for name in LISTS}
    return Shape(
        _fields(schema, schema),
        {name: _fields(schema, _whole(schema, line)) for name, line in lines.items()},
        frozenset(schema.get("if", {}).get("required", ())),
    )


def _fields(root: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Field]:
    required = frozenset(schema.get("required", ()))
    return {
        name: _field(name, _whole(root, part), name in required)
        for name, part in schema.get("properties", {}).items()
    }


def _whole(root: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """A schema with the definition it refers to laid under its own keys."""
    reference = part.get("$ref", "").rpartition("/")[2]
    return {**root["$defs"][reference], **part} if reference else dict(part)


def _field(name: str, schema: Mapping[str, Any], required: bool) -> Field:
    examples = schema.get("examples", [None])
    kind = schema.get("x-kind", "text")
    above = "exclusiveMinimum" in schema
    return Field(name, _take(schema, kind), kind, required, above, examples[0])


def _take(schema: Mapping[str, Any], kind: str) -> Take:
    types = schema.get("type", ())
    if "enum" in schema:
        return _one_of(frozenset(str(choice) for choice in schema["enum"] if choice is not None))
    if kind == "instant":
        return take_instant
    if "boolean" in types:
        return take_truth
    if "object" in types:
        return _mapping_of(schema)
    return _matching(schema["pattern"]) if "pattern" in schema else _odd


def _one_of(choices: frozenset[str]) -> Take:
    def take(value: Any) -> Any:
        if value.__class__ is str and value in choices:
            return value
        raise Odd

    return take


def _matching(pattern: str) -> Take:
    fullmatch = re.compile(pattern, re.ASCII).fullmatch

    def take(value: Any) -> Any:
        if value.__class__ is str and fullmatch(value):
            return value
        raise Odd

    return take


def _mapping_of(schema: Mapping[str, Any]) -> Take:
    """A mapping whose keys the schema names, or one of any names to one kind of value."""
    named = {name: _take(part, "number") for name, part in schema.get("properties", {}).items()}
    any_name = schema.get("additionalProperties")
    other = _take(any_name, "number") if isinstance(any_name, dict) else None

    def take(value: Any) -> Any:
        if value.__class__ is not dict:
            raise Odd
        for key, item in value.items():
            part = named.get(key, other)
            if part is None or key.__class__ is not str:
                raise Odd
            part(item)
        return value

    return take


def take_truth(value: Any) -> Any:
    """True or false, as they are."""
    if value is True or value is False:
        return value
    raise Odd


def take_instant(value: Any) -> Any:
    """An instant from its text."""
    if value.__class__ is not str:
        raise Odd
    return _instant(value)


@lru_cache(maxsize=4096)
def _instant(text: str) -> Any:
    try:
        return instant(text)
    except ValueError:
        raise Odd from None


def _odd(value: Any) -> Any:
    raise Odd


def declared(item: Input) -> Field:
    """The field of an input that the schema does not know: rules for other snapshots name it."""
    takes = {"truth": take_truth, "instant": take_instant, "number": _matching("-?" + AMOUNT)}
    take = takes.get(item.kind, _matching(r"[^\x00-\x1f\x7f]{1,128}"))
    return Field(item.source[0], take, item.kind, not item.optional)
