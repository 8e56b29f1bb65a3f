"""What is odd in the figures of a response, though each can be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise

from policy_engine.errors import Problem
from policy_engine.numbers import plain
from policy_engine.sources.part import Part
from policy_engine.sources.understood import finding


def duplicates(named: Iterable[tuple[str, Part]]) -> Iterator[Problem]:
    """A finding for each name that stands in two places."""
    first: dict[str, Part] = {}
    for name, part in named:
        if name in first:
            message = f"`{name}` is listed already, at {first[name].place_text}"
            yield finding(part, "duplicate-asset", message, "keep it in one of the two places")
        first.setdefault(name, part)


def edges_that_do_not_rise(edges: Sequence[tuple[Decimal, Part]]) -> Iterator[Problem]:
    """A finding for each edge that is not above the one before, the first not above 0."""
    before = Decimal(0)
    for edge, part in edges:
        if edge <= before:
            message = f"`{part.at[-1]}` is {plain(edge)}, not above {plain(before)} before it"
            yield finding(part, "tier-order", message)
        before = edge


def rates_above_1(rates: Iterable[tuple[Decimal, Part]]) -> Iterator[Problem]:
    """A finding for each rate that may have been meant in percent."""
    for rate, part in rates:
        if rate > 1:
            message = f"`{part.at[-1]}` is {plain(rate)}, above 1: a rate of 2% is given as 0.02"
            yield finding(part, "rate-above-1", message)


def wrong_way(figures: Sequence[tuple[Decimal, Part]], falling: bool = False) -> Iterator[Problem]:
    """A finding for each figure that falls where the ones before it rise, or the other way."""
    for (before, _), (figure, part) in pairwise(figures):
        if (figure > before) if falling else (figure < before):
            way = "above" if falling else "below"
            rate = f"`{part.at[-1]}` is {plain(figure)}"
            message = f"{rate}, {way} {plain(before)} in the tier before"
            yield finding(part, "rates-disorder", message)
