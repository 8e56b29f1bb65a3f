"""Drawings as SVG: text that every browser shows, without scripts or anything from elsewhere.

Places are worked out inside `localcontext(EXACT)`, so that a drawing is the same for every caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from html import escape
from types import MappingProxyType

from policy_engine.numbers import EXACT, plain

Number = int | Decimal
Pair = tuple[Number, Number]
CHARACTER_WIDTH = 7
"""About what a character takes at the size of labels."""

LINE_HEIGHT = 15
INK, FAINT, PAPER = "#1a1a1a", "#c8c8c8", "#ffffff"
UNKNOWN_FILL = "url(#unknown)"
_THOUSANDTH = Decimal("0.001")
_SHADES = ("#5c0a2e", "#b03a2e", "#f2a33a", "#f9dd8f", "#e3f1e6")
"""From dark to light, so that their order is seen in grey and by every eye."""

_UNKNOWN = (
    '<defs><pattern id="unknown" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect width="6" height="6" fill="#ffffff"/><path d="M0 6L6 0" stroke="#767676"/>'
    "</pattern></defs>"
)


def drawing(width: Number, height: Number, title: str, told: str, parts: Iterable[str]) -> str:
    """A whole drawing; `title` and `told` are what is read aloud of it."""
    head = {
        "xmlns": "http://www.w3.org/2000/svg",
        "width": width,
        "height": height,
        "viewBox": f"0 0 {at(width)} {at(height)}",
        "role": "img",
        "font-family": "sans-serif",
        "font-size": 12,
        "fill": INK,
    }
    inside = [
        element("title", {}, escape(title)),
        element("desc", {}, escape(told)),
        _UNKNOWN,
        element("rect", {"width": width, "height": height, "fill": PAPER}),
        *parts,
    ]
    return element("svg", head, "\n" + "\n".join(inside) + "\n") + "\n"


def element(name: str, attributes: Mapping[str, Number | str], inside: str = "") -> str:
    """An element; what is `inside` is written as it stands."""
    written = "".join(f' {key}="{escape(_value(v))}"' for key, v in attributes.items())
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def label(
    text: str, x: Number, y: Number, attributes: Mapping[str, Number | str] = MappingProxyType({})
) -> str:
    """A text whose baseline is at a height, beginning there unless its attributes say otherwise."""
    return element("text", {"x": x, "y": y, **attributes}, escape(text))


def rule(
    x: Pair, y: Pair, colour: str, attributes: Mapping[str, Number | str] = MappingProxyType({})
) -> str:
    """A straight line."""
    ends = {"x1": x[0], "x2": x[1], "y1": y[0], "y2": y[1]}
    return element("line", {**ends, "stroke": colour, **attributes})


def at(number: Number) -> str:
    """A coordinate, to a thousandth of a pixel."""
    rounded = Decimal(number).quantize(_THOUSANDTH, ROUND_HALF_EVEN, EXACT)
    return plain(rounded)


def _value(value: Number | str) -> str:
    return value if isinstance(value, str) else at(value)


def shades(count: int) -> list[str]:
    """Fills for statuses, worst first: dark to light."""
    if count == 1:
        return [_SHADES[-1]]
    return [_mixed(Decimal(n * (len(_SHADES) - 1)) / (count - 1)) for n in range(count)]


def _mixed(position: Decimal) -> str:
    """The colour at a position among the shades."""
    below = min(int(position), len(_SHADES) - 2)
    pairs = zip(_parts(_SHADES[below]), _parts(_SHADES[below + 1]), strict=True)
    share = position - below
    return "#" + "".join(f"{round(low + (high - low) * share):02x}" for low, high in pairs)


def _parts(colour: str) -> list[int]:
    return [int(colour[n : n + 2], 16) for n in (1, 3, 5)]


def ink_on(fill: str) -> str:
    """The colour of text that can be read on a fill."""
    if not fill.startswith("#"):
        return INK
    red, green, blue = _parts(fill)
    return PAPER if 2 * red + 5 * green + blue < 8 * 120 else INK


@dataclass(frozen=True, slots=True)
class Span:
    """Figures along a side of a drawing: `low` stands at `start`, `high` at `end`."""

    low: Decimal
    high: Decimal
    start: Number
    end: Number

    def place(self, value: Decimal) -> Decimal:
        """Where a figure stands."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int) -> list[Decimal]:
        """Round figures inside the span, at most so many."""
        least = (self.high - self.low) / (most - 1)
        sizes = (Decimal(m).scaleb(least.adjusted()) for m in (1, 2, 5, 10))
        size = next(size for size in sizes if size >= least)
        first = (self.low / size).to_integral_value(ROUND_CEILING)
        made = ((first + n) * size for n in range(most))
        return [tick for tick in made if tick <= self.high]


def apart(places: Sequence[Decimal], least: int) -> list[Decimal]:
    """Places in rising order moved down no more than is needed to keep a distance."""
    made: list[Decimal] = []
    for place in places:
        made.append(max(place, made[-1] + least) if made else place)
    return made
