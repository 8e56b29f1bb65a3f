"""Where each character of a scalar's text stands in the file, in any of YAML's five styles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, NamedTuple

BLANK = frozenset(" \t\n")

_HEADER = re.compile(r"[|>][-+0-9]*[ \t]*(?:#[^\n]*)?\n?")
_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(\n[ \t]*)|(.))", re.DOTALL
)
_SINGLE_ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f",
    "r": "\r", "e": "\x1b", "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip


class Node(NamedTuple):
    """A value with its extent in the text: `style` is a scalar's quote, `|`, `>`, or nothing if
    it is plain; `{` for a mapping; `[` for a list. Members are pairs of key and value."""

    start: int
    end: int
    style: str
    value: Any
    members: dict[str | int, tuple[Node | None, Node]]


class Unit(NamedTuple):
    """A stretch of the file that spells one character of a scalar."""

    start: int
    end: int
    character: str


def extent(text: str, node: Node, offset: int, width: int) -> tuple[int, int]:
    """Start and end in the text of `width` characters of a scalar's value from `offset`."""
    units = list(islice(_aligned(text, node), offset + max(1, width)))
    if not units:
        return node.start, node.end
    if offset >= len(units):
        return units[-1].end, units[-1].end + 1
    return units[offset].start, units[-1].end


def escapes(text: str, node: Node) -> Iterator[Unit]:
    """Each escape of a scalar in double quotes."""
    for found in _ESCAPE.finditer(text, node.start + 1, node.end - 1):
        yield Unit(found.start(), found.end(), _unescaped(found))


def _aligned(text: str, node: Node) -> Iterator[Unit]:
    """The unit of each character of the value.

    Value and file hold the same characters in the same order, blanks apart: indents and folded
    lines put blanks into the file that the value lacks.
    """
    units = _units(text, node)
    unit = next(units, None)
    if unit is None:
        return
    for character in node.value:
        if character not in BLANK:
            unit = next((u for u in chain([unit], units) if u.character not in BLANK), unit)
        yield unit
        if (character in BLANK) == (unit.character in BLANK):
            unit = next(units, unit)


def _units(text: str, node: Node) -> Iterator[Unit]:
    if node.style == '"':
        return _double_quoted(text, node.start + 1, node.end - 1)
    if node.style == "'":
        return _single_quoted(text, node.start + 1, node.end - 1)
    header = _HEADER.match(text, node.start) if node.style else None
    start = header.end() if header else node.start
    return (Unit(at, at + 1, text[at]) for at in range(start, node.end))


def _single_quoted(text: str, at: int, end: int) -> Iterator[Unit]:
    while at < end:
        width = 2 if text[at] == "'" else 1
        yield Unit(at, at + width, text[at])
        at += width


def _double_quoted(text: str, at: int, end: int) -> Iterator[Unit]:
    while at < end:
        found = _ESCAPE.match(text, at)
        stop = found.end() if found else at + 1
        yield Unit(at, stop, _unescaped(found) if found else text[at])
        at = stop


def _unescaped(found: re.Match[str]) -> str:
    """The character that an escape stands for; a blank for a line break that is escaped."""
    *codes, line, single = found.groups()
    for code in codes:
        if code:
            return chr(int(code, 16))
    return " " if line else _SINGLE_ESCAPES.get(single, single)
