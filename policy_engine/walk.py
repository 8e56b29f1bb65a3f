"""Walks a figure that moves on a grid, from each point where anything turns to the next.

Between two such points every formula of a plan is a quotient of straight lines, so that where it
turns next follows from three points of it. What is met otherwise is found by halving.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Any, NamedTuple

from policy_engine.numbers import EXACT

Targets = Sequence[Sequence[Decimal]]
"""For each probe the values, rising, at which it turns something: the edges of tiers, or 0."""


class Point(NamedTuple):
    """What is found at a position: a state, and a figure for each probe (None: not a number)."""

    position: int
    state: Any
    probes: tuple[Decimal | None, ...]


class Grid:
    """A figure that moves in steps; each position is evaluated once.

    `evaluate` gives state and probes of a position, which is a whole number of steps.
    """

    def __init__(
        self, evaluate: Callable[[int], tuple[Any, tuple[Any, ...]]], targets: Targets
    ) -> None:
        self._evaluate, self._targets = evaluate, targets
        self._met: dict[int, Point] = {}

    @property
    def evaluations(self) -> int:
        """How many positions have been evaluated."""
        return len(self._met)

    def at(self, position: int) -> Point:
        """The point at a position."""
        if position not in self._met:
            self._met[position] = Point(position, *self._evaluate(position))
        return self._met[position]

    def side(self, point: Point) -> tuple[Any, ...]:
        """The state of a point, and on which side of its targets each probe is."""
        sides = (
            None if value is None else (bisect_left(of, value), bisect_right(of, value))
            for value, of in zip(point.probes, self._targets, strict=True)
        )
        return (point.state, *sides)

    def turns(self, start: int, last: int) -> Iterator[Point]:
        """The points from one position to another at which anything turns, both sides of each.

        The first is `start`, the last one `last`; between neighbours nothing turns.
        """
        way = 1 if last >= start else -1
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
        side = self.side(here)
        near = [here]
        for step in (1, 2):
            if abs(last - here.position) < step:
                return near[-1], None
            point = self.at(here.position + way * step)
            if self.side(point) != side:
                return near[-1], point
            near.append(point)
        far = self._predicted(near, last, way)
        if self.side(self.at(far)) != side:
            return self._halved(near[-1].position, far, side)
        if far == last:
            return self.at(far), None
        following = self.at(far + way)
        if self.side(following) != side:
            return self.at(far), following
        # Nothing turned where it was foretold: go on from there.
        return self._next(following, last, way)

    def _halved(self, low: int, high: int, side: tuple[Any, ...]) -> tuple[Point, Point]:
        if abs(high - low) > 1 and self.side(self.at(high - (1 if high > low else -1))) == side:
            low = high - (1 if high > low else -1)
        while abs(high - low) > 1:
            middle = (low + high) // 2
            if self.side(self.at(middle)) == side:
                low = middle
            else:
                high = middle
        return self.at(low), self.at(high)

    def _predicted(self, near: Sequence[Point], last: int, way: int) -> int:
        """The position just before the nearest turn that three points foretell."""
        length = abs(last - near[0].position)
        best = Decimal(length)
        for at, targets in enumerate(self._targets):
            values = [v for v in (point.probes[at] for point in near) if v is not None]
            if len(values) == 3 and not values[0] == values[1] == values[2]:
                for target in _ahead(values, targets):
                    steps = crossing(*(EXACT.subtract(v, target) for v in values))
                    if steps is not None and 2 < steps < best:
                        best = steps
        whole = int(best.to_integral_value(ROUND_FLOOR))
        return near[0].position + way * max(whole, 2)


def _ahead(values: Sequence[Decimal], targets: Sequence[Decimal]) -> Sequence[Decimal]:
    """The targets next to a probe, on the side to which it moves and on the other."""
    at = bisect_left(targets, values[-1])
    return targets[max(at - 1, 0) : at + 2]


def crossing(first: Decimal, second: Decimal, third: Decimal) -> Decimal | None:
    """How many steps from the first of three points a quotient of straight lines through them is 0.

    None where it never is.
    """
    bend = EXACT.subtract(EXACT.multiply(second, Decimal(2)), EXACT.add(first, third))
    rise = EXACT.subtract(third, second)
    if rise == 0:
        return None
    b = EXACT.divide(bend, EXACT.multiply(rise, Decimal(2)))
    a = EXACT.subtract(EXACT.multiply(second, EXACT.add(b, Decimal(1))), first)
    return None if a == 0 else EXACT.divide(first.copy_negate(), a)
