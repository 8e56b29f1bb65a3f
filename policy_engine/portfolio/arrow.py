"""Arrow arrays as columns: each number as the nearest float or close by, with its error.

A decimal128 is a whole number of 128 bits over a power of ten. Below 2**63 it becomes a float with
one rounding and is divided with another; both halves of a larger one take two more. A text is read
by Arrow to the nearest float. What is not written as a snapshot would have it is marked `odd`: the
row is then read as a snapshot, which accepts it after all or says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from policy_engine.columns.columns import Column, made_unknown
from policy_engine.columns.numbers import Array, Number, either
from policy_engine.columns.texts import Instant, Text, micros
from policy_engine.columns.truths import of_flags
from policy_engine.errors import Place, Problem, SnapshotError
from policy_engine.fields import Field, Odd
from policy_engine.numbers import DIGITS_AFTER_POINT, DIGITS_BEFORE_POINT, instant, plain
from policy_engine.portfolio.plain_texts import plainly_written

_LARGEST = 10.0**DIGITS_BEFORE_POINT * (1 - 1e-12)
"""From here on a number may have too many digits."""

_PLAIN_NAME = 64
"""A name of up to so many plain letters is taken by every field of names."""


@dataclass(frozen=True)
class Parsed:
    """An Arrow array as a column: where it is null, and where it is not plainly as it should be."""

    column: Column
    missing: Array | None
    odd: Array | None

    def known(self) -> Column:
        """The column, undetermined where nothing is given."""
        return made_unknown(self.column, self.missing)


def parsed(array: pa.Array, kind: str, field: Field, at: str, kept: Kept) -> Parsed:
    """An array of a field's values. Raises SnapshotError for a type that cannot hold them.

    `kept` holds what was made of a dictionary before: other parts of an array have the same.
    """
    missing = _nulls(array)
    if pa.types.is_null(array.type):
        return Parsed(_EMPTY[kind](len(array)), missing, None)
    try:
        column, odd = _KINDS[kind](array, field, lambda make: _remembered(kept, (at, kind), make))
    except _WrongType:
        raise SnapshotError([_wrong_type(array, kind, at)]) from None
    if odd is not None and missing is not None:
        odd = odd & ~missing
    return Parsed(column, missing, odd if odd is not None and odd.any() else None)


class _WrongType(Exception):
    pass


Kept = dict[tuple[str, str], Any]
_Once = Callable[[Callable[[], Any]], Any]


def _remembered(kept: Kept, key: tuple[str, str], make: Callable[[], Any]) -> Any:
    if key not in kept:
        kept[key] = make()
    return kept[key]


_HINTS = {
    "number": "make it decimal128, a whole number or text",
    "text": "make it text",
    "truth": "make it a column of true and false",
    "instant": "make it a timestamp with a time zone, or text",
}


def _wrong_type(array: pa.Array, kind: str, at: str) -> Problem:
    wanted = {"number": "numbers", "text": "texts", "truth": "truths", "instant": "instants"}[kind]
    message = f"`{at}` should be a column of {wanted}, here is one of {array.type}"
    if pa.types.is_floating(array.type):
        message = f"`{at}` is a column of binary fractions, which may not be the numbers meant"
    return Problem("wrong-column-type", message, _HINTS[kind], Place(pointer=at))


def _nulls(array: pa.Array) -> Array | None:
    if not array.null_count:
        return None
    made: Array = array.is_null().to_numpy(zero_copy_only=False)
    return made


def _takes(field: Field, value: Any) -> bool:
    """Whether a field takes a value plainly."""
    try:
        field.take(value)
    except (Odd, KeyError, TypeError, ValueError, AttributeError, InvalidOperation):
        return False
    return True


# --- numbers -----------------------------------------------------------------------------------


def _numbers(array: pa.Array, field: Field, once: _Once) -> tuple[Column, Array | None]:
    made, odd = _number(array)
    value = made.value
    wrong = ~(value < _LARGEST) if not made.positive or made.most >= _LARGEST else None
    if not made.positive:
        allowed = value > -_LARGEST if _takes(field, "-1") else value >= 0
        wrong = either(wrong, ~allowed)
    if field.above_zero and len(value) and not value.min() > 0:
        wrong = either(wrong, ~(value > 0))
    odd = either(odd, wrong)
    if field.choices is not None or field.kind == "whole":
        odd = either(odd, _not_chosen(array, field))
    return made, odd


def _number(array: pa.Array) -> tuple[Number, Array | None]:
    kind = array.type
    if pa.types.is_dictionary(kind):
        if not len(array.dictionary):
            return _amount(np.zeros(len(array)), 0.0, 1.0), None
        inner, odd = _number(array.dictionary)
        codes = _codes(array)
        return _spread(inner, codes), None if odd is None else odd.take(codes)
    if pa.types.is_integer(kind):
        return _whole(array), None
    if pa.types.is_decimal(kind):
        return _decimal(array)
    if _is_text(kind):
        values, odd = plainly_written(array)
        value = np.nan_to_num(values, nan=0.0)
        return _amount(value, 1.0, 10.0**-DIGITS_AFTER_POINT), odd
    raise _WrongType


def _spread(x: Number, codes: Array) -> Number:
    return replace(x, value=x.value.take(codes))


def _amount(value: Array, units: float, least: float) -> Number:
    low = float(value.min()) if len(value) else 0.0
    most = float(max(abs(low), value.max())) if len(value) else 0.0
    return Number(value, None, units, None, least, most, low >= 0)


def _whole(array: pa.Array) -> Number:
    value = array.fill_null(0).to_numpy(zero_copy_only=False).astype(np.float64)
    made = _amount(value, 1.0, 1.0)
    return replace(made, units=0.0) if made.most < 2.0**53 else made


def _decimal(array: pa.Array) -> tuple[Number, Array | None]:
    scale = array.type.scale
    if not (pa.types.is_decimal128(array.type) and 0 <= scale <= DIGITS_AFTER_POINT):
        return _rescaled(array)
    halves = np.frombuffer(array.buffers()[1], np.int64).reshape(-1, 2)
    halves = halves[array.offset : array.offset + len(array)]
    low, high = halves[:, 0], halves[:, 1]
    if array.null_count:
        there = ~array.is_null().to_numpy(zero_copy_only=False)
        low, high = low * there, high * there
    if not high.any() and (not len(low) or low.min() >= 0):
        value, units = low.astype(np.float64), 2.0
    else:
        value, units = _from_halves(low, high), 4.0
    value /= 10.0**scale
    return _amount(value, units, 10.0**-scale), None


def _from_halves(low: Array, high: Array) -> Array:
    """Whole numbers of 128 bits; those below 0 are turned round first, so that nothing cancels."""
    below = high < 0
    low, high = np.where(below, ~low, low), np.where(below, ~high, high)
    size = high.astype(np.float64) * 2.0**64 + low.view(np.uint64).astype(np.float64)
    return np.where(below, -(size + 1), size)


def _rescaled(array: pa.Array) -> tuple[Number, Array | None]:
    """Decimals of other widths, if nothing of them is lost; else each is looked at by itself."""
    try:
        return _decimal(array.cast(pa.decimal128(38, DIGITS_AFTER_POINT)))
    except pa.ArrowInvalid:
        value = np.array([float(one or 0) for one in array.to_pylist()])
        return _amount(value, 1.0, 1e-76), np.ones(len(array), dtype=bool)


def _not_chosen(array: pa.Array, field: Field) -> Array | None:
    """Where a number is none of the few that a field may have."""
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    texts = [_number_text(one) for one in encoded.dictionary.to_pylist()]
    wrong = np.array([not _takes(field, text) for text in texts] or [False], dtype=bool)
    return wrong.take(_codes(encoded)) if wrong.any() else None


def _number_text(value: Any) -> Any:
    try:
        return plain(Decimal(value)) if value is not None else ""
    except InvalidOperation:
        return ""


# --- texts, truths, instants -------------------------------------------------------------------


def _is_text(kind: pa.DataType) -> bool:
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in tests)


def encoded_text(array: pa.Array) -> pa.Array:
    """Texts as a dictionary of them; other arrays as they are."""
    return array.dictionary_encode() if _is_text(array.type) else array


def _codes(array: pa.Array) -> Array:
    indices = array.indices.fill_null(0) if array.indices.null_count else array.indices
    made: Array = indices.to_numpy(zero_copy_only=False).astype(np.intp)
    return made


def _texts(array: pa.Array, field: Field, once: _Once) -> tuple[Column, Array | None]:
    array = encoded_text(array)
    if not (pa.types.is_dictionary(array.type) and _is_text(array.type.value_type)):
        raise _WrongType
    texts, wrong = once(lambda: _checked(array.dictionary, field))
    codes = _codes(array)
    return Text(codes, texts), wrong.take(codes) if wrong.any() else None


def _checked(texts: pa.Array, field: Field) -> tuple[tuple[str, ...], Array]:
    """Texts, and which of them the field does not take."""
    made = tuple("" if text is None else text for text in texts.to_pylist()) or ("",)
    return made, np.array([not _takes(field, text) for text in made], dtype=bool)


def odd_names(array: pa.Array, field: Field) -> Array | None:
    """Which texts of an array are missing or not as the field has them; most are plain ASCII."""
    if not _is_text(array.type):
        return np.ones(len(array), dtype=bool)
    if pa.types.is_string_view(array.type):
        array = array.cast(pa.string())
    lengths = pc.binary_length(array).fill_null(0).to_numpy(zero_copy_only=False)
    odd = (lengths < 1) | (lengths > _PLAIN_NAME)
    if not _all_plain(array):
        odd = np.array([not _takes(field, text) for text in array.to_pylist()], dtype=bool)
    return odd if odd.any() else None


def _all_plain(array: pa.Array) -> bool:
    """Whether no letter of any text is other than printable ASCII."""
    _, offsets, letters = array.buffers()
    if letters is None:
        return True
    kind = np.int64 if pa.types.is_large_string(array.type) else np.int32
    ends = np.frombuffer(offsets, kind)[array.offset : array.offset + len(array) + 1]
    held = np.frombuffer(letters, np.uint8)[ends[0] : ends[-1]]
    return not len(held) or bool(held.min() >= ord(" ") and held.max() <= ord("~"))


def _truths(array: pa.Array, field: Field, once: _Once) -> tuple[Column, Array | None]:
    if not pa.types.is_boolean(array.type):
        raise _WrongType
    return of_flags(array.fill_null(False).to_numpy(zero_copy_only=False)), None


def _instants(array: pa.Array, field: Field, once: _Once) -> tuple[Column, Array | None]:
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        whole = array.cast(pa.timestamp("us", array.type.tz), safe=False)
        odd = None
        if array.type.unit == "ns":
            back = whole.cast(array.type)
            odd = pc.not_equal(back, array).fill_null(False).to_numpy(zero_copy_only=False)
        return Instant(whole.cast(pa.int64()).fill_null(0).to_numpy()), odd
    array = encoded_text(array)
    if not (pa.types.is_dictionary(array.type) and _is_text(array.type.value_type)):
        raise _WrongType
    moments, wrong = once(lambda: _moments(array.dictionary))
    codes = _codes(array)
    return Instant(moments.take(codes)), wrong.take(codes) if wrong.any() else None


def _moments(texts: pa.Array) -> tuple[Array, Array]:
    """Instants from their texts, and which are none."""
    taken = [_instant(text) for text in texts.to_pylist()] or [None]
    wrong = np.array([one is None for one in taken], dtype=bool)
    return np.array([one or 0 for one in taken], dtype=np.int64), wrong


def _instant(text: str | None) -> int | None:
    try:
        return micros(instant(text or ""))
    except ValueError:
        return None


_KINDS: Mapping[str, Callable[[pa.Array, Field, _Once], tuple[Column, Array | None]]] = {
    "number": _numbers,
    "text": _texts,
    "truth": _truths,
    "instant": _instants,
}
_EMPTY: Mapping[str, Callable[[int], Column]] = {
    "number": lambda n: _amount(np.zeros(n), 0.0, 1.0),
    "text": lambda n: Text(np.zeros(n, dtype=np.intp), ("",)),
    "truth": lambda n: of_flags(np.zeros(n, dtype=bool)),
    "instant": lambda n: Instant(np.zeros(n, dtype=np.int64)),
}
