"""The last digits of exact figures: what tells on which side of an edge a float in doubt lies.

An exact figure is held as top / below / 10**places, top and below being whole numbers of which
only the last 64 bits are kept: sums and products of whole numbers that wrap round at 2**64 are
right in these bits, however large the numbers are. By itself that says nothing of a figure's size.
But a float and its bound tell how large the difference of two figures can be at most; where that
times all the denominators is below 2**62, the last 64 bits of the numerator are the numerator.

Digits are right wherever the value and the bound of their number are finite and it is neither
`lost` nor undetermined. Elsewhere they may be anything, and nothing is decided by them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from policy_engine.numbers import EXACT

Array = npt.NDArray[Any]

MOST_PLACES = 40
"""With more digits after the point no float is near enough for the last 64 bits to tell."""

_ROOM = 2.0**62
_WRAP = 1 << 64
ONES: Array = np.ones(1, dtype=np.int64)
SIZE: Array = np.ones(1)
FOUND: Array = np.zeros(1, dtype=bool)


@dataclass(frozen=True, slots=True, eq=False)
class Digits:
    """The last 64 bits of whole numbers: each figure is top / below / 10**places.

    `below` is above 0 and `size` (a float) at least as large as all of it; both are 1 where there
    was no division. Arrays of one element stand for all.
    """

    top: Array
    places: int
    below: Array = field(default_factory=lambda: ONES)
    size: Array = field(default_factory=lambda: SIZE)
    lost: Array = field(default_factory=lambda: FOUND)

    def each(self, change: Callable[[Array], Array]) -> Digits:
        """With all arrays changed alike; what stands for all stays as it is."""
        arrays = (self.top, self.below, self.size, self.lost)
        top, below, size, lost = (a if len(a) == 1 else change(a) for a in arrays)
        return Digits(top, self.places, below, size, lost)


def of_figures(figures: Sequence[Decimal]) -> Digits:
    """The digits of exact figures; lost are those with too many, and an infinite one has any."""
    finite = [EXACT.normalize(one) if one.is_finite() else Decimal(0) for one in figures]
    after = [max(-int(one.as_tuple().exponent), 0) for one in finite]
    places = max((count for count in after if count <= MOST_PLACES), default=0)
    kept = [count <= MOST_PLACES for count in after]
    pairs = zip(finite, kept, strict=True)
    wholes = [int(EXACT.scaleb(one, places)) if keep else 0 for one, keep in pairs]
    return Digits(of_wholes(wholes), places, lost=~np.array(kept, dtype=bool))


def of_wholes(wholes: Sequence[int]) -> Array:
    """The last 64 bits of whole numbers of any size."""
    return np.array([whole % _WRAP for whole in wholes], dtype=np.uint64).view(np.int64)


def of_whole_floats(value: Array) -> Digits:
    """The digits of whole numbers that floats hold exactly."""
    return Digits(value.astype(np.int64), 0)


@lru_cache(maxsize=256)
def _power(places: int) -> Array:
    return of_wholes([10**places])


def _shifted(top: Array, places: int) -> Array:
    """Times so many powers of ten."""
    return top if not places else top * _power(places)


def _kept(made: Digits) -> Digits | None:
    return made if abs(made.places) <= MOST_PLACES else None


# --- arithmetic --------------------------------------------------------------------------------


def plus(a: Digits | None, b: Digits | None) -> Digits | None:
    """a + b."""
    if a is None or b is None:
        return None
    first, second, places = _over_one(a, b)
    below, size = (a.below, a.size) if a.below is b.below else _product(a, b)
    return _kept(Digits(first + second, places, below, size, a.lost | b.lost))


def minus(a: Digits | None, b: Digits | None) -> Digits | None:
    """a - b."""
    return plus(a, negative(b))


def negative(x: Digits | None) -> Digits | None:
    """-x."""
    return None if x is None else Digits(-x.top, x.places, x.below, x.size, x.lost)


def times(a: Digits | None, b: Digits | None) -> Digits | None:
    """a * b."""
    if a is None or b is None:
        return None
    return _kept(Digits(a.top * b.top, a.places + b.places, *_product(a, b), a.lost | b.lost))


def over(a: Digits | None, b: Digits | None, sign: Array, size: Array) -> Digits | None:
    """a / b, where the sign of b is known not to be 0 and its size not to be larger."""
    if a is None or b is None:
        return None
    top = a.top * b.below * sign
    below, reach = a.below * b.top * sign, a.size * b.size * size * 10.0**b.places
    return _kept(Digits(top, a.places - b.places, below, reach, a.lost | b.lost | (sign == 0)))


def _over_one(a: Digits, b: Digits) -> tuple[Array, Array, int]:
    """The tops of two figures over what both have below, and their places."""
    places = max(a.places, b.places)
    first, second = _shifted(a.top, places - a.places), _shifted(b.top, places - b.places)
    if a.below is not b.below:
        first, second = first * b.below, second * a.below
    return first, second, places


def _product(a: Digits, b: Digits) -> tuple[Array, Array]:
    """What is below a product, and how large that is: 1 stays what it is."""
    if b.below is ONES:
        return a.below, a.size
    if a.below is ONES:
        return b.below, b.size
    return a.below * b.below, a.size * b.size


def chosen(test: Array, a: Digits | None, b: Digits | None) -> Digits | None:
    """a where the test holds, b elsewhere."""
    if a is None or b is None:
        return None
    places = max(a.places, b.places)
    top = np.where(test, _shifted(a.top, places - a.places), _shifted(b.top, places - b.places))
    parts = ((a.below, b.below), (a.size, b.size), (a.lost, b.lost))
    below, size, lost = (x if x is y else np.where(test, x, y) for x, y in parts)
    return Digits(top, places, below, size, lost)


def without(x: Digits | None, lost: Array) -> Digits | None:
    """The digits, lost where that is marked."""
    return None if x is None else Digits(x.top, x.places, x.below, x.size, x.lost | lost)


def order(a: Digits, b: Digits, reach: Array) -> tuple[Array, Array]:
    """The sign of a - b, which is no larger than `reach`, and where it is known."""
    first, second, places = _over_one(a, b)
    size = a.size if a.below is b.below else a.size * b.size
    known = (reach * size * 10.0**places < _ROOM) & ~(a.lost | b.lost)
    return np.sign(first - second), known
