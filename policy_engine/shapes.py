"""The shape that a schema gives a document: which of its plain words are truths or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from policy_engine.document import Document, Pointer
from policy_engine.shipped import schemas_folder

_TRUTHS = {"true": True, "false": False}
_WORDS = {**_TRUTHS, "null": None}


@cache
def schema(name: str) -> Mapping[str, Any]:
    """The shipped schema of that name, such as `ruleset`; fractions in it are exact."""
    text = (schemas_folder() / f"{name}.schema.json").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(text, parse_float=Decimal)
    return loaded


def shaped(document: Document, name: str) -> Any:
    """The document's data with plain `true`, `false` and `null` turned to their values where the
    schema has a truth or allows nothing. Everything else stays the text that was written."""
    return _shaped(document.data, (), _Reader(document, schema(name)), schema(name))


def target(root: Mapping[str, Any], part: Any) -> Mapping[str, Any]:
    """A part of a schema, or the one it refers to."""
    while isinstance(part, dict) and "$ref" in part:
        part = root["$defs"][part["$ref"].removeprefix("#/$defs/")]
    return part if isinstance(part, dict) else {}


class _Reader(NamedTuple):
    """A document beside its schema."""

    document: Document
    root: Mapping[str, Any]

    def word(self, text: str, at: Pointer, part: Mapping[str, Any]) -> Any:
        """The value of a plain word, where the schema's kind there is that of the value."""
        kinds = part.get("type", ())
        kinds = {kinds} if isinstance(kinds, str) else set(kinds)
        if text in _TRUTHS:
            fits = "boolean" in kinds and kinds <= {"boolean", "null"}
        else:
            fits = "null" in kinds
        return _WORDS[text] if fits and self.document.plain(at) else text


def _shaped(value: Any, at: Pointer, reader: _Reader, part: Any) -> Any:
    part = target(reader.root, part)
    if part.get("x-plain-words"):
        return _worded(value, at, reader)
    if isinstance(value, dict):
        return {
            key: _shaped(item, (*at, key), reader, _member(part, key))
            for key, item in value.items()
        }
    if isinstance(value, list):
        items = part.get("items")
        return [_shaped(item, (*at, n), reader, items) for n, item in enumerate(value)]
    return reader.word(value, at, part) if value in _WORDS else value


def _member(part: Mapping[str, Any], key: str) -> Any:
    """The schema of a mapping's member."""
    return part.get("properties", {}).get(key, part.get("additionalProperties"))


def _worded(value: Any, at: Pointer, reader: _Reader) -> Any:
    """A part that the schema leaves free: every plain word is its value."""
    if isinstance(value, dict):
        return {key: _worded(item, (*at, key), reader) for key, item in value.items()}
    if isinstance(value, list):
        return [_worded(item, (*at, n), reader) for n, item in enumerate(value)]
    return _WORDS[value] if value in _WORDS and reader.document.plain(at) else value
