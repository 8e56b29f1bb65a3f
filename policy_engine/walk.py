"""Walks a figure that moves on a grid, from each point where anything turns to the next.

Between two such points most formulas are quotients of straight lines, so that three points of one
tell its course, and where it turns next. What does not keep to its course is found by halving.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_FLOOR, Context, Decimal
from typing import Any, NamedTuple

from policy_engine.errors import Undetermined
from policy_engine.numbers import EXACT

Targets = Sequence[Sequence[Decimal]]
"""For each probe the values, rising, at which it turns something: the edges of tiers, or 0."""

ALL_VISITED = 32
"""On a way of at most so many steps every position is looked at."""

MOST_SURPRISES = 6
"""After so many turns that no course foretold the walk strides on, and is not sure any more."""

PATIENCE = 10_000
"""Positions that are looked at before the walk is given up: about a second."""

_ZERO, _ONE, _TWO = Decimal(0), Decimal(1), Decimal(2)
_NEARLY = Decimal("1e-60")
_NEAR = Context(prec=60)
"""Digits that tell a position: there are fewer than 10 to the 40th."""


class Point(NamedTuple):
    """What is found at a position: a state, and a figure for each probe (None: not a number)."""

    position: int
    state: Any
    probes: tuple[Decimal | None, ...]
    side: tuple[Any, ...]
    """The state, and on which side of its targets each probe is."""


class Course(NamedTuple):
    """A quotient of straight lines: after n steps it is (start + rise n) / (1 + bend n)."""

    start: Decimal
    rise: Decimal
    bend: Decimal

    @property
    def is_flat(self) -> bool:
        """Whether it has one value only."""
        return not self.rise and not self.bend

    def keeps(self, steps: int, value: Decimal) -> bool:
        """Whether it has a value after some steps, but for what 200 digits cannot hold."""
        if self.is_flat:
            return value == self.start
        n = Decimal(steps)
        below = EXACT.fma(self.bend, n, _ONE)
        off = EXACT.subtract(EXACT.multiply(value, below), EXACT.fma(self.rise, n, self.start))
        return abs(off) <= EXACT.multiply(_NEARLY, max(_ONE, abs(value)))

    def meets(self, targets: Sequence[Decimal]) -> Iterator[Decimal]:
        """After how many steps it has each of some values, and where it has none at all."""
        for target in targets:
            slope = EXACT.subtract(self.rise, EXACT.multiply(self.bend, target))
            if slope:
                yield _NEAR.divide(EXACT.subtract(target, self.start), slope)
        if self.bend:
            yield _NEAR.divide(-_ONE, self.bend)


def course(first: Decimal, second: Decimal, third: Decimal) -> Course | None:
    """The course through three points one step apart; None where none leads through them."""
    if first == second or second == third:
        return Course(first, _ZERO, _ZERO) if first == third else None
    rise = EXACT.subtract(third, second)
    bow = EXACT.subtract(EXACT.subtract(second, first), rise)
    bend = EXACT.divide(bow, EXACT.multiply(rise, _TWO)) if bow else _ZERO
    return Course(first, EXACT.subtract(EXACT.fma(second, bend, second), first), bend)


class Grid:
    """A figure that moves in steps; each position is evaluated once.

    `evaluate` gives state and probes of a position, which is a whole number of steps. `sure` tells
    that no turn can have been passed over; it is False once figures kept to no course.
    """

    def __init__(
        self, evaluate: Callable[[int], tuple[Any, tuple[Any, ...]]], targets: Targets
    ) -> None:
        self._evaluate, self.targets = evaluate, targets
        self._met: dict[int, Point] = {}
        self._surprises = 0

    @property
    def evaluations(self) -> int:
        """How many positions have been evaluated."""
        return len(self._met)

    @property
    def sure(self) -> bool:
        """Whether no turn can have been passed over."""
        return self._surprises <= MOST_SURPRISES

    def at(self, position: int) -> Point:
        """The point at a position. Raises Undetermined once there have been too many."""
        if position not in self._met:
            if len(self._met) >= PATIENCE:
                reason = f"the figures turn more often than {PATIENCE} times on the way"
                raise Undetermined([reason])
            state, probes = self._evaluate(position)
            self._met[position] = Point(position, state, probes, self._side(state, probes))
        return self._met[position]

    def _side(self, state: Any, probes: tuple[Decimal | None, ...]) -> tuple[Any, ...]:
        sides = (
            None if value is None else (bisect_left(of, value), bisect_right(of, value))
            for value, of in zip(probes, self.targets, strict=True)
        )
        return (state, *sides)

    def turns(self, start: int, last: int) -> Iterator[Point]:
        """The points from one position to another at which anything turns, both sides of each.

        The first is `start`, the last one `last`; between neighbours nothing turns.
        """
        way = 1 if last >= start else -1
        if abs(last - start) <= ALL_VISITED:
            yield from (self.at(position) for position in range(start, last + way, way))
            return
        here = self.at(start)
        yield here
        while here.position != last:
            before, after = self._next(here, last, way)
            if before.position != here.position:
                yield before
            if after is None:
                return
            yield after
            here = after

    def _next(self, here: Point, last: int, way: int) -> tuple[Point, Point | None]:
        """The last point that is like this one, and the first that is not."""
        side = here.side
        while self.sure:
            leg = _Leg(self, here, last, way)
            before, after = leg.end()
            if after is None or after.side != side:
                return before, after
            self._surprises += leg.surprised
            here = after
        return self._strode(here, last, way)

    def _strode(self, here: Point, last: int, way: int) -> tuple[Point, Point | None]:
        """The same without foresight, in strides that grow."""
        side, stride = here.side, 1
        while here.position != last:
            there = self.at(here.position + way * min(stride, abs(last - here.position)))
            if there.side != side:
                return self.halved(here, there, lambda point: point.side == side)
            here, stride = there, 2 * stride
        return here, None

    def halved(self, low: Point, high: Point, like: Callable[[Point], bool]) -> tuple[Point, Point]:
        """Neighbours of which the first is like `low` and the second is not, as `high` is not."""
        while abs(high.position - low.position) > 1:
            middle = self.at((low.position + high.position) // 2)
            low, high = (middle, high) if like(middle) else (low, middle)
        return low, high


class _Leg:
    """The way from a point on which all keeps to one course and side."""

    def __init__(self, grid: Grid, start: Point, last: int, way: int) -> None:
        self.grid, self.start, self.last, self.way = grid, start, last, way
        self.length = abs(last - start.position)
        self.side = start.side
        self.courses: list[Course | None] = []
        self.surprised = False

    def end(self) -> tuple[Point, Point | None]:
        """Its last point, and the first that is not of it; None where it leads to the last."""
        near = [self.start]
        for step in range(1, min(self.length, 2) + 1):
            near.append(self.at(step))
            if near[-1].side != self.side:
                return near[-2], near[-1]
        if self.length <= 2:
            return near[-1], None
        values = list(zip(*(point.probes for point in near), strict=True))
        self.courses = [None if v[0] is None else course(*v) for v in values]
        if any(
            made is None and v[0] is not None for made, v in zip(self.courses, values, strict=True)
        ):
            self.surprised = True
            return near[0], near[1]
        return self._ended(near[-1], self.at(self._foretold()))

    def at(self, steps: int) -> Point:
        """The point after some steps."""
        return self.grid.at(self.start.position + self.way * steps)

    def _ended(self, near: Point, far: Point) -> tuple[Point, Point | None]:
        """The end of a leg that should lead to `far`."""
        steps = abs(far.position - self.start.position)
        if self._like(far):
            return far, None if steps == self.length else self.at(steps + 1)
        if steps > 3 and self._like(before := self.at(steps - 1)):
            return before, far
        stride, low = 1, near
        while self._like(high := self.at(min(2 + stride, steps))):
            low, stride = high, 2 * stride
        low, high = self.grid.halved(low, high, self._like)
        self.surprised = True
        return low, high

    def _like(self, point: Point) -> bool:
        """Whether a point is on the side of the leg's start, and all its probes on their course."""
        steps = abs(point.position - self.start.position)
        return point.side == self.side and all(
            made is None or value is None or made.keeps(steps, value)
            for made, value in zip(self.courses, point.probes, strict=True)
        )

    def _foretold(self) -> int:
        """How many steps lead to just before the nearest turn, or to the last position."""
        best = Decimal(self.length)
        for made, side, targets in zip(self.courses, self.side[1:], self.grid.targets, strict=True):
            if made is not None and not made.is_flat:
                next_to = targets[max(side[0] - 1, 0) : side[1] + 1]
                best = min([best, *(steps for steps in made.meets(next_to) if steps > 2)])
        return max(int(best.to_integral_value(ROUND_FLOOR)), 2)
