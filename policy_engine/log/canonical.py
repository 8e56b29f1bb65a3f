"""Canonical JSON (RFC 8785): one value, one sequence of bytes.

Numbers are the one part that is narrower here. RFC 8785 writes them as 64-bit floats, which cannot
hold the 18 digits on either side of the point that a snapshot may have. So a number is written only
where a float would lose nothing, as a whole number up to 2^53 - 1; the numbers of a snapshot are
written as texts with their digits (`as_recorded`), which the engine reads as the same numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from policy_engine.errors import Place, Problem, SnapshotError

LARGEST_WHOLE = 2**53 - 1
_BEYOND = 0xF0
"""The least byte in the UTF-8 of a character beyond the basic plane, and in no other."""


class NotCanonical(ValueError):
    """A value that has no canonical bytes: a number that is not whole, or half a character."""


def canonical(value: Any) -> bytes:
    """The bytes of a JSON value: no blanks, keys in the order of their UTF-16 units.

    Raises NotCanonical.
    """
    text = json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise NotCanonical("half a character") from None


def is_canonical(content: bytes) -> bool:
    """Whether bytes are the canonical ones of the value that they spell."""
    try:
        value = json.loads(content, parse_float=_refused, parse_constant=_refused, parse_int=_whole)
        beyond = max(content, default=0) >= _BEYOND
        return (canonical(value) if beyond else _quickly(value)) == content
    except (ValueError, RecursionError):
        return False


def as_recorded(value: Any, pointer: str = "") -> Any:
    """A snapshot in plain mappings and lists, each number as the text of its digits.

    Raises SnapshotError for a text that is not Unicode.
    """
    if isinstance(value, Mapping):
        return {
            _text(key, pointer): as_recorded(item, f"{pointer}.{key}" if pointer else str(key))
            for key, item in value.items()
        }
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [as_recorded(item, f"{pointer}[{n}]") for n, item in enumerate(value)]
    if value is None or isinstance(value, bool):
        return value
    return _text(format(value, "f") if isinstance(value, Decimal) else str(value), pointer)


def _ordered(value: Any) -> Any:
    """The value with its keys in order. Raises NotCanonical for what no JSON text spells."""
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value, key=_units)}
    if isinstance(value, (list, tuple)):
        return [_ordered(item) for item in value]
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int) and abs(value) <= LARGEST_WHOLE:
        return value
    raise NotCanonical("a number that is not whole, or is too large")


def _units(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def _quickly(value: Any) -> bytes:
    """The canonical bytes where no key is beyond the basic plane: code points order as units."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode("utf-8")


def _whole(text: str) -> int:
    if len(text) > len(str(-LARGEST_WHOLE)) or abs(int(text)) > LARGEST_WHOLE:
        raise NotCanonical(text)
    return int(text)


def _refused(text: str) -> Any:
    raise NotCanonical(text)


def _text(text: str, pointer: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        message, hint = "the text holds half a character", "type it anew"
        raise SnapshotError([Problem("not-utf8", message, hint, Place(pointer=pointer))]) from None
    return text
