"""The ladder of a figure as a picture: its thresholds, what begins at each, where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from itertools import groupby

from policy_engine.ladder import Ladder, Rung
from policy_engine.numbers import EXACT
from policy_engine.render.layout import figure_text
from policy_engine.render.svg import Number, element, label, rule

WIDTH, STEP, LINE = 400, 46, 17
_LEFT, _BAND, _TOP = 74, 20, 26
SIGNS = {"<": "below", "<=": "at or below", ">": "above", ">=": "at or above"}

Group = tuple[Decimal, str, tuple[Rung, ...]]


def groups(ladder: Ladder) -> list[Group]:
    """The thresholds from the highest down; those at one value and sign together."""
    known = [rung for rung in ladder.rungs if rung.value is not None]
    made = groupby(known, key=lambda rung: (rung.value, rung.sign))
    return [(value, sign, tuple(rungs)) for (value, sign), rungs in made if value is not None]


def begins(rung: Rung, titles: Mapping[str, str]) -> str:
    """What begins at a threshold, in words."""
    if rung.kind == "status":
        return titles.get(f"statuses/{rung.name}", rung.name)
    return f"{rung.name.replace('_', ' ')} is refused"


def ladder_picture(ladder: Ladder, titles: Mapping[str, str]) -> str:
    """The picture as an SVG element; its colours are those of the page it stands in."""
    with localcontext(EXACT):
        return _Drawing(ladder, titles).svg()


class _Drawing:
    def __init__(self, ladder: Ladder, titles: Mapping[str, str]) -> None:
        self.ladder, self.titles, self.groups = ladder, titles, groups(ladder)
        self.heights = [max(STEP, (len(rungs) + 1) * LINE + 14) for _, _, rungs in self.groups]
        self.foot = _TOP + STEP // 2 + sum(self.heights)

    def svg(self) -> str:
        """The whole element, with what is read aloud of it."""
        said = "; ".join(self.said(group) for group in self.groups)
        box = f"0 0 {WIDTH} {self.foot + 10}"
        head: dict[str, Number | str] = {"class": "ladder", "role": "img", "viewBox": box}
        head |= {"aria-label": f"{self.ladder.title}. {said}"}
        return element("svg", head, "".join([*self.bands(), *self.rungs()]))

    def said(self, group: Group) -> str:
        """A threshold and what begins there."""
        value, sign, rungs = group
        what = ", ".join(begins(rung, self.titles) for rung in rungs)
        return f"{SIGNS[sign]} {figure_text(value)}: {what}"

    def places(self) -> Iterator[tuple[Group, int]]:
        """Each threshold with its height in the picture."""
        y = _TOP + STEP // 2
        for group, height in zip(self.groups, self.heights, strict=True):
            yield group, y
            y += height

    def bands(self) -> Iterator[str]:
        """The stretches between the thresholds, darker the lower."""
        edges = [_TOP - 8, *(y for _, y in self.places()), self.foot]
        last = max(len(edges) - 2, 1)
        for at, top in enumerate(edges[:-1]):
            shape: dict[str, Number | str] = {"x": _LEFT, "y": top, "width": _BAND}
            shape |= {"height": edges[at + 1] - top, "class": "band"}
            shape |= {"fill-opacity": Decimal(12 + 60 * at // last) / 100}
            yield element("rect", shape)

    def rungs(self) -> Iterator[str]:
        """The thresholds with their values, and what begins there."""
        for (value, sign, rungs), y in self.places():
            yield rule((_LEFT - 6, _LEFT + _BAND + 10), (y, y), "currentColor")
            end = {"text-anchor": "end", "class": "count"}
            yield label(figure_text(value), _LEFT - 10, y + 4, end)
            x = _LEFT + _BAND + 16
            yield label(SIGNS[sign], x, y + 4, {"class": "soft"})
            for at, rung in enumerate(rungs, 1):
                yield label(begins(rung, self.titles), x, y + 4 + at * LINE)
