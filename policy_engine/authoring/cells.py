"""CSV text and its cells: read with a place for each, written so that no spreadsheet runs one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from policy_engine.document.text import Source
from policy_engine.errors import Place, PolicyError, Problem, did_you_mean

_RUN = frozenset("=+-@\t\r\n＝＋－＠'")
"""Spreadsheets take a cell that starts so for a formula, or drop what it starts with."""

_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_ENDS = {",": re.compile(r"[^,\n]*"), ";": re.compile(r"[^;\n]*")}


class Cell(NamedTuple):
    """What a cell says, and where it stands."""

    text: str
    place: Place

    def problem(self, code: str, message: str, hint: str) -> Problem:
        """A problem with this cell."""
        return Problem(code, message, hint, self.place)


@dataclass(frozen=True)
class Sheet:
    """The cells of a CSV file: those of its first line, and the lines below by their heads."""

    head: Mapping[str, Cell]
    lines: tuple[Mapping[str, Cell], ...]


def to_csv(rows: Iterable[Sequence[str]]) -> str:
    """CSV text of rows of cells, which `read_csv` reads back as the same.

    A cell that starts with `=`, `+`, `-`, `@`, a tab or a line end gets a `'` before it, which
    keeps spreadsheets from running it; so does one that starts with `'`.
    """
    return "".join(",".join(map(_cell, row)) + "\n" for row in rows)


def read_csv(text: str, path: str) -> Sheet:
    """The sheet that a CSV text spells, its cells apart by commas or semicolons.

    Raises PolicyError with every problem of its form. Lines without a word are passed over.
    """
    source = Source(path, text.removeprefix("\ufeff").replace("\r\n", "\n"))
    problems: list[Problem] = []
    head, *lines = list(_lines(source, problems)) or [[]]
    if not head:
        hint = "export it first, and keep its first line"
        problems.append(Problem("empty-file", "the file has no cells", hint, Place(path)))
    heads = [cell.text.strip() for cell in head]
    for number, name in enumerate(heads):
        if name in heads[:number]:
            message = f"the column `{name}` stands here twice"
            problems.append(head[number].problem("duplicate-key", message, "keep one of the two"))
    rows = [dict(zip(heads, line, strict=False)) for line in lines if _sized(line, heads, problems)]
    if problems:
        raise PolicyError(problems)
    return Sheet(dict(zip(heads, head, strict=True)), tuple(rows))


def _sized(line: Sequence[Cell], heads: Sequence[str], problems: list[Problem]) -> bool:
    """Whether a line has a cell for each column; a problem where it has not."""
    if len(line) == len(heads):
        return True
    message = f"this line has {len(line)} cells, and the first line {len(heads)}"
    hint = 'a cell with a comma in it stands in quotes: "1,000"'
    problems.append(line[0].problem("cell-count", message, hint))
    return False


def _cell(text: str) -> str:
    text = f"'{text}" if text[:1] in _RUN and text else text
    quoted = text.replace('"', '""')
    return f'"{quoted}"' if re.search(r'[,;"\n\r]|^\s|\s$', text) else text


def _said(text: str) -> str:
    """What a cell says, without the sign that keeps spreadsheets from running it."""
    return text[1:] if text[:1] == "'" and text[1:2] in _RUN and text[1:] else text


def _lines(source: Source, problems: list[Problem]) -> Iterator[list[Cell]]:
    """The lines that say something, as cells."""
    text, at = source.text, 0
    first = text.partition("\n")[0]
    apart = ";" if first.count(";") > first.count(",") else ","
    while at < len(text):
        line: list[Cell] = []
        at = _line(source, at, apart, line, problems)
        if any(cell.text.strip() for cell in line):
            yield line


def _line(source: Source, at: int, apart: str, line: list[Cell], problems: list[Problem]) -> int:
    """Read one line's cells; where the next one starts."""
    text = source.text
    while True:
        cell, end = _next(source, at, apart, problems)
        line.append(cell)
        if text[end : end + 1] != apart:
            return end + 1
        at = end + 1


def _next(source: Source, at: int, apart: str, problems: list[Problem]) -> tuple[Cell, int]:
    """The cell that starts there, and where it ends."""
    text = source.text
    quoted = _QUOTED.match(text, at) if text[at : at + 1] == '"' else None
    bare = _ENDS[apart].match(text, quoted.end() if quoted else at)
    end = bare.end() if bare else len(text)
    place = source.place(at, end - at)
    if quoted and quoted.end() == end:
        return Cell(_said(quoted[1].replace('""', '"')), place), end
    if text[at : at + 1] == '"':
        message = "text follows the quotes" if quoted else "these quotes are never closed"
        hint = 'write the cell in quotes, and each `"` in it twice'
        problems.append(Problem("bad-quotes", message, hint, place))
    return Cell(_said(text[at:end]), place), end


def refuse_other_columns(
    sheet: Sheet, known: Sequence[str], needed: Sequence[str]
) -> Iterator[Problem]:
    """A problem for each column that is not known, and for each that is needed and missing."""
    for name, cell in sheet.head.items():
        if name not in known:
            hint = did_you_mean(name, known) or f"columns: {', '.join(f'`{one}`' for one in known)}"
            yield cell.problem("unknown-column", f"there is no column `{name}`", hint)
    first = next(iter(sheet.head.values()))
    for name in needed:
        if name not in sheet.head:
            hint = "export it again to see the columns it needs"
            yield first.problem("missing-column", f"the column `{name}` is missing", hint)
