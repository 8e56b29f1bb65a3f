"""Books as JSON Lines: one snapshot on every line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, BinaryIO

from policy_engine.books.row import Row, broken, row_of, whole
from policy_engine.document import read_json
from policy_engine.document.text import MOST_CHARACTERS
from policy_engine.errors import PolicyError, Problem

_MOST_BYTES = 4 * MOST_CHARACTERS
_PLAIN_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)


class _Careful(Exception):
    """Something that the quick way does not take."""


def rows(file: BinaryIO, path: str) -> Iterator[Row]:
    """The rows of a file, line by line; empty lines are none."""
    end = number = 0
    while line := file.readline(_MOST_BYTES + 1):
        number += 1
        end += len(line)
        if number == 1:
            _check_first(line, path)
        if len(line) > _MOST_BYTES:
            end += _skip_line(file, line)
            yield broken(path, number, end, _too_long())
        elif line.strip():
            yield _row(line, path, number, end)


def _check_first(line: bytes, path: str) -> None:
    """Raise SnapshotError for a document of JSON that is no JSON Lines."""
    start = line.strip()
    if start.startswith(b"[") or start == b"{":
        hint = "write one account on each line, as `jq -c '.[]?' FILE` does with a list"
        message = "this is one JSON document, not one account on each line"
        raise whole("not-json-lines", message, hint, path)


def _skip_line(file: BinaryIO, start: bytes) -> int:
    skipped = 0
    while not start.endswith(b"\n") and (start := file.readline(_MOST_BYTES)):
        skipped += len(start)
    return skipped


def _too_long() -> Problem:
    message = f"the line has more than {_MOST_BYTES:,} bytes"
    return Problem("too-large", message, "write one account on each line")


def _row(line: bytes, path: str, number: int, end: int) -> Row:
    try:
        text = line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as failure:
        message = f"the byte {line[failure.start]:02X} is not part of UTF-8 text"
        problem = Problem("not-utf8", message, "save the file as UTF-8")
        return broken(path, number, end, problem)
    try:
        return row_of(_value(text), path, number, end)
    except PolicyError as error:
        return broken(path, number, end, *map(_without_line, error.problems))


def _without_line(problem: Problem) -> Problem:
    """The problem as one of a line: within it all stands on the same."""
    return replace(problem, message=problem.message.removesuffix("; the first is on line 1"))


def _value(text: str) -> Any:
    """The value of a line: quickly where it is plain, else with everything that is wrong with it.

    Raises SnapshotError.
    """
    if text.isascii() and "\\u" not in text:
        try:
            return _QUICK.decode(text)
        except (_Careful, ValueError, RecursionError):
            pass
    return read_json(text, "")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Careful
    return made


def _exact(text: str) -> Decimal:
    if not _PLAIN_NUMBER.fullmatch(text):
        raise _Careful
    return Decimal(text)


def _refuse(word: str) -> None:
    raise _Careful


_QUICK = json.JSONDecoder(
    object_pairs_hook=_once, parse_float=_exact, parse_int=_exact, parse_constant=_refuse
)
