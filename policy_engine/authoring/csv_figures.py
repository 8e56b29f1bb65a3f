"""Figures in lines, and the columns of numbers that CSV has for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from policy_engine.authoring.cells import Cell, Sheet, refuse_other_columns
from policy_engine.errors import Problem
from policy_engine.numbers import BadNumber, number, plain

TIERS, ROWS = "tiers", "rows"
SECTIONS: Mapping[str, str] = {"scales": TIERS, "tables": ROWS}
"""The sections whose parts hold figures in lines, and the key they are under."""

WORDS = frozenset({"unlimited", "undetermined"})
"""What can stand in the place of a number."""

PERCENT = "%"


@dataclass(frozen=True)
class Figures:
    """What a part of a version holds in lines: its section, name and data as the file has it."""

    section: str
    name: str
    part: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The key under which the lines are: `tiers` or `rows`."""
        return SECTIONS[self.section]

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of its keys."""
        by = self.part.get("by", [])
        kinds = [by] if isinstance(by, str) else by
        numbers = [""] if len(kinds) == 1 else [f" {n}" for n in range(1, len(kinds) + 1)]
        return tuple(f"key{n} ({kind})" for n, kind in zip(numbers, kinds, strict=True))


# --- columns of numbers -------------------------------------------------------------------------


def unit_of(unit: str, texts: Iterable[str]) -> str:
    """What a column is in: `%` for ratios that are all written so, else the unit of the rules."""
    figures = [text for text in texts if text not in WORDS]
    percent = bool(figures) and all(text.endswith(PERCENT) for text in figures)
    return PERCENT if unit == "ratio" and percent else unit


def shown_in(text: str, unit: str) -> str:
    """A number as a column in that unit has it, exactly; a word as it stands."""
    if text in WORDS:
        return text
    if unit == PERCENT:
        return text.removesuffix(PERCENT)
    return plain(number(text)) if text.endswith(PERCENT) else text


def names_of(name: str, unit: str) -> tuple[str, ...]:
    """The names that a column of numbers can have."""
    return (f"{name} ({unit})", f"{name} (%)") if unit == "ratio" else (f"{name} ({unit})",)


def chosen(sheet: Sheet, name: str, unit: str, problems: list[Problem]) -> str:
    """The column of a sheet that holds a number; a problem where its unit is not told."""
    columns = names_of(name, unit)
    if name in sheet.head and not any(column in sheet.head for column in columns):
        hint = f"name it {' or '.join(f'`{one}`' for one in columns)}"
        message = f"the column `{name}` does not say what it is in"
        problems.append(sheet.head[name].problem("no-unit", message, hint))
    return next((column for column in columns if column in sheet.head), columns[0])


def number_in(cell: Cell, column: str, problems: list[Problem], words: bool = False) -> str:
    """The text of a number as the rules have it."""
    text, percent = cell.text.strip(), column.endswith("(%)")
    if words and text in WORDS:
        return text
    try:
        written = f"{text}%" if percent else text
        number(written, percent=percent)
    except BadNumber as bad:
        told = "the column is in percent" if percent else "the column is not in percent"
        hint = f"{told}: write {'`80` for 80%' if percent else '`0.8`, without a sign'}"
        hint = hint if "%" in text else bad.hint or "write digits with an optional point"
        message = "the number is empty" if not text else f"`{text}` is not a number"
        problems.append(cell.problem("bad-number", message, hint))
        return "0"
    return written


def refused(sheet: Sheet, needed: list[str], others: list[str], problems: list[Problem]) -> bool:
    """Whether a sheet has other columns than it needs, or may have; each is a problem."""
    found = list(refuse_other_columns(sheet, [*needed, *others], needed))
    problems += found
    return bool(found)
