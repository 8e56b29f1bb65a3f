"""A price grid of one shock as a picture: a figure's curve, with its thresholds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from functools import cached_property
from itertools import groupby

from policy_engine.decision import Decision
from policy_engine.grids import Grid
from policy_engine.numbers import EXACT, UNLIMITED, plain
from policy_engine.render.grid import UNKNOWN, axis_name, limits_of, told
from policy_engine.render.layout import number_text
from policy_engine.render.picture import BELOW, LEFT, SIDE, TOP, Picture
from policy_engine.render.svg import (
    CHARACTER_WIDTH,
    FAINT,
    INK,
    LINE_HEIGHT,
    Number,
    Span,
    apart,
    at,
    drawing,
    element,
    label,
    rule,
)

HEIGHT, STRIP = 360, 18
FOOT, RIGHT = TOP + HEIGHT, LEFT + SIDE
LIMIT_INK = "#a3243b"

Values = Sequence[Decimal | None]
Drawn = dict[str, Number | str]


def curve(grid: Grid, decision: Decision) -> str:
    """The picture of a grid with one side; `decision` is on the account as it is."""
    with localcontext(EXACT):
        return _Curve(grid, decision).drawing()


class _Curve(Picture):
    def drawing(self) -> str:
        """The whole picture: the curve, and below it the status at each step."""
        title = f"{self.grid.figure or 'Status'} by {axis_name(self.across)}"
        labels = (len(text) * CHARACTER_WIDTH for text, _ in limits_of(self.grid))
        legend, legend_height = self.legend_size()
        frame: Drawn = {"x": LEFT, "y": TOP, "width": SIDE, "height": HEIGHT}
        parts = [
            *self.heading(title),
            *(self.unknown() if self.span is None else self.values(self.span)),
            element("rect", {**frame, "fill": "none", "stroke": INK}),
            *self.cells(0, FOOT + 4, STRIP),
            *self.across_ticks(FOOT + STRIP + 4),
            *self.legend(RIGHT + 16, FOOT + STRIP + 24),
        ]
        width = RIGHT + 24 + max(legend, *labels, 0)
        height = FOOT + STRIP + 24 + max(BELOW, legend_height)
        return drawing(width, height, title, told(self.grid, self.decision), parts)

    @cached_property
    def span(self) -> Span | None:
        """The figures of the picture from its foot to its top; None if there are none."""
        lines = (value for line in self.grid.lines for value in line.values)
        known = [value for value in (*self.grid.values[0], *lines) if _is_finite(value)]
        numbers = [value for value in known if value is not None]
        if not numbers:
            return None
        low, high = min(numbers), max(numbers)
        room = (high - low) / 20 or Decimal(1)
        return Span(low - room, high + room, FOOT, TOP)

    def unknown(self) -> Iterator[str]:
        """Words where there is no figure to draw."""
        said = "unlimited" if UNLIMITED in self.grid.values[0] else UNKNOWN
        middle = {"text-anchor": "middle"}
        yield label(said, LEFT + SIDE // 2, TOP + HEIGHT // 2, middle)

    def values(self, span: Span) -> Iterator[str]:
        """The curve over the thresholds, over lines at round figures."""
        for tick in span.ticks(8):
            y = span.place(tick)
            drawn = {"class": "tick-y", "data-value": plain(tick)}
            yield rule((LEFT, RIGHT), (y, y), FAINT, drawn)
            yield label(number_text(tick), LEFT - 9, y + 4, {"text-anchor": "end"})
        yield from self.thresholds(span)
        drawn = {"class": "curve", "stroke": INK}
        yield from self.line(self.grid.values[0], span, {**drawn, "stroke-width": 2})

    def thresholds(self, span: Span) -> Iterator[str]:
        """Each threshold, with its label at its height or as near as there is room."""
        found = []
        for text, values in limits_of(self.grid):
            last = next((value for value in reversed(values) if _is_finite(value)), None)
            if last is not None:
                found.append((span.place(last), text, values))
        found.sort(key=lambda one: one[0])
        spots = apart([place for place, _, _ in found], LINE_HEIGHT)
        for (place, text, values), spot in zip(found, spots, strict=True):
            yield from self.threshold(values, span)
            yield rule((RIGHT, RIGHT + 12), (place, spot), LIMIT_INK)
            yield label(text, RIGHT + 16, spot + 4, {"class": "threshold-label"})

    def threshold(self, values: Values, span: Span) -> Iterator[str]:
        """A threshold: from side to side where it never changes."""
        drawn: Drawn = {"class": "threshold", "stroke": LIMIT_INK, "stroke-dasharray": "6 4"}
        value = values[0]
        if value is not None and len(set(values)) == 1:
            y = span.place(value)
            yield rule((LEFT, RIGHT), (y, y), LIMIT_INK, {**drawn, "data-value": plain(value)})
        else:
            yield from self.line(values, span, drawn)

    def line(self, values: Values, span: Span, drawn: Drawn) -> Iterator[str]:
        """Figures from step to step, broken where one is unlimited or cannot be told."""
        places = [
            None if value is None or not _is_finite(value) else span.place(value)
            for value in values
        ]
        for known, stretch in groupby(enumerate(places), key=lambda one: one[1] is not None):
            points = [f"{at(self.middle(n))},{at(y)}" for n, y in stretch if y is not None]
            ends = points * 2 if len(points) == 1 else points
            if known:
                shape: Drawn = {"points": " ".join(ends), "fill": "none"}
                yield element("polyline", {**shape, "stroke-linecap": "round", **drawn})


def _is_finite(value: Decimal | None) -> bool:
    return value is not None and value.is_finite()
