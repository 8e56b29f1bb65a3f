"""Units of figures: dollars, coins of an asset, ratios, hours, and what they make together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Powers = tuple[tuple[str, int], ...]
"""A unit as its bases and their powers, sorted: `A / B` is A 1, B -1."""


@dataclass(frozen=True, slots=True)
class Unit:
    """The kind of a figure (number, text, truth, instant) and, of a number, its unit.

    `powers` None is a number of any unit: 0, `unlimited`. `unlimited` tells that the figure may be
    it; `symbol` is the text that a figure stands for when it names a coin.
    """

    kind: str
    powers: Powers | None = ()
    unlimited: bool = False
    symbol: str | None = None

    def __str__(self) -> str:
        return spelled(self.powers) if self.kind == "number" else self.kind


def unit(text: str | None, kind: str = "number") -> Unit:
    """The unit that a rule file writes, such as `ratio`, `A / coin of asset` or `per hour`."""
    if kind != "number":
        return Unit(kind)
    powers: dict[str, int] = {}
    over = 1
    for part in (text or "ratio").replace("per ", "/ ").split("/"):
        base = part.strip()
        if base and base != "ratio":
            base = "hour" if base == "hours" else base
            powers[base] = powers.get(base, 0) + over
        over = -1
    return Unit("number", _powers(powers))


def _powers(powers: Mapping[str, int]) -> Powers:
    return tuple(sorted((base, power) for base, power in powers.items() if power))


_PLURAL = {"hour": "hours"}


def spelled(powers: Powers | None) -> str:
    """A unit as a rule file writes it; a product of units with `x` between them."""
    if powers is None:
        return "any unit"
    above = [_PLURAL.get(base, base) for base, power in powers for _ in range(power)]
    below = [base for base, power in powers for _ in range(-power)]
    text = " x ".join(above)
    if below:
        text = f"{text} / {' / '.join(below)}" if text else f"per {' / '.join(below)}"
    return text or "ratio"


def times(left: Unit, right: Unit, sign: int) -> Powers | None:
    """The unit of a product (sign 1) or a quotient (sign -1)."""
    if left.powers is None or right.powers is None:
        return None
    powers = dict(left.powers)
    for base, power in right.powers:
        powers[base] = powers.get(base, 0) + sign * power
    return _powers(powers)


def moved(powers: Powers | None, old: str, new: str) -> Powers | None:
    """A unit seen from another line: the coin of its key is the coin of the key asked for."""
    if powers is None:
        return None
    moved: dict[str, int] = {}
    for base, power in powers:
        base = new if base == old else base
        moved[base] = moved.get(base, 0) + power
    return _powers(moved)
