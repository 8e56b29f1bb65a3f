"""What pictures of price grids share: heading, legend, the cells of a row, the steps below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from html import escape
from itertools import groupby

from policy_engine.decision import Decision
from policy_engine.grids import Axis, Grid
from policy_engine.numbers import instant_text, plain
from policy_engine.render.grid import UNKNOWN, axis_name, every, percent_text, status_name
from policy_engine.render.svg import (
    CHARACTER_WIDTH,
    INK,
    UNKNOWN_FILL,
    Number,
    element,
    label,
    rule,
    shades,
)

LEFT, TOP, SIDE, BELOW = 96, 64, 560, 64
MOST_TICKS = 11

Run = tuple[int | None, int, int]
"""Cells of equal status: the status, the first of them, and how many."""


def runs(ranks: Sequence[int | None]) -> Iterator[Run]:
    """The cells of a row or column, those of equal status together."""
    start = 0
    for rank, cells in groupby(ranks):
        count = len(list(cells))
        yield rank, start, count
        start += count


def share(number: int, many: int) -> Decimal:
    """Where a cell begins, from the beginning of a side."""
    return Decimal(number * SIDE) / many


@dataclass(frozen=True)
class Picture:
    """A grid of an account, to be drawn."""

    grid: Grid
    decision: Decision

    @property
    def across(self) -> Axis:
        """What moves from left to right."""
        return self.grid.axes[0]

    @cached_property
    def fills(self) -> list[str]:
        """A fill for each status, and the last for what cannot be told."""
        return [*shades(len(self.grid.statuses)), UNKNOWN_FILL]

    def fill(self, rank: int | None) -> str:
        """The fill of a status."""
        return self.fills[-1 if rank is None else rank]

    def middle(self, column: int) -> Decimal:
        """The middle of a column."""
        return LEFT + share(2 * column + 1, 2 * len(self.across.percents))

    def heading(self, title: str) -> Iterator[str]:
        """What is shown, of which account, under which rules."""
        yield label(title, LEFT, 24, {"font-size": 15, "font-weight": "bold"})
        moment = instant_text(self.decision.rules_at)
        yield label(f"account {self.decision.account}, rules of {moment}", LEFT, 42)

    def cells(self, row: int, top: Number, height: Number, of: str = "") -> Iterator[str]:
        """The cells of a row, those of equal status as one."""
        ranks = self.grid.ranks[row]
        for rank, start, count in runs(ranks):
            x, end = share(start, len(ranks)), share(start + count, len(ranks))
            name = status_name(self.grid, rank)
            said = f"{axis_name(self.across)} {self._stretch(start, count)}{of}: {name}"
            attributes: dict[str, Number | str] = {"class": "cells", "data-status": name}
            attributes |= {"x": LEFT + x, "y": top, "width": end - x, "height": height}
            attributes |= {"fill": self.fill(rank), "shape-rendering": "crispEdges"}
            yield element("rect", attributes, element("title", {}, escape(said)))

    def _stretch(self, start: int, count: int) -> str:
        first, last = self.across.percents[start], self.across.percents[start + count - 1]
        to = "" if count == 1 else f" to {percent_text(last)}"
        return f"{percent_text(first)}{to}"

    def legend(self, x: int, y: int) -> Iterator[str]:
        """Every status with its fill and the number of its cells."""
        cells = [rank for row in self.grid.ranks for rank in row]
        for n, rank in enumerate(self._legend_ranks()):
            square = {"x": x, "y": y + n * 22, "width": 16, "height": 16}
            yield element("rect", {**square, "fill": self.fill(rank), "stroke": INK})
            said = f"{status_name(self.grid, rank)}: {cells.count(rank):,} of {len(cells):,}"
            yield label(said, x + 24, y + n * 22 + 12)

    def _legend_ranks(self) -> list[int | None]:
        unknown = any(None in row for row in self.grid.ranks)
        return [*range(len(self.grid.statuses)), *([None] if unknown else [])]

    def legend_size(self) -> tuple[int, int]:
        """The width and height that the legend takes."""
        names = [UNKNOWN, *(status.name for status in self.grid.statuses)]
        width = 24 + (max(map(len, names)) + 20) * CHARACTER_WIDTH
        return width, 22 * len(self._legend_ranks())

    def across_ticks(self, bottom: int) -> Iterator[str]:
        """The steps below the picture, and what moves."""
        percents = self.across.percents
        for n in every(len(percents), MOST_TICKS):
            x = self.middle(n)
            tick = {"class": "tick-x", "data-value": plain(percents[n])}
            yield rule((x, x), (bottom, bottom + 5), INK, tick)
            yield label(percent_text(percents[n]), x, bottom + 20, {"text-anchor": "middle"})
        bold = {"text-anchor": "middle", "font-weight": "bold"}
        yield label(axis_name(self.across), LEFT + SIDE // 2, bottom + 40, bold)
