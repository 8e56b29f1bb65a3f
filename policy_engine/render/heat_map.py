"""A price grid of two shocks as a picture: the status at every step of both."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext

from policy_engine.decision import Decision
from policy_engine.grids import Axis, Grid
from policy_engine.numbers import EXACT, plain
from policy_engine.render.grid import axis_name, every, percent_text, status_name, told
from policy_engine.render.picture import (
    BELOW,
    LEFT,
    MOST_TICKS,
    SIDE,
    TOP,
    Picture,
    Run,
    runs,
    share,
)
from policy_engine.render.svg import (
    CHARACTER_WIDTH,
    INK,
    Number,
    drawing,
    element,
    ink_on,
    label,
    rule,
)


def heat_map(grid: Grid, decision: Decision) -> str:
    """The picture of a grid with two sides; `decision` is on the account as it is."""
    with localcontext(EXACT):
        return _HeatMap(grid, decision).drawing()


class _HeatMap(Picture):
    @property
    def up(self) -> Axis:
        """What moves from the foot to the top."""
        return self.grid.axes[1]

    def drawing(self) -> str:
        """The whole picture."""
        title = f"Status by {axis_name(self.across)} and {axis_name(self.up)}"
        legend = LEFT + SIDE + 24
        parts = [
            *self.heading(title),
            *self.rows(),
            *self.names(),
            *self.as_it_is(),
            *self.across_ticks(TOP + SIDE),
            *self.up_ticks(),
            *self.legend(legend, TOP),
        ]
        width, height = legend + self.legend_size()[0], TOP + SIDE + BELOW
        return drawing(width, height, title, told(self.grid, self.decision), parts)

    def top(self, row: int) -> Decimal:
        """Where a row ends; the first stands at the foot."""
        many = len(self.up.percents)
        return TOP + share(many - 1 - row, many)

    def centre(self, row: int) -> Decimal:
        """The middle of a row."""
        return (self.top(row) + self.top(row - 1)) / 2

    def rows(self) -> Iterator[str]:
        """All cells."""
        for n, percent in enumerate(self.up.percents):
            of = f", {axis_name(self.up)} {percent_text(percent)}"
            yield from self.cells(n, self.top(n), self.top(n - 1) - self.top(n), of)

    def up_ticks(self) -> Iterator[str]:
        """The steps beside the picture, and what moves."""
        percents = self.up.percents
        for n in every(len(percents), MOST_TICKS):
            y = self.centre(n)
            tick = {"class": "tick-y", "data-value": plain(percents[n])}
            yield rule((LEFT - 5, LEFT), (y, y), INK, tick)
            yield label(percent_text(percents[n]), LEFT - 9, y + 4, {"text-anchor": "end"})
        x, y = Decimal(20), Decimal(TOP + SIDE // 2)
        turned = {"transform": f"rotate(-90 {x} {y})", "text-anchor": "middle"}
        yield label(axis_name(self.up), x, y, {**turned, "font-weight": "bold"})

    def names(self) -> Iterator[str]:
        """The name of each status where there is most room for it, if it fits there."""
        for rank in dict.fromkeys(rank for row in self.grid.ranks for rank in row):
            row, (_, start, count) = self._roomiest(rank)
            name = status_name(self.grid, rank)
            room = share(count, len(self.across.percents))
            if rank is not None and room > (len(name) + 1) * CHARACTER_WIDTH:
                x = LEFT + share(2 * start + count, 2 * len(self.across.percents))
                drawn = {"text-anchor": "middle", "fill": ink_on(self.fill(rank)), "class": "name"}
                yield label(name, x, self.centre(row) + 4, drawn)

    def _roomiest(self, rank: int | None) -> tuple[int, Run]:
        """The row and the cells of a status that have most cells of it on all sides."""
        found = [
            ((min(run[2], self._deep(rank, n, run[1] + run[2] // 2)), run[2]), (n, run))
            for n, row in enumerate(self.grid.ranks)
            for run in runs(row)
            if run[0] == rank
        ]
        most = max(room for room, _ in found)
        best = [place for room, place in found if room == most]
        return best[len(best) // 2]

    def _deep(self, rank: int | None, row: int, column: int) -> int:
        """How many cells of a status stand on one another there."""
        ranks = [line[column] for line in self.grid.ranks]
        return next(count for _, first, count in runs(ranks) if first <= row < first + count)

    def as_it_is(self) -> Iterator[str]:
        """A ring at the account as it is."""
        if 0 not in self.across.percents or 0 not in self.up.percents:
            return
        column, row = self.across.percents.index(Decimal(0)), self.up.percents.index(Decimal(0))
        ink = ink_on(self.fill(self.grid.ranks[row][column]))
        ring: dict[str, Number | str] = {"class": "as-it-is", "fill": "none", "stroke": ink}
        ring |= {"cx": self.middle(column), "cy": self.centre(row), "r": 5, "stroke-width": 2}
        yield element("circle", ring, element("title", {}, "the account as it is"))
