"""Amounts written as text, many at once: which are plainly written, and the nearest floats."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from policy_engine.columns.numbers import Array
from policy_engine.numbers import DIGITS_AFTER_POINT, DIGITS_BEFORE_POINT

_ZERO, _NINE, _POINT, _MINUS = (ord(letter) for letter in "09.-")


def plainly_written(array: pa.Array) -> tuple[Array, Array | None]:
    """The nearest float of each text, and where one is not digits with an optional point.

    Plain are `-?(0|[1-9][0-9]{0,17})(.[0-9]{1,18})?`; what is not plain is 0 here.
    """
    array = array.cast(pa.large_string()).fill_null("0")
    odd = _odd(array)
    if odd.any():
        array = pa.array(np.where(odd, "0", array.to_numpy(zero_copy_only=False)), pa.string())
    values = array.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values, odd if odd.any() else None


def _odd(array: pa.Array) -> Array:
    _, offsets, letters = array.buffers()
    ends = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    if not len(array) or letters is None:
        return np.ones(len(array), dtype=bool)
    bytes_ = np.frombuffer(letters, np.uint8)[ends[0] : ends[-1]]
    first, last = ends[:-1] - ends[0], ends[1:] - ends[0]
    points = bytes_ == _POINT
    odd = _strange(bytes_, points, first, last)
    padded = np.append(bytes_, [_ZERO, _ZERO])
    negative = padded[first] == _MINUS
    first = first + negative
    at = np.flatnonzero(points)
    count = np.searchsorted(at, last) - np.searchsorted(at, first)
    point = np.where(count == 1, np.append(at, 0)[np.searchsorted(at, first)], last)
    whole, fraction = point - first, last - point - 1
    odd |= (count > 1) | (whole < 1) | (whole > DIGITS_BEFORE_POINT)
    odd |= (count == 1) & ((fraction < 1) | (fraction > DIGITS_AFTER_POINT))
    odd |= (whole > 1) & (padded[first] == _ZERO)
    return odd


def _strange(bytes_: Array, points: Array, first: Array, last: Array) -> Array:
    """Texts that have something else than digits, points, and a minus in front."""
    odd = np.zeros(len(first), dtype=bool)
    strange = np.flatnonzero(~(points | ((bytes_ >= _ZERO) & (bytes_ <= _NINE))))
    if len(strange):
        text = np.searchsorted(last, strange, side="right")
        in_front = (bytes_[strange] == _MINUS) & (strange == first[text])
        odd[text[~in_front]] = True
    return odd
