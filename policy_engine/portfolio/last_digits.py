"""The last digits of an Arrow array of numbers: what wholes they are over a power of ten."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from policy_engine.columns.digits import Digits
from policy_engine.columns.numbers import Number
from policy_engine.numbers import DIGITS_AFTER_POINT
from policy_engine.portfolio.arrow import Parsed

_WIDE = 38
_FEW = 8
_SCALES = (0, 4, _FEW, 12, DIGITS_AFTER_POINT)
"""The fewer digits after the point, the further the last 64 bits reach."""


def last_digits(array: pa.Array) -> Digits | None:
    """The digits of each number; None where they have none that a snapshot could have."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_null(array.type):
        return Digits(np.zeros(len(array), dtype=np.int64), 0)
    if pa.types.is_decimal128(array.type) and 0 <= array.type.scale <= _FEW:
        return _of(array, array.type.scale)
    for scale in _SCALES:
        try:
            narrow = pc.cast(array, pa.decimal128(_WIDE, scale))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue
        return _of(narrow, scale)
    return None


def _of(array: pa.Array, scale: int) -> Digits:
    """The lower half of each whole number of 128 bits; nulls have any."""
    if not len(array):
        return Digits(np.zeros(0, dtype=np.int64), scale)
    halves = np.frombuffer(array.buffers()[1], np.int64).reshape(-1, 2)
    return Digits(halves[array.offset : array.offset + len(array), 0], scale)


def with_digits(found: Parsed, array: pa.Array) -> Parsed:
    """A column of numbers with their digits; any other as it is."""
    if not isinstance(found.column, Number):
        return found
    return replace(found, column=replace(found.column, digits=last_digits(array)))
