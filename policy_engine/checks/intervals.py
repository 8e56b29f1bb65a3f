"""Stretches of numbers: between which values a figure surely lies, ends included or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from policy_engine.numbers import UNLIMITED

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`; an `open` end is not itself a value. `unlimited` counts as a value."""

    low: Decimal = -UNLIMITED
    high: Decimal = UNLIMITED
    low_open: bool = False
    high_open: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether no value is left."""
        same = self.low == self.high
        return self.low > self.high or (same and (self.low_open or self.high_open))

    @property
    def is_one(self) -> bool:
        """Whether there is a single value."""
        return self.low == self.high and not self.is_empty

    def holds(self, value: Decimal) -> bool:
        """Whether a value lies in it."""
        return not self.within(one(value)).is_empty

    def within(self, other: Interval) -> Interval:
        """The values of both."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        lower = [one for one in (self, other) if one.low == low]
        upper = [one for one in (self, other) if one.high == high]
        return Interval(
            low, high, any(one.low_open for one in lower), any(one.high_open for one in upper)
        )

    def joined(self, other: Interval) -> Interval:
        """The values of either, and those between."""
        low, high = min(self.low, other.low), max(self.high, other.high)
        lower = [one for one in (self, other) if one.low == low]
        upper = [one for one in (self, other) if one.high == high]
        return Interval(
            low, high, all(one.low_open for one in lower), all(one.high_open for one in upper)
        )


ANY = Interval()


def one(value: Decimal) -> Interval:
    """The interval of a single value."""
    return Interval(value, value)


def hull(parts: Iterable[Interval]) -> Interval:
    """The values of all parts and those between; every number where there is no part."""
    held = list(parts)
    if not held:
        return ANY
    whole = held[0]
    for part in held[1:]:
        whole = whole.joined(part)
    return whole


def negative(a: Interval) -> Interval:
    """The values of `-a`."""
    return Interval(-a.high, -a.low, a.high_open, a.low_open)


def added(a: Interval, b: Interval) -> Interval:
    """The values of `a + b`."""
    low, high = _sum(a.low, b.low, -UNLIMITED), _sum(a.high, b.high, UNLIMITED)
    return Interval(low, high, a.low_open or b.low_open, a.high_open or b.high_open)


def _sum(x: Decimal, y: Decimal, otherwise: Decimal) -> Decimal:
    return otherwise if x.is_infinite() and y == -x else x + y


def multiplied(a: Interval, b: Interval) -> Interval:
    """The values of `a * b`."""
    ends = [_product(x, y) for x in _ends(a) for y in _ends(b)]
    return hull(Interval(value, value, is_open, is_open) for value, is_open in ends)


def divided(a: Interval, b: Interval) -> Interval:
    """The values of `a / b`: where `b` can be 0, those of one sign or every number.

    A quotient is rounded to 200 digits, so that it may come to lie on an end that it is short of.
    """
    if b.low < ZERO < b.high or ZERO in (b.low, b.high):
        sign = _sign(a) * _sign(b)
        return Interval(low=ZERO) if sign > 0 else Interval(high=ZERO) if sign < 0 else ANY
    ends = [_quotient(x, y) for x in _ends(a) for y in _ends(b)]
    return hull(Interval(value, value, is_open, is_open) for value, is_open in ends)


def _sign(a: Interval) -> int:
    """1 where no value is below 0, -1 where none is above; 0 where it cannot be told."""
    return 1 if a.low >= 0 else -1 if a.high <= 0 else 0


def _quotient(x: tuple[Decimal, bool], y: tuple[Decimal, bool]) -> tuple[Decimal, bool]:
    """The quotient of two ends, and whether it is itself no value: only 0 can be kept off."""
    if y[0].is_infinite():
        return ZERO, False
    return x[0] / y[0], x[0] == ZERO and x[1]


def _ends(a: Interval) -> tuple[tuple[Decimal, bool], ...]:
    return (a.low, a.low_open), (a.high, a.high_open)


def _product(x: tuple[Decimal, bool], y: tuple[Decimal, bool]) -> tuple[Decimal, bool]:
    """The product of two ends, and whether it is itself no value: 0 itself times any is 0."""
    if ZERO in (x[0], y[0]):
        reached = any(end == ZERO and not is_open for end, is_open in (x, y))
        return ZERO, not reached
    return x[0] * y[0], x[1] or y[1]
