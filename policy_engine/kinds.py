"""The kinds of scalars that schemas name with `x-kind`: numbers, amounts, instants."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from policy_engine.document.text import shortened
from policy_engine.errors import did_you_mean
from policy_engine.numbers import BadNumber, day_or_instant, instant, number, within_digits


class Slip(NamedTuple):
    """What is wrong with a scalar: a code, a message, and a hint."""

    code: str
    message: str
    hint: str | None = None


def kind_slip(kind: str, value: Any, part: Mapping[str, Any]) -> Slip | None:
    """What is wrong with a value that should be of a kind; None if nothing is.

    `part` is the schema beside the kind: its `x-words` are words taken in place of a number,
    its `minimum` and `exclusiveMinimum` hold for numbers written as text too.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    if isinstance(value, str) and value in part.get("x-words", ()):
        return None
    return _KINDS[kind](value, part)


def _number(value: str | int | Decimal, part: Mapping[str, Any]) -> Slip | None:
    return _numeric(value, part, percent=True)


def _amount(value: str | int | Decimal, part: Mapping[str, Any]) -> Slip | None:
    return _numeric(value, part, percent=False)


def _whole(value: str | int | Decimal, part: Mapping[str, Any]) -> Slip | None:
    slip = _numeric(value, part, percent=False)
    if slip is None and (exact := Decimal(value)) != exact.to_integral_value():
        return Slip("bad-number", f"`{value}` is not a whole number", "leave the fraction out")
    return slip


def _numeric(value: str | int | Decimal, part: Mapping[str, Any], *, percent: bool) -> Slip | None:
    try:
        exact = number(value, percent=percent) if isinstance(value, str) else _given(value)
    except BadNumber as bad:
        meant = did_you_mean(value, part.get("x-words", ())) if isinstance(value, str) else None
        return Slip("bad-number", bad.message, meant or bad.hint)
    return _out_of_bounds(exact, part) or _misspelt(value, part)


def _misspelt(value: str | int | Decimal, part: Mapping[str, Any]) -> Slip | None:
    """For a number that editors mark, such as `-0` for an amount: it is refused here too."""
    pattern = part.get("pattern")
    if pattern is None or not isinstance(value, str) or re.fullmatch(pattern, value):
        return None
    expected = part.get("x-expected", "a number")
    message = f"`{shortened(value, 40)}` should be {expected}"
    return Slip("bad-number", message, part.get("x-hint", "write it so"))


def _given(value: int | Decimal) -> Decimal:
    exact = Decimal(value)
    if not exact.is_finite():
        raise BadNumber(f"`{exact}` is not a number", "only finite numbers can be used")
    return within_digits(exact, str(exact))


def _out_of_bounds(exact: Decimal, part: Mapping[str, Any]) -> Slip | None:
    for bound, holds, words in _BOUNDS:
        if bound in part and not holds(exact, Decimal(part[bound])):
            message = f"`{shortened(str(exact), 40)}` should be {words.format(part[bound])}"
            return Slip("invalid-value", message, part.get("x-hint", "check the number"))
    return None


_BOUNDS: tuple[tuple[str, Callable[[Decimal, Decimal], bool], str], ...] = (
    ("minimum", Decimal.__ge__, "{} or more"),
    ("exclusiveMinimum", Decimal.__gt__, "greater than {}"),
    ("maximum", Decimal.__le__, "{} or less"),
)


def _instant(value: str | int | Decimal, part: Mapping[str, Any]) -> Slip | None:
    try:
        instant(str(value))
    except ValueError:
        return _bad_instant(str(value), "an instant")
    pattern = part.get("pattern")
    if pattern and not re.fullmatch(pattern, str(value)):
        return _bad_instant(str(value), "an instant in UTC")
    return None


def _day_or_instant(value: str | int | Decimal, part: Mapping[str, Any]) -> Slip | None:
    try:
        day_or_instant(str(value))
    except ValueError:
        return _bad_instant(str(value), "a day or an instant")
    return None


def _bad_instant(text: str, what: str) -> Slip:
    message = f"`{shortened(text, 40)}` is not {what}"
    for pattern, hint in _INSTANT_SLIPS:
        if re.fullmatch(pattern, text, re.ASCII):
            return Slip("bad-instant", message, hint.format(text=text))
    return Slip("bad-instant", message, "write it as `2025-01-21T10:00:00Z`")


_DAY = r"\d{4}-\d{2}-\d{2}"
_INSTANT_SLIPS: Iterable[tuple[str, str]] = (
    (_DAY, "add the time: `{text}T00:00:00Z`"),
    (rf"{_DAY}T\d{{2}}:\d{{2}}:\d{{2}}", "add `Z` if it is UTC: `{text}Z`"),
    (rf"{_DAY}[T ][\d:.]+[-+]\d{{2}}:\d{{2}}", "write the same instant in UTC, ending in `Z`"),
    (rf"{_DAY}[T ][\d:.]+Z?", "check month, day and time; write it as `2025-01-21T10:00:00Z`"),
)

_KINDS: Mapping[str, Callable[[str | int | Decimal, Mapping[str, Any]], Slip | None]] = {
    "number": _number,
    "amount": _amount,
    "whole": _whole,
    "instant": _instant,
    "day-or-instant": _day_or_instant,
}
