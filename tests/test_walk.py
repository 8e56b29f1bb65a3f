"""The walk from turn to turn, against a look at every position."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policy_engine.errors import Undetermined
from policy_engine.numbers import EXACT
from policy_engine.walk import ALL_VISITED, PATIENCE, Grid, Point, course

Shape = Callable[[int], Fraction | None]
SPAN = 120


def straight(at: int, slope: int) -> Shape:
    return lambda x: Fraction(at + slope * x)


def quotient(at: int, slope: int, under: int) -> Shape:
    return lambda x: Fraction(at + slope * x, under + x)


def nothing(at: int) -> Shape:
    return lambda x: None


small = st.integers(-60, 60)
shapes = st.one_of(
    st.builds(straight, small, st.integers(-3, 3)),
    st.builds(quotient, small, st.integers(-3, 3), st.integers(1, 40)),
    st.builds(nothing, small),
)
pieces = st.lists(st.tuples(st.integers(0, SPAN), shapes), min_size=1, max_size=4)
targets = st.lists(small, max_size=3, unique=True).map(
    lambda found: tuple(Decimal(one) for one in sorted(found))
)


def decimal(value: Fraction | None) -> Decimal | None:
    if value is None:
        return None
    with localcontext(EXACT):
        return Decimal(value.numerator) / Decimal(value.denominator)


def made(pieces: Any, told: bool) -> Callable[[int], tuple[Any, tuple[Any, ...]]]:
    """A figure in pieces; where they begin is told by probes, or not."""
    ordered = sorted(dict(pieces).items())

    def evaluate(x: int) -> tuple[Any, tuple[Any, ...]]:
        shape = next((s for at, s in reversed(ordered) if at <= x), ordered[0][1])
        edges = (Decimal(x - at) for at, _ in ordered) if told else ()
        return None, (decimal(shape(x)), *edges)

    return evaluate


def nothing_between(grid: Grid, points: list[Point]) -> Iterator[bool]:
    """For each two neighbours, whether all that lies between them is like the first."""
    for one, other in pairwise(points):
        low, high = sorted((one.position, other.position))
        if high - low > 1:
            alike = {grid.at(at).side for at in range(low, high + 1)}
            yield alike == {one.side}


@settings(max_examples=300, deadline=None)
@given(pieces=pieces, targets=targets, told=st.booleans(), back=st.booleans())
def test_between_neighbours_nothing_turns(
    pieces: Any, targets: Any, told: bool, back: bool
) -> None:
    count = len(dict(pieces)) if told else 0
    grid = Grid(made(pieces, told), [targets, *[(Decimal(0),)] * count])
    start, last = (SPAN, 0) if back else (0, SPAN)
    points = list(grid.turns(start, last))
    assert (points[0].position, points[-1].position) == (start, last)
    positions = [point.position for point in points]
    assert positions == sorted(set(positions), reverse=back)
    for one, other in pairwise(points):
        assert one.side == other.side or abs(one.position - other.position) == 1
    assert not told or (grid.sure and all(nothing_between(grid, points)))


def test_a_long_way_takes_few_looks() -> None:
    edge = 10**17 + 1
    grid = Grid(lambda x: (x < edge, (Decimal(edge - x),)), [(Decimal(0),)])
    found = [point.position for point in grid.turns(0, 10**18)]
    assert found == [0, edge - 1, edge, edge + 1, 10**18]
    assert grid.evaluations < 16


def test_what_no_probe_tells_is_found_by_halving() -> None:
    edge = 10**17 + 1
    grid = Grid(lambda x: (x < edge, ()), [])
    assert [point.position for point in grid.turns(0, 10**18)] == [0, edge - 1, edge, 10**18]
    assert grid.evaluations < 150


def test_a_short_way_is_looked_at_all_along() -> None:
    grid = Grid(lambda x: (x % 3 == 0, ()), [])
    assert [point.position for point in grid.turns(5, 5 + ALL_VISITED)] == [*range(5, 38)]


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-9, 9), st.integers(100, 200))
def test_three_points_tell_a_course(start: int, rise: int, bend: int, after: int) -> None:
    def at(n: int) -> Decimal:
        with localcontext(EXACT):
            return Decimal(start + rise * n) / Decimal(100 + bend * n)

    if 100 + bend * after == 0 or 0 in (100 + bend, 100 + 2 * bend):
        return
    found = course(at(0), at(1), at(2))
    assert found is not None
    assert found.keeps(after, at(after))
    met = [abs(steps - after) < Decimal("1e-40") for steps in found.meets([at(after)])]
    assert any(met) or at(0) == at(1)


def test_a_corner_is_no_course() -> None:
    assert course(Decimal(1), Decimal(1), Decimal(2)) is None
    assert course(Decimal(1), Decimal(2), Decimal(2)) is None


def test_a_walk_without_an_end_is_given_up() -> None:
    """A figure that turns at every step of a long way."""
    grid = Grid(lambda position: (position % 2, (Decimal(position),)), [[Decimal(0)]])
    with pytest.raises(Undetermined, match="turn more often than"):
        for _ in grid.turns(0, 10**30):
            pass
    assert grid.evaluations == PATIENCE
