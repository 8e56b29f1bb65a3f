"""Books as CSV: a column for each field of the account; lists and mappings as JSON in a cell."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from policy_engine.books.row import Row, broken, row_of, whole
from policy_engine.document import read_json
from policy_engine.document.text import MOST_CHARACTERS
from policy_engine.errors import PolicyError, Problem, SnapshotError, did_you_mean
from policy_engine.fields import shape, take_truth
from policy_engine.model import LISTS

ACCOUNT = "account"
_HALF = re.compile("[\ud800-\udfff]")
_TRUTHS = {"true": True, "false": False}


def rows(file: BinaryIO, path: str) -> Iterator[Row]:
    """The rows of a file, after the line with the names of the columns."""
    counted = _Counted(file)
    csv.field_size_limit(MOST_CHARACTERS)
    reader = csv.reader(iter(counted), strict=True)
    names = _names(reader, path)
    start = reader.line_num + 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as slip:
            yield broken(path, start, counted.end, _slip(slip))
        else:
            if any(cell.strip() for cell in cells):
                yield _row(names, cells, path, start, counted.end)
        start = reader.line_num + 1


class _Counted:
    """The lines of a file as text, and how many bytes have been read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.end = file, 0

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            text = line.decode("utf-8", "surrogateescape")
            yield text.removeprefix("\ufeff") if self.end == 0 else text
            self.end += len(line)


def _names(reader: Any, path: str) -> list[str]:
    """The names of the columns. Raises SnapshotError."""
    try:
        names = [name.strip() for name in next(reader, [])]
    except csv.Error as slip:
        raise whole("bad-csv", _slip(slip).message, "save the file as CSV anew", path) from None
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise whole("duplicate-key", f"there are two columns `{twice}`", "keep one of them", path)
    if names and ACCOUNT not in names:
        hint = (
            did_you_mean(ACCOUNT, names) or "name the columns in the first line: `account,mode,…`"
        )
        raise whole("missing-key", "there is no column `account`", hint, path)
    return names


def _row(names: Sequence[str], cells: Sequence[str], path: str, line: int, end: int) -> Row:
    if len(cells) != len(names):
        message = f"the row has {len(cells)} cells, and there are {len(names)} columns"
        hint = "put cells with commas into quotes"
        return broken(path, line, end, Problem("bad-csv", message, hint))
    if any(map(_HALF.search, cells)):
        problem = Problem("not-utf8", "the row is not UTF-8 text", "save the file as UTF-8")
        return broken(path, line, end, problem)
    try:
        given = {n: _value(n, cell) for n, cell in zip(names, cells, strict=True) if cell.strip()}
    except PolicyError as error:
        return broken(path, line, end, *error.problems)
    return row_of(given, path, line, end)


def _value(name: str, cell: str) -> Any:
    """What a cell says: JSON for lists and mappings, else truth, nothing known, or text.

    Raises SnapshotError with the column's name as the place.
    """
    if name == ACCOUNT:
        return cell
    if cell.lstrip().startswith(("[", "{")):
        return _json(name, cell)
    if name in LISTS and cell.strip() != "null":
        hint = "write a list in JSON, such as `[]`, or `null` where it is not known"
        raise SnapshotError([Problem("bad-json", f"`{name}` is no list in JSON", hint)])
    text = cell.strip()
    if text == "null":
        return None
    field = shape().account.get(name)
    if field is None or field.take is take_truth:
        return _TRUTHS.get(text.lower(), text)
    return text


def _json(name: str, cell: str) -> Any:
    try:
        return read_json(cell, name)
    except PolicyError as error:
        raise type(error)(
            Problem(one.code, f"{one.message} (in `{name}`)", one.hint) for one in error.problems
        ) from None


def _slip(slip: csv.Error) -> Problem:
    if "larger than field limit" in str(slip):
        message = f"a cell has more than {MOST_CHARACTERS:,} characters"
        return Problem("too-large", message, "write one account in each row")
    message = "a quote is not closed, or text follows one"
    return Problem("bad-csv", message, 'write `""` for a quote inside a cell')
