"""Lines of text for a screen or a pipe: wrapping, alignment on the point, colour if wanted."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import click

from policy_engine.numbers import Value, plain, text_of

PIPE_COLUMNS, LEAST_COLUMNS, MOST_COLUMNS = 80, 60, 110
MOST_DECIMALS = 8
"""Digits shown after the point; more of them are cut, not rounded, and `…` says so."""

CANNOT_BE_TOLD = "cannot be told"


@dataclass(frozen=True)
class Page:
    """What is drawn on: a terminal's width (None: a pipe or a file) and whether it is coloured."""

    terminal: int | None = None
    coloured: bool = False

    @property
    def width(self) -> int:
        """The columns that text is wrapped to."""
        return min(max(self.terminal or PIPE_COLUMNS, LEAST_COLUMNS), MOST_COLUMNS)

    def bold(self, text: str) -> str:
        """A heading, or what should be seen first."""
        return click.style(text, bold=True) if self.coloured else text

    def dim(self, text: str) -> str:
        """What is there for reference."""
        return click.style(text, dim=True) if self.coloured else text

    def colour(self, text: str, colour: str) -> str:
        """Text in a colour, where there are colours."""
        return click.style(text, fg=colour, bold=True) if self.coloured else text

    def wrapped(self, text: str, indent: int = 0, first: str = "") -> list[str]:
        """The text in lines; `first` stands in the indent of the first one."""
        start = padded(first, indent) if first else " " * indent
        return textwrap.wrap(
            text,
            self.width,
            initial_indent=start,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )


def padded(text: str, width: int) -> str:
    """The text with blanks after it up to a number of columns."""
    return text + " " * (width - columns_of(text))


def columns_of(text: str) -> int:
    """The columns of a screen that a text takes: wide characters two, combining ones none."""
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def table(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows with each column as wide as its widest cell, indented by two."""
    held = [tuple(row) for row in rows]
    widths = [max(map(columns_of, column)) for column in zip(*held, strict=True)]
    for row in held:
        cells = (padded(cell, width) for cell, width in zip(row, widths, strict=True))
        yield ("  " + "   ".join(cells)).rstrip()


def number_text(value: Decimal) -> str:
    """A number for reading: thousands apart, cut after 8 decimals or 4 digits that are not 0."""
    whole, point, fraction = plain(value).partition(".")
    if not value.is_finite():
        return whole
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    zeros = len(fraction) - len(fraction.lstrip("0"))
    kept = fraction[: max(MOST_DECIMALS, zeros + 4 if digits == "0" else 0)]
    cut = "…" if len(kept) < len(fraction) else ""
    return f"{sign}{int(digits):,}{point}{kept}{cut}"


def figure_text(value: Value | None) -> str:
    """A figure for reading."""
    if value is None:
        return CANNOT_BE_TOLD
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number_text(value) if isinstance(value, Decimal) else str(text_of(value))


def on_the_point(texts: Sequence[str]) -> list[str]:
    """Numbers under one another by their points, words at the right edge; all of one width."""
    numbers = [
        text.partition(".") if text[-1:].strip("….0123456789") == "" else None for text in texts
    ]
    after = max((len(n[1] + n[2]) for n in numbers if n), default=0)
    aligned = [
        text if n is None else n[0] + (n[1] + n[2]).ljust(after)
        for text, n in zip(texts, numbers, strict=True)
    ]
    width = max(map(len, aligned), default=0)
    return [text.rjust(width) for text in aligned]
