"""A row of a book: an account as a snapshot, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any

from policy_engine.errors import Place, Problem, SnapshotError
from policy_engine.fields import Field, shape
from policy_engine.lines import PRICES
from policy_engine.model import LISTS
from policy_engine.numbers import BadNumber, plain, within_digits

_NUMBERS = frozenset({"amount", "number", "whole"})


@dataclass(frozen=True, slots=True)
class Row:
    """One account: its snapshot, or the problems that keep it from being one.

    `line` is its place, from 1: the line it starts on, or the row where there are no lines. `end`
    is how far the book has been read with it.
    """

    line: int
    snapshot: Mapping[str, Any]
    account: str | None = None
    problems: tuple[Problem, ...] = ()
    end: int = 0


@dataclass(frozen=True, slots=True)
class Book:
    """A file of accounts: what it is called, its length as `Row.end` counts it (None: not known),
    and its rows, which are read one by one as they are asked for.

    Asking for the rows raises SnapshotError where the file as a whole cannot be read, or is empty.
    """

    name: str
    length: int | None
    rows: Iterator[Row]


def row_of(value: Any, path: str, line: int, end: int) -> Row:
    """The row of a value as it was read; anything but a mapping is a problem."""
    if isinstance(value, dict):
        account = value.get("account")
        named = account if isinstance(account, str) else None
        return Row(line, numbers_as_texts(value), named, (), end)
    hint = 'write an account: `{"account": "A-1", …}`'
    message = "this is no account: not an object with named fields"
    return broken(path, line, end, Problem("not-a-snapshot", message, hint))


def broken(path: str, line: int, end: int, *problems: Problem) -> Row:
    """The row of what cannot be read, each problem with its place in the book."""
    return Row(line, {}, None, tuple(placed(problem, path, line) for problem in problems), end)


def placed(problem: Problem, path: str, line: int) -> Problem:
    """A problem of a row with its place in the book; what stands there is not shown with it: the
    line of an account is long."""
    place = problem.place
    column = place.column if place.line else 0
    at = Place(path, line, column, pointer=place.pointer)
    return replace(problem, place=at)


def whole(code: str, message: str, hint: str, path: str) -> SnapshotError:
    """What keeps a whole book from being read."""
    return SnapshotError([Problem(code, message, hint, Place(path))])


# --- numbers --------------------------------------------------------------------------------------


def numbers_as_texts(snapshot: dict[str, Any]) -> dict[str, Any]:
    """The snapshot with exact numbers as text where the schema has them: read quickly so."""
    account, lines = _numeric()
    for name in snapshot.keys() & account:
        value = snapshot[name]
        if isinstance(value, dict):
            snapshot[name] = {key: _text(item) for key, item in value.items()}
        else:
            snapshot[name] = _text(value)
    for entity, names in lines.items():
        items = snapshot.get(entity)
        for line in items if isinstance(items, list) else ():
            for name in line.keys() & names if isinstance(line, dict) else ():
                line[name] = _text(line[name])
    return snapshot


@cache
def _numeric() -> tuple[frozenset[str], Mapping[str, frozenset[str]]]:
    """The fields of a snapshot that hold numbers, and those of the lines of each list."""
    known = shape()
    lines = {
        entity: frozenset(filter(None, map(_number, known.lines[entity].values())))
        for entity in LISTS
    }
    account = frozenset(filter(None, map(_number, known.account.values())))
    return account | {PRICES}, lines


def _number(field: Field) -> str | None:
    """The name of a field that holds a number, a numbered choice or a mapping of amounts."""
    numbered = field.kind in _NUMBERS or field.amounts is not None
    counted = any(choice.isdigit() for choice in field.choices or ())
    return field.name if numbered or counted else None


def _text(value: Any) -> Any:
    if not isinstance(value, Decimal):
        return value
    try:
        return plain(within_digits(value, ""))
    except BadNumber:
        return value
