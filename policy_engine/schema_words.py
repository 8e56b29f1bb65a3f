"""What each keyword of JSON Schema says when it does not hold, in words of the person."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from policy_engine.document import Pointer
from policy_engine.document.text import shortened, visible
from policy_engine.errors import MOST_PROBLEMS, did_you_mean
from policy_engine.kinds import kind_slip

MOST_LISTED = 12
"""A message lists no more choices than this."""


class Said(NamedTuple):
    """A problem without its place; `key` is the key it is about, `lacks` the one that lacks."""

    code: str
    message: str
    hint: str | None = None
    key: str | None = None
    lacks: str | None = None


class Failure(NamedTuple):
    """A keyword that does not hold: its setting, the schema around it, the value, the path."""

    keyword: str
    setting: Any
    part: Mapping[str, Any]
    value: Any
    at: Pointer
    is_key: bool
    written: bool
    example: Callable[[str], Any]

    @property
    def subject(self) -> str:
        """The value by its name: `` `price` ``, or its position in a list."""
        return subject(self.at)


def said(failure: Failure) -> Iterator[Said]:
    """Everything to say about a keyword that does not hold."""
    if "x-message" in failure.part:
        code = failure.part.get("x-code", _CODES.get(failure.keyword, "invalid-value"))
        yield Said(code, failure.part["x-message"], failure.part.get("x-hint"))
    elif failure.is_key:
        yield _name(failure)
    else:
        yield from _KEYWORDS.get(failure.keyword, _expected)(failure)


def subject(at: Pointer) -> str:
    """The place in a document that a pointer names, in words."""
    if not at:
        return "the document"
    if isinstance(at[-1], int):
        return f"item {at[-1] + 1} of {subject(at[:-1])}"
    return f"`{shortened(at[-1])}`"


def shown(value: Any) -> str:
    """A value as a message shows it."""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value is None:
        return "`null`"
    if isinstance(value, str):
        return f"`{shortened(value)}`" if value == value.strip() else f"`{_spaced(value)}`"
    if isinstance(value, int | Decimal):
        return f"`{shortened(str(Decimal(value)), 40)}`"
    if isinstance(value, float):
        return f"the binary fraction `{value}`"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, list | tuple) else "a value of another kind"


def _spaced(text: str) -> str:
    """A text whose blanks at the ends matter, with its line breaks spelled out."""
    return visible(text[:60]).replace("\n", "\\n").replace("\t", "\\t")


def _unknown_keys(failure: Failure) -> Iterator[Said]:
    known = failure.part.get("properties", {})
    for key in failure.value:
        if key not in known:
            listed = f"the keys here are {_listed(known)}" if len(known) <= MOST_LISTED else None
            hint = did_you_mean(str(key), known) or listed or "delete it, or check its spelling"
            yield Said("unknown-key", f"unknown key {shown(key)}", hint, key)


def _missing_keys(failure: Failure) -> Iterator[Said]:
    """The keys that are missing, save those that an unknown key seems to be meant for."""
    known = failure.part.get("properties", {})
    others = [str(key) for key in failure.value if key not in known][:MOST_PROBLEMS]
    meant = {did_you_mean(other, known) for other in others}
    for key in failure.setting:
        if key not in failure.value and f"did you mean `{key}`?" not in meant:
            yield _missing(failure, key)


def _dependent_keys(failure: Failure) -> Iterator[Said]:
    for key, needed in failure.setting.items():
        for other in needed if key in failure.value else ():
            if other not in failure.value:
                yield _missing(failure, other)


def _missing(failure: Failure, key: str) -> Said:
    where = f" from {failure.subject}" if failure.at else ""
    example = failure.example(key)
    if example is None:
        hint = f"add `{key}`"
    elif failure.written:
        hint = f"add `{key}: {example}`"
    else:
        hint = f'add `"{key}": {json.dumps(example, ensure_ascii=False)}`'
    return Said("missing-key", f"`{key}` is missing{where}", hint, lacks=key)


def _type(failure: Failure) -> Iterator[Said]:
    kinds = [failure.setting] if isinstance(failure.setting, str) else failure.setting
    expected = failure.part.get("x-expected") or _or(w for kind in kinds for w in _KINDS[kind])
    message = f"{failure.subject} should be {expected}, not {shown(failure.value)}"
    yield Said("wrong-type", message, _instead(kinds, failure.value))


def _instead(kinds: Sequence[str], value: Any) -> str:
    """What to write instead of a value of the wrong type."""
    if isinstance(value, float):
        return _exact(value)
    if "boolean" in kinds and isinstance(value, str):
        return _truth(value)
    if "array" in kinds and isinstance(value, str):
        return f"write a list: `[{shortened(value)}]`"
    if "object" in kinds:
        return "write each entry as `key: value`"
    return "write a list" if "array" in kinds else "write one value"


def _exact(value: float) -> str:
    if not math.isfinite(value):
        return "only finite numbers can be used"
    written = int(value) if value.is_integer() else value
    return f'it is not exact; give it as text: "{written}"'


def _truth(text: str) -> str:
    if text in ("true", "false"):
        return "take the quotes out"
    return f"write `{_TRUTHS.get(text.lower(), 'true` or `false')}`"


def _choice(failure: Failure) -> Iterator[Said]:
    choices = list(dict.fromkeys(str(each) for each in failure.setting if each is not None))
    few = len(choices) <= MOST_LISTED
    expected = failure.part.get("x-expected") or (_listed(choices) if few else "one of the list")
    message = f"{failure.subject} should be {expected}, not {shown(failure.value)}"
    known = failure.part.get("x-hints", {}).get(str(failure.value))
    hint = known or did_you_mean(str(failure.value), choices)
    yield Said("invalid-value", message, hint or failure.part.get("x-hint", "write one of them"))


def _kind(failure: Failure) -> Iterator[Said]:
    slip = kind_slip(failure.setting, failure.value, failure.part)
    if slip:
        yield Said(slip.code, f"{failure.subject}: {slip.message}", slip.hint)


def _expected(failure: Failure) -> Iterator[Said]:
    if failure.value == "":
        yield Said("invalid-value", f"{failure.subject} is empty", "write it, or delete the key")
        return
    expected = failure.part.get("x-expected", "something else")
    message = f"{failure.subject} should be {expected}, not {shown(failure.value)}"
    hint = failure.part.get("x-hint") or _better_name(failure) or "write it so"
    yield Said("invalid-value", message, hint)


def _pattern(failure: Failure) -> Iterator[Said]:
    """Nothing where another keyword says it better: a kind, or that the text has no fit length."""
    too_long = len(failure.value) > failure.part.get("maxLength", math.inf)
    if "x-kind" not in failure.part and failure.value != "" and not too_long:
        yield from _expected(failure)


def _too_few(failure: Failure) -> Iterator[Said]:
    size, least = len(failure.value), failure.setting
    if size == 0:
        yield Said("invalid-value", f"{failure.subject} is empty", "fill it, or delete it")
    else:
        message = f"{failure.subject} should have {least} entries, not {size}"
        yield Said("invalid-value", message, "add what is missing")


def _too_many(failure: Failure) -> Iterator[Said]:
    size, most = len(failure.value), failure.setting
    message = f"{failure.subject} should have {most} entries, not {size}"
    yield Said("invalid-value", message, "delete what is too many")


def _too_long(failure: Failure) -> Iterator[Said]:
    message = f"{failure.subject} has more than {failure.setting:,} characters"
    yield Said("too-large", message, failure.part.get("x-too-long", "shorten it"))


def _repeated(failure: Failure) -> Iterator[Said]:
    seen: set[str] = set()
    for item in failure.value:
        if isinstance(item, str) and item in seen:
            message = f"{failure.subject} has {shown(item)} twice"
            yield Said("invalid-value", message, "keep one of the two")
        seen |= {item} if isinstance(item, str) else set()


def _bound(failure: Failure) -> Iterator[Said]:
    words = {"minimum": "{} or more", "maximum": "{} or less"}.get(failure.keyword)
    expected = (words or "greater than {}").format(failure.setting)
    message = f"{failure.subject}: {shown(failure.value)} should be {expected}"
    yield Said("invalid-value", message, failure.part.get("x-hint", "check the number"))


def _name(failure: Failure) -> Said:
    """A key that is not the kind of name that stands here."""
    most = failure.part.get("maxLength", math.inf)
    if len(str(failure.value)) > most:
        message = f"the key {shown(failure.value)} has more than {most:,} characters"
        return Said("too-large", message, "shorten it", failure.value)
    expected = failure.part.get("x-expected", "another name")
    hint = failure.part.get("x-hint") or _better_name(failure) or "rename it"
    message = f"the key {shown(failure.value)} should be {expected}"
    return Said("invalid-value", message, hint, failure.value)


def _better_name(failure: Failure) -> str | None:
    """The value as the name that it should be, if that takes small letters and `_` only."""
    name = re.sub(r"[^a-z0-9]+", "_", str(failure.value).lower()).strip("_")
    fits = failure.keyword == "pattern" and re.fullmatch(failure.setting, name)
    return f"write `{name}`" if fits and "_" in failure.setting else None


def _listed(choices: Sequence[str] | Mapping[str, Any]) -> str:
    return _or(f"`{choice}`" for choice in choices)


def _or(words: Iterator[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


_TRUTHS = {
    "true": "true", "yes": "true", "y": "true", "on": "true", "1": "true",
    "false": "false", "no": "false", "n": "false", "off": "false", "0": "false",
}  # fmt: skip
_KINDS = {
    "object": ("a mapping of keys to values",),
    "array": ("a list",),
    "string": ("text",),
    "number": ("a number",),
    "boolean": ("`true`", "`false`"),
    "null": ("`null`",),
}
_CODES = {"required": "missing-key", "type": "wrong-type"}
_KEYWORDS: Mapping[str, Callable[[Failure], Iterator[Said]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
    "dependentRequired": _dependent_keys,
    "type": _type,
    "enum": _choice,
    "x-kind": _kind,
    "pattern": _pattern,
    "maxLength": _too_long,
    "minItems": _too_few,
    "minProperties": _too_few,
    "maxItems": _too_many,
    "uniqueItems": _repeated,
    "minimum": _bound,
    "exclusiveMinimum": _bound,
    "maximum": _bound,
}
