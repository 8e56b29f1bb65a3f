"""Prices that an account gives beside its lines: where they may matter, it is decided by itself.

They are for what has no line. A line asks for one only by naming another that is not there, which
is told elsewhere; so what is left is to see that each is plainly written, and of nothing that has a
line, whose own price may be another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from policy_engine.columns.columns import Column
from policy_engine.columns.lines import Lines
from policy_engine.columns.numbers import Array
from policy_engine.columns.texts import Text
from policy_engine.fields import Field, shape
from policy_engine.lines import PRICES
from policy_engine.portfolio.arrow import Kept, encoded_text, parsed

_PRICED = "A"
"""Any name that a price may have."""


def odd_prices(prices: pa.Array, lines: Iterable[Lines], kept: Kept) -> Array:
    """The rows of a column of prices that a snapshot's reader is to look at.

    `lines` are those that have prices of their own. Raises SnapshotError for prices of a type that
    cannot hold numbers.
    """
    there: Array = prices.is_valid().to_numpy(zero_copy_only=False)
    if not pa.types.is_map(prices.type) or not there.any():
        return there
    ends = prices.offsets.to_numpy()
    first, count = int(ends[0]), int(ends[-1] - ends[0])
    if not count:
        return np.zeros(len(prices), dtype=bool)
    owner = np.repeat(np.arange(len(prices)), np.diff(ends))
    names, figures = prices.keys.slice(first, count), prices.items.slice(first, count)
    made = np.zeros(len(prices), dtype=bool)
    for odd in _odd(names, figures, owner, lines, kept):
        if odd is not None:
            made[owner[odd]] = True
    return made


def _odd(
    names: pa.Array, figures: pa.Array, owner: Array, lines: Iterable[Lines], kept: Kept
) -> Iterator[Array | None]:
    yield parsed(figures, "number", _field(_of_figure, True), PRICES, kept).odd
    found = parsed(encoded_text(names), "text", _field(_of_name), f"{PRICES}[]", {})
    yield found.odd
    yield from (_has_line(found.column, owner, one) for one in lines)


def _has_line(names: Column, owner: Array, lines: Lines) -> Array | None:
    """The prices of what has a line."""
    if not isinstance(names, Text):
        return np.ones(len(owner), dtype=bool)
    missing = lines.find(owner, names)[1]
    return np.ones(len(owner), dtype=bool) if missing is None else ~missing


def _field(take: Any, above_zero: bool = False) -> Field:
    return Field(PRICES, take, "amount", required=False, above_zero=above_zero)


def _of_figure(value: Any) -> Any:
    return shape().account[PRICES].take({_PRICED: value})


def _of_name(value: Any) -> Any:
    return shape().account[PRICES].take({value: "1"})
