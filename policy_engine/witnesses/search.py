"""Where a test turns as an input moves, and the accounts there and a step to either side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from policy_engine.errors import PolicyError, Undetermined
from policy_engine.numbers import EXACT, tidy
from policy_engine.walk import Grid, Point
from policy_engine.witnesses.axes import Axis
from policy_engine.witnesses.boundary import ABOVE, AT, BELOW, BOTH, NEW, OLD, Boundary, Witness
from policy_engine.witnesses.sides import Place, Side

STEP, SMALLEST = Decimal("0.00000001"), Decimal("0.000000000000000001")
_TIMES = int(STEP / SMALLEST)
HIGHEST = Decimal(10) ** 12


class Turn(NamedTuple):
    """The first position at which a test turns: on its edge exactly, or between two positions."""

    target: Decimal
    low: int
    high: int

    @property
    def exact(self) -> bool:
        """Whether the edge is met."""
        return self.low == self.high


@dataclass(frozen=True)
class Line:
    """An account of which one input moves in steps, under the rules of both sides."""

    place: Place
    axis: Axis
    sides: tuple[Side, Side]
    step: Decimal = STEP

    def value(self, position: int) -> Decimal:
        """The input at a position."""
        return tidy(EXACT.multiply(Decimal(position), self.step))

    def at(self, position: int) -> Place:
        """The account at a position."""
        return self.axis.moved(self.place, self.value(position))

    def turns(self, first: int, last: int) -> tuple[dict[Decimal, Turn], dict[Decimal, Turn]]:
        """The first turn of each side's test at each of its edges, from one position to another."""
        found: tuple[dict[Decimal, Turn], dict[Decimal, Turn]] = ({}, {})
        wanted = sum(len(side.edges) for side in self.sides if side.test is not None)
        grid = self._grid(first)
        for before, after in pairwise(grid.turns(first, last)):
            if after.position - before.position == 1:
                for at, side in enumerate(self.sides, -2):
                    for turn in _met(before, after, at, side.edges):
                        found[at].setdefault(turn.target, turn)
            if sum(map(len, found)) == wanted:
                break
        return found

    def _grid(self, first: int) -> Grid:
        start = self.at(first)
        of_sides = [side.targets(start) for side in self.sides]
        return Grid(self._sample, [t for part in of_sides for t in part] + self._own())

    def _own(self) -> list[tuple[Decimal, ...]]:
        return [side.edges for side in self.sides]

    def _sample(self, position: int) -> tuple[None, tuple[Decimal | None, ...]]:
        place = self.at(position)
        old, new = (side.sample(place) for side in self.sides)
        return None, (*old.probes, *new.probes, old.own, new.own)


def _met(before: Point, after: Point, at: int, edges: Sequence[Decimal]) -> Iterator[Turn]:
    """The edges that a test meets between two neighbours, or on one of them."""
    own, other = before.probes[at], after.probes[at]
    if own is None or other is None or own == other:
        return
    for edge in edges:
        if edge in (own, other):
            position = before.position if edge == own else after.position
            yield Turn(edge, position, position)
        elif min(own, other) < edge < max(own, other):
            yield Turn(edge, before.position, after.position)


# --- edges ----------------------------------------------------------------------------------------


def boundary(empty: Boundary, line: Line) -> Boundary:
    """The witnesses on a line of accounts: none where no test turns on it."""
    try:
        found = line.turns(1, int(HIGHEST / STEP))  # at 0 a line may be no part of the account
        turns = [
            (edge, *_near(line, turn, at))
            for at, (edge, part) in enumerate(zip((OLD, NEW), found, strict=True))
            for turn in part.values()
        ]
        witnesses = tuple(_witnesses(turns))
    except (PolicyError, Undetermined):
        return empty
    if not witnesses:
        return empty
    return replace(
        empty,
        moves=line.axis.label,
        step=min(one.step for _, one, _ in turns),
        exact=all(turn.exact for _, _, turn in turns),
        witnesses=witnesses,
        reason="",
    )


def _near(line: Line, turn: Turn, at: int) -> tuple[Line, Turn]:
    """A turn as near as an input can be written."""
    if turn.exact:
        return line, turn
    finer = replace(line, step=SMALLEST)
    found = finer.turns(turn.low * _TIMES, turn.high * _TIMES)[at].get(turn.target)
    return (line, turn) if found is None else (finer, found)


def _witnesses(turns: Sequence[tuple[str, Line, Turn]]) -> list[Witness]:
    """The accounts at each edge and a step to either side, each value once."""
    places: dict[Decimal, tuple[str, str, Line, int]] = {}
    for edge, line, turn in turns:
        for side, position in _steps(turn):
            value = line.value(position)
            lowest = SMALLEST if line.axis.above_zero else Decimal(0)
            if value >= lowest:
                known = places.get(value)
                both = known is not None and known[0] != edge
                side = AT if known is not None and known[1] == AT else side
                places[value] = (BOTH if both else edge, side, line, position)
    return [_witness(value, *places[value]) for value in sorted(places)]


def _steps(turn: Turn) -> Iterator[tuple[str, int]]:
    if turn.exact:
        yield from ((BELOW, turn.low - 1), (AT, turn.low), (ABOVE, turn.low + 1))
    else:
        yield from ((BELOW, turn.low), (ABOVE, turn.high))


def _witness(value: Decimal, edge: str, side: str, line: Line, position: int) -> Witness:
    place = line.at(position)
    told = (one.told(place) for one in line.sides)
    return Witness(edge, side, value, place.snapshot, place.given, next(told), next(told))
