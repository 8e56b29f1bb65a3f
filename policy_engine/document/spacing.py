"""What the parser lets pass though it is no YAML: another reader may take it for something else."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

_HEADER = re.compile(r"[|>][-+]?(?P<indent>[1-9])?[-+]?(?P<touches>#)?[^\n]*(?:\n|\Z)")
_BLANK_LINES = re.compile(r"(?: *\n)*")
_TOUCHING = re.compile(r"#| *,#")
_BEFORE_TOUCHING = frozenset("#, ")
_SPACES = re.compile(r" *")
_INDENT = re.compile(r"\n(?P<spaces> *)[ \t]*+(?=[^\n])")

_QUOTE_IT = "put quotes around it"
_APART = "put a space before the `#`, or quotes around the text"
_DEEPER = "indent the line more than the key or dash it belongs to"


class SpacingSlip(NamedTuple):
    """What is wrong, what to do about it, and where."""

    message: str
    hint: str
    at: int


def scalar_slip(text: str, event: Any, indent: int) -> SpacingSlip | None:
    """What is wrong with how a scalar stands; `indent` is that of the block around it, or -1."""
    start, end = event.start_mark.index, event.end_mark.index
    if event.style in ("|", ">"):
        return _block_slip(text, start, indent)
    if event.value == "-" and not event.style:
        return SpacingSlip("a dash alone starts an item of a list", _QUOTE_IT, start)
    if text.find("\n", start, end) >= 0:
        for line in _INDENT.finditer(text, start, end):
            if len(line["spaces"]) <= indent:
                return _low(text, line.end("spaces"))
    return comment_slip(text, end)


def comment_slip(text: str, end: int) -> SpacingSlip | None:
    """A `#` right after what ends there, or after its comma: it starts no comment."""
    found = _TOUCHING.match(text, end) if text[end : end + 1] in _BEFORE_TOUCHING else None
    return _touching(found.end() - 1) if found else None


def line_slip(text: str, event: Any, indent: int) -> SpacingSlip | None:
    """A line inside brackets, on which the event is the first, that is indented too little."""
    first = event.start_mark.index - event.start_mark.column
    start = _SPACES.match(text, first)
    if start is None or start.end() - first > indent:
        return None
    return _low(text, start.end())


def _touching(at: int) -> SpacingSlip:
    return SpacingSlip("this `#` touches what stands before it", _APART, at)


def _low(text: str, at: int) -> SpacingSlip:
    if text[at] == "\t":
        return SpacingSlip("a tab stands where only spaces can", "indent with spaces", at)
    return SpacingSlip("this line is indented too little", _DEEPER, at)


def _block_slip(text: str, start: int, indent: int) -> SpacingSlip | None:
    header = _HEADER.match(text, start)
    if header is None:
        return None
    if header["touches"]:
        return _touching(header.start("touches"))
    blank = _BLANK_LINES.match(text, header.end())
    if header["indent"] or blank is None:
        return None
    spaces = _SPACES.match(text, blank.end())
    width = spaces.end() - spaces.start() if spaces else 0
    longest = max((len(line) for line in blank.group().split("\n")), default=0)
    if indent < width < longest and blank.end() + width < len(text):
        message = "an empty line above this one is indented more"
        return SpacingSlip(message, "take the spaces out of the empty line", blank.end() + width)
    return None
