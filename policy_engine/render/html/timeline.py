"""The versions of all rulesets as a picture: a row for each, time from left to right.

The instants at which something begins stand evenly apart: they come too close together for a
picture that keeps distances.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal, localcontext

from policy_engine.history import State, Stretch, Timeline
from policy_engine.numbers import EXACT, instant_text
from policy_engine.render.svg import CHARACTER_WIDTH, Number, at, element, label, rule

WIDTH, ROW, BAR = 920, 30, 16
_TOP, _FOOT, _RIGHT = 22, 78, 16
_BEGINS = 3
"""Pixels between a bar and the next."""


def timeline_picture(lines: Sequence[Timeline], moment: datetime) -> str:
    """The picture as an SVG element; its colours are those of the page it stands in."""
    with localcontext(EXACT):
        return _Drawing(lines, moment).svg()


class _Drawing:
    def __init__(self, lines: Sequence[Timeline], moment: datetime) -> None:
        self.lines, self.moment = [line for line in lines if line.stretches], moment
        starts = {one.version.effective_from for line in self.lines for one in line.stretches}
        self.starts = sorted(starts)
        names = max((len(line.ruleset) for line in self.lines), default=0)
        self.left = names * CHARACTER_WIDTH + 16
        self.foot = _TOP + ROW * len(self.lines)

    def svg(self) -> str:
        """The whole element, with what is read aloud of it."""
        said = "; ".join(_told(line) for line in self.lines)
        box = f"0 0 {WIDTH} {self.foot + _FOOT}"
        head: dict[str, Number | str] = {"class": "timeline", "role": "img", "viewBox": box}
        head |= {"aria-label": f"Versions over time. {said}"}
        return element("svg", head, "".join([*self.instants(), *self.rows(), *self.now()]))

    def place(self, index: int) -> Decimal:
        """Where an instant stands, by its index; one more is the end."""
        return self.left + Decimal(index * (WIDTH - _RIGHT - self.left)) / len(self.starts)

    def instants(self) -> Iterator[str]:
        """A line and a date for each instant at which something begins."""
        for index, start in enumerate(self.starts):
            x = self.place(index)
            yield rule((x, x), (_TOP - 4, self.foot), "currentColor", {"class": "grid"})
            turned = f"rotate(-45 {at(x)} {self.foot + 12})"
            day = instant_text(start)[:10]
            yield label(day, x + 4, self.foot + 14, {"transform": turned, "text-anchor": "end"})

    def rows(self) -> Iterator[str]:
        """The rulesets with their versions."""
        for row, line in enumerate(self.lines):
            y = _TOP + ROW * row
            yield label(line.ruleset, self.left - 8, y + 13, {"text-anchor": "end"})
            for one in line.stretches:
                if one.state is not State.CORRECTED:
                    yield self.bar(one, y)

    def bar(self, one: Stretch, y: int) -> str:
        """A version from its beginning to its end."""
        start = self.place(self.starts.index(one.version.effective_from))
        ends = one.until in self.starts
        end = self.place(self.starts.index(one.until)) if ends and one.until else WIDTH - _RIGHT
        shape: dict[str, Number | str] = {"x": start + 1, "y": y + 2, "rx": 3, "height": BAR}
        shape |= {"width": end - start - _BEGINS, "class": f"bar {one.state.value}"}
        said = f"{one.version.id}, {one.state.value.replace('_', ' ')}"
        return element("rect", shape, element("title", {}, said))

    def now(self) -> Iterator[str]:
        """The instant that the book is of."""
        before = sum(start <= self.moment for start in self.starts)
        if before:
            x = self.place(before) - Decimal(self.place(1) - self.place(0)) / 2
            yield rule((x, x), (_TOP - 8, self.foot), "currentColor", {"class": "now"})
            end = {"text-anchor": "end"} if x > WIDTH - 140 else {"text-anchor": "middle"}
            yield label("the instant of this book", min(x, Decimal(WIDTH - 2)), 11, end)


def _told(line: Timeline) -> str:
    held = line.in_force
    since = "not in force" if held is None else f"{held.id} in force"
    return f"{line.ruleset}: {len(line.stretches)} versions, {since}"
