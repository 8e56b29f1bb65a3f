"""JSON Schema -> problems in our words, with places in the file or paths in the mapping."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from policy_engine.document import Document, Pointer, pointer_text
from policy_engine.errors import MOST_PROBLEMS, Place, Problem, in_file_order
from policy_engine.kinds import kind_slip
from policy_engine.schema_words import Failure, Said, said
from policy_engine.shapes import schema, shaped, target

__all__ = ["problems", "shaped"]

_ONE_IS_ENOUGH = frozenset({"wrong-type", "invalid-value", "bad-number", "bad-instant"})
"""Codes of which a place gets one problem: two parts of a schema may say the same."""


def problems(subject: Document | Any, name: str) -> list[Problem]:
    """Everything by which a document or a mapping differs from the schema of that name.

    Problems of a document have places in its file, in file order; those of a mapping have paths
    such as `assets[0].free`.
    """
    found: dict[tuple[Place, str], Problem] = {}
    value = shaped(subject, name) if isinstance(subject, Document) else subject
    for error in _validator(name).iter_errors(value):
        failure = _failure(error, name, isinstance(subject, Document))
        for one in said(failure):
            place = _place(subject, failure, one)
            again = one.message if one.code not in _ONE_IS_ENOUGH else ""
            found.setdefault((place, again), Problem(one.code, one.message, one.hint, place))
            if len(found) == MOST_PROBLEMS:
                return list(in_file_order(found.values()))
    return list(in_file_order(found.values()))


def _failure(error: ValidationError, name: str, written: bool) -> Failure:
    part = error.schema if isinstance(error.schema, dict) else {}

    def example(key: str) -> Any:
        member = part.get("properties", {}).get(key, {})
        examples = member.get("examples") or target(schema(name), member).get("examples")
        return examples[0] if examples else None

    return Failure(
        keyword=str(error.validator),
        setting=error.validator_value,
        part=part,
        value=error.instance,
        at=_pointer(error),
        is_key="propertyNames" in error.absolute_schema_path,
        written=written,
        example=example,
    )


def _pointer(error: ValidationError) -> Pointer:
    """The path of the value; a mapping given in Python may have keys that are not text."""
    return tuple(step if isinstance(step, int | str) else str(step) for step in error.absolute_path)


def _place(subject: Document | Any, failure: Failure, one: Said) -> Place:
    """In a file: the key, the value, or the key of the mapping that lacks one. Else the path."""
    at: Pointer = failure.at if one.key is None else (*failure.at, one.key)
    if not isinstance(subject, Document):
        return Place(pointer=pointer_text(at if one.lacks is None else (*at, one.lacks)))
    of_key = one.key is not None or failure.keyword == "not"
    return subject.place(at, key=of_key or isinstance(failure.value, dict | list))


@cache
def _validator(name: str) -> Draft202012Validator:
    """The validator of a schema, whose references are all to its own `$defs`."""

    def reference(
        validator: Draft202012Validator, ref: str, value: Any, _: Mapping[str, Any]
    ) -> Iterator[ValidationError]:
        yield from validator.descend(value, target(schema(name), {"$ref": ref}))

    strict = extend(_STRICT, {"$ref": reference})  # type: ignore[no-untyped-call]
    validator: Draft202012Validator = strict(schema(name))
    return validator


def _is_number(_: Any, value: Any) -> bool:
    """Exact numbers only: a float has already lost what was written."""
    if isinstance(value, Decimal):
        return value.is_finite()
    return isinstance(value, int) and not isinstance(value, bool)


def _is_mapping(_: Any, value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_list(_: Any, value: Any) -> bool:
    return isinstance(value, list | tuple)


def _kind(
    validator: Draft202012Validator, kind: str, value: Any, part: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if kind_slip(kind, value, part):
        yield ValidationError(kind)


def _pattern(
    validator: Draft202012Validator, pattern: str, value: Any, part: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """Unlike the usual one, `$` is the end of the text and never stands before a last newline."""
    if isinstance(value, str) and not re.search(pattern.removesuffix("$") + r"\Z", value):
        yield ValidationError(pattern)


def _others(
    validator: Draft202012Validator, setting: Any, value: Any, part: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """Unlike the usual one, it goes through the keys in the order of the file."""
    if not isinstance(value, Mapping):
        return
    others = [key for key in value if key not in part.get("properties", ())]
    if isinstance(setting, Mapping):
        for key in others:
            yield from validator.descend(value[key], setting, path=key)
    elif others and not setting:
        yield ValidationError("additionalProperties")


def _unique(
    validator: Draft202012Validator, setting: Any, value: Any, part: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """Unlike the usual one, it looks at texts only, so that each is compared with none but itself:
    lists that say `uniqueItems` here are lists of texts."""
    texts = [item for item in value if isinstance(item, str)] if _is_list(None, value) else []
    if setting and len(set(texts)) < len(texts):
        yield ValidationError("uniqueItems")


_TYPES = Draft202012Validator.TYPE_CHECKER.redefine_many(
    {"number": _is_number, "object": _is_mapping, "array": _is_list}
)
_STRICT = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"x-kind": _kind, "pattern": _pattern, "additionalProperties": _others, "uniqueItems": _unique},
    type_checker=_TYPES,
)
