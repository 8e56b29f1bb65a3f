"""The tiers of a scale before and after, as a step chart on one axis.

The edges of both sides stand evenly apart: they grow too fast for a chart that keeps distances.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from policy_engine.model import AboveLast, NotKnown, Scale, Tier
from policy_engine.numbers import EXACT, Value, plain, text_of
from policy_engine.render.layout import number_text
from policy_engine.render.svg import Number, Span, at, element, label, rule

WIDTH, HEIGHT = 400, 222
_LEFT, _RIGHT, _TOP, _FOOT = 46, 388, 6, 170
Edge = Decimal | None
"""An edge of either side; None is beyond the last of both."""


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch between neighbouring edges of either side, and the rate each side has in it."""

    to: Edge
    before: Decimal | None
    after: Decimal | None


@dataclass(frozen=True, slots=True)
class Chart:
    """Tiers before and after: of which keys (none: of the only list) and which column."""

    scale: str
    keys: tuple[str, ...]
    column: str
    unit: str
    steps: tuple[Step, ...]


def charts(old: Scale | None, new: Scale | None) -> list[Chart]:
    """A chart for each key and column whose tiers differ; keys that differ alike share one."""
    latest = new or old
    assert latest is not None
    made: dict[tuple[str, tuple[Step, ...]], list[str]] = {}
    for key in _keys(old, new):
        for column, _ in latest.columns:
            steps = tuple(_steps(old, new, key, column))
            if any(step.before != step.after for step in steps):
                made.setdefault((column, steps), []).append(
                    "" if key is None else str(text_of(key))
                )
    units, several = dict(latest.columns), latest.has_columns
    return [
        Chart(latest.name, tuple(filter(None, keys)), column if several else "", units[column], s)
        for (column, s), keys in made.items()
    ]


def _keys(old: Scale | None, new: Scale | None) -> list[Value | None]:
    held = (side.tiers for side in (old, new) if side is not None)
    return list(dict.fromkeys(key for tiers in held for key in tiers))


def _steps(old: Scale | None, new: Scale | None, key: Value | None, column: str) -> Iterator[Step]:
    sides = [_rates(side, key, column) for side in (old, new)]
    edges = sorted({edge for side in sides for edge in side if edge is not None})
    for edge in [*edges, None]:
        yield Step(edge, _rate(sides[0], edge), _rate(sides[1], edge))


def _rates(scale: Scale | None, key: Value | None, column: str) -> Mapping[Edge, Decimal | None]:
    """The rate up to each edge of a side; none for a side without such tiers."""
    if scale is None or key not in scale.tiers or column not in dict(scale.columns):
        return {}
    at_ = list(dict(scale.columns)).index(column)
    tiers: Sequence[Tier] = scale.tiers[key]
    last = tiers[-1].rates[at_] if tiers else None
    return {**{t.to: t.rates[at_] for t in tiers}, None: _above(scale.above_last, last)}


def _above(above: AboveLast, last: Decimal | None) -> Decimal | None:
    return last if above.rate is None else None if isinstance(above.rate, NotKnown) else above.rate


def _rate(rates: Mapping[Edge, Decimal | None], edge: Edge) -> Decimal | None:
    """The rate of the tier that a stretch up to an edge lies in."""
    reached = sorted(one for one in rates if one is not None and edge is not None and one >= edge)
    return rates.get(reached[0] if reached else None)


# --- drawing --------------------------------------------------------------------------------------


def step_chart(chart: Chart) -> str:
    """The chart as an SVG element; its colours are those of the page it stands in."""
    with localcontext(EXACT):
        return _Drawing(chart).svg()


class _Drawing:
    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        rates = [r for s in chart.steps for r in (s.before, s.after) if r is not None]
        high = max(rates, default=Decimal(1))
        low = min(Decimal(0), *rates)
        room = (high - low) / 12 or Decimal(1)
        self.span = Span(low, high + room, _FOOT, _TOP)

    def svg(self) -> str:
        """The whole element, with what is read aloud of it."""
        head: dict[str, Number | str] = {"class": "chart", "role": "img"}
        head |= {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "aria-label": told(self.chart)}
        parts = [*self.ticks(), *self.edges(), *self.line("before"), *self.line("after")]
        return element("svg", head, "".join(parts))

    def ticks(self) -> Iterator[str]:
        """Lines at round rates."""
        for tick in self.span.ticks(6):
            y = self.span.place(tick)
            yield rule((_LEFT, _RIGHT), (y, y), "currentColor", {"class": "grid"})
            yield label(number_text(tick), _LEFT - 6, y + 4, {"text-anchor": "end"})

    def edges(self) -> Iterator[str]:
        """The edges of both sides, with their labels on the slant."""
        for n, step in enumerate(self.chart.steps):
            x = self.place(n + 1)
            if step.to is not None:
                yield rule((x, x), (_FOOT, _FOOT + 5), "currentColor")
                turned = f"rotate(-38 {at(x)} {_FOOT + 14})"
                drawn = {"transform": turned, "text-anchor": "end"}
                yield label(short(step.to), x + 3, _FOOT + 16, drawn)
        yield rule((_LEFT, _RIGHT), (_FOOT, _FOOT), "currentColor")

    def place(self, edge: int) -> Decimal:
        """Where an edge stands, counted from the left."""
        return _LEFT + Decimal(edge * (_RIGHT - _LEFT)) / len(self.chart.steps)

    def line(self, side: str) -> Iterator[str]:
        """The steps of a side; what lies beyond its last edge too."""
        path, joined = "", False
        for n, step in enumerate(self.chart.steps):
            rate = getattr(step, side)
            if rate is not None:
                y = at(self.span.place(rate))
                path += f"{'L' if joined else 'M'}{at(self.place(n))} {y}H{at(self.place(n + 1))}"
            joined = rate is not None
        if path:
            yield element("path", {"class": f"line {side}", "d": path})


def short(edge: Decimal) -> str:
    """An edge for a label: with `k`, `M` or `B` where that is exact in few digits."""
    for sign, power in (("B", 9), ("M", 6), ("k", 3)):
        scaled = edge.scaleb(-power)
        if abs(scaled) >= 1 and len(plain(scaled)) <= 5:
            return f"{plain(scaled)}{sign}"
    return number_text(edge)


def told(chart: Chart) -> str:
    """What is read aloud of a chart; one of a single side says nothing of before."""
    alone = all(step.before is None for step in chart.steps)
    stretches = "; ".join(_stretch(step, alone) for step in chart.steps)
    return f"{chart.column or 'rate'} by tier{'' if alone else ', before and after'}: {stretches}"


def _stretch(step: Step, alone: bool) -> str:
    where = "above" if step.to is None else f"to {number_text(step.to)}"
    before = "" if alone else f"{rate_text(step.before)}, then "
    return f"{where} {before}{rate_text(step.after)}"


def rate_text(rate: Decimal | None) -> str:
    """A rate for reading; a dash where there is none."""
    return "–" if rate is None else number_text(rate)
