"""What a version means, as canonical JSON, and the digest of that."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from policy_engine.language.syntax import Expression
from policy_engine.language.text import to_text
from policy_engine.model import Row, Version
from policy_engine.numbers import instant_text, plain

_NOTHING: tuple[Any, ...] = (None, [], {})
_NOT_MEANING = frozenset({"id", "make_digest", "path", "place", "document"})


def digest(version: Version) -> str:
    """`sha256:` and the hash of the version's meaning; equal on every platform and Python.

    Spaces, comments, the order of keys and the spelling of numbers and formulas leave it as it is;
    anything else that the file says changes it.
    """
    text = json.dumps(meaning(version), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{sha256(text.encode()).hexdigest()}"


def meaning(version: Version) -> dict[str, Any]:
    """The version's meaning as plain JSON: sorted where order says nothing, kept where it does."""
    said = {name: meant(getattr(version, name)) for name in _names(version)}
    said["notices"] = _by_name(said["notices"])
    for asked in (*said["permissions"].values(), *said["requests"].values()):
        asked["refuse_when"] = _by_name(asked["refuse_when"])
    for table in said["tables"].values():
        table["rows"] = sorted(table["rows"], key=json.dumps)
    for scale in said["scales"].values():
        _by_column(scale)
    if said_beside := sorted(remarks(version.document)):
        said["remarks"] = [[*path, text] for path, text in said_beside]
    return {name: _without_nothing(part) for name, part in said.items() if part not in _NOTHING}


def _without_nothing(value: Any) -> Any:
    """What is said; what is not leaves no trace, so that a new word of the language changes no
    digest of what was written without it."""
    if isinstance(value, list):
        return [_without_nothing(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_nothing(item) for key, item in value.items() if item not in _NOTHING}
    return value


def _by_column(scale: dict[str, Any]) -> None:
    """Name each rate by its column: the order in which columns are written says nothing."""
    columns = [name for name, _ in scale["columns"]]
    scale["columns"] = dict(scale["columns"])
    for tiers in scale["tiers"].values():
        for tier in tiers:
            tier["rates"] = dict(zip(columns, tier["rates"], strict=True))


def remarks(document: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """What a file says to its readers beside its provisions: the path and text of each remark."""
    if "note" in document:
        yield ("note",), document["note"]
    for name, source in document.get("sources", {}).items():
        if "note" in source:
            yield ("sources", name, "note"), source["note"]
    for path, inputs in _inputs(document):
        for name, item in inputs.items():
            for key in ("note", "title"):
                if key in item:
                    yield (*path, name, key), item[key]


def _inputs(document: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each mapping of inputs, of the snapshot and of the requests, with its path."""
    for entity, inputs in document.get("inputs", {}).items():
        yield ("inputs", entity), inputs
    for name, request in document.get("requests", {}).items():
        yield ("requests", name, "inputs"), request.get("inputs", {})


def _by_name(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rules, key=lambda rule: str(rule["name"]))


def _names(value: Any) -> list[str]:
    return [field.name for field in fields(value) if field.name not in _NOT_MEANING]


def meant(value: Any) -> Any:
    if isinstance(value, Expression):
        return to_text(value.tree)
    if isinstance(value, Decimal):
        return {"number": plain(value)}
    if isinstance(value, Row):
        return {
            **_object(value),
            "keys": sorted((meant(key) for key in value.keys), key=json.dumps),
        }
    if is_dataclass(value):
        return _object(value)
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, timedelta):
        return {"seconds": int(value.total_seconds())}
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, (tuple, list)):
        return [meant(item) for item in value]
    return value


def _object(value: Any) -> dict[str, Any]:
    return {name: meant(getattr(value, name)) for name in _names(value)}


def _mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        plain(key) if isinstance(key, Decimal) else str(key): meant(item)
        for key, item in value.items()
    }
