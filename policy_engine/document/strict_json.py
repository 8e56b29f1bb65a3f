"""Strict JSON: numbers are exact decimals, a key stands once, and nothing is guessed."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from policy_engine.document.text import (
    MOST_CHARACTERS,
    MOST_DEPTH,
    MOST_VALUES,
    Source,
    character_name,
    shortened,
    too_deep,
    too_large,
    too_many_values,
    unreadable_characters,
)
from policy_engine.errors import MOST_PROBLEMS, Place, PolicyError, Problem, SnapshotError
from policy_engine.numbers import MOST_NUMBER_CHARACTERS

MOST_EXPONENT_DIGITS = 2

_TOKEN = re.compile(
    r'(?P<text>"[^"\\]*+(?:\\.[^"\\]*+)*+"?)(?P<colon>[ \t\r\n]*+:)?'
    r"|(?P<number>-?[0-9][-+0-9.eE]*+)|(?P<word>-?Infinity|NaN)|(?P<fixed>true|false|null)"
    r"|(?P<mark>[\[\]{}])",
    re.DOTALL,
)
_EXPONENT = re.compile(r"[eE][-+]?0*([0-9]*)")
_HALF = re.compile("[\ud800-\udfff]")


def read_json(text: str, path: str, error: type[PolicyError] = SnapshotError) -> Any:
    """The value that a JSON text spells, every number as an exact Decimal.

    Raises `error` with every problem found; a slip in the syntax ends the reading.
    """
    source = Source(path, text)
    problems = list(_text_problems(source)) or list(_token_problems(source))
    if any(problem.code in _FATAL for problem in problems):
        raise error(problems)
    try:
        value = json.loads(
            text, parse_float=_decimal, parse_int=_decimal, parse_constant=lambda _: None
        )
    except json.JSONDecodeError as slip:
        raise error(_up_to(source, problems, slip)) from None
    if problems:
        raise error(problems)
    return value


_FATAL = frozenset({"too-deep", "too-large", "not-utf8", "byte-order-mark", "empty-document"})
"""Codes of the problems after which the rest is not read."""


def _text_problems(source: Source) -> Iterator[Problem]:
    if len(source.text) > MOST_CHARACTERS:
        yield too_large(Source(source.path, ""))
        return
    yield from unreadable_characters(source)
    if not source.text.strip():
        place = Place(path=source.path, line=1, column=1)
        yield Problem("empty-document", "there is no JSON here", "write the document", place)


def _token_problems(source: Source) -> Iterator[Problem]:
    """What the standard reader would let pass: size, repeated keys, numbers out of range."""
    open_objects: list[dict[str, int]] = []
    found = values = 0
    for token in _TOKEN.finditer(source.text):
        mark = token["mark"]
        if mark in ("{", "["):
            open_objects.append({})
        elif mark and open_objects:
            open_objects.pop()
        problem = _token_problem(source, token, open_objects)
        values += mark not in ("]", "}")
        if values > MOST_VALUES:
            problem = too_many_values(source, token.start())
        if problem:
            yield problem
            found += 1
        if found == MOST_PROBLEMS or values > MOST_VALUES or len(open_objects) > MOST_DEPTH:
            return


def _token_problem(
    source: Source, token: re.Match[str], open_objects: list[dict[str, int]]
) -> Problem | None:
    if len(open_objects) > MOST_DEPTH:
        return too_deep(source, token.start())
    if token["number"] or token["word"]:
        return _number_problem(source, token)
    if token["text"]:
        return _text_problem(source, token, open_objects[-1] if open_objects else {})
    return None


def _number_problem(source: Source, token: re.Match[str]) -> Problem | None:
    text, width = token[0], token.end() - token.start()
    if token["word"]:
        message, hint = f"`{text}` is not a number", "only finite numbers can be used"
        return source.problem("bad-number", message, hint, token.start(), width)
    if _in_range(text):
        return None
    message = f"`{shortened(text, 40)}` is out of range"
    hint = "write at most 18 digits before and 18 after the point"
    return source.problem("bad-number", message, hint, token.start(), width)


def _in_range(text: str) -> bool:
    exponent = _EXPONENT.search(text)
    digits = len(exponent[1]) if exponent else 0
    return len(text) <= MOST_NUMBER_CHARACTERS and digits <= MOST_EXPONENT_DIGITS


def _text_problem(source: Source, token: re.Match[str], keys: dict[str, int]) -> Problem | None:
    text, width = _spelled(token["text"]), len(token["text"])
    half = _HALF.search(text)
    if half:
        message = f"{character_name(half[0])} is half a character"
        return source.problem("not-utf8", message, "type it anew", token.start(), width)
    if token["colon"] is None:
        return None
    first = keys.setdefault(unicodedata.normalize("NFC", text), token.start())
    if first == token.start():
        return None
    line = source.line(first)
    message = f"`{shortened(text)}` is given twice; the first is on line {line}"
    return source.problem("duplicate-key", message, "keep one of the two", token.start(), width)


def _spelled(token: str) -> str:
    """The text that a JSON string spells; the token itself where it is not well formed."""
    if "\\" not in token:
        return token.strip('"')
    try:
        return str(json.loads(token))
    except json.JSONDecodeError:
        return token


def _decimal(text: str) -> Decimal:
    """The exact number; 0 for one out of range, which has been reported."""
    return Decimal(text) if _in_range(text) else Decimal(0)


def _up_to(source: Source, problems: list[Problem], slip: json.JSONDecodeError) -> list[Problem]:
    """The problems before a slip in the syntax, and the slip."""
    last = _syntax_problem(source, slip)
    at = (last.place.line, last.place.column)
    return [p for p in problems if (p.place.line, p.place.column) < at] + [last]


_WORDS = {
    "Expecting value": ("a value should stand here", "delete a comma too many, or write the value"),
    "Expecting property name": (
        "a key in double quotes should stand here",
        'write `"key": value`, without a comma after the last',
    ),
    "Expecting ':'": ("a colon should stand here", 'write `"key": value`'),
    "Expecting ','": ("a comma or a closing bracket should stand here", "close what is open"),
    "Extra data": ("the JSON has ended before this", "keep one value in a file"),
    "Unterminated string": ("the quote opened here is never closed", 'close it with `"`'),
    "Invalid control character": (
        "a control character stands inside a text",
        r"write it as an escape, such as `\n`",
    ),
    "Invalid \\": ("this is not an escape of JSON", r"write `\\` for a backslash"),
}


def _syntax_problem(source: Source, slip: json.JSONDecodeError) -> Problem:
    character = source.text[slip.pos : slip.pos + 1]
    before = source.text[: slip.pos].rstrip(" \t\r\n")
    if slip.msg.startswith("Illegal trailing comma"):  # Python 3.13 and later
        return _trailing_comma(source, slip.pos)
    if character in ("]", "}") and before.endswith(","):
        return _trailing_comma(source, len(before) - 1)
    if character == "\n" and "control" in slip.msg:
        message = "the line ends before the text's closing quote"
        hint = r'close it with `"`; write a line break as `\n`'
        return source.problem("bad-json", message, hint, slip.pos)
    for complaint, (message, hint) in _WORDS.items():
        if slip.msg.startswith(complaint):
            return source.problem("bad-json", message, hint, slip.pos)
    return source.problem("bad-json", "this is not JSON", None, slip.pos)


def _trailing_comma(source: Source, at: int) -> Problem:
    return source.problem("bad-json", "nothing follows this comma", "delete it", at)
