"""What all kinds of columns have in common: taking elements, choosing, marking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np

from policy_engine.columns import digits, numbers, texts, truths
from policy_engine.columns.numbers import EVERY, Array, Number, either
from policy_engine.columns.texts import Instant, Text, chosen_instant, chosen_text
from policy_engine.columns.truths import ANYTHING, EITHER, FALSE, TRUE, UNDETERMINED, Truth
from policy_engine.language.values import is_undetermined

Column = Number | Truth | Text | Instant


def constant(value: Any) -> Column:
    """One value for all; an undetermined one is a number, as good as any."""
    if is_undetermined(value):
        return numbers.UNKNOWN
    if isinstance(value, Decimal):
        return numbers.constant(value)
    if isinstance(value, bool):
        return truths.constant(value)
    if isinstance(value, datetime):
        return Instant(np.array([texts.micros(value)]))
    return texts.constant(value)


def as_kind(x: Column, kind: str) -> Column:
    """A column of another kind where this one is undetermined all through."""
    if kind == "number" or not (isinstance(x, Number) and x.unknown is not None):
        return x
    if kind == "truth":
        return truths.marked(np.full(len(x.unknown), ANYTHING, dtype=np.uint8), x.unknown)
    codes = np.zeros(len(x.unknown), dtype=np.intp)
    return Text(codes, ("",), x.unknown) if kind == "text" else Instant(codes, x.unknown)


def kind_of(x: Column) -> str:
    """The kind of a column, as the language names it."""
    return {Number: "number", Truth: "truth", Text: "text", Instant: "instant"}[type(x)]


def alike(a: Column, b: Column) -> tuple[Column, Column]:
    """Two columns of one kind, where one of them may be undetermined all through."""
    if type(a) is type(b):
        return a, b
    kinds = kind_of(a), kind_of(b)
    kind = kinds[1] if kinds[0] == "number" else kinds[0]
    return as_kind(a, kind), as_kind(b, kind)


def unknown_of(x: Column) -> Array:
    """Where a column surely is undetermined."""
    if isinstance(x, Truth):
        made: Array = x.bits == UNDETERMINED
        return made
    return ~EVERY if x.unknown is None else x.unknown


def doubt_of(x: Column) -> Array:
    """Where nothing, or not enough, is known of an element."""
    if isinstance(x, Number):
        return numbers.in_doubt(x)
    if isinstance(x, Truth):
        made: Array = (x.bits & (x.bits - 1)) != 0
        return made
    return ~EVERY if x.doubt is None else x.doubt & ~unknown_of(x)


def size(x: Column) -> int:
    """How many elements a column has; one stands for all."""
    parts = [main_part(x)]
    if not isinstance(x, Truth):
        more = (x.unknown, x.bound if isinstance(x, Number) else x.doubt)
        parts += [part for part in more if part is not None]
    sizes = [len(part) for part in parts]
    return max(sizes) if min(sizes) else 0


def main_part(x: Column) -> Array:
    """The values, bits, codes or microseconds."""
    if isinstance(x, Number):
        return x.value
    if isinstance(x, Truth):
        return x.bits
    return x.codes if isinstance(x, Text) else x.micros


def each(x: Column, change: Callable[[Array], Array]) -> Column:
    """A column with all its arrays changed alike; what stands for all stays as it is."""

    def one(part: Array | None) -> Array | None:
        return part if part is None or len(part) == 1 else change(part)

    main = one(main_part(x))
    assert main is not None
    if isinstance(x, Truth):
        return Truth(main)
    if isinstance(x, Number):
        last = x.digits and x.digits.each(change)
        return replace(x, value=main, bound=one(x.bound), unknown=one(x.unknown), digits=last)
    if isinstance(x, Text):
        return replace(x, codes=main, unknown=one(x.unknown), doubt=one(x.doubt))
    return Instant(main, one(x.unknown), one(x.doubt))


def taken(x: Column, where: Array) -> Column:
    """The elements at some positions."""
    return each(x, lambda part: part.take(where))


def spread(x: Column, count: int) -> Column:
    """What stands for all as so many elements."""

    def many(part: Array | None) -> Array | None:
        return None if part is None else np.broadcast_to(part, (count,))

    main = np.broadcast_to(main_part(x), (count,))
    if isinstance(x, Truth):
        return Truth(main)
    if isinstance(x, Number):
        return replace(x, value=main, bound=many(x.bound), unknown=many(x.unknown))
    if isinstance(x, Text):
        return replace(x, codes=main, unknown=many(x.unknown), doubt=many(x.doubt))
    return Instant(main, many(x.unknown), many(x.doubt))


def made_unknown(x: Column, unknown: Array | None) -> Column:
    """The column, undetermined where that is marked."""
    if unknown is None:
        return x
    if isinstance(x, Truth):
        return truths.marked(x.bits, unknown)
    return replace(x, unknown=either(x.unknown, unknown))


def made_doubtful(x: Column, doubt: Array) -> Column:
    """The column, in doubt where that is marked and it is not surely undetermined."""
    if isinstance(x, Truth):
        return texts.marked_doubtful(x, doubt)
    if isinstance(x, Number):
        return replace(x, bound=np.where(doubt, np.inf, numbers.error(x)))
    return replace(x, doubt=either(x.doubt, doubt))


# --- if ----------------------------------------------------------------------------------------


def choose(test: Truth, then: Column, otherwise: Column) -> Column:
    """`then if test else otherwise`. In doubt between two numbers, the error reaches to both."""
    then, otherwise = alike(then, otherwise)
    holds = test.bits == TRUE
    made = _chosen(holds, then, otherwise)
    if truths.sure(test):
        return made
    between = test.bits == EITHER
    doubtful = ~(holds | between | (test.bits == FALSE) | (test.bits == UNDETERMINED))
    if between.any():
        made = _between(between, made, then, otherwise)
    if doubtful.any():
        made = _anything(made, doubtful)
    unknown = test.bits == UNDETERMINED
    return made_unknown(made, unknown) if unknown.any() else made


def _chosen(test: Array, a: Column, b: Column) -> Column:
    if isinstance(a, Number) and isinstance(b, Number):
        return numbers.chosen(test, a, b)
    if isinstance(a, Truth) and isinstance(b, Truth):
        return Truth(np.where(test, a.bits, b.bits))
    if isinstance(a, Text) and isinstance(b, Text):
        return chosen_text(test, a, b)
    assert isinstance(a, Instant)
    assert isinstance(b, Instant)
    return chosen_instant(test, a, b)


def _between(where: Array, made: Column, a: Column, b: Column) -> Column:
    """What it is where it may be either."""
    if isinstance(made, Truth) and isinstance(a, Truth) and isinstance(b, Truth):
        return Truth(np.where(where, a.bits | b.bits, made.bits))
    if isinstance(made, Number) and isinstance(a, Number) and isinstance(b, Number):
        reach = np.maximum(numbers.error(a), np.abs(a.value - b.value) + numbers.error(b))
        known = a.unknown is None and b.unknown is None
        reach = reach if known else np.where(unknown_of(a) | unknown_of(b), np.inf, reach)
        bound = np.where(where, reach, numbers.error(made))
        value = np.where(where, a.value, made.value)
        last = digits.without(made.digits, where)
        made = replace(made, value=value, bound=bound, units=0.0, digits=last)
        return _without_unknown(made, where)
    return _anything(made, where)


def _anything(x: Column, where: Array) -> Column:
    """The column, nothing being known of the elements marked."""
    if isinstance(x, Truth):
        return Truth(np.where(where, np.uint8(ANYTHING), x.bits))
    return made_doubtful(_without_unknown(x, where), where)


def _without_unknown(x: Number | Text | Instant, where: Array) -> Number | Text | Instant:
    """Not surely undetermined there."""
    return x if x.unknown is None else replace(x, unknown=x.unknown & ~where)


def together(columns: Sequence[Column]) -> Array | None:
    """Where one of some columns surely is undetermined."""
    made: Array | None = None
    for column in columns:
        if isinstance(column, Truth) or column.unknown is not None:
            made = either(made, unknown_of(column))
    return made
