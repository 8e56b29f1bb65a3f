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
    choices: frozenset[str] | None = None
    nullable: bool = False
    amounts: frozenset[str] | None = None
    """The keys of a mapping of amounts, where the schema names them."""
    numeric: bool = False
    """Whether its value, or each value of its mapping, may be a number and not only text."""
    mapping: bool = False
    """Whether its value is a mapping, which its owner may change later."""


@dataclass(frozen=True)
class Shape:
    """The fields of a snapshot: of the account, and of a line of each list."""

    account: Mapping[str, Field]
    lines: Mapping[str, Mapping[str, Field]]
    excludes: Mapping[str, frozenset[str]]
    """Fields that, where they are given, leave others no value but null."""


@cache
def shape() -> Shape:
    """The shape that the snapshot schema gives."""
    text = (schemas_folder() / "snapshot.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    lines = {name: _whole(schema, schema["properties"][name]).get("items", {}) for name in LISTS}
    return Shape(
        _fields(schema, schema),
        {name: _fields(schema, _whole(schema, line)) for name, line in lines.items()},
        _excludes(schema),
    )


def _excludes(schema: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """What the schema's `if` and `then` say: if a field is there and not null, others are null."""
    given = schema.get("if", {}).get("required", ())
    then = schema.get("then", {}).get("properties", {})
    return {name: frozenset(then) for name in given}


def _fields(root: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Field]:
    required = frozenset(schema.get("required", ()))
    return {
        name: _field(name, _whole(root, part), name in required, root)
        for name, part in schema.get("properties", {}).items()
    }


def _whole(root: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """A schema with the definition it refers to laid under its own keys."""
    reference = part.get("$ref", "").rpartition("/")[2]
    return {**root["$defs"][reference], **part} if reference else dict(part)


def _field(name: str, schema: Mapping[str, Any], required: bool, root: Mapping[str, Any]) -> Field:
    examples = schema.get("examples", [None])
    kind = schema.get("x-kind", "text")
    above = "exclusiveMinimum" in schema
    choices = (
        frozenset(str(c) for c in schema["enum"] if c is not None) if "enum" in schema else None
    )
    take = _take(schema, kind, root) if choices is None else _one_of(choices)
    nullable = "null" in schema.get("type", ()) or None in schema.get("enum", ())
    amounts = _named_amounts(schema, root)
    numeric = _is_numeric(schema, root)
    mapping = "object" in schema.get("type", ())
    shown = examples[0]
    return Field(
        name, take, kind, required, above, shown, choices, nullable, amounts, numeric, mapping
    )


def _is_numeric(schema: Mapping[str, Any], root: Mapping[str, Any]) -> bool:
    """Whether the values, or those of the mapping, may be numbers."""
    others = schema.get("additionalProperties")
    within = [*schema.get("properties", {}).values(), *([others] if others else [])]
    if "object" not in schema.get("type", ()):
        return "number" in schema.get("type", ())
    return any("number" in _whole(root, part).get("type", ()) for part in within)


def _named_amounts(schema: Mapping[str, Any], root: Mapping[str, Any]) -> frozenset[str] | None:
    parts = schema.get("properties", {})
    kinds = {_whole(root, part).get("x-kind") for part in parts.values()}
    return frozenset(parts) if kinds == {"amount"} else None


def _take(schema: Mapping[str, Any], kind: str, root: Mapping[str, Any]) -> Take:
    types = schema.get("type", ())
    if kind == "instant":
        return take_instant
    if "boolean" in types:
        return take_truth
    if "object" in types:
        return _mapping_of(schema, root)
    matching = _matching(schema["pattern"]) if "pattern" in schema else _odd
    return _above_zero(matching) if "exclusiveMinimum" in schema else matching


def _above_zero(matching: Take) -> Take:
    def take(value: Any) -> Any:
        if not matching(value).strip("0."):
            raise Odd
        return value

    return take


def _one_of(choices: frozenset[str]) -> Take:
    def take(value: Any) -> Any:
        if value.__class__ is str and value in choices:
            return value
        raise Odd

    return take


@cache
def _matching(pattern: str) -> Take:
    """What takes the texts of a pattern: the same for all fields that have it."""
    fullmatch = re.compile(pattern.removesuffix("$") + r"\Z", re.ASCII).fullmatch

    def take(value: Any) -> Any:
        if value.__class__ is str and fullmatch(value):
            return value
        raise Odd

    return take


def _mapping_of(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Take:
    """A mapping whose keys the schema names, or one of any fit names to one kind of value."""
    parts = schema.get("properties", {})
    named = {name: _take(_whole(root, part), "number", root) for name, part in parts.items()}
    others = schema.get("additionalProperties")
    if not isinstance(others, dict):
        return _named_mapping(named)
    take_name = _take(_whole(root, schema["propertyNames"]), "text", root)
    take_other = _take(_whole(root, others), "number", root)

    def take(value: Any) -> Any:
        if value.__class__ is not dict:
            raise Odd
        for key, item in value.items():
            take_name(key)
            take_other(item)
        return value

    return take


def _named_mapping(named: Mapping[str, Take]) -> Take:
    def take(value: Any) -> Any:
        if value.__class__ is not dict:
            raise Odd
        for key, item in value.items():
            named[key](item)
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
    numeric = item.kind == "number"
    return Field(item.source[0], take, item.kind, not item.optional, numeric=numeric)
