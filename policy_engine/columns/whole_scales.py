"""Scales over columns with the last digits of their figures: the tier that holds x, told exactly.

The edges, rates and what the tiers below an edge leave are columns of numbers, tier by tier for
one key after the other, so that what is summed here keeps its digits as any formula does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

from policy_engine.columns import digits, numbers
from policy_engine.columns.columns import taken
from policy_engine.columns.digits import Digits
from policy_engine.columns.numbers import ZERO, Array, Number
from policy_engine.columns.tables import column_of, is_number
from policy_engine.language.values import Lists, Steps, is_undetermined
from policy_engine.numbers import EXACT, UNLIMITED


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """The tiers of some keys, `width` for each: the last one, above all edges, ends nowhere.

    `tops` are the last edges, `open` the keys of which nothing is known above them; `counts` says
    how many tiers each key has.
    """

    width: int
    edges: Number
    rates: Number
    fixed: Number
    tops: Number
    counts: Array
    open: Array
    upper: bool

    def at(self, figures: Number, codes: Array, tier: Array | int) -> Number:
        """One of the figures of a tier of each key."""
        return is_number(taken(figures, codes * self.width + tier))


def whole(lists: Lists, keys: Sequence[Any]) -> Whole:
    """The tiers of a scale for those keys, in that order."""
    found = [lists.get(key) for key in keys]
    width = max((len(steps.tiers) for steps in found if steps is not None), default=0) + 1
    rows = [tier for steps in found for tier in _tiers(steps, width)]
    edges, rates, fixed = (_column([row[n] for row in rows]) for n in range(3))
    return Whole(
        width,
        edges,
        rates,
        fixed,
        _column([Decimal(0) if steps is None else steps.top for steps in found]),
        np.array([0 if steps is None else len(steps.tiers) for steps in found]),
        np.array([steps is not None and is_undetermined(steps.above) for steps in found]),
        any(steps.upper for steps in found if steps is not None),
    )


def _tiers(steps: Steps | None, width: int) -> list[tuple[Decimal, Decimal, Decimal]]:
    """The upper edge, the rate, and what is left of the tiers below, of each tier."""
    none = (UNLIMITED, Decimal(0), Decimal(0))
    if steps is None:
        return [none] * width
    above = Decimal(0) if is_undetermined(steps.above) else steps.above
    with localcontext(EXACT):
        tiers = [(upper, rate, below - lower * rate) for upper, lower, rate, below in steps.tiers]
        last = (UNLIMITED, above, steps.total - steps.top * above)
    return [*tiers, *[last] * (width - len(tiers))]


def _column(figures: Sequence[Decimal]) -> Number:
    return is_number(column_of(figures, "number", True, True))


def _reached(scale: Whole, codes: Array, x: Number, on_edge: bool) -> tuple[Array, Array]:
    """The tier that holds each value, and where that cannot be told."""
    at, lost = np.zeros(len(x.value), dtype=np.intp), np.zeros(1, dtype=bool)
    for tier in range(scale.width - 1):
        less, equal, more = numbers.order(x, scale.at(scale.edges, codes, tier))
        if less.all():  # the edges rise
            break
        at = at + (more | equal if on_edge else more)
        lost = lost | ~(less | equal | more)
    return at, lost


def slices(scale: Whole, codes: Array, made: Number, x: Number) -> Number:
    """The sum over the tiers of rate times the part of x inside, which floats made, with its
    digits."""
    return replace(made, digits=_slices(scale, codes, x))


def slices_at_least(scale: Whole, codes: Array, made: Number, x: Number, least: Number) -> Number:
    """The same with every rate raised to at least `least`."""
    return replace(made, digits=_slices_at_least(scale, codes, x, least))


def top(scale: Whole, codes: Array, made: Number) -> Number:
    """The last edge."""
    return replace(made, digits=is_number(taken(scale.tops, codes)).digits)


def _slices(scale: Whole, codes: Array, x: Number) -> Digits | None:
    at, lost = _reached(scale, codes, x, on_edge=False)
    rate, fixed = (scale.at(figures, codes, at) for figures in (scale.rates, scale.fixed))
    return _above_zero(x, lost, numbers.plus(fixed, numbers.times(rate, x)))


def _slices_at_least(scale: Whole, codes: Array, x: Number, least: Number) -> Digits | None:
    at, lost = _reached(scale, codes, x, on_edge=False)
    lower, total = ZERO, ZERO
    for tier in range(scale.width):
        upper = scale.at(scale.edges, codes, tier)
        rate = numbers.larger(scale.at(scale.rates, codes, tier), least)
        part = numbers.minus(numbers.chosen(at == tier, x, upper), lower)
        total = numbers.plus(total, numbers.chosen(at >= tier, numbers.times(part, rate), ZERO))
        lower = upper
    return _above_zero(x, lost, total)


def _above_zero(x: Number, lost: Array, made: Number) -> Digits | None:
    """The digits where x is above 0, and of 0 elsewhere."""
    less, equal, more = numbers.order(x, ZERO)
    last = digits.chosen(more, made.digits, ZERO.digits)
    return digits.without(last, lost | ~(less | equal | more))


def tier(scale: Whole, codes: Array, made: Number, x: Number) -> Number:
    """The rate of the tier that holds x, also where floats were in doubt of the tier."""
    at, lost = _reached(scale, codes, x, on_edge=scale.upper)
    lost = lost | scale.open.take(codes) & (at == scale.counts.take(codes))
    rate = scale.at(scale.rates, codes, at)
    value = np.where(lost, made.value, rate.value)
    bound = np.where(lost, numbers.error(made), numbers.error(rate))
    last = digits.without(rate.digits, lost)
    return replace(made, value=value, bound=bound, units=0.0, digits=last)
