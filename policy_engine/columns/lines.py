"""The lines of many accounts one after the other, and what is gathered from them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from policy_engine.columns import digits, numbers, truths
from policy_engine.columns.columns import Column, choose, made_unknown, main_part
from policy_engine.columns.digits import ONES, Digits
from policy_engine.columns.numbers import LARGE, SLACK, UNIT, Array, Number, error
from policy_engine.columns.tables import is_number
from policy_engine.columns.texts import Text, recoded
from policy_engine.columns.truths import EITHER, FALSE, TRUE, UNDETERMINED, Truth

_MOST_SLOTS = 4_000_000


@dataclass(frozen=True)
class Lines:
    """The lines of one list: how many each account has, one account after the other.

    `unknown` marks the accounts whose list is not known. Equal `token`s mean equal lines: what was
    worked out for one is right for the other.
    """

    counts: Array
    unknown: Array | None = None
    token: Hashable = None
    keys: Text | None = None

    @cached_property
    def total(self) -> int:
        """How many lines there are."""
        return int(self.counts.sum())

    @cached_property
    def owner(self) -> Array:
        """The account of each line."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @cached_property
    def starts(self) -> Array:
        """The first line of each account that has any."""
        ends = np.cumsum(self.counts)
        made: Array = (ends - self.counts)[self.filled]
        return made

    @cached_property
    def filled(self) -> Array:
        """Where an account has lines."""
        made: Array = self.counts > 0
        return made

    @cached_property
    def full(self) -> bool:
        """Whether every account has lines."""
        return bool(self.filled.all())

    @cached_property
    def longest(self) -> int:
        """The most lines that an account has."""
        return int(self.counts.max(initial=0))

    @property
    def _slots(self) -> int:
        """How many lines there could be, with one of each key in each account."""
        return len(self.counts) * len(self.keys.texts if self.keys else ())

    @cached_property
    def _places(self) -> tuple[Array, Array]:
        """Where to look a line up: a position for each slot, and the slot of each line; where
        there are too many slots, positions in the order of their slots, and those."""
        assert self.keys is not None
        place = self._place(self.owner, self.keys.codes)
        if self._slots <= _MOST_SLOTS:
            held = np.full(self._slots, -1, dtype=np.int32)
            held[place] = np.arange(len(place), dtype=np.int32)
            return held, place
        order = np.argsort(place, kind="stable")
        return order, place[order]

    def _place(self, owner: Array, codes: Array) -> Array:
        assert self.keys is not None
        made: Array = owner * len(self.keys.texts) + codes
        return made

    @cached_property
    def repeated(self) -> Array:
        """The accounts that have two lines of one key."""
        held, place = self._places
        if self._slots <= _MOST_SLOTS:
            again = held.take(place) != np.arange(len(place))
        else:
            again = held[np.flatnonzero(place[1:] == place[:-1])]
        made: Array = self.owner[again]
        return made

    def find(self, owner: Array, key: Text) -> tuple[Array, Array | None]:
        """The line of each key in the account of each element, and where there is none."""
        if self.keys is None or not self.total:
            return np.zeros(len(owner), dtype=np.intp), np.ones(len(owner), dtype=bool)
        codes = recoded(key, self.keys.texts)
        place = self._place(owner, np.maximum(codes, 0))
        held, places = self._places
        if self._slots <= _MOST_SLOTS:
            where = held.take(place).astype(np.intp)
            missing = (where < 0) | (codes < 0)
        else:
            at = np.minimum(np.searchsorted(places, place), len(places) - 1)
            where, missing = held[at], (places[at] != place) | (codes < 0)
        return np.maximum(where, 0), missing if missing.any() else None


# --- gathering ---------------------------------------------------------------------------------


def gathered(function: str, lines: Lines, column: Column, empty: Column | None) -> Column:
    """An aggregate over the lines of each account."""
    made = _GATHERED[function](lines, column)
    if empty is not None and not lines.full:
        made = choose(truths.of_flags(lines.filled), made, empty)
    return made_unknown(made, lines.unknown)


def _over(lines: Lines, pick: Any, values: Array, otherwise: Any) -> Array:
    """What a function makes of the values of each account's lines."""
    values = np.broadcast_to(values, (lines.total,))
    if not lines.total:
        return np.full(len(lines.counts), otherwise, dtype=values.dtype)
    made: Array = pick.reduceat(values, lines.starts)
    if lines.full:
        return made
    whole = np.full(len(lines.counts), otherwise, dtype=made.dtype)
    whole[lines.filled] = made
    return whole


def _unknown(lines: Lines, x: Number) -> Array | None:
    return None if x.unknown is None else _over(lines, np.bitwise_or, x.unknown, False)


def _sum(lines: Lines, column: Column) -> Column:
    """Added up in any order, n terms are rounded n - 1 times, each time by a unit of a sum of
    absolute values at most."""
    x = is_number(column)
    value, unknown = _over(lines, np.add, x.value, 0.0), _unknown(lines, x)
    most, steps = x.most * max(lines.longest, 1), max(lines.longest - 1, 0)
    last = _last_of_sum(lines, x.digits)
    if x.positive and x.steady and most < LARGE:
        units = x.units + steps
        return _settled(Number(value, None, units, unknown, x.least, most, True, last))
    bound = _over(lines, np.add, error(x), 0.0)
    bound = bound + steps * UNIT * SLACK * _over(lines, np.add, np.abs(x.value), 0.0)
    least = x.least * (1.0 if x.positive else UNIT)
    return Number(value, bound, 0.0, unknown, least, most, x.positive, last)


def _last_of_sum(lines: Lines, x: Digits | None) -> Digits | None:
    """Whole numbers add up; of quotients, each over another one, the digits are lost."""
    if x is None or x.below is not ONES:
        return None
    lost = _over(lines, np.bitwise_or, x.lost, False)
    return Digits(_over(lines, np.add, x.top, 0), x.places, lost=lost)


def _settled(x: Number) -> Number:
    return x if x.units <= numbers.MOST_UNITS else replace(x, bound=error(x), units=0.0)


def _extreme(pick: Any) -> Any:
    def extreme(lines: Lines, column: Column) -> Column:
        """The error of the extreme is that of any of them at most."""
        x = is_number(column)
        value = _over(lines, pick, x.value, 0.0)
        made = replace(x, value=value, unknown=_unknown(lines, x), digits=None)
        if x.positive and x.steady:
            return made
        return replace(made, bound=_over(lines, np.maximum, error(x), 0.0), units=0.0)

    return extreme


def _count(lines: Lines, column: Column) -> Column:
    """A line in doubt may count or not."""
    bits = _bits(column)
    value = _over(lines, np.add, (bits == TRUE).astype(np.float64), 0.0)
    unknown = _over(lines, np.bitwise_or, bits == UNDETERMINED, False)
    unsure = _over(lines, np.add, (bits == EITHER).astype(np.float64), 0.0)
    lost = _over(lines, np.bitwise_or, (bits > EITHER) & (bits != UNDETERMINED), False)
    bound = np.where(lost, np.inf, unsure)
    most = float(max(lines.longest, 1))
    last = digits.without(digits.of_whole_floats(value), bound > 0)
    made = Number(value, None, 0.0, unknown, 1.0, most, True, last)
    return made if not bound.any() else replace(made, bound=bound)


def _any(lines: Lines, column: Column) -> Column:
    bits = _bits(column)
    some, every = _over(lines, np.bitwise_or, bits, 0), _over(lines, np.bitwise_and, bits, FALSE)
    open_ = _over(lines, np.bitwise_and, (bits & (FALSE | UNDETERMINED)) != 0, True)
    unknown = np.where(open_, some & UNDETERMINED, 0)
    return Truth((some & TRUE | every & FALSE | unknown).astype(np.uint8))


def _all(lines: Lines, column: Column) -> Column:
    bits = truths.negated(Truth(_bits(column)))
    made = _any(lines, bits)
    assert isinstance(made, Truth)
    return truths.negated(made)


def _bits(column: Column) -> Array:
    if not isinstance(column, Truth):  # undetermined all through
        return np.full(len(main_part(column)), UNDETERMINED, dtype=np.uint8)
    return column.bits


_GATHERED = {
    "sum": _sum,
    "largest": _extreme(np.maximum),
    "smallest": _extreme(np.minimum),
    "count": _count,
    "any": _any,
    "all": _all,
}
