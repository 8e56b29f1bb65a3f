"""The rows of a table as lines of CSV, and back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from policy_engine.authoring.cells import Cell, Sheet
from policy_engine.authoring.csv_figures import (
    ROWS,
    WORDS,
    Figures,
    chosen,
    number_in,
    refused,
    shown_in,
    unit_of,
)
from policy_engine.errors import Problem
from policy_engine.render.yaml import Text

_GROUP = "row (number)"
_REMARKS = ("because", "source", "quote", "line", "note", "assumes")
"""What a row of a table can say beside its value, a column for each."""


@dataclass(frozen=True)
class _Line:
    """A line of a table: a key, what it gives, and which row it is of."""

    keys: tuple[str, ...]
    says: tuple[tuple[str, str], ...]
    row: str = field(default="", compare=False)


def _kind(figures: Figures) -> str:
    return str(figures.part.get("gives", "")) or str(figures.part["unit"])


def _lines_of(figures: Figures, unit: str) -> Iterator[list[_Line]]:
    """The lines of each row of a table."""
    for row in figures.part[ROWS]:
        citation = row.get("citation", {})
        beside = {**row, **citation, "assumes": " ".join(row.get("assumes", ()))}
        says = tuple((name, str(beside[name])) for name in _REMARKS if beside.get(name))
        value = (("value", _value(row["value"], figures, unit)),)
        keys = ([key] if isinstance(key, str) else key for key in row["when"])
        yield [_Line(tuple(key), (*value, *says)) for key in keys]


def _value(value: Any, figures: Figures, unit: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if "gives" in figures.part else shown_in(str(value), unit)


def rows_out(figures: Figures) -> Iterator[list[str]]:
    """The lines of a table's rows, the names of the columns first."""
    kind = _kind(figures)
    values = (str(row["value"]) for row in figures.part[ROWS])
    unit = kind if "gives" in figures.part else unit_of(kind, values)
    rows = list(_lines_of(figures, unit))
    lines = [line for row in rows for line in row]
    told = {name for line in lines for name, _ in line.says}
    beside = [name for name in _REMARKS if name in told]
    numbered = [list(row) for row in _by_what_they_say(lines)] != rows
    yield [*([_GROUP] if numbered else []), *figures.keys, f"value ({unit})", *beside]
    for at, row in enumerate(rows, 1):
        for line in row:
            says = dict(line.says)
            cells = (says.get(name, "") for name in ("value", *beside))
            yield [*([str(at)] if numbered else []), *line.keys, *cells]


def _by_what_they_say(lines: Sequence[_Line]) -> Iterator[list[_Line]]:
    """Lines that follow each other and say the same, as rows."""
    for _, row in groupby(lines, key=lambda line: (line.row, line.says)):
        yield list(row)


def rows_in(sheet: Sheet, figures: Figures, problems: list[Problem]) -> Any:
    """The rows that a sheet holds, as a rule file has them; problems are added."""
    kind = _kind(figures)
    gives = "gives" in figures.part
    column = f"value ({kind})" if gives else chosen(sheet, "value", kind, problems)
    needed = [*figures.keys, column]
    if problems or refused(sheet, needed, [_GROUP, *_REMARKS], problems):
        return []
    lines = [_line_in(line, figures, column, problems) for line in sheet.lines]
    _refuse_repeats(sheet, lines, figures, problems)
    return [_row(row, figures) for row in _by_what_they_say(lines)]


def _line_in(
    line: Mapping[str, Cell], figures: Figures, column: str, problems: list[Problem]
) -> _Line:
    value = line[column].text
    if "gives" not in figures.part:
        value = number_in(line[column], column, problems, words=True)
    for name in (*figures.keys, column):
        if not line[name].text:
            message = f"there is nothing under `{name}`"
            problems.append(line[name].problem("empty-cell", message, "write it, or take it out"))
    problems += _loose(line)
    beside = ((name, line[name].text) for name in _REMARKS if name in line and line[name].text)
    group = line[_GROUP].text if _GROUP in line else ""
    return _Line(
        tuple(line[name].text for name in figures.keys), (("value", value), *beside), group
    )


def _loose(line: Mapping[str, Cell]) -> Iterator[Problem]:
    """What is wrong with a citation: each part of it rests on another."""
    said = {name for name in _REMARKS if name in line and line[name].text}
    if "quote" in said and "source" not in said:
        message, hint = "a quote stands here without its source", "write the name of the source"
        yield line["quote"].problem("missing-source", message, hint)
    if "line" in said and "quote" not in said:
        message, hint = "a line stands here without its quote", "write the words that begin on it"
        yield line["line"].problem("missing-quote", message, hint)
    if "line" in said and not re.fullmatch(r"[1-9]\d{0,6}", line["line"].text):
        message = f"`{line['line'].text}` is not the number of a line"
        yield line["line"].problem("bad-number", message, "write a whole number such as 214")


def _refuse_repeats(
    sheet: Sheet, lines: Sequence[_Line], figures: Figures, problems: list[Problem]
) -> None:
    first: dict[tuple[str, ...], int] = {}
    for line, cells in zip(lines, sheet.lines, strict=True):
        cell = cells[figures.keys[0]]
        if first.setdefault(line.keys, cell.place.line) != cell.place.line:
            shown = ", ".join(line.keys)
            message = f"`{shown}` is here already, on line {first[line.keys]}"
            problems.append(cell.problem("duplicate-key", message, "keep one of the two"))


def _row(lines: Sequence[_Line], figures: Figures) -> dict[str, Any]:
    """The row of a table that lines make."""
    says = dict(lines[0].says)
    text = figures.part.get("gives") == "text" and says["value"] not in WORDS
    truth = {"true": True, "false": False} if figures.part.get("gives") == "truth" else {}
    value = Text(says["value"]) if text else truth.get(says["value"], says["value"])
    kinds = [figures.part["by"]] if isinstance(figures.part["by"], str) else figures.part["by"]
    keys = [
        [Text(key) if kind == "text" else key for key, kind in zip(line.keys, kinds, strict=True)]
        for line in lines
    ]
    made: dict[str, Any] = {
        "value": value,
        "when": [key[0] if len(key) == 1 else key for key in keys],
    }
    if "because" in says:
        made["because"] = says["because"]
    if "source" in says:
        made["citation"] = {n: says[n] for n in ("source", "quote", "line") if n in says}
    if "note" in says:
        made["note"] = says["note"]
    if "assumes" in says:
        made["assumes"] = says["assumes"].split()
    return made
