"""Rule files as YAML text, laid out as a reviewer would write them."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from policy_engine.numbers import NUMBER, plain

MOST_COLUMNS = 160
"""Texts and lists that are longer go on in the next line."""

FLOW_COLUMNS = 120
"""Small mappings that are longer get a line for each key."""

_PROSE = frozenset({"note", "expression", "because"})
_UNSAFE_START = re.compile(r"""[\s\-?:,\[\]{}#&*!|>'"%@`=<~]""")
_UNSAFE = re.compile(r":(?:\s|$)|\s#|[\n\t]|\s$")
_UNSAFE_IN_FLOW = re.compile(r"[,\[\]{}:?]")
_FOLDS = re.compile(r"[^\s#]\S*(?: \S+)*")
_WORDS = frozenset({"", "null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_LOOKS_LIKE_A_NUMBER = re.compile(
    r"[-+]?\.?\d[\d_]*(?:\.[\d_]*)?(?:e[-+]?\d+)?|0[xob][\da-f_]+|[-+]?\.(?:inf|nan)"
    r"|[-+]?\d+(?::\d+)+(?:\.\d*)?",
    re.ASCII | re.IGNORECASE,
)


class Text(str):
    """A text that is quoted where it could be taken for a number."""

    __slots__ = ()


def to_yaml(document: Mapping[str, Any], first: str = "") -> str:
    """The YAML text of a rule file's data, which reads back as the same data.

    The data is as `shapes.shaped` gives it: texts, true, false, None, lists and mappings; numbers
    may be Decimals too. `first` is a line above the rest, such as a comment for editors. No text
    may hold a character that cannot be seen.
    """
    lines = [first] if first else []
    for key, value in _marked(document).items():
        section = isinstance(value, dict) and value
        lines += ["", f"{_key(key)}:"] if section else []
        lines += _members(value, 2) if section else _entry(f"{_key(key)}:", value, 0)
    return "\n".join(lines) + "\n"


def member_lines(key: str, value: Any, indent: int) -> list[str]:
    """The lines of a key and its value, the key at a column."""
    return list(_entry(f"{' ' * indent}{_key(key)}:", value, indent))


def scalar_text(value: str | Decimal) -> str:
    """A text or number as it stands after a key in a line of its own."""
    return _scalar(value)


def _members(mapping: Mapping[str, Any], indent: int) -> Iterator[str]:
    """The lines of a mapping with a line for each key."""
    for key, value in mapping.items():
        yield from _entry(f"{' ' * indent}{_key(key)}:", value, indent)


def _entry(head: str, value: Any, indent: int) -> Iterator[str]:
    """The lines of a key and its value; `indent` is that of the key."""
    if isinstance(value, dict):
        yield from _mapping(head, value, indent)
    elif not isinstance(value, list):
        yield from _scalar_lines(head, value, indent)
    elif any(isinstance(item, dict) for item in value):
        yield head
        for item in value:
            yield from _item(item, indent + 2)
    else:
        yield from _wrapped(head, [_flow(item) for item in value])


def _mapping(head: str, value: Mapping[str, Any], indent: int) -> Iterator[str]:
    """A mapping on one line where it is small; what a section names gets a line for each key."""
    named = indent == 2 and value
    if not named and _is_small(value) and len(f"{head} {_flow(value)}") <= FLOW_COLUMNS:
        yield f"{head} {_flow(value)}"
    else:
        yield head
        yield from _members(value, indent + 2)


def _item(value: Any, indent: int) -> Iterator[str]:
    """The lines of an item of a list that holds mappings."""
    dash = f"{' ' * indent}-"
    if not isinstance(value, dict) or (_is_small(value) and len(_flow(value)) <= FLOW_COLUMNS):
        yield f"{dash} {_flow(value)}"
    else:
        lines = list(_members(value, indent + 2))
        yield f"{dash} {lines[0].lstrip()}"
        yield from lines[1:]


def _is_small(mapping: Mapping[str, Any]) -> bool:
    """Whether it reads well on one line: no mapping inside, no prose, no formula."""
    prose = len(mapping) > 1 and (_PROSE & mapping.keys() or isinstance(mapping.get("when"), str))
    return not prose and all(map(_is_flat, mapping.values()))


def _is_flat(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_flat, value))
    return not isinstance(value, dict)


def _scalar_lines(head: str, value: Any, indent: int) -> Iterator[str]:
    line = f"{head} {_scalar(value)}"
    if len(line) <= MOST_COLUMNS or not _FOLDS.fullmatch(str(value)):
        yield line
        return
    yield f"{head} >-"
    inside = " " * (indent + 2)
    wrap = textwrap.TextWrapper(MOST_COLUMNS, break_long_words=False, break_on_hyphens=False)
    wrap.initial_indent = wrap.subsequent_indent = inside
    yield from wrap.wrap(value)


def _wrapped(head: str, texts: list[str]) -> Iterator[str]:
    """A list in brackets, its later lines under its first item."""
    line = f"{head} ["
    for number, text in enumerate(texts):
        if number and len(line) + len(text) + 2 > MOST_COLUMNS:
            yield f"{line},"
            line = " " * (len(head) + 2) + text
        else:
            line += f", {text}" if number else text
    yield f"{line}]"


def _flow(value: Any) -> str:
    """The value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value, flow=True)


def _key(key: str) -> str:
    return _scalar(Text(key), flow=True)


def _scalar(value: Any, flow: bool = False) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, Decimal):
        return plain(value)
    return value if _is_plain(value, flow) else json.dumps(str(value), ensure_ascii=False)


def _is_plain(text: str, flow: bool) -> bool:
    """Whether the text needs no quotes, for any reader of YAML to take it for what it is."""
    if NUMBER.fullmatch(text):
        return not isinstance(text, Text)
    odd = text.lower() in _WORDS or _LOOKS_LIKE_A_NUMBER.fullmatch(text)
    unsafe = _UNSAFE_START.match(text) or _UNSAFE.search(text)
    return not (odd or unsafe or (flow and _UNSAFE_IN_FLOW.search(text)))


# --- texts that look like numbers ----------------------------------------------------------------


def _marked(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document, with the values and keys marked that are texts because the file says so."""
    marks = {"parameters": _marked_parameter, "tables": _marked_table}
    return {
        key: {name: marks[key](item) for name, item in value.items()} if key in marks else value
        for key, value in document.items()
    }


def _marked_parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(parameter)
    return {**made, "value": Text(made["value"])} if made.get("gives") == "text" else made


def _marked_table(table: Mapping[str, Any]) -> dict[str, Any]:
    by = table["by"] if isinstance(table["by"], list) else [table["by"]]
    rows = [
        {**_marked_parameter({**row, "gives": table.get("gives")}), "when": _keys(row["when"], by)}
        for row in table["rows"]
    ]
    return {**table, "rows": [{key: row[key] for key in row if key != "gives"} for row in rows]}


def _keys(when: list[Any], by: list[str]) -> list[Any]:
    """The keys of a row, each part that is a text marked."""
    if len(by) == 1:
        return [Text(key) if by == ["text"] else key for key in when]
    return [
        [Text(part) if kind == "text" else part for part, kind in zip(key, by, strict=True)]
        for key in when
    ]
