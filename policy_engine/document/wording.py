"""A YAML parser's complaints, in words of the person who wrote the file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import yaml

from policy_engine.document.text import Source, shortened
from policy_engine.errors import Problem

UNREADABLE = "this cannot be read as YAML"

_QUOTE_IT = "put quotes around the text"
_NO_ANCHORS = "anchors and aliases are not taken; put quotes around text that starts so"
_INDENT = "keys of one mapping start in one column, and so do the dashes of one list"


class _Said(NamedTuple):
    """What is said, and of which stretch of the text."""

    message: str
    hint: str | None
    start: int
    width: int = 1
    code: str = "bad-yaml"


class _Slip(NamedTuple):
    """What the parser complained of: the place, and that of the construct around it."""

    text: str
    at: int
    around: int

    @property
    def character(self) -> str:
        """The character complained of; nothing at the end of the text."""
        return self.text[self.at : self.at + 1]

    def line_before(self) -> str:
        """The part of the line that stands before the place."""
        return self.text[self.text.rfind("\n", 0, self.at) + 1 : self.at]


def syntax_problem(source: Source, error: yaml.MarkedYAMLError) -> Problem:
    """The problem that a syntax error of the parser amounts to, with what to do about it."""
    at = error.problem_mark.index if error.problem_mark else 0
    around = error.context_mark.index if error.context_mark else at
    said = _said(f"{error.problem} {error.context or ''}", _Slip(source.text, at, around))
    return source.problem(said.code, said.message, said.hint, said.start, said.width)


def _said(complaint: str, slip: _Slip) -> _Said:
    for pattern, words in _COMPLAINTS:
        if re.search(pattern, complaint):
            return words(slip)
    return _Said(UNREADABLE, "look for a slip here or on the line above", slip.at)


def _colon(slip: _Slip) -> _Said:
    before = slip.line_before()
    if re.search(r":\s", before):
        hint = "put quotes around text that holds a colon and a space"
        return _Said("a second colon stands on this line", hint, slip.at)
    if before.startswith(" "):
        key = before.strip()
        message = f"`{shortened(key)}` is indented under a line that has a value"
        return _Said(message, _INDENT, slip.at - len(before.lstrip()), len(key))
    return _Said("a colon cannot stand here", "put quotes around the text", slip.at)


def _no_colon(slip: _Slip) -> _Said:
    line = slip.text[slip.around :].split("\n", 1)[0].rstrip()
    message = f"`{shortened(line)}` is not a key with a value"
    hint = "write `key: value`; text that goes on from the line above is indented more than its key"
    return _Said(message, hint, slip.around, len(line))


def _first_character(slip: _Slip) -> _Said:
    if slip.character == "\t":
        return _Said("a tab stands where only spaces can", "indent with spaces", slip.at)
    return _Said(f"text cannot start with `{slip.character}`", _QUOTE_IT, slip.at)


def _open_quote(slip: _Slip) -> _Said:
    quote = slip.text[slip.around : slip.around + 1]
    hint = f"close it with `{quote}`"
    return _Said(f"the quote `{quote}` is opened here and never closed", hint, slip.around)


def _escape(slip: _Slip) -> _Said:
    start = slip.text.rfind("\\", 0, slip.at + 1)
    width = 2 if start >= 0 else 1
    start = start if start >= 0 else slip.at
    shown = slip.text[start : start + width].strip()
    hint = "inside single quotes a backslash is a backslash"
    return _Said(f"`{shown}` starts no escape that is known", hint, start, width)


def _block(slip: _Slip) -> _Said:
    if slip.character == "\t":
        return _first_character(slip)
    hint = "a block starts on the next line, indented; put quotes around text that starts so"
    return _Said("this cannot stand after `|` or `>`", hint, slip.at)


def _nothing(slip: _Slip) -> _Said:
    if slip.character == ",":
        return _Said("nothing stands before this comma", "delete one comma", slip.at)
    if slip.character in ("]", "}"):
        return _closes_nothing(slip)
    if slip.character == ":":
        return _Said("this value has no key", "write `name: value`", slip.at)
    if not slip.character:
        start = max(0, len(slip.text.rstrip()) - 1)
        return _Said("the file ends where a value should follow", "close what is open", start)
    return _Said("a value should stand here", _QUOTE_IT, slip.at)


def _closes_nothing(slip: _Slip) -> _Said:
    message = f"`{slip.character}` closes nothing"
    return _Said(message, "delete it, or put quotes around the text", slip.at)


def _unclosed(slip: _Slip) -> _Said:
    bracket = slip.text[slip.around : slip.around + 1]
    line = slip.text.count("\n", 0, slip.around) + 1
    close = {"{": "}", "[": "]"}.get(bracket, "")
    message = f"`{bracket}` of line {line} has neither a comma nor its `{close}` before this"
    return _Said(message, f"put a comma between entries, and `{close}` at the end", slip.at)


def _key(slip: _Slip) -> _Said:
    if slip.character in ("]", "}"):
        return _closes_nothing(slip)
    if slip.character == ":":
        return _Said("this value has no key", "write `name: value`", slip.at)
    if slip.line_before().rstrip().endswith(("'", '"')):
        hint = "put the whole text inside the quotes; a quote inside is doubled"
        return _Said("text follows the quote that closed", hint, slip.at)
    return _Said("this line fits no line above it", _INDENT, slip.at)


def _dash(slip: _Slip) -> _Said:
    hint = "put the list on lines of its own, each item after `- `"
    return _Said("a list cannot start here", hint, slip.at)


def _fixed(
    message: str, hint: str | None, code: str = "bad-yaml", *, around: bool = False
) -> Callable[[_Slip], _Said]:
    return lambda slip: _Said(message, hint, slip.around if around else slip.at, 1, code)


_DIRECTIVE = _fixed("YAML directives are not taken", "delete this line", "directive", around=True)
_TAG = _fixed("`!` sets the kind of a value", _QUOTE_IT, "tag", around=True)

_COMPLAINTS: tuple[tuple[str, Callable[[_Slip], _Said]], ...] = (
    ("directive|incompatible YAML", _DIRECTIVE),
    (r"\btag\b", _TAG),
    (
        "scanning an (alias|anchor)",
        _fixed("text cannot start with `*` or `&`", _NO_ANCHORS, around=True),
    ),
    ("mapping values are not allowed", _colon),
    ("could not find expected ':'", _no_colon),
    ("cannot start any token", _first_character),
    ("found unexpected (end of stream|document)", _open_quote),
    (
        "invalid Unicode character",
        _fixed("this escape does not stand for a character", "write the character itself"),
    ),
    ("escape|hexdecimal|hexadecimal", _escape),
    ("block scalar", _block),
    ("tab character", _first_character),
    ("sequence entries are not allowed", _dash),
    ("mapping keys are not allowed", _fixed("a key cannot start here", _INDENT)),
    ("expected (the )?node content", _nothing),
    ("expected ',' or ", _unclosed),
    ("expected key|expected <block end>|expected '-' indicator", _key),
    (
        "expected '?<document start>",
        _fixed("the document has ended before this line", "delete it, or indent it", around=False),
    ),
    ("nest", _fixed("values are nested too deep here", "write it flatter", "too-deep")),
)
