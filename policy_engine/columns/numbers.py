"""Columns of numbers: floats, and how far each can be from the exact figure.

The error of a number is held in one of two ways. Either `bound` is an array with a bound for each
element: |exact - value| <= bound. Or there is none, and `units` bounds the error relative to the
value itself: |exact - value| <= units * UNIT * |value|. The second costs nothing to carry, and
products, quotients and sums of amounts that cannot be negative keep it.

Why the bounds hold. Floats are IEEE doubles, rounded to nearest: the result `r` of one operation
differs from the exact result of its operands by at most UNIT * |r|, UNIT being 2**-53, unless it
underflows. To that comes what the operands' own errors make of it:

- x + y, x - y: the errors of both.
- x * y: (|a| + ea) * eb + |b| * ea.  Relative: the units of both.
- x / y: (ea + |q| * eb) / (|b| - eb), if eb < |b|; else nothing is known.
- relative units of a sum of terms that are not negative: the most of its terms, as each error is
  that part of its own term at most; n terms are added in n - 1 steps, whatever their order, and
  each step adds one unit of a partial sum that is no larger than the whole.

The bounds are themselves computed in floats, and second-order terms of relative errors are left
out (units are cut at MOST_UNITS, so that these are below 1e-9 of the first-order ones). Each such
step loses less than 1e-9 of the bound; plans have far fewer than a thousand steps on a path, and
wherever a bound is used it is first multiplied by SLACK. Underflow is kept out by arithmetic on
`least`, below which no value of a column other than 0 lies: a product that could come near the
smallest floats is looked at element by element. Overflow and division by 0 leave an infinite value
or NaN; a bound made from it is infinite or NaN too, and so is every one made from that.

An element whose bound is not finite is in doubt: nothing is known of it. `unlimited` is an
infinite value with the bound 0.

A number may have the last `digits` of its exact figures too. They tell two figures apart that are
so near to each other that their bounds do not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from policy_engine.columns import digits
from policy_engine.columns.digits import Digits
from policy_engine.numbers import UNLIMITED

Array = npt.NDArray[Any]

UNIT = 2.0**-53
SLACK = 1 + 1e-6
MOST_UNITS = 1e6
SMALL, LARGE = 1e-250, 1e250


@dataclass(frozen=True, slots=True, eq=False)
class Number:
    """A column of numbers, or one number for all (an array of one element).

    `unknown` marks the elements that surely are undetermined. No value but 0 is nearer to 0 than
    `least`, none is larger than `most`; `positive` says that none is negative, the exact ones
    included.
    """

    value: Array
    bound: Array | None = None
    units: float = 0.0
    unknown: Array | None = None
    least: float = SMALL
    most: float = LARGE
    positive: bool = False
    digits: Digits | None = None

    @property
    def steady(self) -> bool:
        """Whether the error is relative, and every value finite."""
        return self.bound is None and self.most < LARGE


ZEROS: Array = np.zeros(1)
EVERY: Array = np.ones(1, dtype=bool)


def error(x: Number) -> Array:
    """The bound of each element's error, before slack."""
    if x.bound is not None:
        return x.bound
    if not x.units:
        return ZEROS
    made: Array = np.abs(x.value)
    made *= x.units * UNIT
    return made


def select(test: Array, a: Array, b: Array) -> Array:
    """`np.where` for floats, by their bits: as quick where no processor can guess the test."""
    mask = -(test.view(np.int8).astype(np.int64))
    one, other = a.view(np.int64), b.view(np.int64)
    made: Array = ((one ^ other) & mask ^ other).view(np.float64)
    return made


def either(a: Array | None, b: Array | None) -> Array | None:
    """Where one or the other is unknown."""
    if a is None or b is None:
        return a if b is None else b
    made: Array = a | b
    return made


@lru_cache(maxsize=4096)
def constant(value: Decimal) -> Number:
    """One number for all, with half a unit of its last place as its error unless it is exact."""
    nearest = float(value)
    if value in (UNLIMITED, -UNLIMITED):
        made = Number(np.array([nearest]), ZEROS, most=np.inf, positive=value > 0)
        return replace(made, digits=digits.of_figures([value]))
    exact = Fraction(nearest) == Fraction(value)
    size = abs(nearest)
    return Number(
        np.array([nearest]),
        units=0.0 if exact else 1.0,
        least=size or 1.0,
        most=size,
        positive=nearest >= 0,
        digits=digits.of_figures([value]),
    )


UNKNOWN = Number(ZEROS, unknown=EVERY, most=0.0, least=1.0, digits=digits.of_figures([Decimal(0)]))
ZERO = constant(Decimal(0))


def in_doubt(x: Number) -> Array:
    """Where nothing is known of an element, not even that it is undetermined."""
    doubt: Array = ~np.isfinite(error(x)) | np.isnan(x.value)
    return doubt if x.unknown is None else doubt & ~x.unknown


# --- arithmetic --------------------------------------------------------------------------------


def plus(a: Number, b: Number) -> Number:
    """a + b."""
    value, most = a.value + b.value, a.most + b.most
    unknown, positive = either(a.unknown, b.unknown), a.positive and b.positive
    last = digits.plus(a.digits, b.digits)
    if positive and a.steady and b.steady:
        units, least = max(a.units, b.units) + 1, min(a.least, b.least)
        return _relative(Number(value, None, units, unknown, least, most, True, last))
    bound = error(a) + error(b) + UNIT * np.abs(value)
    least = min(a.least, b.least) * (1.0 if positive else UNIT)
    return Number(value, bound, 0.0, unknown, least, most, positive, last)


def minus(a: Number, b: Number) -> Number:
    """a - b. The difference of floats other than 0 is no smaller than their last places."""
    value = a.value - b.value
    bound = error(a) + error(b) + UNIT * np.abs(value)
    unknown, least = either(a.unknown, b.unknown), min(a.least, b.least) * UNIT
    last = digits.minus(a.digits, b.digits)
    return Number(value, bound, 0.0, unknown, least, a.most + b.most, digits=last)


def negative(x: Number) -> Number:
    """-x."""
    return replace(x, value=-x.value, positive=False, digits=digits.negative(x.digits))


def absolute(x: Number) -> Number:
    """|x|."""
    last = None if x.digits is None else _without_sign(x)
    return replace(x, value=np.abs(x.value), positive=True, digits=last)


def _without_sign(x: Number) -> Digits | None:
    less, equal, more = order(x, ZERO)
    last = digits.chosen(less, digits.negative(x.digits), x.digits)
    return digits.without(last, ~(less | equal | more))


def times(a: Number, b: Number) -> Number:
    """a * b."""
    value, unknown = a.value * b.value, either(a.unknown, b.unknown)
    least, most = a.least * b.least, a.most * b.most
    positive, last = a.positive and b.positive, digits.times(a.digits, b.digits)
    if a.bound is None and b.bound is None and least > SMALL:
        units = a.units + b.units + 1
        return _relative(Number(value, None, units, unknown, least, most, positive, last))
    mine, other = error(a), error(b)
    bound = (np.abs(a.value) + mine) * other + np.abs(b.value) * mine + UNIT * np.abs(value)
    made = Number(value, bound, 0.0, unknown, max(least, SMALL), most, positive, last)
    if least > SMALL:
        return made
    return _not_tiny(made, ((a.value != 0) | (mine > 0)) & ((b.value != 0) | (other > 0)))


def over(a: Number, b: Number) -> Number:
    """a / b; undetermined where b is 0, in doubt where it may be."""
    unknown = either(either(a.unknown, b.unknown), _by_zero(a, b))
    value = a.value / b.value
    least, most = a.least / max(b.most, 1e-300), a.most / b.least if b.least > SMALL else np.inf
    # A divisor of 0 leaves an infinite value, which no figure of `most` covers.
    most, positive = max(most, LARGE), a.positive and b.positive
    last = _last_of_quotient(a, b)
    if a.bound is None and b.steady and least > SMALL:
        units = a.units + b.units + 1
        return _relative(Number(value, None, units, unknown, least, most, positive, last))
    mine, other = error(a), error(b)
    room = np.abs(b.value) - other * SLACK
    bound = (mine + np.abs(value) * other) / np.where(room > 0, room, 0.0) + UNIT * np.abs(value)
    made = Number(value, bound, 0.0, unknown, max(least, SMALL), most, positive, last)
    return made if least > SMALL else _not_tiny(made, (a.value != 0) | (mine > 0))


def _last_of_quotient(a: Number, b: Number) -> Digits | None:
    if a.digits is None or b.digits is None:
        return None
    less, _, more = order(b, ZERO)
    sign = more.astype(np.int64) - less
    return digits.over(a.digits, b.digits, sign, (np.abs(b.value) + error(b)) * SLACK)


def _by_zero(a: Number, b: Number) -> Array | None:
    """Where a finite number is divided by what surely is 0."""
    zero = b.value == 0
    if not zero.any():
        return None
    sure: Array = zero & (error(b) == 0) & np.isfinite(a.value) & np.isfinite(error(a))
    return sure


def _not_tiny(x: Number, should_not_be_zero: Array) -> Number:
    """The number, in doubt where it came so near to 0 that digits are lost."""
    lost = should_not_be_zero & (np.abs(x.value) < SMALL)
    return replace(x, bound=np.where(lost, np.inf, error(x))) if lost.any() else x


def _relative(x: Number) -> Number:
    """A number with a relative error, or with bounds once its units are too many."""
    return x if x.units <= MOST_UNITS else replace(x, bound=error(x), units=0.0)


ARITHMETIC: dict[str, Callable[[Number, Number], Number]] = {
    "+": plus,
    "-": minus,
    "*": times,
    "/": over,
}


# --- of two ------------------------------------------------------------------------------------


def order(a: Number, b: Number) -> tuple[Array, Array, Array]:
    """Where one surely is less than, equal to, or more than the other."""
    room = (error(a) + error(b)) * SLACK
    apart = a.value - b.value
    less, equal, more = apart < -room, (a.value == b.value) & (room == 0), apart > room
    if a.digits is None or b.digits is None:
        return less, equal, more
    sign, known = digits.order(a.digits, b.digits, np.abs(apart) + room)
    known = known & ~(less | equal | more)
    return less | known & (sign < 0), equal | known & (sign == 0), more | known & (sign > 0)


def larger(a: Number, b: Number) -> Number:
    """The larger of two, with the winner's error."""
    return _extreme(a, b, np.maximum, 1.0)


def smaller(a: Number, b: Number) -> Number:
    """The smaller of two, with the winner's error."""
    return _extreme(a, b, np.minimum, -1.0)


def _extreme(a: Number, b: Number, pick: Any, sign: float) -> Number:
    """Where neither surely wins the error is the larger of theirs: it bounds that of either."""
    value, unknown = pick(a.value, b.value), either(a.unknown, b.unknown)
    least, most = min(a.least, b.least), max(a.most, b.most)
    both, last = a.positive and b.positive, _last_of_extreme(a, b, sign)
    if both and a.steady and b.steady:
        return Number(value, None, max(a.units, b.units), unknown, least, most, True, last)
    mine, other = error(a), error(b)
    room, apart = (mine + other) * SLACK, sign * (a.value - b.value)
    bound = np.maximum(mine, other)
    bound = select(apart > room, mine, select(apart < -room, other, bound))
    positive = both or (sign > 0 and (a.positive or b.positive))
    return Number(value, bound, 0.0, unknown, least, most, positive, last)


def _last_of_extreme(a: Number, b: Number, sign: float) -> Digits | None:
    if a.digits is None or b.digits is None:
        return None
    less, equal, more = order(a, b)
    last = digits.chosen(more if sign > 0 else less, a.digits, b.digits)
    return digits.without(last, ~(less | equal | more))


def chosen(test: Array, a: Number, b: Number) -> Number:
    """a where the test holds, b elsewhere."""
    value = select(test, a.value, b.value)
    least, most = min(a.least, b.least), max(a.most, b.most)
    unknown = None
    if a.unknown is not None or b.unknown is not None:
        unknown = (test & _flags(a.unknown)) | (~test & _flags(b.unknown))
    positive, last = a.positive and b.positive, digits.chosen(test, a.digits, b.digits)
    if a.bound is None and b.bound is None:
        return Number(value, None, max(a.units, b.units), unknown, least, most, positive, last)
    bound = select(test, error(a), error(b))
    return Number(value, bound, 0.0, unknown, least, most, positive, last)


def _flags(unknown: Array | None) -> Array:
    return ~EVERY if unknown is None else unknown
